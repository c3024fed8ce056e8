"""The tables of APEFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.tables import Count, High, Low, ModelName, TableRow, TrainingSeed

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


class PairState(TableRow):
    """What became of the facts, answers and pairs of each training file of APEFT."""

    model: ModelName
    seed: TrainingSeed
    set: str = Field(description="The training file, such as `apeft.atomic-50`.")
    item: str = Field(description="What is counted: facts, right answers, pairs, …")
    state: str = Field(description="What became of it.")
    n: Count

    @classmethod
    def made(cls, config: Config) -> object:
        return config.apeft


class StudyRow(TableRow):
    """The gain of a share of atomic preferences over the parent, or over general preferences alone,
    under one loss (Yuan et al. 2024).
    """

    model: ModelName
    method: str = Field(description="The method, or its variant that drops Unknown.")
    percent: float = Field(description="Per cent of atomic pairs.")
    loss: str = Field(description="The loss, or `average` over all of them.")
    domain: str = Field(description="`id`, `ood`, or `both`: the mean of the two.")
    against: str = Field(description="`parent` or `general-only`.")
    tasks: str = Field(description="The tasks.")
    value: float = Field(description="Mean difference.")
    low: Low
    high: High
    n: int = Field(description="Items.")

    @classmethod
    def made(cls, config: Config) -> object:
        return config.apeft


TABLES = {"apeft_pairs": PairState, "study": StudyRow}
