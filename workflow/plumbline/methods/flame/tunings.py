"""FLAME's trainings, of both stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.config.trainers import reading, training_on
from plumbline.methods.tuning import Tuning
from plumbline.names import BASE, variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def tunings(config: Config) -> list[Tuning]:
    """Supervised sets from the base, preference sets from those (Lin et al. 2024)."""
    flame = config.flame
    if flame is None:
        return []
    first, second = (config.recipes[name] for name in (flame.sft_recipe, flame.dpo_recipe))
    # The training file contains a pass for each epoch, with another own answer in each.
    once = first.model_copy(update={"epochs": 1})
    made = []
    for kind in (variant("flame", percent) for percent in flame.keep_unknown):
        made += [
            *(Tuning(f"{kind}.{name}", BASE, once) for name in flame.sft),
            *(
                Tuning(f"{kind}.{name}", f"{kind}.{name.partition('.')[0]}", second)
                for name in flame.dpo
            ),
        ]
        if flame.placebo:
            made.append(made[-1].placebo())
    return made


def check(config: Config) -> None:
    """ValueError if a recipe does not fit its stage."""
    flame = config.flame
    if flame is None:
        return
    config.check_recipe("flame.sft_recipe", flame.sft_recipe, *training_on("examples"))
    config.check_recipe("flame.dpo_recipe", flame.dpo_recipe, *reading("order"))
    recipe = config.recipes[flame.dpo_recipe]
    if recipe.order != "file" or recipe.max_steps is None:
        raise ValueError(
            f"recipes.{flame.dpo_recipe}: FLAME lays out its pairs step by step, so that all "
            f"sources are drawn from evenly; set order: file and max_steps"
        )
