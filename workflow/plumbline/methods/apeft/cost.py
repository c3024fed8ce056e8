"""The cost of APEFT's pairs and trainings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.methods.apeft.tunings import questions_by, recipe_of
from plumbline.methods.estimates import ANSWER_TOKENS, JUDGE_TOKENS, RESPONSE_TOKENS, Stage

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner

# Different facts that are asked about for all responses about one entity: those in tables, or any.
FACTS_AN_ENTITY = {"table": 1, "model": 20}


def cost(planner: Planner) -> Iterator[Stage]:
    """Responses, their claims, answers to questions about facts, and trainings."""
    apeft = planner.config.apeft
    if apeft is None:
        return
    entities = planner.instructions["apeft"]
    parents = 1 if apeft.parent == "base" else len(planner.config.seeds)
    length = min(RESPONSE_TOKENS, apeft.max_tokens)
    yield planner.writing(parents, entities, apeft.responses, ANSWER_TOKENS, length)
    yield from planner.verifying(parents, entities * apeft.responses, length)
    questions = questions_by(planner.config)
    facts = FACTS_AN_ENTITY[questions]
    asked = entities * min(facts, apeft.atomic_per_entity or facts)
    if questions == "model":
        yield planner.writing(parents, asked, 1, JUDGE_TOKENS, 2 * ANSWER_TOKENS)
    shown = ANSWER_TOKENS + planner.question_tokens
    yield planner.writing(parents, asked, apeft.samples, shown, planner.answer_tokens)
    for recipe in (recipe_of(planner.config, loss) for loss in apeft.losses):
        rows = apeft.pairs or entities
        steps = recipe.max_steps or math.ceil(rows / recipe.global_batch_size) * recipe.epochs
        tokens = steps * recipe.global_batch_size * 2 * length
        yield planner.training(planner.trainings("apeft", recipe), steps, tokens, 8, recipe)
