"""APEFT's trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.config.trainers import PAIRED_LOSSES, reading
from plumbline.config.training import Recipe
from plumbline.methods.tuning import Tuning
from plumbline.names import variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def tunings(config: Config) -> list[Tuning]:
    """A tuning for each share of atomic pairs and each loss; losses share the training file."""
    apeft = config.apeft
    if apeft is None:
        return []
    made = []
    for kind in (variant("apeft", percent) for percent in apeft.keep_unknown):
        for percent in apeft.atomic_percent:
            share = [
                Tuning(
                    name=f"{kind}.atomic-{percent:g}.{loss}",
                    parent=apeft.parent,
                    recipe=recipe_of(config, loss),
                    data=f"seed-{{seed}}/{kind}/atomic-{percent:g}",
                )
                for loss in apeft.losses
            ]
            made += share
            if apeft.placebo and percent == max(apeft.atomic_percent):
                made += [tuning.placebo() for tuning in share]
    return made


def check(config: Config) -> None:
    """ValueError if the recipe does not fit, or if nothing can turn claims into questions."""
    apeft = config.apeft
    if apeft is None:
        return
    config.check_recipe("apeft.recipe", apeft.recipe, *reading("loss"))
    if apeft.questions == "table" and not config.verification.BY_TABLE:
        raise ValueError(
            f"apeft.questions: table needs what the table verifier reads a claim as, but "
            f"verification.kind is {config.verification.kind}; set apeft.questions: model"
        )
    for loss in apeft.losses:
        recipe_of(config, loss)


def recipe_of(config: Config, loss: str) -> Recipe:
    """The recipe of a training with one loss, with its overrides applied."""
    kind = {"loss": loss} if loss in PAIRED_LOSSES else {"method": loss, "loss": "sigmoid"}
    changes = {**kind, **config.apeft.overrides.get(loss, {})}
    return config.changed_recipe(config.apeft.recipe, changes, f"apeft.overrides.{loss}")


def questions_by(config: Config) -> str:
    """What turns claims into questions: table or model."""
    return config.apeft.questions or ("table" if config.verification.BY_TABLE else "model")
