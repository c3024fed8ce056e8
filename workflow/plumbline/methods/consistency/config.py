"""Self-consistency preferences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumbline.config.base import Kept, Limit, Percent, Section


class Consistency(Section):
    """Pairs of a model's majority answer and a minority answer to one question, by votes alone.

    After Prasad et al. 2024 (ScPO), without its weighted loss, rounds and new problems, and for facts
    instead of reasoning: whatever is not marked as the paper's is ours.
    """

    parent: str = Field("base", description="The checkpoint that answers and is trained.")
    recipe: str = Field(
        "consistency", description="The one of recipes to use; its method must be dpo."
    )
    prompt: Literal["plain", "chat"] = Field(
        "plain",
        description="The form of questions when asked and trained on. plain: an instruction and the "
        "question; chat: a user's turn in the model's chat template.",
    )
    shots: int = Field(
        4,
        ge=0,
        le=4,
        description="Few-shot examples when a question is asked; the training pairs have none.",
    )
    limit: Limit = Field(
        None,
        description="Probed training questions used per relation; null: all.",
    )
    samples: int = Field(8, ge=2, description="k, answers drawn for each question.")
    temperature: float = Field(0.7, gt=0, description="Temperature at which they are drawn.")
    min_share: Percent = Field(
        50,
        description="The least per cent of the k answers that the majority answer needs (the paper's "
        "threshold on votes).",
    )
    keep_unknown: Kept = Field(
        [100],
        description="A variant for each: per cent kept of the pairs that state a fact Unknown to the "
        "base; 100: no filter.",
    )
    placebo: bool = Field(
        False,
        description="Also train with half of the pairs swapped at random, to see what the preference "
        "itself does.",
    )
