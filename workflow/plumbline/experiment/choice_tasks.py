"""Choice questions that every checkpoint is scored on: sets of our own, and tasks of the harness."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.config.choices import ChoiceSet, HarnessTask
from plumbline.evaluation.task_files import files_of
from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Part
from plumbline.sources.source import Source
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class ChoiceTasks(Part):
    """`evaluation.choices` and `evaluation.harness`."""

    def __init__(self, experiment: Experiment):
        """InputError if a harness task's folder has no task file, since these tasks run last of all."""
        super().__init__(experiment)
        evaluation = self.config.evaluation
        self._sets = evaluation.choices
        self._tasks = {task.task: task for task in evaluation.harness}
        for task in self._tasks.values():
            if not any(_folder(task).glob("*.yaml")):
                raise InputError(
                    f"evaluation.harness: {task.folder}: no task file (*.yaml) is there. Put the "
                    f"task's files into this folder, or correct it."
                )
        # Determined once, for all checkpoints.
        self._files = {name: files_of(name, _folder(task)) for name, task in self._tasks.items()}

    def choices(self) -> Mapping[str, ChoiceSet]:
        return {f"choices/{choices.name}": choices for choices in self._sets}

    def lists(self) -> Mapping[str, Any]:
        return {"choices": self.rows()}

    @property
    def paths(self) -> list[str]:
        """The files of our own sets."""
        return [row["path"] for row in self.rows()]

    @property
    def scores(self) -> list[str]:
        """The files of their scores, below a checkpoint's folder."""
        return [f"choices/{choices.name}.jsonl" for choices in self._sets]

    def prompt(self, wildcards: Wildcards) -> str:
        """The form in which a set is asked."""
        return next(choices.prompt for choices in self._sets if choices.name == wildcards.set)

    @property
    def names(self) -> list[str]:
        """The tasks of the harness."""
        return list(self._tasks)

    def rows(self) -> list[dict[str, Any]]:
        """Every set that is evaluated: name, path, whether letters are shown."""
        return [
            {
                "name": choices.name,
                "path": f"{self.layout.root}/choices/{choices.name}.jsonl",
                "letters": choices.prompt == "letters",
            }
            for choices in self._sets
        ]

    def source(self, wildcards: Wildcards) -> str:
        """What a set of choice questions is made from: its fetched source, or the facts."""
        choices = self.experiment.choices[wildcards.choices]
        return marker_of(choices) if choices.source else self.layout.facts

    def options(self, wildcards: Wildcards) -> list[str]:
        """A set of choice questions as options of build_choices."""
        choices = self.experiment.choices[wildcards.choices]
        kind = "--source-marker" if choices.source else "--facts"
        return ["--choices", choices.model_dump_json(), kind, self.source(wildcards)]

    def task_files(self, wildcards: Wildcards) -> list[str]:
        """The files that a task of the harness is made from."""
        return self._files[wildcards.task]

    def task_options(self, wildcards: Wildcards) -> list[str]:
        """A task of the harness as options of the programs that load it."""
        task = self._tasks[wildcards.task]
        return [
            *("--task", task.task, "--folder", Source.parse(task.folder).name),
            *("--shots", str(task.shots), "--limit", str(task.limit or 0)),
        ]

    def domain(self, wildcards: Wildcards) -> str:
        """Whether a task of the harness is in the tuning domain or outside."""
        return self._tasks[wildcards.task].domain


def _folder(task: HarnessTask) -> Path:
    return Path(Source.parse(task.folder).name)
