"""The contamination gate: what is evaluated must not stand in the training data."""

from __future__ import annotations

from pydantic import Field

from plumbline.config.base import Percent, Section


class ContaminationSettings(Section):
    """How training files are compared with evaluation sets, and when a training is refused."""

    ngram: int = Field(
        13,
        ge=5,
        description="This many shared words in a row count as contamination (GPT-3: 13).",
    )
    max_percent: Percent | None = Field(
        1,
        description="Refuse to train on a file that holds more than this percentage of an "
        "evaluation set's items; null: report only.",
    )
