"""The table of GRATH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.tables import (
    AnySeed,
    CheckpointName,
    High,
    Low,
    ModelName,
    TableRow,
    TaskName,
)

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


class RoundRow(TableRow):
    """What became of the model and of its pairs, round by round of GRATH."""

    model: ModelName
    seed: AnySeed
    variant: str = Field(
        description="`grath`, or `grath-unknown-<p>` where p per cent of Unknown is kept."
    )
    round: int | None = Field(
        description="The round; 0: the model before the first; empty: the base, where that is "
        "another one."
    )
    checkpoint: CheckpointName
    task: TaskName
    domain: str = Field("", description="`id` or `ood`; empty: of the training pairs.")
    metric: str = Field(
        description="A measure of the task; of the task `pairs` a count (`asked`, `parsed`, …), the "
        "pairs' `similarity`, their length in words, the shares of sides that name a right option."
    )
    value: float = Field(description="Its value.")
    low: Low = None
    high: High = None
    n: int = Field(description="Items; of counts, the questions asked.")

    @classmethod
    def made(cls, config: Config) -> object:
        return config.grath


TABLES = {"grath_rounds": RoundRow}
