"""The tables that account for a run: what was left out, and what it took."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import TableRow


class LossRow(TableRow):
    """What was left out anywhere, by reason."""

    stage: str = Field(description="Where: `facts`, `train`, `choices`, …")
    model: str = Field("", description="The model; empty: all.")
    seed: str = Field("", description="Seed of the training; empty: all.")
    item: str = Field(description="What was left out.")
    reason: str = Field(description="Why.")
    n: int = Field(description="How many.")


class StageCost(TableRow):
    """What the jobs of a stage took, by Snakemake's benchmarks."""

    stage: str = Field(description="The folder of results/<run>/benchmarks.")
    wall_seconds: float = Field(description="Seconds, summed over its jobs.")
    peak_memory_mib: float = Field(description="Most memory that one of its jobs used, in MiB.")
    jobs: int = Field(description="Jobs.")


TABLES = {"dropped": LossRow, "stages": StageCost}
