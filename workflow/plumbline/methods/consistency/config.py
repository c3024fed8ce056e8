"""Self-consistency preferences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumbline.config.base import Kept, Limit, Percent, Section


class Consistency(Section):
    """Pairs of a model's majority answer and a minority answer to one question, by votes alone.

    After Prasad et al. 2024 (ScPO) without its weighted loss, its rounds and its new problems, and
    for facts instead of reasoning: what is not said to be the paper's is ours.
    """

    parent: str = Field("base", description="The checkpoint that answers and is trained.")
    recipe: str = Field("consistency", description="Which of recipes, of method dpo.")
    prompt: Literal["plain", "chat"] = Field(
        "plain",
        description="How questions are asked and trained on. plain: an instruction and the "
        "question; chat: a user's turn in the model's chat template.",
    )
    shots: int = Field(
        4,
        ge=0,
        le=4,
        description="Worked examples before a question that is asked; the pairs have none.",
    )
    limit: Limit = Field(
        None,
        description="Probed training questions used per relation; null: all.",
    )
    samples: int = Field(8, ge=2, description="Answers drawn for each question, k.")
    temperature: float = Field(0.7, gt=0, description="Temperature of these draws.")
    min_share: Percent = Field(
        50,
        description="Per cent of the k answers that the majority answer needs at least (the "
        "paper's threshold on votes).",
    )
    keep_unknown: Kept = Field(
        [100],
        description="One variant for each: per cent kept of the pairs that state a fact Unknown to "
        "the base; 100: no filter.",
    )
    placebo: bool = Field(
        False,
        description="Also train with the sides of half of the pairs swapped at random, to tell "
        "what the preference itself does.",
    )
