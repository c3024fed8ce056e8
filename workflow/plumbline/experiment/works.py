"""The work of generation: files of requests, each with the checkpoint that answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from plumbline.experiment.layout import Layout, Wildcards, seed_of, training_of
from plumbline.experiment.part import Work
from plumbline.names import BASE
from plumbline.storage.lists import ListedWork


class Works(Mapping[str, Work]):
    """All pieces of work, by name, and for rules the files that a job reads."""

    def __init__(self, layout: Layout, works: Iterable[Work]):
        self._layout = layout
        self._by_name = {work.name: work for work in works}

    def __getitem__(self, name: str) -> Work:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def first(self) -> list[str]:
        """Names of the base's work that can be done before any other answers exist.

        Requests about a checkpoint's own answers are in its folder.
        """
        ours = (work for work in self.values() if work.folder == BASE)
        return [work.name for work in ours if not work.requests.startswith(f"{BASE}/")]

    def leading(self) -> list[str]:
        """Names of the other work that trainings wait for."""
        first = set(self.first())
        return [work.name for work in self.values() if work.leads and work.name not in first]

    def requests(self, wildcards: Wildcards) -> str:
        """The requests of the wildcards' piece of work."""
        return self._layout.path(wildcards.model, self[wildcards.work].requests)

    def checkpoint(self, wildcards: Wildcards) -> str:
        """The folder of the checkpoint that answers them, below the model's."""
        return self[wildcards.work].folder

    def checkpoint_marker(self, wildcards: Wildcards) -> str:
        """The file that marks this checkpoint as complete."""
        return self._layout.marker(wildcards.model, self.checkpoint(wildcards))

    def training(self, wildcards: Wildcards) -> str | None:
        """The folder of the training whose checkpoints can do this work as soon as they are complete.

        None: there is none, or the requests depend on the answers of some training's checkpoint.
        """
        work = self[wildcards.work]
        return None if seed_of(work.requests) else training_of(work.folder)

    def match(self, wildcards: Wildcards) -> str:
        """How right answers are recognised, if asking ends with a right one."""
        return self[wildcards.work].match

    def shards(self, wildcards: Wildcards) -> list[str]:
        """With several shards, each is a job of its own, and the answers are collected afterwards."""
        shards = self._layout.config.generation.shards
        work = self._layout.path(wildcards.model, wildcards.work)
        return [f"{work}/shard-{n}-of-{shards}.json" for n in range(shards) if shards > 1]

    def rows(self) -> dict[str, ListedWork]:
        """By name, what the jobs of all work read; see `Layout.listed`."""
        listed = self._layout.listed
        return {
            work.name: listed(work.folder, work.requests, work.match, work.leads)
            for work in self.values()
        }
