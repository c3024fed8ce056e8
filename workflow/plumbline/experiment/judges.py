"""The judges of responses, and the checkpoints they depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plumbline.config.verification import REFERENCE
from plumbline.experiment.layout import Layout, Wildcards, given
from plumbline.experiment.part import JudgeRole
from plumbline.storage.files import InputError


class Judges:
    """The judges of all parts, by purpose.

    A judge has a folder for the results of its test: in the folder of the checkpoint that judges, or
    directly below the model's if the judge is a measure.
    """

    def __init__(self, layout: Layout, judges: Mapping[str, JudgeRole]):
        """InputError if a judge is neither a measure nor a checkpoint."""
        self._layout, self.by_purpose = layout, judges
        checkpoints = layout.lineage.checkpoints
        for judge in judges.values():
            if judge.name != REFERENCE and judge.name not in checkpoints:
                raise InputError(
                    f"{judge.key}.judge: {judge.name} does not exist. Name {REFERENCE} or a "
                    f"checkpoint: {', '.join(checkpoints)}."
                )

    def place(self, purpose: str, near: str) -> str:
        """The judge's folder; near: the folder of what it judges."""
        name = self.by_purpose[purpose].name
        return "judge" if name == REFERENCE else f"{self._layout.folder(name, near)}/judge"

    def calibration(self, purpose: str, model: str, near: str) -> str:
        """The judge's calibration; near: the folder of what it judges."""
        return self._layout.path(model, f"{self.place(purpose, near)}/{purpose}.json")

    def needs_gpu(self, purpose: str) -> bool:
        """Whether a model judges: a measure needs no GPU."""
        return purpose in self.by_purpose and self.by_purpose[purpose].name != REFERENCE

    def checkpoint(self, wildcards: Wildcards) -> dict[str, str]:
        """The marker of the checkpoint that judges at the wildcards' place; empty for a measure."""
        folder = _folder(wildcards.place)
        return {"judge": self._layout.marker(wildcards.model, folder)} if folder else {}

    def options(self, wildcards: Wildcards) -> list[str]:
        """The judge at the wildcards' place, as options of the programs that let it judge."""
        return self._options(wildcards.purpose, wildcards.place, wildcards.model)

    def inputs(self, purpose: str) -> Callable[[Wildcards], dict[str, str]]:
        """An input function: the judge's calibration and, unless it is a measure, its checkpoint."""

        def files(wildcards: Wildcards) -> dict[str, str]:
            model, judged = wildcards.model, wildcards.folder
            folder = _folder(self.place(purpose, judged))
            checkpoint = {"judge": self._layout.marker(model, folder)} if folder else {}
            return {"calibration": self.calibration(purpose, model, judged)} | checkpoint

        return files

    def options_for(self, purpose: str) -> Callable[[Wildcards], list[str]]:
        """A parameter function: the judge for the responses in the wildcards' folder."""

        def options(wildcards: Wildcards) -> list[str]:
            place = self.place(purpose, wildcards.folder)
            return self._options(purpose, place, wildcards.model)

        return options

    def calibrations(self) -> list[dict[str, Any]]:
        """Every judge's calibration: model, seed (0: it depends on none) and file."""
        places = {
            (purpose, self.place(purpose, folder))
            for purpose, judge in self.by_purpose.items()
            for folder in judge.folders
        }
        return [
            {
                "model": model,
                "seed": self._seed(place),
                "path": self._layout.path(model, f"{place}/{purpose}.json"),
            }
            for purpose, place in sorted(places)
            for model in self._layout.models
        ]

    def _seed(self, place: str) -> int:
        folder = _folder(place)
        return int(self._layout.lineage.at(folder)[1]) if folder else 0

    def _options(self, purpose: str, place: str, model: str) -> list[str]:
        judge, folder = self.by_purpose[purpose], _folder(place)
        path = self._layout.path(model, folder) if folder else ""
        return ["--judge", judge.name, "--form", judge.form, *given("--checkpoint", path)]


def _folder(place: str) -> str:
    """The folder of the checkpoint that a judge's folder is in; empty for a measure."""
    return place.removesuffix("judge").removesuffix("/")
