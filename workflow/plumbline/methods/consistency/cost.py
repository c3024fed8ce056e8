"""The cost of self-consistency."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.methods.estimates import Stage

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner


def cost(planner: Planner) -> Iterator[Stage]:
    """The answers that are voted on, and the training if every question gives a pair."""
    settings = planner.config.consistency
    if settings is None:
        return
    questions = sum(
        min(count, settings.limit or count)
        for (_, _, split), count in planner.probed.items()
        if split == "train"
    )
    parents = 1 if settings.parent == "base" else len(planner.config.seeds)
    # The few-shot examples are cached.
    shown, length = planner.question_tokens, planner.answer_tokens
    yield planner.writing(parents, questions, settings.samples, shown, length)
    recipe = planner.config.recipes[settings.recipe]
    epoch = math.ceil(questions / recipe.global_batch_size)
    steps = recipe.max_steps or epoch * recipe.epochs
    tokens = steps * recipe.global_batch_size * 2 * (shown + length)
    # 8 operations per weight and token: the policy forward and backward, and the reference forward.
    yield planner.training(planner.trainings("consistency", recipe), steps, tokens, 8, recipe)
