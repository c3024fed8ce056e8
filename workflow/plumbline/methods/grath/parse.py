"""From a model's output to its two answers, parsed as in the authors' code."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from plumbline.texts.matching import exact_match
from plumbline.texts.text import normalise, segments

CORRECT, INCORRECT = "Correct answer: ", "Incorrect answer: "


class Unparsed(StrEnum):
    """Why an output contains no pair."""

    THOUGHT = "unparsed_unfinished_thought"
    NO_INCORRECT = "unparsed_no_incorrect_answer"
    MANY_INCORRECT = "unparsed_several_incorrect_answers"
    NO_CORRECT = "unparsed_no_correct_answer"


class Sides(NamedTuple):
    correct: str
    incorrect: str


def parse(output: str | None) -> Sides | Unparsed:
    """The correct and the incorrect answer of an output; None: it never came to an answer.

    It must consist of exactly two parts separated by "Incorrect answer: ". The correct answer is what
    follows the last "Correct answer: " in the first part; the incorrect one is the whole second
    part. Line breaks are deleted without a space in their place, and both are stripped. Case and
    spaces of the two markers matter. Either answer may be empty; see `unfit`.

    If the first part has no "Correct answer: ", the authors' code takes all of it, including the
    repeated question; here, the output then contains no pair.
    """
    if output is None:
        return Unparsed.THOUGHT
    parts = output.strip().split(INCORRECT)
    if len(parts) != 2:
        return Unparsed.NO_INCORRECT if len(parts) < 2 else Unparsed.MANY_INCORRECT
    before, incorrect = parts
    if CORRECT not in before:
        return Unparsed.NO_CORRECT
    return Sides(_one_line(before.rsplit(CORRECT, 1)[1]), _one_line(incorrect))


def unfit(sides: Sides) -> str | None:
    """Why two answers make no training pair; None if they do.

    Answers count as identical if they differ only in case, punctuation, articles and extra spaces
    (`matching.exact_match`): they would teach nothing, or only punctuation. The authors' code keeps
    them.
    """
    if not sides.correct or not sides.incorrect:
        return "empty_side"
    return "identical_sides" if exact_match(sides.correct, [sides.incorrect]) else None


def similarity(first: str, second: str) -> float:
    """F1 of the words that two texts share, in [0, 1], as in SQuAD's script.

    Words are those of the normalised texts (characters, in scripts without spaces), counted as often as
    they occur. 1 if neither text has any.
    """
    one, other = (Counter(segments(normalise(text))) for text in (first, second))
    if not one and not other:
        return 1.0
    return 2 * (one & other).total() / (one.total() + other.total())


def _one_line(text: str) -> str:
    return "".join(text.splitlines()).strip()
