"""The tables that account for a run: what was left out, and what it took."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import TableRow


class LossRow(TableRow):
    """Everything that was left out, by stage and reason."""

    stage: str = Field(description="Where: `facts`, `train`, `choices`, …")
    model: str = Field("", description="The model; empty: all.")
    seed: str = Field("", description="Seed of the training; empty: all.")
    item: str = Field(description="What was left out.")
    reason: str = Field(description="Why.")
    n: int = Field(description="How many.")


class StageCost(TableRow):
    """The time and memory that the jobs of a stage took, according to Snakemake's benchmarks."""

    stage: str = Field(description="The stage, a folder of results/<run>/benchmarks.")
    wall_seconds: float = Field(description="Seconds, summed over its jobs.")
    peak_memory_mib: float = Field(description="The most memory that one of its jobs used, in MiB.")
    jobs: int = Field(description="Jobs.")


TABLES = {"dropped": LossRow, "stages": StageCost}
