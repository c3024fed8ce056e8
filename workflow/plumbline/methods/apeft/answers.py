"""Sampled answers to a question about a fact, each distinct one as a statement to verify."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from pydantic import Field

from plumbline.claims.records import Claim
from plumbline.generation.answered import answered
from plumbline.methods.apeft.questions import SLOT, AtomicQuestion
from plumbline.records import Generation, NonEmpty, Request
from plumbline.responses.drawn import unusable
from plumbline.storage.files import InputError
from plumbline.texts.matching import first_line
from plumbline.texts.text import STOPS, normalise
from plumbline.verification.statements import as_sentence, named


class Answered(Claim):
    """The statement that an answer to a question makes; `response` is the question's id.

    `text` is what is verified: the statement itself, if it is judged as being about the fact that was
    asked for; otherwise the statement as the question's answer, since "Phoenix is a city in Arizona" is
    true and does not say which country Phoenix is in.
    """

    statement: NonEmpty = Field(description="The answer as a sentence, to be trained on.")
    answer: NonEmpty = Field(description="The answer's commonest spelling.")
    n: int = Field(ge=1, description="Samples that gave it, however spelled.")


def statements(
    questions: Iterable[AtomicQuestion],
    requests: Iterable[Request],
    generations: Iterable[Generation],
) -> tuple[list[Answered], Counter]:
    """A claim for every distinct answer, the commonest first, and samples that are not answers.

    Answers are compared by their normalised first lines. Raises InputError if questions and requests do
    not fit.
    """
    drawn = {request.claim: given for request, given in answered(requests, generations)}
    rows: list[Answered] = []
    dropped: Counter = Counter()
    for question in questions:
        if question.id not in drawn:
            raise InputError(
                f"question {question.id} was not asked; questions and requests are of different "
                f"runs. Make them again."
            )
        spellings: dict[str, Counter] = defaultdict(Counter)
        for sample in drawn[question.id]:
            line = _answer(first_line(sample.answer), question.statement)
            if reason := unusable(sample, line):
                dropped[reason] += 1
            else:
                spellings[normalise(line)][line] += 1
        ordered = sorted(spellings.items(), key=lambda item: (-item[1].total(), item[0]))
        for number, (_, tally) in enumerate(ordered):
            answer = min(tally, key=lambda line: (-tally[line], line))
            said = stated(question, answer)
            rows.append(
                Answered(
                    id=f"{question.id}#{number}",
                    response=question.id,
                    topic=question.topic,
                    sentence=0,
                    text=said if question.asked else _as_answer(question, said),
                    asked=question.asked,
                    statement=said,
                    answer=answer,
                    n=tally.total(),
                )
            )
    return rows, dropped


def _as_answer(question: AtomicQuestion, statement: str) -> str:
    return f'The answer to the question "{question.question}" is: {statement}'


def _answer(line: str, statement: str) -> str:
    """The line without a full stop, and without the statement's beginning if it repeats it."""
    opening = statement.partition(SLOT)[0]
    if opening and line.casefold().startswith(opening.casefold()):
        line = line[len(opening) :]
    return line.rstrip(f" {STOPS}")


def stated(question: AtomicQuestion, answer: str) -> str:
    """The full statement of an answer, e.g. "The capital of Peru is Lima."."""
    if question.asked:
        answer = named(question.asked.relation, answer)
    # Without a second article, if the statement already has one before the slot.
    if re.search(rf"\b(?:a|an|the) {re.escape(SLOT)}", question.statement, re.IGNORECASE):
        answer = re.sub(r"^(?:a|an|the) (?=\S)", "", answer, flags=re.IGNORECASE)
    return as_sentence(question.statement.replace(SLOT, answer))
