"""Where the files of a run lie, and how a path tells its checkpoint and its seed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from plumbline.storage.lists import ListedWork

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage


class Wildcards(Protocol):
    """The wildcards of a job, as attributes. Which there are is said by its rule's output."""

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
        """Where a checkpoint lies below the model's folder.

        near: a path below the model's folder; the checkpoint is the one of its seed, or of the first
        seed where it has none.
        """
        seed = seed_of(near) or self.config.seeds[0]
        return self.lineage.folder(checkpoint).format(seed=seed)

    def marker(self, model: str, folder: str) -> str:
        """The file that says that the checkpoint in this folder is whole."""
        checkpoint, seed = self.lineage.at(folder)
        return self.path(model, self.lineage.marker(checkpoint).format(seed=seed))

    def imported(self) -> list[str]:
        """The markers of all checkpoints that are imported: the bases and what was tuned elsewhere."""
        return [
            self.path(model, self.lineage.marker(checkpoint))
            for model in self.models
            for checkpoint in self.lineage.imported
        ]

    def listed(self, folder: str, reads: str, setting: str, leads: bool = False) -> ListedWork:
        """A piece of work for the checkpoint in this folder, as lists have it for programs."""
        checkpoint, seed = self.lineage.at(folder)
        marker = self.lineage.marker(checkpoint).format(seed=seed)
        return ListedWork(folder, marker, reads, setting, leads)

    def marker_at(self, wildcards: Wildcards) -> str:
        """The marker of the checkpoint in the wildcards' folder."""
        return self.marker(wildcards.model, wildcards.folder)

    def folders(self, checkpoint: str) -> list[str]:
        """Where a checkpoint lies below the model's folder, for all seeds."""
        return self.lineage.folders(checkpoint, self.config.seeds)

    def settings_of(self, wildcards: Wildcards):
        """The configuration of the model named by the wildcard."""
        return next(model for model in self.config.models if model.name == wildcards.model)


def seed_of(path: str) -> str:
    """The seed that a path below the model's folder is of; empty: it is of none."""
    seed = re.match(r"seed-(\d+)/", path)
    return seed[1] if seed else ""


def training_of(folder: str) -> str | None:
    """The folder of the training that left the checkpoint in this folder; None: it was imported."""
    return folder.rpartition("/")[0] if seed_of(folder) else None


def alternatives(names: Iterable[str]) -> str:
    """A wildcard's constraint to these names; without any, nothing fits that a path could hold."""
    return "|".join(map(re.escape, names)) or "none"


def given(option: str, value: object) -> list[str]:
    """An option with its value as words of a command, where there is one."""
    return [option, str(value)] if value else []
