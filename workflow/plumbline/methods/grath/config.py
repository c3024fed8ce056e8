"""GRATH: gradual self-truthifying."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumbline.config.base import Kept, Percent, Section
from plumbline.config.choices import ChoiceSource


class Grath(Section):
    """Rounds of preference training on pairs the model writes itself (Chen et al. 2024)."""

    questions: ChoiceSource = Field(
        description="Questions that pairs are written for. Those that also occur in an evaluation "
        "set are left out and counted."
    )
    rounds: int = Field(2, ge=1, description="DPO rounds; each gives a checkpoint (paper: 2).")
    parent: str = Field("base", description="The checkpoint of round 0.")
    recipe: str = Field("grath", description="The one of recipes that trains a round.")
    keep_unknown: Kept = Field(
        [100],
        description="A variant for each: per cent kept of the pairs that state a fact Unknown to the "
        "base; 100: no filter.",
    )
    placebo: bool = Field(
        False,
        description="Also train the last round with half of its pairs swapped at random, to see what "
        "the preference itself does.",
    )
    use_ground_truth: bool = Field(
        False,
        description="Also show a right and a wrong option of the source when asking for a pair "
        "(the paper's useGT).",
    )
    legacy_prompt: Literal["llama2", "zephyr"] | None = Field(
        None,
        description="Ask and train in the paper's own text tags; null: the model's chat template.",
    )
    max_tokens: int = Field(
        100, ge=1, description="Longest answer with a pair, in tokens (paper: 100)."
    )
    max_unparsed: Percent = Field(
        50, description="Stop when more than this percentage of a round's answers contain no pair."
    )
