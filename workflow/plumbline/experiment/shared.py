"""Results for use elsewhere: in the LM evaluation harness's format, and cards for a model hub."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from plumbline.config.closed_book import FACTS
from plumbline.experiment.part import Part

CARD = "README.md"


class Shared(Part):
    """Files about all checkpoints of the lineage, for every model and seed."""

    def lists(self) -> Mapping[str, Any]:
        return {"cards": self.rows()}

    @cached_property
    def harness_files(self) -> list[str]:
        """One file of results per checkpoint."""
        root, run = self.layout.root, self.config.run
        rows = self.experiment.evaluated.rows()
        return [f"{root}/lm_eval/{row['folder']}/results_{run}.json" for row in rows]

    @property
    def shots(self) -> dict[str, int]:
        """Few-shot examples before a question, by task; other tasks have none."""
        evaluation = self.config.evaluation
        sets = [FACTS, *(one.name for one in evaluation.closed_book)]
        return {
            **dict.fromkeys(sets, self.config.slick.shots),
            **{one.name: one.examples for one in evaluation.choices if one.examples},
            **{one.task: one.shots for one in evaluation.harness},
        }

    def rows(self) -> list[dict[str, Any]]:
        """Every checkpoint trained here, with its training file; paths are below the root."""
        return [
            {
                "model": model,
                "checkpoint": checkpoint,
                "folder": f"{model}/{self.lineage.folder(checkpoint).format(seed=seed)}",
                "tuning": f"{model}/{tuning.folder.format(seed=seed)}",
                "data": f"{model}/{tuning.examples.format(seed=seed)}",
            }
            for model in self.layout.models
            for seed in self.config.seeds
            for tuning in self.lineage.tunings.values()
            for checkpoint in tuning.checkpoints
        ]

    @property
    def card_files(self) -> list[str]:
        """The cards of the checkpoints, and one beside every training file."""
        root = self.layout.root
        of_checkpoints = [f"{root}/{row['folder']}/{CARD}" for row in self.rows()]
        return [*of_checkpoints, *self.experiment.trainings.beside(CARD)]
