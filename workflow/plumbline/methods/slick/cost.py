"""What probing the base and training the mixes costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.methods.estimates import SMALLEST_CATEGORY, UNKNOWN, WEAKLY_KNOWN, Stage

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner


def cost(planner: Planner) -> Iterator[Stage]:
    """Shares of categories are the paper's (Gekhman et al. 2024, section 3)."""
    yield probing(planner)
    yield _tuning(planner)


def probing(planner: Planner) -> Stage:
    """What a model is asked to be probed; the base is, once for all seeds."""
    slick = planner.config.slick
    prompts = sum(planner.probed.values()) * slick.exemplar_sets
    sampled = 1.0
    if slick.mode == "categories":
        # Unknown questions pay for all their samples, weakly known ones for half of them.
        sampled = UNKNOWN + WEAKLY_KNOWN / 2
    sequences = round(prompts * (1 + sampled * slick.samples))
    tokens = prompts * planner.question_tokens + sequences * planner.answer_tokens
    disk = sequences * 150 / 2**20
    return planner.generation(1, prompts, sequences, tokens, disk)


def _tuning(planner: Planner) -> Stage:
    """The mixes' trainings, with the questions asked after every epoch."""
    stage = Stage("train", 0)
    monitor = planner.config.mixes.monitor
    part = Counter()
    for (_, domain, split), count in planner.probed.items():
        part[split, domain] += count
    for name, tuning in planner.lineage.tunings.items():
        if not name.startswith("mix."):
            continue
        recipe, asked = tuning.recipe, 0
        if tuning.probes:
            examples = max(1, round(_share_of_a_mix(planner) * part["train", "id"]))
            asked = sum(
                count if limit is None else min(count, limit)
                for count, limit in (
                    (examples, monitor.train),
                    (part["dev", "id"], monitor.dev),
                    (part["test", "id"], monitor.test_id),
                    (part["test", "ood"], monitor.test_ood),
                )
            )
        else:  # what the mixes are tuned on first
            examples = planner.config.mixes.form_facts
        steps = math.ceil(examples / recipe.global_batch_size) * recipe.epochs
        trained = examples * recipe.epochs * planner.question_tokens
        answered = asked * (recipe.epochs + 1) * (planner.question_tokens + 2)
        runs = len(planner.config.seeds)
        stage.jobs += runs
        stage.steps += runs * steps
        stage.prompts += runs * asked * (recipe.epochs + 1)
        stage.tokens += round(runs * (trained + answered))
        # Forward and backward: 6 operations a weight and token; the forward pass alone: 2.
        operations = planner.parameters * (6 * trained + 2 * answered)
        stage.seconds += runs * (15 + operations / planner.speed)
        stage.disk_mib += runs * len(tuning.stops) * planner.checkpoint_mib(recipe)
    return stage


def _share_of_a_mix(planner: Planner) -> float:
    """How much of the training questions a set takes, by what all sets need."""
    demands = planner.config.mixes.demands()
    shares = [SMALLEST_CATEGORY] if demands.categories else [1.0]
    if demands.most_unknown:
        shares.append(UNKNOWN / (demands.most_unknown / 100))
    if demands.least_unknown < 100:
        shares.append((1 - UNKNOWN) / (1 - demands.least_unknown / 100))
    return min(shares)
