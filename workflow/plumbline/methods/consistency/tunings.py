"""The training on self-consistency preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.methods.tuning import Tuning
from plumbline.names import BASE, variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def tunings(config: Config) -> list[Tuning]:
    """One tuning for each share of Unknown that is kept, and its placebo."""
    settings = config.consistency
    if settings is None:
        return []
    made = []
    for name in (variant("consistency", percent) for percent in settings.keep_unknown):
        # The base gives the same answers for every seed.
        folder = name if settings.parent == BASE else f"seed-{{seed}}/{name}"
        recipe = config.recipes[settings.recipe]
        made.append(Tuning(f"{name}.dpo", settings.parent, recipe, data=folder))
        if settings.placebo:
            made.append(made[-1].placebo())
    return made


def check(config: Config) -> None:
    """ValueError if the recipe does not fit."""
    if config.consistency is not None:
        config.check_recipe("consistency.recipe", config.consistency.recipe, "dpo")
