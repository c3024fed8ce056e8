"""The tables of SliCK and of the mixes of known and new facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.tables import (
    CheckpointName,
    Count,
    DomainName,
    High,
    Low,
    ModelName,
    TableRow,
    TaskName,
    TrainingSeed,
)

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


class SlickCount(TableRow):
    """How many questions of each relation and split are in each of SliCK's categories."""

    model: ModelName
    relation: str = Field(description="The relation, such as `country_capital`.")
    domain: DomainName
    split: str = Field(description="`train`, `dev` or `test`.")
    category: str = Field(
        description="`HighlyKnown`, `MaybeKnown`, `WeaklyKnown` or `Unknown` to the base."
    )
    n: Count


class FitPoint(TableRow):
    """The share of questions answered right after each epoch of a mix."""

    model: ModelName
    seed: TrainingSeed
    tuning: str = Field(description="The mix, such as `mix.unknown-50`.")
    unknown_percent: float | None = Field(
        description="Per cent of Unknown facts in the mix; empty: a mix of another kind."
    )
    epoch: int = Field(description="Passes over the training file so far; 0: before training.")
    part: str = Field(description="Split of the questions.")
    domain: DomainName
    category: str = Field(description="SliCK's category of the questions, or `All`.")
    value: float = Field(description="The share.")
    low: Low
    high: High
    n: int = Field(description="Questions.")
    stop: str = Field(
        description="`early_stop` or `convergence` if this epoch's checkpoint is kept."
    )


class FitSpeed(TableRow):
    """How many epochs it takes to fit a share of a category, within one mix, over all seeds."""

    model: ModelName
    tuning: str = Field(description="The mix, such as `mix.unknown-50`.")
    category: str = Field(
        description="SliCK's category, `Known` for the three known ones together, or "
        "`Unknown - Known` for how much later Unknown is fitted."
    )
    share: float = Field(description="The share to be reached.")
    value: float | None = Field(None, description="Epochs; empty: not reached by every seed.")
    low: Low = None
    high: High = None
    n: int = Field(description="Questions of all seeds together.")
    seeds: int = Field(description="Seeds.")
    state: str = Field(description="`reached` by every seed, or `not reached`.")


class SlopeRow(TableRow):
    """The linear model of test accuracy on the fitted shares of Known and Unknown (Gekhman et al. 2024,
    section 4.4): a row per term, or one row with the reason why there is no line.
    """

    model: ModelName
    domain: DomainName
    term: str = Field(description="`intercept`, `known_fitted` or `unknown_fitted`.")
    estimate: float | None = Field(None, description="The coefficient, for accuracy in per cent.")
    low: Low = None
    high: High = None
    r2: float | None = Field(None, description="Share of variance explained, mean over seeds.")
    n: int = Field(description="Epochs of mixes that the line is fitted to.")
    seeds: int = Field(description="Seeds.")
    left_out: int = Field(description="Epochs left out of the fit.")
    reason: str = Field("", description="Why no line is fitted.")


class ProbeRow(TableRow):
    """How often tuned models answer the questions that SliCK or P(True) calls Unknown or Known."""

    model: ModelName
    seed: TrainingSeed
    checkpoint: CheckpointName
    task: TaskName
    domain: DomainName
    probe: str = Field(description="`slick` or `p_true`.")
    called: str = Field(description="What the probe calls the questions: `Unknown` or `Known`.")
    threshold: float | None = Field(
        description="Highest P(True) that is called Unknown; empty for `slick`."
    )
    share: float = Field(description="Share of the questions that is called so.")
    value: float = Field(description="Share of these that is answered exactly right.")
    low: Low
    high: High
    n: int = Field(description="Questions that are called so.")

    @classmethod
    def made(cls, config: Config) -> object:
        return config.slick.p_true and config.mixes.names()


TABLES = {
    "slick_counts": SlickCount,
    "fit_curves": FitPoint,
    "fit_speed": FitSpeed,
    "linear_model": SlopeRow,
    "p_true": ProbeRow,
}
