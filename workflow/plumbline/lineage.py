"""The checkpoints of an experiment, computed from the configuration in this one place.

A *tuning* is one training run: one parent checkpoint, one training file, one recipe. It leaves one
or more *stops* (states of the model that are kept), and each stop is a checkpoint. `base` is the
imported model. All paths here are relative to `results/<run>/<model>`; `{seed}` stands for the
seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from plumbline.config.errors import nearest
from plumbline.config.experiment import Config
from plumbline.config.training import Recipe
from plumbline.files import InputError
from plumbline.names import FINAL, FORM_SET, checkpoint_name, placebo, variant

BASE = "base"


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
        name = "examples.jsonl" if self.recipe.method == "sft" else "pairs.jsonl"
        return f"{self.data or self.folder}/{name}"

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

        An adapter that is switched off is its parent, so a moving reference needs a file only
        where all weights are trained.
        """
        if self.recipe.method != "dpo":
            return None
        if self.recipe.reference != "moving":
            return self.recipe.reference.fixed
        return self.parent if self.recipe.parameters == "full" else None

    @property
    def reference_file(self) -> str | None:
        """Where those log-probabilities lie: beside the pairs, shared by all that train on them."""
        if self.reference is None:
            return None
        name = f"{self.reference}-{self.recipe.max_length}-{self.recipe.precision}.jsonl"
        return f"{self.data or self.folder}/reference/{name}"


class Lineage:
    """Answers for rules: which checkpoints are there, who is whose parent, where does it lie."""

    def __init__(self, tunings: list[Tuning]):
        self.tunings = {tuning.name: tuning for tuning in tunings}
        self._tuning_of = {
            checkpoint: tuning for tuning in tunings for checkpoint in tuning.checkpoints
        }
        self._stop_of = {
            checkpoint: stop
            for tuning in tunings
            for checkpoint, stop in zip(tuning.checkpoints, tuning.stops, strict=True)
        }
        for tuning in tunings:
            self._check_ancestry(tuning)
            self._check_reference(tuning)

    @property
    def checkpoints(self) -> list[str]:
        """Every checkpoint, the base first."""
        return [BASE, *self._tuning_of]

    def parent(self, checkpoint: str) -> str:
        """The checkpoint it was trained from; empty for the base."""
        return "" if checkpoint == BASE else self._tuning_of[checkpoint].parent

    def folder(self, checkpoint: str) -> str:
        """Where the checkpoint lies."""
        if checkpoint == BASE:
            return BASE
        return f"{self._tuning_of[checkpoint].folder}/{self._stop_of[checkpoint]}"

    def folders(self, checkpoint: str, seeds: list[int]) -> list[str]:
        """Its folder for each seed; the base has one."""
        if checkpoint == BASE:
            return [BASE]
        return [self.folder(checkpoint).format(seed=seed) for seed in seeds]

    def at(self, folder: str) -> tuple[str, str]:
        """(checkpoint, seed) of a folder; the seed is "0" for the base. KeyError if there is none."""
        if folder == BASE:
            return BASE, "0"
        seed, tuning, stop = folder.split("/")
        checkpoint = checkpoint_name(tuning, stop)
        self._tuning_of[checkpoint]
        return checkpoint, seed.removeprefix("seed-")

    def marker(self, checkpoint: str) -> str:
        """The small file that is written last when the checkpoint is whole."""
        if checkpoint == BASE:
            return f"{BASE}/checkpoint.json"
        return f"{self._tuning_of[checkpoint].folder}/training.json"

    def _check_ancestry(self, tuning: Tuning) -> None:
        seen, parent = [tuning.name], tuning.parent
        while parent != BASE:
            if parent not in self._tuning_of:
                raise InputError(
                    f"{seen[-1]}: its parent {parent} does not exist."
                    f"{nearest(parent, self.checkpoints)} "
                    f"Checkpoints: {', '.join(self.checkpoints)}."
                )
            ancestor = self._tuning_of[parent]
            if ancestor.name in seen:
                raise InputError(
                    f"{tuning.name} would be its own ancestor "
                    f"({' ← '.join([*seen, ancestor.name])}); give it another parent."
                )
            seen.append(ancestor.name)
            parent = ancestor.parent

    def _check_reference(self, tuning: Tuning) -> None:
        """The reference must be there before the tuning: the base or an ancestor."""
        ancestors, parent = [BASE], tuning.parent
        while parent != BASE:
            ancestors.append(parent)
            parent = self._tuning_of[parent].parent
        if tuning.reference is not None and tuning.reference not in ancestors:
            raise InputError(
                f"{tuning.name}: its reference {tuning.reference} is none of its ancestors."
                f"{nearest(tuning.reference, ancestors)} Ancestors: {', '.join(ancestors)}."
            )


