"""A round's training pairs: new correct answers against the first incorrect ones (GRATH)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean
from typing import Literal

from pydantic import Field

from plumbline.methods.grath.parse import Sides, Unparsed, parse, similarity, unfit
from plumbline.methods.grath.prompt import Legacy, request_id, training_sides
from plumbline.methods.grath.truth import names_right
from plumbline.records import ChoiceQuestion, Generation, NonEmpty, Pair
from plumbline.storage.files import DifferentRuns, InputError
from plumbline.training.sets import Composition, TrainingSet, dropped_rows

STAGE, ITEM = "grath", "questions"  # under which dropped questions are counted
THIS_ROUND, ROUND_0 = "this round", "round 0"


class GrathPair(Pair):
    """A pair with the origin of its answers; `id` is the question's."""

    round: int = Field(ge=1, description="The training round, 1 for pairs of round 0's model.")
    question: NonEmpty
    correct: NonEmpty
    incorrect: NonEmpty = Field(description="Always round 0's.")
    correct_from: Literal["this round", "round 0"]
    changed: bool = Field(description="Whether the correct answer is another than round 0's.")
    chosen_right: bool = Field(description="Whether it names a right option (`truth`).")
    rejected_right: bool
    similarity: float = Field(ge=0, le=1, description="Word-level F1 of the two answers.")


def composition(built: TrainingSet[GrathPair]) -> Composition:
    """What a round's pairs consist of: parts by the origin of the correct answer and, besides the
    counts of `build_round`, how many correct answers are `changed`, and the mean `similarity`.
    """
    pairs = built.rows
    by_reason = replace(built, dropped=sorted(built.dropped, key=lambda row: row["reason"]))
    return by_reason.composition(
        built.parts("correct_from", (THIS_ROUND, ROUND_0)),
        changed=sum(pair.changed for pair in pairs),
        similarity=fmean(pair.similarity for pair in pairs),
    )


def outputs(
    questions: Iterable[ChoiceQuestion], generations: Iterable[Generation]
) -> dict[str, str | None]:
    """The output for each question, by the question's id; None if it is an unfinished thought.

    Raises InputError when a question has none, or when an output is about no question.
    """
    ids = {request_id(question.id): question.id for question in questions}
    texts = {}
    for generation in generations:
        if generation.request not in ids:
            raise DifferentRuns(
                f"generation of request {generation.request!r}, which is about none of the "
                "questions",
                "Generate again",
            )
        text = None if generation.unfinished_thought else generation.answer
        texts[ids[generation.request]] = text
    for request, question in ids.items():
        if question not in texts:
            raise InputError(f"request {request} was not answered; generate again.")
    return texts


def build_round(
    questions: Iterable[ChoiceQuestion],
    first: dict[str, str | None],
    now: dict[str, str | None],
    *,
    name: str,
    number: int,
    max_unparsed: float,
    legacy_prompt: Legacy | None = None,
) -> TrainingSet[GrathPair]:
    """The pairs of training round `number`, counted from 1, in the order of their ids.

    name: the tuning's. Counts are the `round`, the questions `asked` (pairs and all dropped ones)
    and the outputs now `parsed`.

    first: by question id, the output of round 0's model; now: that of the round's parent. In round 1
    they are the same, and both answers of a pair are from one model (self-truthifying). Later, the
    correct answer is new and the incorrect one stays the first. A question whose output now contains
    no pair keeps its first correct answer; one whose first output contained none is left out of
    every round. max_unparsed: percentage of `now` that may contain no pair.

    Raises InputError when more do, when no pair is left, or when round 1 is given two sets of outputs.
    """
    if number == 1 and first != now:
        raise InputError(
            "round 1: its parent is round 0's model, but the outputs of the two differ; give the "
            "same generations for both."
        )
    questions = sorted(questions, key=lambda question: question.id)
    later = {question.id: parse(now[question.id]) for question in questions}
    _check_parsed(later, now, max_unparsed, number)
    pairs, dropped = [], Counter()
    for question in questions:
        start, new = parse(first[question.id]), later[question.id]
        if isinstance(start, Unparsed):
            dropped[start] += 1
            continue
        fresh = isinstance(new, Sides)
        sides = Sides(new.correct if fresh else start.correct, start.incorrect)
        if reason := unfit(sides):
            dropped[reason] += 1
            continue
        pairs.append(
            GrathPair(
                id=question.id,
                **training_sides(question.question, *sides, legacy_prompt),
                round=number,
                question=question.question,
                correct=sides.correct,
                incorrect=sides.incorrect,
                correct_from=THIS_ROUND if fresh else ROUND_0,
                chosen_right=names_right(sides.correct, question),
                rejected_right=names_right(sides.incorrect, question),
                changed=sides.correct != start.correct,
                similarity=similarity(*sides),
            )
        )
    if not pairs:
        raise InputError(
            f"round {number}: none of {len(questions)} questions gives a pair "
            f"({', '.join(f'{reason} {n}' for reason, n in sorted(dropped.items()))}); the model "
            f"does not tell a correct answer from an incorrect one. Take another grath.parent."
        )
    counted = {
        "round": number,
        "asked": len(questions),
        "parsed": sum(isinstance(sides, Sides) for sides in later.values()),
    }
    return TrainingSet(name, pairs, dropped_rows(ITEM, dropped, STAGE), counted)


def _check_parsed(
    parsed: dict[str, Sides | Unparsed], texts: dict[str, str | None], limit: float, number: int
) -> None:
    bad = [name for name, pair in parsed.items() if isinstance(pair, Unparsed)]
    if not bad or len(bad) <= limit / 100 * len(parsed):
        return
    raise InputError(
        f"round {number}: {len(bad)} of {len(parsed)} outputs ({len(bad) / len(parsed):.0%}) hold "
        f"no pair, more than grath.max_unparsed allows ({limit:g} %). {bad[0]} "
        f"({parsed[bad[0]]}): {(texts[bad[0]] or '')[:300]!r}. Raise grath.max_tokens if outputs "
        f"are cut, train rounds more gently (learning_rate or max_steps of the recipe) if earlier "
        f"ones were good, take a grath.parent that follows instructions, or raise grath.max_unparsed."
    )
