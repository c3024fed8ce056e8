"""Where SliCK's files are, and what its programs read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.experiment.part import Part, Work
from plumbline.names import BASE


class SlickFiles(Part):
    """The probing of every base, and the mixes of known and new facts."""

    def works(self) -> Iterable[Work]:
        yield Work("slick", BASE, "slick/requests.jsonl", self.config.slick.match, leads=True)

    def lists(self) -> Mapping[str, Any]:
        return {"mixes": self.mixes(), "mix_checkpoints": self.checkpoints()}

    def mixes(self) -> list[dict[str, Any]]:
        """The trainings on mixes of known and new facts, with their parents."""
        names = {f"mix.{name}" for name in self.config.mixes.names()}
        return [
            {**row, "parent": self.lineage.tunings[row["tuning"]].parent}
            for row in self.experiment.trainings.rows()
            if row["tuning"] in names
        ]

    def each(self, name: str) -> list[str]:
        """A file of each of these trainings."""
        return [f"{self.layout.root}/{row['folder']}/{name}" for row in self.mixes()]

    def checkpoints(self) -> list[dict[str, Any]]:
        """The checkpoints of these trainings."""
        trained = {row["tuning"] for row in self.mixes()}
        names = {name for tuning in trained for name in self.lineage.tunings[tuning].checkpoints}
        return [
            {key: row[key] for key in ("model", "seed", "checkpoint", "folder")}
            for row in self.experiment.evaluated.rows()
            if row["checkpoint"] in names
        ]

    def answers(self) -> list[str]:
        """The checkpoints' answers to closed-book questions."""
        root = self.layout.root
        return [f"{root}/{row['folder']}/closed_book/answers.jsonl" for row in self.checkpoints()]
