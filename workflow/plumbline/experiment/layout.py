"""Where the files of a run are, and how to tell checkpoint and seed from a path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from plumbline.storage.lists import ListedWork

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage


class Wildcards(Protocol):
    """The wildcards of a job, as attributes; its rule's output determines which there are."""

    def __getattr__(self, name: str) -> str: ...


class Layout:
    """The folders of a run: `root` is results/<run>, and each model has a folder in it."""

    def __init__(self, config: Config, lineage: Lineage, root: str):
        self.config, self.lineage, self.root = config, lineage, root
        self.models = [model.name for model in config.models]
        self.facts = f"{root}/facts/questions.jsonl"

    def path(self, model: str, below: str) -> str:
        """A path below the model's folder."""
        return f"{self.root}/{model}/{below}"

    def folder(self, checkpoint: str, near: str = "") -> str:
        """The checkpoint's folder, below the model's.

        near: a path below the model's folder; the checkpoint is that of its seed, or of the first
        seed if it has none.
        """
        seed = seed_of(near) or self.config.seeds[0]
        return self.lineage.folder(checkpoint).format(seed=seed)

    def marker(self, model: str, folder: str) -> str:
        """The file that marks the checkpoint in this folder as complete."""
        checkpoint, seed = self.lineage.at(folder)
        return self.path(model, self.lineage.marker(checkpoint).format(seed=seed))

    def imported(self) -> list[str]:
        """The markers of all imported checkpoints: the bases, and models tuned elsewhere."""
        return [
            self.path(model, self.lineage.marker(checkpoint))
            for model in self.models
            for checkpoint in self.lineage.imported
        ]

    def listed(self, folder: str, reads: str, setting: str, leads: bool = False) -> ListedWork:
        """A piece of work for the checkpoint in this folder, as in the lists that programs read."""
        checkpoint, seed = self.lineage.at(folder)
        marker = self.lineage.marker(checkpoint).format(seed=seed)
        return ListedWork(folder, marker, reads, setting, leads)

    def marker_at(self, wildcards: Wildcards) -> str:
        """The marker of the checkpoint in the wildcards' folder."""
        return self.marker(wildcards.model, wildcards.folder)

    def folders(self, checkpoint: str) -> list[str]:
        """A checkpoint's folders below the model's, one for each seed."""
        return self.lineage.folders(checkpoint, self.config.seeds)

    def settings_of(self, wildcards: Wildcards):
        """The configuration of the model named by the wildcard."""
        return next(model for model in self.config.models if model.name == wildcards.model)


def seed_of(path: str) -> str:
    """The seed of a path below the model's folder; empty if it has none."""
    seed = re.match(r"seed-(\d+)/", path)
    return seed[1] if seed else ""


def training_of(folder: str) -> str | None:
    """The folder of the training that made the checkpoint in this folder; None: it was imported."""
    return folder.rpartition("/")[0] if seed_of(folder) else None


def alternatives(names: Iterable[str]) -> str:
    """A constraint that limits a wildcard to these names; without names, it matches no
    possible path.
    """
    return "|".join(map(re.escape, names)) or "none"


def given(option: str, value: object) -> list[str]:
    """An option with its value as words of a command; empty if there is no value."""
    return [option, str(value)] if value else []
