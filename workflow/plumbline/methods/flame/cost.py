"""The cost of FLAME's two stages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.config.verification import REFERENCE
from plumbline.judging.prompts import POINTS
from plumbline.methods.estimates import (
    ANSWER_TOKENS,
    FACT_BASED,
    JUDGE_TOKENS,
    RESPONSE_TOKENS,
    Stage,
)

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner


def cost(planner: Planner) -> Iterator[Stage]:
    """Answers, ratings, verified claims and trainings, if the share of instructions that ask for
    facts is the paper's.
    """
    flame, sizes = planner.config.flame, planner.instructions
    if flame is None:
        return
    families = planner.families(flame)
    sft, prompts = sizes["flame"], sizes.get("prompts", 0)
    length = min(RESPONSE_TOKENS, flame.max_tokens)
    yield planner.reading(1, sft + prompts, 2, JUDGE_TOKENS)
    answered = round(sft * FACT_BASED)
    yield planner.writing(1, answered, flame.own_answers, flame.shots * length, length)
    if "sft-rag" in flame.sft:
        shown = (flame.shots + flame.k) * length
        yield planner.writing(1, answered, flame.own_answers, shown, length)
    parents = families * len({name.partition(".")[0] for name in flame.dpo})
    yield planner.writing(parents, prompts, flame.responses, ANSWER_TOKENS, length)
    if parents and flame.judge != REFERENCE:
        shown = JUDGE_TOKENS + length
        yield planner.reading(parents, prompts * flame.responses, len(POINTS), shown)
    yield from planner.verifying(parents, prompts * FACT_BASED * flame.responses, length)
    first, second = (planner.config.recipes[n] for n in (flame.sft_recipe, flame.dpo_recipe))
    rows = sft * first.epochs
    steps = math.ceil(rows / first.global_batch_size)
    yield planner.training(families * len(flame.sft), steps, rows * length, 6, first)
    rows = second.max_steps * second.global_batch_size
    tokens = rows * 2 * length
    jobs = planner.trainings("flame", second)
    yield planner.training(jobs, second.max_steps, tokens, 8, second)
