"""Decisions on which instructions ask for facts, by a model or by the source's own marks."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pydantic import Field

from plumbline.data.instructions import Instruction
from plumbline.records import NonEmpty, Record
from plumbline.storage.files import DifferentRuns


class FactBased(Record):
    """The decision on one instruction, with its basis."""

    id: NonEmpty = Field(description="The instruction's id.")
    fact_based: bool
    probability: float = Field(ge=0, le=1, description="Of Yes against No.")
    label: bool | None = Field(None, description="The source's own mark, if it has one.")
    taken: bool | None = Field(
        None, description="What is gone by, where that is the mark; absent: fact_based."
    )


def fact_based_ids(decisions: Iterable[FactBased], instructions: Collection[str]) -> set[str]:
    """Ids of those instructions that ask for facts; InputError for one without a decision."""
    said = {
        decision.id: decision.fact_based if decision.taken is None else decision.taken
        for decision in decisions
    }
    for name in instructions:
        if name not in said:
            raise DifferentRuns(
                f"instruction {name!r} has no decision on whether it asks for facts",
                "Decide again",
            )
    return {name for name in instructions if said[name]}


def labelled(
    decisions: Iterable[FactBased], instructions: Iterable[Instruction], trusted: bool
) -> list[FactBased]:
    """The decisions with the instructions' own marks, which decide if they are `trusted`."""
    marks = {instruction.id: instruction.fact_based for instruction in instructions}
    return [
        decision.model_copy(
            update={
                "label": marks.get(decision.id),
                "taken": marks.get(decision.id) if trusted else None,
            }
        )
        for decision in decisions
    ]
