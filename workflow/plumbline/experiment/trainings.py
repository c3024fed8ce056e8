"""What a training reads: its examples or pairs, its parent, its reference, its probes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from plumbline.experiment.layout import Layout, Wildcards
from plumbline.methods.tuning import Tuning


class Trainings:
    """All training runs of the lineage, for every model and seed."""

    def __init__(self, layout: Layout):
        self._layout, self._lineage = layout, layout.lineage
        # Names of the training files by their folders, below the model's; some files are shared.
        self.files = {
            str(path.parent): path.name
            for tuning in self._lineage.tunings.values()
            for path in (Path(tuning.examples.format(seed=seed)) for seed in layout.config.seeds)
        }

    def rows(self) -> list[dict[str, Any]]:
        """Every training run: model, seed, tuning, folder (below results/<run>)."""
        return [
            {
                "model": model,
                "seed": seed,
                "tuning": tuning.name,
                "folder": f"{model}/{tuning.folder.format(seed=seed)}",
            }
            for model in self._layout.models
            for seed in self._layout.config.seeds
            for tuning in self._lineage.tunings.values()
        ]

    def each(self, name: str, of: Callable[[str], bool] = bool) -> list[str]:
        """A file of every training run, or of those for whose tuning's name `of` is true."""
        rows = (row for row in self.rows() if of(row["tuning"]))
        return [f"{self._layout.root}/{row['folder']}/{name}" for row in rows]

    def beside(self, name: str) -> list[str]:
        """A file that is beside every training file."""
        return [
            self._layout.path(model, f"{folder}/{name}")
            for model in self._layout.models
            for folder in self.files
        ]

    def tuning(self, wildcards: Wildcards) -> Tuning:
        """The tuning named by the wildcard."""
        return self._lineage.tunings[wildcards.tuning]

    def examples(self, wildcards: Wildcards) -> str:
        """The examples or pairs of the tuning."""
        return self._below(wildcards, self.tuning(wildcards).examples)

    def contamination(self, wildcards: Wildcards) -> str:
        """The results of the contamination check of its training file."""
        folder = str(Path(self.tuning(wildcards).examples).parent)
        return self._below(wildcards, f"{folder}/contamination.json")

    def parent(self, wildcards: Wildcards) -> str:
        """The folder of the parent, below the model's."""
        return self._lineage.folder(self.tuning(wildcards).parent).format(seed=wildcards.seed)

    def parent_marker(self, wildcards: Wildcards) -> str:
        """The file that marks the parent as complete."""
        return self._below(wildcards, self._lineage.marker(self.tuning(wildcards).parent))

    def probes(self, wildcards: Wildcards) -> str | list:
        """The questions asked after every epoch, if there are any."""
        path = self.tuning(wildcards).probes
        return self._below(wildcards, path) if path else []

    def probe_options(self, wildcards: Wildcards) -> list[str]:
        """The same as options of train, with how answers to them are drawn and judged."""
        probes, slick = self.probes(wildcards), self._layout.config.slick
        drawn = ["--max-tokens", str(slick.max_tokens), "--match", slick.match]
        return ["--probes", probes, *drawn] if probes else []

    def recipe(self, wildcards: Wildcards) -> str:
        """The recipe as JSON, without how often it saves, which is no reason to train again."""
        return self.tuning(wildcards).recipe.model_dump_json(exclude={"save_steps"})

    def stops(self, wildcards: Wildcards) -> tuple[str, ...]:
        """Which states of the model are kept."""
        return self.tuning(wildcards).stops

    def reference(self, wildcards: Wildcards) -> str | list:
        """The log-probabilities of a fixed reference, if there is one."""
        path = self.tuning(wildcards).reference_file
        return self._below(wildcards, path) if path else []

    def reference_options(self, wildcards: Wildcards) -> list[str]:
        """The reference as options of train: its file, and its checkpoint below the model's folder."""
        tuning = self.tuning(wildcards)
        if not tuning.reference:
            return []
        paths = tuning.reference_file, self._lineage.folder(tuning.reference)
        return ["--reference", *(path.format(seed=wildcards.seed) for path in paths)]

    def fixed_reference(self, wildcards: Wildcards) -> str:
        """The folder of the checkpoint under which pairs in the wildcards' folder are scored."""
        return self._layout.folder(wildcards.checkpoint, wildcards.data)

    def fixed_reference_marker(self, wildcards: Wildcards) -> str:
        """The file that marks that checkpoint as complete."""
        return self._layout.marker(wildcards.model, self.fixed_reference(wildcards))

    def _below(self, wildcards: Wildcards, path: str) -> str:
        return self._layout.path(wildcards.model, path.format(seed=wildcards.seed))
