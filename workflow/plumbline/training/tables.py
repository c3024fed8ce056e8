"""The table of preference trainings."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import ModelName, TableRow, TrainingSeed


class PreferenceStep(TableRow):
    """A logged step of a preference training; log-probabilities are sums over an answer, in nats."""

    model: ModelName
    seed: TrainingSeed
    tuning: str = Field(description="The training, such as `grath.r1`.")
    step: int = Field(description="The step.")
    epoch: float = Field(description="Passes over the training file so far.")
    loss: float | None = Field(description="The loss.")
    margin: float | None = Field(
        description="Reward of the chosen side minus that of the rejected."
    )
    accuracy: float | None = Field(description="Share of pairs whose chosen side has more reward.")
    chosen: float | None = Field(description="Log-probability of the chosen sides.")
    rejected: float | None = Field(description="Log-probability of the rejected sides.")


TABLES = {"preference_curves": PreferenceStep}
