"""The table of self-consistency preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.tables import High, Low, ModelName, TableRow

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


class VoteState(TableRow):
    """What became of the questions, answers and pairs of each training file for self-consistency, and
    how often the sides of its pairs are right.
    """

    model: ModelName
    seed: int | None = Field(description="Seed of the training; empty: all seeds use this file.")
    variant: str = Field(
        description="`consistency`, or `consistency-unknown-<p>` where p per cent of Unknown is kept."
    )
    item: str = Field(description="What is counted: questions, sampled answers or pairs.")
    state: str = Field(
        description="`all`, `kept`, or why some were dropped; for pairs also what was measured: the "
        "majority's share of the answers, the shares of sides that are right, and their difference."
    )
    value: float = Field(description="The count, mean, share or difference.")
    low: Low = None
    high: High = None
    n: int = Field(description="The count, or the number of pairs measured.")

    @classmethod
    def made(cls, config: Config) -> object:
        return config.consistency


TABLES = {"consistency_pairs": VoteState}
