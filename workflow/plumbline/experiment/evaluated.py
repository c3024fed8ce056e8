"""The evaluation of every checkpoint: which checkpoints there are, and what each is scored on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.experiment.contrasts import contrasts
from plumbline.experiment.part import Part


class Evaluated(Part):
    """All checkpoints of the lineage, for every model and seed."""

    def lists(self) -> Mapping[str, Any]:
        stated = [contrast.row() for contrast in contrasts(self.config, self.lineage)]
        return {"checkpoints": self.rows(), "contrasts": stated, "answered": self.answered()}

    def rows(self) -> list[dict[str, Any]]:
        """Every checkpoint: model, seed, name, parent, folder (below results/<run>), scored files."""
        return [
            {
                "model": model,
                "seed": int(self.lineage.at(folder)[1]),
                "checkpoint": checkpoint,
                "parent": self.lineage.parent(checkpoint),
                "folder": f"{model}/{folder}",
                "scored": self._scored(folder),
            }
            for model in self.layout.models
            for checkpoint in self.lineage.checkpoints
            for folder in self.layout.folders(checkpoint)
        ]

    def scored(self) -> list[str]:
        """The files of scored items of all checkpoints."""
        return self.files(self.rows())

    def files(self, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """The files of scored items that these rows of checkpoints name."""
        return [
            f"{self.layout.root}/{row['folder']}/{name}" for row in rows for name in row["scored"]
        ]

    def answered(self) -> list[dict[str, Any]]:
        """Every file of answers, with the file of its questions and their kind."""
        closed_book = self.experiment.closed_book.asked
        choices = {
            f"choices/{row['name']}.jsonl": row["path"]
            for row in self.experiment.choice_tasks.rows()
        }
        return [
            {
                **{key: row[key] for key in ("model", "checkpoint", "seed")},
                "kind": kind,
                "answers": f"{self.layout.root}/{row['folder']}/{name}",
                "questions": questions,
            }
            for row in self.rows()
            for kind, asked in (("closed_book", closed_book), ("choices", choices))
            for name, questions in asked.items()
        ]

    def _scored(self, folder: str) -> list[str]:
        """Files of scored items in a checkpoint's folder."""
        long_form, tasks = self.experiment.long_form, self.experiment.choice_tasks.names
        return [
            *self.experiment.closed_book.asked,
            *self.experiment.choice_tasks.scores,
            *["long_form/items.jsonl"] * (folder in long_form.folders),
            *["win_rate/items.jsonl"] * (folder in long_form.compared),
            *(f"harness/{task}.jsonl" for task in tasks),
        ]
