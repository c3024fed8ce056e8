"""Where the files of an audit are: every tuned model is probed with exactly its base's requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part, Work
from plumbline.methods.audit.checkpoints import FOLDER, audited
from plumbline.names import BASE
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment
    from plumbline.methods.audit.config import AuditedModel

# Below the model's folder: the base's own probing, and its second one.
FIRST, AGAIN = "slick", "slick/again"


class AuditFiles(Part):
    """Models to import and probe for an audit; none if there is no audit."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._models = {section.name: section for section in audited(self.config).values()}
        # What is probed beside the base's own probing: checkpoint and requests by the place.
        self._probed = {f"{FOLDER}/{name}/slick": (f"audit.{name}", FIRST) for name in self._models}
        self._probed |= {AGAIN: (BASE, AGAIN)} if self._models else {}

    @property
    def names(self) -> list[str]:
        """Names of the audited models."""
        return list(self._models)

    @property
    def probed(self) -> list[str]:
        """Where each probing is, below the model's folder."""
        return list(self._probed)

    def sources(self) -> Iterable[AuditedModel]:
        return self._models.values()

    def works(self) -> Iterable[Work]:
        for place, (checkpoint, asked) in self._probed.items():
            folder = self.lineage.folder(checkpoint)
            yield Work(place, folder, f"{asked}/requests.jsonl", self.config.slick.match)

    def lists(self) -> Mapping[str, Any]:
        return {"audited": list(self.rows())}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every probing that is compared with the base's: its checkpoint and its files."""
        for model in self.layout.models:
            for place, (checkpoint, asked) in self._probed.items():
                yield {
                    "model": model,
                    "checkpoint": checkpoint,
                    "questions": self.layout.path(model, f"{FIRST}/questions.jsonl"),
                    "base": self._files(model, FIRST, FIRST),
                    "probed": self._files(model, place, asked),
                }

    def row_files(self) -> list[str]:
        """The files that these rows name, each once."""
        named = [
            path
            for row in self.rows()
            for path in (row["questions"], *row["base"].values(), *row["probed"].values())
        ]
        return list(dict.fromkeys(named))

    def section(self, wildcards: Wildcards) -> AuditedModel:
        """The configuration's section for the model that the wildcard names."""
        return self._models[wildcards.tuned]

    def source(self, wildcards: Wildcards) -> str:
        """The marker that says where its source is."""
        return marker_of(self.section(wildcards))

    def requests(self, wildcards: Wildcards) -> str:
        """The requests of the wildcards' probing."""
        _, asked = self._probed[wildcards.probed]
        return self.layout.path(wildcards.model, f"{asked}/requests.jsonl")

    def results(self, wildcards: Wildcards) -> list[str]:
        """The tables that the target of this name makes. InputError without an audit."""
        if not self._models:
            raise InputError("audit is null in the configuration, so no model is audited.")
        names = ("audit_transitions", "audit_relations", "audit_facts")
        return [f"{self.layout.root}/tables/{name}.csv" for name in names]

    def _files(self, model: str, place: str, asked: str) -> dict[str, str]:
        """The files of one probing: requests, answers and categories."""
        return {
            "requests": self.layout.path(model, f"{asked}/requests.jsonl"),
            "generations": self.layout.path(model, f"{place}/generations.jsonl"),
            "annotations": self.layout.path(model, f"{place}/annotations.jsonl"),
        }
