"""The table of tested judges."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import High, Low, ModelName, TableRow, TrainingSeed


class JudgeShare(TableRow):
    """How often a judge is right about pairs of known quality."""

    model: ModelName
    seed: TrainingSeed
    judge: str = Field(description="The checkpoint that judges.")
    use: str = Field(description="What it judges for: `win_rate` or `helpfulness`.")
    kind: str = Field(description="What was done to the worse side, or `All`.")
    right: float = Field(description="Share of right verdicts; a tie counts one half.")
    low: Low
    high: High
    n: int = Field(description="Pairs.")
    usable: str = Field(description="`yes` or `no`: whether its verdicts are used.")


TABLES = {"judge_calibration": JudgeShare}
