"""Responses drawn for display, with their claims, verdicts and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from plumbline.claims.records import Decision, SplitState
from plumbline.storage.files import InputError, read_json


class ShownClaim(BaseModel):
    """A claim with its verdict, and the evidence as recorded by the verifier."""

    text: str
    verdict: Decision
    state: str
    evidence: list[dict] = []


class ShownResponse(BaseModel):
    """A checkpoint's response to an instruction."""

    model: str
    seed: int
    checkpoint: str
    instruction: str
    prompt: str
    text: str
    state: SplitState
    claims: list[ShownClaim]


class Sample(BaseModel):
    responses: list[ShownResponse]


def read_responses(path: Path) -> Sequence[ShownResponse]:
    """The responses of tables/responses.json; none if the file is absent.

    Raises `InputError` naming file and field when it contains something else.
    """
    if not path.is_file():
        return ()
    try:
        return Sample.model_validate(read_json(path)).responses
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"{path}: {where}: {first['msg']}. Expected responses with their claims; write the "
            f"file again by running the stage that makes it (tabulate_states)."
        ) from error
