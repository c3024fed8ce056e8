"""Groups of choice questions by which of their options are negated, for exploratory contrasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plumbline.methods.grath.truth import is_negated
from plumbline.records import ChoiceQuestion
from plumbline.study.records import GroupRow

GROUPS = {  # by whether a true and whether a false option is negated
    (False, False): "no option negated",
    (True, False): "only true options negated",
    (False, True): "only false options negated",
    (True, True): "options of both kinds negated",
}


def group_rows(task: str, questions: Iterable[ChoiceQuestion]) -> Iterator[GroupRow]:
    """A row per question of a choice task, in the given order."""
    for question in questions:
        options = list(zip(question.choices, question.labels, strict=True))
        true, false = (
            any(is_negated(option) for option, label in options if label == side) for side in (1, 0)
        )
        yield GroupRow(item=f"{task}/{question.id}", group=GROUPS[true, false])
