"""The trainings of SliCK's mixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.config.errors import nearest
from plumbline.config.trainers import training_on
from plumbline.config.training import Recipe
from plumbline.methods.tuning import Tuning
from plumbline.names import BASE, FINAL, FORM_SET

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def tunings(config: Config) -> list[Tuning]:
    """The sets of new and known facts, preceded by the set that teaches only how to answer."""
    return [
        Tuning(
            name=f"mix.{name}",
            parent=BASE if name == FORM_SET else config.mixes.parent,
            recipe=_recipe(config, name),
            stops=(FINAL,) if name == FORM_SET else ("early_stop", "convergence"),
        )
        for name in config.mixes.trained()
    ]


def check(config: Config) -> None:
    """ValueError if a recipe does not fit, or if overrides are for a mix that does not exist."""
    mixes = config.mixes
    config.check_recipe("mixes.recipe", mixes.recipe, *training_on("examples"))
    names = mixes.trained()
    for name in mixes.overrides:
        if name not in names:
            raise ValueError(
                f"mixes.overrides.{name}: no such mix.{nearest(name, names)} "
                f"Mixes: {', '.join(names)}"
            )
        config.check_training(f"mixes.overrides.{name}", _recipe(config, name))


def _recipe(config: Config, name: str) -> Recipe:
    """The recipe of one mix, its overrides applied."""
    changes = config.mixes.overrides.get(name, {})
    return config.changed_recipe(config.mixes.recipe, changes, f"mixes.overrides.{name}")
