"""One training run of an experiment, as defined by a method, and checkpoints trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plumbline import names
from plumbline.config.training import Recipe
from plumbline.names import FINAL, checkpoint_name


@dataclass(frozen=True)
class Brought:
    """A checkpoint that was tuned from the base elsewhere: the same for all seeds."""

    name: str
    folder: str  # below the model's


@dataclass(frozen=True)
class Tuning:
    """One training run."""

    name: str
    parent: str
    recipe: Recipe
    stops: tuple[str, ...] = (FINAL,)
    data: str = ""  # folder of the training file, if it is not its own

    @property
    def folder(self) -> str:
        return f"seed-{{seed}}/{self.name}"

    @property
    def examples(self) -> str:
        """The training file."""
        return f"{self.data or self.folder}/{self.recipe.trainer.rows}.jsonl"

    @property
    def probes(self) -> str | None:
        """Questions asked after every epoch, which a stop before the end needs."""
        return f"{self.folder}/probes.jsonl" if "early_stop" in self.stops else None

    @property
    def checkpoints(self) -> list[str]:
        return [checkpoint_name(self.name, stop) for stop in self.stops]

    @property
    def reference(self) -> str | None:
        """The checkpoint whose stored log-probabilities are the reference; None: none are needed.

        An adapter that is switched off equals its parent, so a moving reference needs a file only if
        all weights are trained.
        """
        if "reference" not in self.recipe.trainer.options:
            return None
        if self.recipe.reference != "moving":
            return self.recipe.reference.fixed
        return self.parent if self.recipe.parameters == "full" else None

    @property
    def reference_file(self) -> str | None:
        """Where these log-probabilities are: beside the pairs, shared by all trainings on them."""
        if self.reference is None:
            return None
        name = f"{self.reference}-{self.recipe.max_length}-{self.recipe.precision}.jsonl"
        return f"{self.data or self.folder}/reference/{name}"

    def placebo(self) -> Tuning:
        """The same, except that half of its pairs have their sides swapped (`placebo.swapped`)."""
        return replace(self, name=names.placebo(self.name), data="")
