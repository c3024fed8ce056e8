"""Pairs by votes: the answer that a model gives most often over the one it gives most rarely.

Prasad et al. 2024 (ScPO): of k answers to a question, the most consistent is chosen and the least
consistent rejected, if the former has enough votes. No gold answer is read. Ours: what counts as one
answer, that a tie for the majority gives no pair, and that all pairs have the same weight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from plumbline.generation.answered import answered
from plumbline.methods.consistency.records import ANSWERS, QUESTIONS, STAGE, VotedPair
from plumbline.records import Generation, Question, Request, as_text
from plumbline.responses.drawn import unusable
from plumbline.responses.prompting import Form, closed_book_prompt, response_side
from plumbline.storage.files import DifferentRuns
from plumbline.texts.matching import Mode, exact_match, first_line
from plumbline.texts.text import STOPS, normalise
from plumbline.training.sets import TrainingSet, dropped_rows

UNANSWERED, UNANIMOUS = "no usable answer", "unanimous: nothing to reject"
TIE, TOO_FEW = "tie for the majority", "majority too small"


def vote(
    questions: Iterable[Question],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    *,
    name: str,
    form: Form,
    min_share: float,
) -> TrainingSet[VotedPair]:
    """One pair for each question whose usable answers have a majority and a minority.

    name: the training file's. min_share: per cent of all drawn answers that the majority needs.

    Answers count as one if their normalised first lines are equal; the commonest spelling of a group is
    trained on. Of equally rare answers, and of equally common spellings, the one drawn first is taken.
    Raises InputError if questions, requests and generations do not fit.
    """
    by_id = {question.id: question for question in questions}
    pairs: list[VotedPair] = []
    unpaired, unusable_answers, counted = Counter(), Counter(), Counter()
    for request, drawn in answered(requests, generations):
        question = by_id.get(request.question)
        if question is None:
            raise DifferentRuns(
                f"request {request.id}: question {request.question!r} is not among the questions",
                "Generate again",
            )
        groups: dict[str, Counter] = defaultdict(Counter)
        for generation in drawn:
            line = first_line(generation.answer).rstrip(f" {STOPS}")
            if reason := unusable(generation, line):
                unusable_answers[reason] += 1
            else:
                groups[normalise(line)][line] += 1
        counted.update({QUESTIONS: 1, ANSWERS: len(drawn)})
        ranked = sorted(groups.values(), key=lambda spellings: -spellings.total())
        if reason := _unfit([spellings.total() for spellings in ranked], len(drawn), min_share):
            unpaired[reason] += 1
            continue
        majority = ranked[0]
        minority = min(ranked, key=Counter.total)
        pairs.append(
            VotedPair(
                id=f"{question.id}/consistency",
                prompt=closed_book_prompt(question.question, form),
                chosen=response_side(_commonest(majority), form),
                rejected=response_side(_commonest(minority), form),
                question=question.id,
                samples=len(drawn),
                chosen_votes=majority.total(),
                rejected_votes=minority.total(),
            )
        )
    dropped = [
        *dropped_rows(QUESTIONS, unpaired, STAGE),
        *dropped_rows(ANSWERS, unusable_answers, STAGE),
    ]
    return TrainingSet(name, pairs, dropped, dict(counted))


def _unfit(votes: list[int], drawn: int, min_share: float) -> str | None:
    """Why votes, the most first, make no pair; None where they do."""
    if not votes:
        return UNANSWERED
    if len(votes) == 1:
        return UNANIMOUS
    if votes[0] == votes[1]:
        return TIE
    return TOO_FEW if votes[0] * 100 < min_share * drawn else None


def _commonest(spellings: Counter) -> str:
    return max(spellings, key=spellings.__getitem__)


def with_truth(
    pairs: Iterable[VotedPair], questions: Iterable[Question], match: Mode
) -> list[VotedPair]:
    """The same pairs, marked with whether their sides are right: only for tables, after all
    decisions.
    """
    answers = {question.id: question.answers for question in questions}
    return [
        pair.model_copy(
            update={
                f"{side}_right": exact_match(
                    as_text(getattr(pair, side)), answers[pair.question], match
                )
                for side in ("chosen", "rejected")
            }
        )
        for pair in pairs
    ]
