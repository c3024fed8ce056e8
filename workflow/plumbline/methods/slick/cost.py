"""The cost of probing the base and training the mixes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from plumbline.methods.estimates import SMALLEST_CATEGORY, UNKNOWN, WEAKLY_KNOWN, Stage
from plumbline.methods.slick.probing import draw_exemplar_sets

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner
    from plumbline.methods.tuning import Tuning


def cost(planner: Planner) -> Iterator[Stage]:
    """Shares of categories are the paper's (Gekhman et al. 2024, section 3).

    Raises InputError if probing would, because there are too few dev questions.
    """
    draw_exemplar_sets(planner.questions, planner.config.slick)
    yield probing(planner)
    if planner.config.slick.p_true:
        yield planner.reading(1, sum(planner.probed.values()), 2, 2 * planner.question_tokens + 40)
    yield from _tuning(planner)


def probing(planner: Planner) -> Stage:
    """The requests that probe a model; the base is probed once for all seeds."""
    slick = planner.config.slick
    prompts = sum(planner.probed.values()) * slick.exemplar_sets
    sampled = 1.0
    if slick.mode == "categories":
        # Unknown questions need all their samples, weakly known ones half of them.
        sampled = UNKNOWN + WEAKLY_KNOWN / 2
    sequences = round(prompts * (1 + sampled * slick.samples))
    tokens = prompts * planner.question_tokens + sequences * planner.answer_tokens
    disk = sequences * 150 / 2**20
    return planner.generation(1, prompts, sequences, tokens, disk)


def _tuning(planner: Planner) -> Iterator[Stage]:
    """The mixes' trainings, with the questions asked after every epoch."""
    part = Counter()
    for (_, domain, split), count in planner.probed.items():
        part[split, domain] += count
    full = _share_of_a_mix(planner) * part["train", "id"]
    for name, tuning in planner.lineage.tunings.items():
        if name.startswith("mix."):
            # The model that the mixes start from is asked nothing after its epochs.
            share = _share_of_full(name.removeprefix("mix."))
            examples = max(1, round(full * share)) if tuning.probes else None
            yield _one_tuning(planner, tuning, examples, part)


def _one_tuning(planner: Planner, tuning: Tuning, examples: int | None, part: Counter) -> Stage:
    monitor, recipe, asked = planner.config.mixes.monitor, tuning.recipe, 0
    if examples is None:
        examples = planner.config.mixes.form_facts
    else:
        limits = (
            (examples, monitor.train),
            (part["dev", "id"], monitor.dev),
            (part["test", "id"], monitor.test_id),
            (part["test", "ood"], monitor.test_ood),
        )
        asked = sum(count if limit is None else min(count, limit) for count, limit in limits)
    steps = math.ceil(examples / recipe.global_batch_size) * recipe.epochs
    trained = examples * recipe.epochs * planner.question_tokens
    answered = asked * (recipe.epochs + 1) * (planner.question_tokens + 2)
    runs = len(planner.config.seeds)
    # Forward and backward: 6 operations per weight and token.
    stage = planner.training(runs, steps, trained, 6, recipe, answered)
    prompts = runs * asked * (recipe.epochs + 1)
    return replace(stage, prompts=prompts, disk_mib=stage.disk_mib * len(tuning.stops))


def _share_of_full(mix: str) -> float:
    """A mix's share of D's size: D_Known(X) is D_X without its Unknown."""
    kind, _, percent = mix.partition("-")
    return 1 - float(percent) / 100 if kind == "known" else 1


def _share_of_a_mix(planner: Planner) -> float:
    """The share of the training questions that a set uses, by what all sets need."""
    demands = planner.config.mixes.demands()
    shares = [SMALLEST_CATEGORY] if demands.categories else [1.0]
    if demands.most_unknown:
        shares.append(UNKNOWN / (demands.most_unknown / 100))
    if demands.least_unknown < 100:
        shares.append((1 - UNKNOWN) / (1 - demands.least_unknown / 100))
    return min(shares)
