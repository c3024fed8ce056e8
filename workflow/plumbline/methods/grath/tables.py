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
    """The model's scores and the pairs it was trained on, for each of GRATH's rounds."""

    model: ModelName
    seed: AnySeed
    variant: str = Field(
        description="`grath`, or `grath-unknown-<p>` where p per cent of Unknown is kept."
    )
    round: int | None = Field(
        description="The round; 0: the model before the first round; empty: the base, if that is a "
        "different one."
    )
    checkpoint: CheckpointName
    task: TaskName
    domain: str = Field("", description="`id` or `ood`; empty for the training pairs.")
    metric: str = Field(
        description="A measure of the task; for the task `pairs`, a count (`asked`, `parsed`, …), the "
        "pairs' `similarity`, the sides' lengths in words, the shares of sides that name a right "
        "option, their difference, or the shares of sides with a negation."
    )
    value: float = Field(description="The value of `metric`.")
    low: Low = None
    high: High = None
    n: int = Field(description="Items; for counts, the questions asked.")

    @classmethod
    def made(cls, config: Config) -> object:
        return config.grath


TABLES = {"grath_rounds": RoundRow}
