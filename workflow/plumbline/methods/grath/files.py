"""Where GRATH's files are, and what its programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.config.choices import ChoiceSource
from plumbline.experiment.layout import Wildcards, given, seed_of
from plumbline.experiment.part import Part, Work
from plumbline.experiment.variants import Variants
from plumbline.names import BASE

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class GrathFiles(Part):
    """GRATH's rounds; contributes nothing if the configuration leaves GRATH out."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._settings = self.config.grath
        percents = self._settings.keep_unknown if self._settings else []
        self.variants = Variants(self.layout, "grath", percents)

    def choices(self) -> Mapping[str, ChoiceSource]:
        return {"grath/source": self._settings.questions} if self._settings else {}

    def works(self) -> Iterable[Work]:
        for folder in self._writers():
            yield Work(f"{folder}/grath", folder, "grath/requests.jsonl", leads=True)

    def lost(self) -> Iterable[str]:
        return [f"{self.layout.root}/grath/dropped.json"] if self._settings else []

    def lists(self) -> Mapping[str, Any]:
        return {"grath_rounds": list(self.rows())}

    def pair_questions(self) -> list[str]:
        """The questions that pairs are written for."""
        return [f"{self.layout.root}/grath/questions.jsonl"] if self._settings else []

    def request_options(self, wildcards: Wildcards) -> list[str]:
        """How pairs are asked for, as options of write_grath_requests."""
        options = ["--max-tokens", str(self._settings.max_tokens), *self._prompt_options()]
        return options + ["--use-ground-truth"] * self._settings.use_ground_truth

    def pair_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The questions, the outputs about them of round 0 and of now, and what the filter reads."""
        return {
            "questions": f"{self.layout.root}/grath/questions.jsonl",
            "first": self._written(wildcards, 1),
            "now": self._written(wildcards, int(wildcards.round)),
            **self.variants.filter_inputs(wildcards),
        }

    def pair_options(self, wildcards: Wildcards) -> list[str]:
        """How pairs are read and filtered, as options of build_grath_pairs."""
        return [
            *("--max-unparsed", str(self._settings.max_unparsed), *self._prompt_options()),
            *self.variants.filter_options(wildcards),
            # The base's pairs are the same for all seeds, so the filter must keep the same ones.
            *("--seed", seed_of(wildcards.data) or "0"),
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every round of every model and seed: its scores, and what it was trained on."""
        if self._settings is None:
            return
        for model in self.layout.models:
            if self._settings.parent != BASE:
                yield self._row(model, 0, BASE) | {"round": None}
            for variant in self.variants.percents:
                for seed in self.config.seeds:
                    yield from self._rounds(model, variant, seed)

    def row_files(self) -> list[str]:
        """The files that these rows name."""
        return [
            path
            for row in self.rows()
            for path in (*row["scores"], row.get("pairs"), row.get("composition"))
            if path
        ]

    def scores(self) -> list[str]:
        """Scores on choice questions of GRATH's checkpoints, including placebos, and of the base."""
        if self._settings is None:
            return []
        return [
            f"{self.layout.root}/{row['folder']}/{name}"
            for row in self.experiment.evaluated.rows()
            if row["checkpoint"] == BASE or self.variants.own(row["checkpoint"])
            for name in row["scored"]
            if name.startswith(("choices/", "harness/"))
        ]

    def _writers(self) -> list[str]:
        """Folders of the checkpoints that write pairs, for all seeds."""
        tunings = self.lineage.tunings.items()
        parents = {tuning.parent for name, tuning in tunings if self.variants.own(name)}
        return sorted({folder for parent in parents for folder in self.layout.folders(parent)})

    def _written(self, wildcards: Wildcards, number: int) -> str:
        """What the parent of a round wrote."""
        parent = self.lineage.tunings[f"{wildcards.variant}.r{number}"].parent
        folder = self.layout.folder(parent, wildcards.data)
        return self.layout.path(wildcards.model, f"{folder}/grath/generations.jsonl")

    def _prompt_options(self) -> list[str]:
        """How pairs are asked for and trained on."""
        return given("--legacy-prompt", self._settings.legacy_prompt)

    def _rounds(self, model: str, variant: str, seed: int) -> Iterator[dict[str, Any]]:
        """One variant's rounds, from the parent of the first one on."""
        start = self._row(model, seed, self._settings.parent)
        yield start | {"round": 0, "variant": variant}
        for number in range(1, self._settings.rounds + 1):
            tuning = self.lineage.tunings[f"{variant}.r{number}"]
            folder = Path(tuning.examples.format(seed=seed)).parent
            yield self._row(model, seed, tuning.name) | {
                "round": number,
                "variant": variant,
                "pairs": self.layout.path(model, f"{folder}/pairs.jsonl"),
                "composition": self.layout.path(model, f"{folder}/composition.json"),
            }

    def _row(self, model: str, seed: int, checkpoint: str) -> dict[str, Any]:
        """The fields that every checkpoint's row has."""
        folder = self.lineage.folder(checkpoint).format(seed=seed)
        return {
            "model": model,
            "seed": seed,
            "checkpoint": checkpoint,
            "parent": self.lineage.parent(checkpoint),
            "scores": [
                self.layout.path(model, f"{folder}/{name}")
                for name in self.experiment.choice_tasks.scores
            ],
        }
