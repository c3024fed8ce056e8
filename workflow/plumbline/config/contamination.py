"""The contamination check: training data must not contain what is evaluated."""

from __future__ import annotations

from pydantic import Field

from plumbline.config.base import Percent, Section


class ContaminationSettings(Section):
    """How training files are compared with evaluation sets, and when a training is refused."""

    ngram: int = Field(
        13,
        ge=5,
        description="How many shared words in a row count as contamination (GPT-3: 13).",
    )
    max_percent: Percent | None = Field(
        1,
        description="Refuse to train on a file that contains more than this percentage of an "
        "evaluation set's items; null: only report it.",
    )
