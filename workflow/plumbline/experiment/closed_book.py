"""Closed-book questions: those about the facts, and sets that others made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from plumbline.config.closed_book import FACTS, ClosedBookSet
from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part, Work

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class ClosedBook(Part):
    """What every checkpoint is asked without choices; `evaluation.closed_book` has the sets."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._sets = {evaluated.name: evaluated for evaluated in self.config.evaluation.closed_book}
        self._places = [FACTS, *(f"{FACTS}/{name}" for name in self._sets)]
        # The sets' questions, by the sets' names.
        self.questions = {name: f"{self.layout.root}/{FACTS}/{name}.jsonl" for name in self._sets}
        # In a checkpoint's folder.
        self.answers = [f"{place}/answers.jsonl" for place in self._places]

    def sources(self) -> Iterable[ClosedBookSet]:
        return self._sets.values()

    def works(self) -> Iterable[Work]:
        for checkpoint in self.lineage.checkpoints:
            for folder in self.layout.folders(checkpoint):
                for place in self._places:
                    yield Work(f"{folder}/{place}", folder, f"{place}/requests.jsonl")

    def lost(self) -> Iterable[str]:
        return [f"{self.layout.root}/{FACTS}/{name}.dropped.json" for name in self._sets]

    def source(self, wildcards: Wildcards) -> str:
        """What a set is made from: its fetched source."""
        return marker_of(self._sets[wildcards.set])

    def settings(self, wildcards: Wildcards) -> str:
        """A set's section of the configuration as JSON."""
        return self._sets[wildcards.set].model_dump_json()
