"""Rows of earlier stages, brought together by instruction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from plumbline.claims.records import Response as AnyResponse
from plumbline.data.instructions import Instruction
from plumbline.files import InputError, read_unique_rows
from plumbline.methods.flame.fact_based import FactBased
from plumbline.responses.drawn import Response


def fact_based_ids(decisions: Iterable[FactBased], instructions: Collection[str]) -> set[str]:
    """Ids of those instructions that ask for facts; InputError for one without a decision."""
    said = {one.id: one.fact_based if one.taken is None else one.taken for one in decisions}
    for name in instructions:
        if name not in said:
            raise InputError(
                f"instruction {name!r} has no decision on whether it asks for facts; instructions "
                f"and decisions are of different runs. Decide again."
            )
    return {name for name in instructions if said[name]}


def labelled(
    decisions: Iterable[FactBased], instructions: Iterable[Instruction], trusted: bool
) -> list[FactBased]:
    """The decisions with the instructions' own marks, which are gone by if they are `trusted`."""
    marks = {one.id: one.fact_based for one in instructions}
    return [
        decision.model_copy(
            update={
                "label": marks.get(decision.id),
                "taken": marks.get(decision.id) if trusted else None,
            }
        )
        for decision in decisions
    ]


def read_responses(path: Path, decisions: Path | None) -> list[AnyResponse]:
    """Responses whose claims are looked at: all, or with decisions those to instructions that ask
    for facts.
    """
    if decisions is None:
        return read_unique_rows(path, AnyResponse)
    responses = read_unique_rows(path, Response)
    wanted = fact_based_ids(
        read_unique_rows(decisions, FactBased), {one.instruction for one in responses}
    )
    return [one for one in responses if one.instruction in wanted]


def one_each(
    instructions: Iterable[Instruction], responses: Iterable[Response]
) -> dict[str, Response]:
    """The response to each instruction, by its id; absent where the response was empty.

    Raises InputError for a second response to an instruction, and for one to another instruction.
    """
    known = {one.id for one in instructions}
    found: dict[str, Response] = {}
    for response in responses:
        name = response.instruction
        if name not in known:
            raise InputError(
                f"response {response.id}: {name!r} is not among the instructions; they are of "
                f"different runs. Generate again."
            )
        if found.setdefault(name, response) is not response:
            raise InputError(f"{name!r} has two responses; expected one a checkpoint.")
    return found
