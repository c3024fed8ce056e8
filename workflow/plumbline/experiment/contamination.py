"""The contamination check before training: training files, and what they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class ContaminationGate(Part):
    """What is measured for every training file."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._trainings = experiment.trainings

    def lists(self) -> Mapping[str, Any]:
        return {
            "contamination": self.found(),
            # Read just before a training starts. It is not a rule's parameter, so that another
            # evaluation set does not repeat trainings.
            "evaluated": {model: self._sets(model) for model in self.layout.models},
        }

    def found(self) -> list[str]:
        """The results of the check, for every training file."""
        return self._trainings.beside("contamination.json")

    def training(self, wildcards: Wildcards) -> str:
        """The training file in the wildcards' folder."""
        name = self._trainings.files[wildcards.data]
        return self.layout.path(wildcards.model, f"{wildcards.data}/{name}")

    def evaluated(self, wildcards: Wildcards) -> list[str]:
        """The files of everything that checkpoints are asked in evaluation."""
        return list(self._sets(wildcards.model).values())

    def evaluated_by_name(self, wildcards: Wildcards) -> list[str]:
        """The same as <name>=<file>."""
        return [f"{name}={path}" for name, path in self._sets(wildcards.model).items()]

    def _sets(self, model: str) -> dict[str, str]:
        """The files of everything that checkpoints are asked in evaluation, by name."""
        experiment, root = self.experiment, self.layout.root
        tasks, asked = experiment.choice_tasks, experiment.long_form.instructions()
        return {
            "closed_book": self.layout.path(model, "slick/test.jsonl"),
            **experiment.closed_book.questions,
            **{row["name"]: row["path"] for row in tasks.rows()},
            **{name: f"{root}/harness/{name}.jsonl" for name in tasks.names},
            **{name: experiment.responses.instruction_file(name) for name in asked},
        }
