"""The record of a judge's test."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumbline.records import NonEmpty, Record

Kind = Literal["answer to another question", "truncated", "words shuffled"]
Use = Literal["win_rate", "helpfulness"]
USABLE = 0.75  # with a smaller share of right verdicts, a judge is not used


class Tested(Record):
    """How often a judge was right about pairs of one kind, with a 95 % interval."""

    kind: Kind | Literal["All"]
    right: float = Field(ge=0, le=1, description="A tie counts one half.")
    low: float
    high: float
    n: int


class Calibration(Record):
    """Whether a judge can be used; a measure, which judges by similarity, is not tested."""

    judge: NonEmpty
    use: Use
    usable: bool
    kinds: list[Tested] = Field(default_factory=list)

    @property
    def told(self) -> str:
        """The finding as a part of a sentence."""
        every = next(kind for kind in self.kinds if kind.kind == "All")
        return (
            f"{self.judge} is right about {100 * every.right:.0f} % of {every.n} pairs of known "
            f"quality ({100 * every.low:.0f}–{100 * every.high:.0f} %), and {100 * USABLE:.0f} % "
            f"are needed"
        )


def rows(calibration: Calibration, model: str, seed: int) -> list[dict]:
    """Rows of `JudgeShare`."""
    whose = {"model": model, "seed": seed, "judge": calibration.judge, "use": calibration.use}
    usable = "yes" if calibration.usable else "no"
    return [whose | kind.model_dump() | {"usable": usable} for kind in calibration.kinds]
