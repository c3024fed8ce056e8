"""The table of APEFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.evaluation.tables import StudyRow
from plumbline.tables import Count, ModelName, TableRow, TrainingSeed

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


TABLES = {"apeft_pairs": PairState, "study": StudyRow}
