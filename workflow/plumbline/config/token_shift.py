"""Token distribution shift: which checkpoints are compared, and how the verdict is reached."""

from __future__ import annotations

from pydantic import Field

from plumbline.config.base import Dtype, Percent, Section


class ShiftPair(Section):
    """A tuned checkpoint, whose greedy answers are used, and the one it is compared with."""

    tuned: str = Field(
        description="A checkpoint; * stands for any text, and a name with * need not match any."
    )
    reference: str | None = Field(
        None, description="A checkpoint; null: the tuned checkpoint's parent."
    )


class TokenShiftSettings(Section):
    """How tuning shifts the distribution of tokens, in the tuning domain and outside."""

    pairs: list[ShiftPair] = Field(
        min_length=1,
        description="Pairs of checkpoints to compare. All of them also write long answers, which show "
        "their factuality.",
    )
    margin: Percent = Field(
        5.0,
        description="Up to how many points of the claims' F1 a change counts as small; for the verdict "
        "under-aligned, the whole interval of the change must be within it.",
    )
    dtype: Dtype = Field(
        "float32",
        description="Precision of both models; a lower one makes ties of many tokens that are close.",
    )
