"""Instructions and prompts: what models are asked to do at length."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import Limit, Section, Seed
from plumbline.sources import Source

InstructionFormat = Literal[
    "embedded", "entities", "rows", "oasst", "self_instruct", "mt_bench", "longfact"
]


class InstructionSource(Section):
    """Where instructions come from, and how many of them are used."""

    format: InstructionFormat = Field(
        description="embedded: the seed set that comes along; entities: prompts about the subjects "
        "of the facts; rows: your own JSON Lines; oasst: OASST1's trees or messages; "
        "self_instruct; mt_bench; longfact: as published."
    )
    source: str | None = Field(
        None, description="Source line of the file or folder; not for embedded and entities."
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Checksum of source, for https: and pypi:."
    )
    part: Literal["all", "train", "test"] = Field(
        "all",
        description="train: four fifths, drawn by id; test: the others; so that one source "
        "can serve both.",
    )
    limit: Limit = Field(None, description="Instructions used (entities: a domain); null: all.")
    seed: Seed = Field(1, description="Seed of which ones, and of an entity's prompt.")

    @model_validator(mode="after")
    def _source(self):
        needs = self.format not in ("embedded", "entities")
        if needs and self.source is None:
            raise ValueError(
                f"source: missing; format: {self.format} needs one, e.g. file:my.jsonl"
            )
        if not needs and self.source is not None:
            raise ValueError(f"source: not used with format: {self.format}; remove it")
        if self.source is not None:
            Source.parse(self.source, self.sha256)
        return self
