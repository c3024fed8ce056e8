"""The evaluation of long answers: which checkpoints write them, and which are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import InstructionSet, JudgeRole, Part, Place, Work
from plumbline.experiment.responses import state_files
from plumbline.experiment.shift_pairs import long_form_checkpoints

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class LongForm(Part):
    """`evaluation.long_form`; contributes nothing if that is null."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._settings = self.config.evaluation.long_form

    def instructions(self) -> Mapping[str, InstructionSet]:
        settings, key = self._settings, "evaluation.long_form"
        if settings is None:
            return {}
        sets = {"long_form": InstructionSet(settings.sources(), "test", "id,ood", key)}
        if settings.instructions:
            asked = [settings.instructions]
            sets["win_rate"] = InstructionSet(asked, "test", "id", f"{key}.instructions")
        return sets

    def places(self) -> Mapping[str, Place]:
        # Everything that the checkpoint wrote is evaluated, even if it was cut off.
        ends = {"long_form": "long_form", "win_rate": "win_rate/own"}
        return {
            ends[name]: Place(name, "long_form", unfinished="--unfinished")
            for name in self.instructions()
        }

    def judges(self) -> Mapping[str, JudgeRole]:
        settings = self._settings
        if "win_rate" not in self.instructions():
            return {}
        key = "evaluation.long_form"
        return {"win_rate": JudgeRole(key, settings.judge, settings.prompt, self.compared)}

    def works(self) -> Iterable[Work]:
        for folder in self.folders:
            place = f"{folder}/long_form"
            yield Work(place, folder, "long_form/requests.jsonl")
            yield from self.experiment.responses.claim_works(place)
        writers = {*self.compared, *map(self.baseline, self.compared)}
        for folder in sorted(writers):
            yield Work(f"{folder}/win_rate/own", folder, "win_rate/requests.jsonl")

    def states(self) -> Iterable[dict[str, Any]]:
        for model in self.layout.models:
            for folder in self.folders:
                checkpoint, seed = self.lineage.at(folder)
                place = self.layout.path(model, f"{folder}/long_form")
                row = {"model": model, "seed": seed, "checkpoint": checkpoint}
                yield row | state_files(place, "responses", "claims")

    @cached_property
    def folders(self) -> list[str]:
        """Folders of the checkpoints that write long answers."""
        return [
            folder
            for checkpoint in long_form_checkpoints(self.config, self.lineage)
            for folder in self.layout.folders(checkpoint)
        ]

    @cached_property
    def compared(self) -> list[str]:
        """The folders of those that are compared with the baseline."""
        if "win_rate" not in self.instructions():
            return []
        baseline = self.layout.folders(self._settings.baseline)
        return [folder for folder in self.folders if folder not in baseline]

    def baseline(self, folder: str) -> str:
        """The folder of the checkpoint that this one is compared with."""
        return self.layout.folder(self._settings.baseline, folder)

    def baseline_responses(self, wildcards: Wildcards) -> str:
        """What the baseline answered."""
        folder = self.baseline(wildcards.folder)
        return self.layout.path(wildcards.model, f"{folder}/win_rate/own/responses.jsonl")

    def options(self, wildcards: Wildcards) -> list[str]:
        """The options of write_responses that say how responses are asked for."""
        return [
            *("--form", self._settings.prompt, "--samples", "1", "--temperature", "0"),
            *("--top-p", "1", "--max-tokens", str(self._settings.max_tokens)),
        ]

    def measures(self, wildcards: Wildcards) -> list[str]:
        """FActScore's penalty and F1's K as options of measure_long_form."""
        return ["--gamma", str(self._settings.gamma), "--k", *map(str, self._settings.k)]
