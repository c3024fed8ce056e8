"""GRATH's trainings: one a round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.config.trainers import training_on
from plumbline.methods.tuning import Tuning
from plumbline.names import BASE, variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def tunings(config: Config) -> list[Tuning]:
    """One tuning a round, each the parent of the next (Chen et al. 2024, Algorithm 1)."""
    grath = config.grath
    if grath is None:
        return []
    recipe = config.recipes[grath.recipe]
    made = []
    for name in (variant("grath", percent) for percent in grath.keep_unknown):
        parents = [grath.parent, *(f"{name}.r{k}" for k in range(1, grath.rounds))]
        made += [
            # The base writes the same pairs for every seed.
            Tuning(f"{name}.r{k}", parent, recipe, data=f"{name}/r1" if parent == BASE else "")
            for k, parent in enumerate(parents, start=1)
        ]
        if grath.placebo:
            made.append(made[-1].placebo())
    return made


def check(config: Config) -> None:
    """ValueError where the recipe does not fit, or nothing is there to compare the rounds on."""
    if config.grath is None:
        return
    config.check_recipe("grath.recipe", config.grath.recipe, *training_on("pairs"))
    if not config.evaluation.choices:
        raise ValueError(
            "grath: its rounds are compared on choice questions, but evaluation.choices "
            "is empty; name a set"
        )
