"""Token distribution shift: which checkpoints are compared, and how the verdict is reached."""

from __future__ import annotations

from pydantic import Field

from plumbline.config.base import Dtype, Percent, Section


class ShiftPair(Section):
    """A tuned checkpoint, whose greedy answers are looked at, and the one it is compared with."""

    tuned: str = Field(description="A checkpoint; * stands for any text, and then none need match.")
    reference: str | None = Field(None, description="A checkpoint; null: the tuned one's parent.")


class TokenShiftSettings(Section):
    """How tuning shifts the distribution of tokens, in the tuning domain and outside."""

    pairs: list[ShiftPair] = Field(
        min_length=1,
        description="What is compared. All of them write at length, so that factuality is known.",
    )
    margin: Percent = Field(
        5.0,
        description="Points of the claims' F1 up to which a change counts as small; under-aligned "
        "needs the whole interval of the change within it.",
    )
    dtype: Dtype = Field(
        "float32",
        description="Precision of both models; in a lower one many near tokens become ties.",
    )
