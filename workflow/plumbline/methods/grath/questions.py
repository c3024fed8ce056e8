"""The questions that pairs are written for: those that are not evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from plumbline.records import ChoiceQuestion
from plumbline.storage.files import InputError
from plumbline.texts.text import question_key


def choose(
    questions: Iterable[ChoiceQuestion], evaluated: Iterable[Iterable[str]]
) -> tuple[list[ChoiceQuestion], list[ChoiceQuestion]]:
    """(kept, dropped): dropped are those that are also an evaluated question.

    evaluated: the question texts of every evaluation set. Raises InputError when nothing is left.
    """
    taken = {question_key(text) for texts in evaluated for text in texts}
    kept, dropped = [], []
    for question in questions:
        side = dropped if question_key(question.question) in taken else kept
        side.append(question)
    if not kept:
        raise InputError(
            f"grath.questions: all {len(dropped)} questions are also in an evaluation set, so that "
            f"none may be tuned on; give grath.questions another source."
        )
    return kept, dropped