def build(config: Config) -> Lineage:
    """The lineage of a configuration. `InputError` on a parent that cannot be."""
    return Lineage([*_mixes(config), *_grath(config), *_flame(config), *_apeft(config)])


def _mixes(config: Config) -> list[Tuning]:
    """The sets of new and known facts, and before them what only teaches how to answer."""
    return [
        Tuning(
            name=f"mix.{name}",
            parent=BASE if name == FORM_SET else config.mixes.parent,
            recipe=config.mix_recipe(name),
            stops=(FINAL,) if name == FORM_SET else ("early_stop", "convergence"),
        )
        for name in config.mixes.trained()
    ]


def _grath(config: Config) -> list[Tuning]:
    """One tuning a round, each the parent of the next (Chen et al. 2024, Algorithm 1)."""
    grath = config.grath
    if grath is None:
        return []
    recipe = config.recipes[grath.recipe]
    tunings = []
    for name in (variant("grath", percent) for percent in grath.keep_unknown):
        parents = [grath.parent, *(f"{name}.r{k}" for k in range(1, grath.rounds))]
        tunings += [
            # The base writes the same pairs for every seed.
            Tuning(f"{name}.r{k}", parent, recipe, data=f"{name}/r1" if parent == BASE else "")
            for k, parent in enumerate(parents, start=1)
        ]
        if grath.placebo:
            tunings.append(_placebo(tunings[-1]))
    return tunings


def _flame(config: Config) -> list[Tuning]:
    """Supervised sets from the base, preference sets from those (Lin et al. 2024)."""
    flame = config.flame
    if flame is None:
        return []
    first, second = (config.recipes[name] for name in (flame.sft_recipe, flame.dpo_recipe))
    # The training file holds a pass for each epoch, with another own answer in each.
    once = first.model_copy(update={"epochs": 1})
    tunings = []
    for kind in (variant("flame", percent) for percent in flame.keep_unknown):
        tunings += [
            *(Tuning(f"{kind}.{name}", BASE, once) for name in flame.sft),
            *(
                Tuning(f"{kind}.{name}", f"{kind}.{name.partition('.')[0]}", second)
                for name in flame.dpo
            ),
        ]
        if flame.placebo:
            tunings.append(_placebo(tunings[-1]))
    return tunings


def _apeft(config: Config) -> list[Tuning]:
    """For each share of atomic pairs and each loss a tuning; losses share the training file."""
    apeft = config.apeft
    if apeft is None:
        return []
    tunings = []
    for kind in (variant("apeft", percent) for percent in apeft.keep_unknown):
        for percent in apeft.atomic_percent:
            made = [
                Tuning(
                    name=f"{kind}.atomic-{percent:g}.{loss}",
                    parent=apeft.parent,
                    recipe=config.apeft_recipe(loss),
                    data=f"seed-{{seed}}/{kind}/atomic-{percent:g}",
                )
                for loss in apeft.losses
            ]
            tunings += made
            if apeft.placebo and percent == max(apeft.atomic_percent):
                tunings += map(_placebo, made)
    return tunings


def _placebo(tuning: Tuning) -> Tuning:
    """The same but for its pairs, of which half have their sides swapped; see `placebo`."""
    return replace(tuning, name=placebo(tuning.name), data="")
