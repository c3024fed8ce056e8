"""The data of a piece of the study (one claim at one seed) in docs/study/data, and the
study's table.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from plumbline.tables import High, Low, TableRow
from plumbline.training.sets import Composition

Decision = Literal["yes", "no", "undecided", ""]


class MeasuredRow(TableRow):
    """One checkpoint's score on one item, by one measure."""

    checkpoint: str
    task: str
    domain: str
    category: str
    metric: str
    item: str
    cluster: str
    value: float


class GroupRow(TableRow):
    """The group of an item whose pieces name none: docs/study/data/<claim>/groups.csv."""

    item: str
    group: str


class FitRow(TableRow):
    """After which epochs of a mix's training one of its probes was answered right."""

    tuning: str
    part: str
    domain: str
    category: str
    item: str
    subject: str
    right: str = Field(
        description="A digit per epoch, starting with epoch 0 (before training): 1 right, 0 wrong."
    )


class MixAbout(BaseModel):
    """What a mix consists of, the checkpoint it started from, and the epochs of its stops."""

    model_config = ConfigDict(extra="forbid")

    parent: str
    composition: Composition
    stops: dict[str, int]


class StageTime(BaseModel):
    """The time that the jobs of a stage took together, according to Snakemake's benchmarks."""

    model_config = ConfigDict(extra="forbid")

    stage: str
    jobs: int
    wall_seconds: float
    processor_seconds: float


class PieceManifest(BaseModel):
    """Where the numbers of a piece come from. Written last: once it exists, the piece is complete."""

    model_config = ConfigDict(extra="forbid")

    claim: str
    seed: int
    model: str
    commit: str = Field(description="Commit of the sources; with -dirty if files differ from it.")
    configuration: str = Field(description="Digest of the configuration, without seeds and device.")
    labels: str = Field(description="Digest of the category of every question that was probed.")
    versions: dict[str, str]
    device: str
    processor: str
    cores: int
    stages: list[StageTime]
    mixes: dict[str, MixAbout] = {}


class ClaimRow(TableRow):
    """A contrast of the study with its result, or, with role `claim`, the result of a whole claim."""

    claim: str = Field(description="The claim, as docs/study/plan.md numbers them.")
    role: str = Field(description="`claim`, `primary`, `control`, `secondary` or `exploratory`.")
    contrast: str = Field(description="What is contrasted, in words.")
    task: str = Field("", description="What was asked.")
    domain: str = Field("", description="`id`: in the tuning domain; `ood`: outside of it.")
    measure: str = Field("", description="The measure.")
    rule: str = Field("", description="What counts as yes; empty: nothing is decided.")
    estimate: float | None = Field(None, description="As a fraction of 1, or a number of claims.")
    low: Low = None
    high: High = None
    n: int = Field(0, description="Items.")
    seeds: int = Field(0, description="Seeds.")
    detectable: float | None = Field(
        None,
        description="The smallest true difference that would have been found with a probability of "
        "80 %; for what should be held, the smallest margin.",
    )
    decision: Decision = Field("", description="`yes`, `no` or `undecided`, by the plan's rule.")
    reason: str = Field("", description="Why it is undecided, if the interval is not the reason.")
