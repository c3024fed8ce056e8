"""Token distribution shift: which checkpoints are compared, and where the results are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part
from plumbline.experiment.shift_pairs import shift_pairs
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class TokenShifts(Part):
    """`evaluation.token_shift`; no pair is compared if that is null."""

    def __init__(self, experiment: Experiment):
        """InputError for a pair that is not possible."""
        super().__init__(experiment)
        self._settings = self.config.evaluation.token_shift
        self.pairs = shift_pairs(self.config, self.lineage)

    def lists(self) -> Mapping[str, Any]:
        return {"token_shifts": self.rows()}

    def rows(self) -> list[dict[str, Any]]:
        """Every pair of every model and seed: names, the ranks, and the measured long answers
        of both.
        """
        return [
            {
                "model": model,
                "seed": int(self.lineage.at(folder)[1]),
                "tuned": tuned,
                "reference": reference,
                "shift": self.layout.path(model, f"{folder}/token_shift/{reference}.jsonl"),
                "items": self._items(model, folder),
                "reference_items": self._items(model, self.layout.folder(reference, folder)),
            }
            for model in self.layout.models
            for tuned, reference in self.pairs
            for folder in self.layout.folders(tuned)
        ]

    @property
    def dtype(self) -> str:
        """The precision of the measurement."""
        return self._settings.dtype if self._settings else ""

    @property
    def margin(self) -> float:
        """The largest change that counts as small."""
        return self._settings.margin if self._settings else 0

    def tables(self, wildcards: Wildcards) -> list[str]:
        """The tables that the target of this name makes. InputError if there is no pair to compare."""
        if not self.pairs:
            raise InputError("evaluation.token_shift names no checkpoint of this run; name a pair.")
        names = ("token_shift", "token_shift_verdicts", "token_shift_tokens")
        return [f"{self.layout.root}/tables/{name}.csv" for name in names]

    def files(self) -> list[str]:
        """The files that the rows name."""
        keys = ("shift", "items", "reference_items")
        return sorted({row[key] for row in self.rows() for key in keys})

    def requests(self, wildcards: Wildcards) -> str:
        """The requests to the tuned checkpoint."""
        work = self.experiment.works[f"{wildcards.folder}/long_form"]
        return self.layout.path(wildcards.model, work.requests)

    def reference(self, wildcards: Wildcards) -> str:
        """The folder of the reference, below the model's."""
        return self.layout.folder(wildcards.reference, wildcards.folder)

    def reference_marker(self, wildcards: Wildcards) -> str:
        """The file that marks the reference as complete."""
        return self.layout.marker(wildcards.model, self.reference(wildcards))

    def _items(self, model: str, folder: str) -> str:
        return self.layout.path(model, f"{folder}/long_form/items.jsonl")
