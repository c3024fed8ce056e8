"""The checkpoints of an experiment, computed from the configuration in this one place.

A *tuning* is one training run: one parent checkpoint, one training file, one recipe. It leaves one or
more *stops* (states of the model that are kept), and each stop is a checkpoint. `base` is the imported
model; models that were tuned from it elsewhere are imported too. Imported checkpoints are the same
for all seeds. All paths here are relative to `results/<run>/<model>`; `{seed}` stands for the seed.
"""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.config.errors import nearest
from plumbline.experiment.config import Config
from plumbline.methods.registry import METHODS
from plumbline.methods.tuning import Brought, Tuning
from plumbline.names import BASE, checkpoint_name
from plumbline.storage.files import InputError


class Lineage:
    """Answers for rules: which checkpoints exist, what is the parent of each, where is it?"""

    def __init__(self, tunings: list[Tuning], brought: Sequence[Brought] = ()):
        # Folders of imported checkpoints.
        self._imported = {BASE: BASE, **{one.name: one.folder for one in brought}}
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
        return [*self._imported, *self._tuning_of]

    @property
    def imported(self) -> list[str]:
        """The checkpoints that are not trained here, the base first."""
        return list(self._imported)

    def parent(self, checkpoint: str) -> str:
        """The checkpoint it was trained from; empty for the base."""
        if checkpoint in self._imported:
            return "" if checkpoint == BASE else BASE
        return self._tuning_of[checkpoint].parent

    def folder(self, checkpoint: str) -> str:
        """Where the checkpoint is."""
        if checkpoint in self._imported:
            return self._imported[checkpoint]
        return f"{self._tuning_of[checkpoint].folder}/{self._stop_of[checkpoint]}"

    def folders(self, checkpoint: str, seeds: list[int]) -> list[str]:
        """Its folders, one for each seed; an imported checkpoint has one."""
        if checkpoint in self._imported:
            return [self._imported[checkpoint]]
        return [self.folder(checkpoint).format(seed=seed) for seed in seeds]

    def at(self, folder: str) -> tuple[str, str]:
        """(checkpoint, seed) of a folder; the seed of an imported one is "0". KeyError if
        there is none.
        """
        for checkpoint, own in self._imported.items():
            if folder == own:
                return checkpoint, "0"
        seed, tuning, stop = folder.split("/")
        checkpoint = checkpoint_name(tuning, stop)
        self._tuning_of[checkpoint]
        return checkpoint, seed.removeprefix("seed-")

    def marker(self, checkpoint: str) -> str:
        """The small file that is written last and marks the checkpoint as complete."""
        if checkpoint in self._imported:
            return f"{self._imported[checkpoint]}/checkpoint.json"
        return f"{self._tuning_of[checkpoint].folder}/training.json"

    def _check_ancestry(self, tuning: Tuning) -> None:
        seen, parent = [tuning.name], tuning.parent
        while parent not in self._imported:
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
        """The reference must exist before the tuning: it is the base or an ancestor."""
        ancestors, parent = [BASE], tuning.parent
        while parent != BASE:
            ancestors.append(parent)
            parent = self.parent(parent)
        if tuning.reference is not None and tuning.reference not in ancestors:
            raise InputError(
                f"{tuning.name}: its reference {tuning.reference} is not one of its ancestors."
                f"{nearest(tuning.reference, ancestors)} Ancestors: {', '.join(ancestors)}."
            )


def build(config: Config) -> Lineage:
    """The lineage of a configuration. `InputError` for a parent that is impossible."""
    made = [one for method in METHODS for one in method.tunings(config)]
    return Lineage(
        [tuning for tuning in made if isinstance(tuning, Tuning)],
        [imported for imported in made if isinstance(imported, Brought)],
    )
