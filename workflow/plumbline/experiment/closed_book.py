"""Closed-book questions: those about the facts, and published sets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from plumbline.config.closed_book import ENDINGS, FACTS, ClosedBookSet
from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part, Work
from plumbline.names import parts

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.experiment import Experiment
    from plumbline.experiment.lineage import Lineage


def forms_of(config: Config, lineage: Lineage) -> dict[str, list[str]]:
    """By checkpoint, the forms it is asked in: few-shot, and those in which it, its ancestors or its
    descendants are tuned. In other forms, nothing is compared with it.
    """
    tuned_in = {
        checkpoint: config.tuned_form(parts(checkpoint)[0]) for checkpoint in lineage.checkpoints
    }
    kin = {checkpoint: {form} for checkpoint, form in tuned_in.items()}
    for checkpoint, form in tuned_in.items():
        ancestor = lineage.parent(checkpoint)
        while ancestor:
            kin[ancestor].add(form)
            kin[checkpoint].add(tuned_in[ancestor])
            ancestor = lineage.parent(ancestor)
    return {
        checkpoint: [form for form in ENDINGS if form == "few_shot" or form in forms]
        for checkpoint, forms in kin.items()
    }


class ClosedBook(Part):
    """Questions without choices, for all checkpoints; `evaluation.closed_book` has the sets."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._sets = {evaluated.name: evaluated for evaluated in self.config.evaluation.closed_book}
        self._places = [FACTS, *(f"{FACTS}/{name}" for name in self._sets)]
        # By set, the file of its questions.
        self.questions = {name: f"{self.layout.root}/{FACTS}/{name}.jsonl" for name in self._sets}
        # By file of answers in a checkpoint's folder, the file of the questions.
        of_places = [self.layout.facts, *self.questions.values()]
        self.asked = {
            f"{place}/answers.jsonl": questions
            for place, questions in zip(self._places, of_places, strict=True)
        }

    def sources(self) -> Iterable[ClosedBookSet]:
        return self._sets.values()

    @cached_property
    def forms(self) -> dict[str, str]:
        """`forms_of`, joined by +."""
        of_each = forms_of(self.config, self.lineage)
        return {checkpoint: "+".join(forms) for checkpoint, forms in of_each.items()}

    @property
    def all_forms(self) -> list[str]:
        """The different values of `forms`."""
        return sorted(set(self.forms.values()))

    def works(self) -> Iterable[Work]:
        for checkpoint in self.lineage.checkpoints:
            for folder in self.layout.folders(checkpoint):
                for place in self._places:
                    yield Work(f"{folder}/{place}", folder, self._requests(place, checkpoint))

    def _requests(self, place: str, checkpoint: str) -> str:
        return f"{place}/{self.forms[checkpoint]}.jsonl"

    def requests(self, wildcards: Wildcards) -> str:
        """The requests to the checkpoint in the wildcards' folder, from their set if they name one."""
        place = f"{FACTS}/{wildcards.set}" if hasattr(wildcards, "set") else FACTS
        checkpoint, _ = self.lineage.at(wildcards.folder)
        return self.layout.path(wildcards.model, self._requests(place, checkpoint))

    def lost(self) -> Iterable[str]:
        return [f"{self.layout.root}/{FACTS}/{name}.dropped.json" for name in self._sets]

    def source(self, wildcards: Wildcards) -> str:
        """The fetched source that a set is made from."""
        return marker_of(self._sets[wildcards.set])

    def settings(self, wildcards: Wildcards) -> str:
        """A set's section of the configuration as JSON."""
        return self._sets[wildcards.set].model_dump_json()
