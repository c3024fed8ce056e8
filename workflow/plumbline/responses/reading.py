"""Responses of an earlier stage, all or of some instructions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from plumbline.claims.records import Response
from plumbline.data.instructions import Instruction
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.responses.drawn import DrawnResponse
from plumbline.storage.files import DifferentRuns, InputError, read_unique_rows


def read_responses(path: Path, decisions: Path | None) -> list[Response]:
    """The responses whose claims are checked: all or, with decisions, those to instructions that ask
    for facts.
    """
    if decisions is None:
        return read_unique_rows(path, Response)
    responses = read_unique_rows(path, DrawnResponse)
    wanted = fact_based_ids(
        read_unique_rows(decisions, FactBased), {response.instruction for response in responses}
    )
    return [response for response in responses if response.instruction in wanted]


def one_each(
    instructions: Iterable[Instruction], responses: Iterable[DrawnResponse]
) -> dict[str, DrawnResponse]:
    """The response to each instruction, by its id; absent if the response was empty.

    Raises InputError for a second response to an instruction, and for one to another instruction.
    """
    known = {instruction.id for instruction in instructions}
    by_instruction: dict[str, DrawnResponse] = {}
    for response in responses:
        name = response.instruction
        if name not in known:
            raise DifferentRuns(
                f"response {response.id}: {name!r} is not among the instructions",
                "Generate again",
            )
        if by_instruction.setdefault(name, response) is not response:
            raise InputError(f"{name!r} has two responses; expected one per checkpoint.")
    return by_instruction
