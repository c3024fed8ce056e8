"""Instructions and prompts: what models are asked to do at length."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import FormattedSource, Limit, Seed

InstructionFormat = Literal[
    "embedded", "entities", "rows", "oasst", "self_instruct", "mt_bench", "longfact"
]


class InstructionSource(FormattedSource):
    """Where instructions come from, and how many of them are used."""

    NO_FILE = ("embedded", "entities")

    format: InstructionFormat = Field(
        description="embedded: the seed set included in plumbline; entities: prompts about the "
        "subjects of the facts; rows: your own, as JSON Lines, JSON, CSV or parquet; oasst: OASST1's "
        "trees or messages; self_instruct, mt_bench, longfact: as published."
    )
    relations: list[str] = Field(
        [], description="entities: only the subjects of these relations; empty: of all."
    )
    part: Literal["all", "train", "test"] = Field(
        "all",
        description="train: four fifths, chosen by id; test: the other fifth, so that one source can "
        "serve both.",
    )
    limit: Limit = Field(None, description="Instructions used (entities: per domain); null: all.")
    seed: Seed = Field(
        1,
        description="Seed that draws the instructions used, and the wording of entities' prompts.",
    )

    @model_validator(mode="after")
    def _of_entities(self):
        if self.relations and self.format != "entities":
            raise ValueError(f"relations: not used with format: {self.format}; remove it")
        return self
