"""What is generated: files of requests, each with the checkpoint that answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from plumbline.experiment.layout import Layout, Wildcards, seed_of, training_of
from plumbline.experiment.part import Work
from plumbline.names import BASE
from plumbline.storage.lists import ListedWork


class Works(Mapping[str, Work]):
    """All pieces of work by name; for rules, what a job of one of them reads."""

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
        """Names of those of the base that can be done before any answer is there.

        What is asked about a checkpoint's own answers lies in its folder.
        """
        ours = (work for work in self.values() if work.folder == BASE)
        return [work.name for work in ours if not work.requests.startswith(f"{BASE}/")]

    def leading(self) -> list[str]:
        """Names of the others that trainings follow from."""
        first = set(self.first())
        return [work.name for work in self.values() if work.leads and work.name not in first]

    def requests(self, wildcards: Wildcards) -> str:
        """The requests of the wildcards' piece of work."""
        return self._layout.path(wildcards.model, self[wildcards.work].requests)

    def checkpoint(self, wildcards: Wildcards) -> str:
        """The folder of the checkpoint that answers them, below the model's."""
        return self[wildcards.work].folder

    def checkpoint_marker(self, wildcards: Wildcards) -> str:
        """The file that says that this checkpoint is whole."""
        return self._layout.marker(wildcards.model, self.checkpoint(wildcards))

    def training(self, wildcards: Wildcards) -> str | None:
        """The folder of the training whose checkpoints can be asked this as soon as they are whole.

        None: there is none, or the requests follow from what some training's checkpoint answered.
        """
        work = self[wildcards.work]
        return None if seed_of(work.requests) else training_of(work.folder)

    def match(self, wildcards: Wildcards) -> str:
        """How an answer is told to be right, where that ends the asking."""
        return self[wildcards.work].match

    def shards(self, wildcards: Wildcards) -> list[str]:
        """With more than one shard, each is a job of its own before the answers are collected."""
        shards = self._layout.config.generation.shards
        work = self._layout.path(wildcards.model, wildcards.work)
        return [f"{work}/shard-{n}-of-{shards}.json" for n in range(shards) if shards > 1]

    def rows(self) -> dict[str, ListedWork]:
        """By name, what the jobs of all works read; see `Layout.listed`."""
        listed = self._layout.listed
        return {
            work.name: listed(work.folder, work.requests, work.match, work.leads)
            for work in self.values()
        }
