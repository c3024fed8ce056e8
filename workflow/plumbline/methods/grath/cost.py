"""The cost of GRATH's rounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.methods.estimates import ANSWER_TOKENS, CHAT_TOKENS, Stage, tokens_of
from plumbline.records import ChoiceQuestion

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner


def cost(planner: Planner) -> Iterator[Stage]:
    """The pairs of all rounds, and the trainings on them."""
    questions = planner.asked.get("grath")
    if planner.config.grath and questions:
        yield _pairs(planner, questions)
        yield _rounds(planner, questions)


def _pairs(planner: Planner, questions: list[ChoiceQuestion]) -> Stage:
    """The pairs, written by the parent of every round; its demonstrations are cached."""
    jobs = _parents(planner)
    prompts = jobs * len(questions)
    length = tokens_of(question.question for question in questions) / len(questions)
    written = length + 2 * ANSWER_TOKENS
    # The question is written again before the answers.
    return planner.generation(jobs, prompts, prompts, prompts * (written + CHAT_TOKENS) * 2, 0)


def _rounds(planner: Planner, questions: list[ChoiceQuestion]) -> Stage:
    """The trainings, if every question gives a pair."""
    recipe = planner.config.recipes[planner.config.grath.recipe]
    jobs = planner.trainings("grath", recipe)
    epoch = math.ceil(len(questions) / recipe.global_batch_size)
    steps = recipe.max_steps or epoch * recipe.epochs
    length = tokens_of(question.question for question in questions) / len(questions)
    answers = steps * recipe.global_batch_size * recipe.trainer.answers
    tokens = answers * (length + ANSWER_TOKENS + CHAT_TOKENS)
    # 8 operations per weight and token: the policy forward and backward, and the reference forward.
    return planner.training(jobs, steps, tokens, 8, recipe)


def _parents(planner: Planner) -> int:
    """How many checkpoints write pairs. Round 0's model is the same for all variants, and the base
    is the same for all seeds.
    """
    grath = planner.config.grath
    first = 1 if grath.parent == "base" else len(planner.config.seeds)
    return first + planner.families(grath) * (grath.rounds - 1)
