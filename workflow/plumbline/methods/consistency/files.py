"""Where the files of self-consistency are, and what its programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards, given, seed_of
from plumbline.experiment.part import Part, Work
from plumbline.experiment.variants import Variants
from plumbline.names import BASE
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class ConsistencyFiles(Part):
    """Answers that are voted on, and the pairs made from them; empty if the method is left out."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._settings = self.config.consistency
        percents = self._settings.keep_unknown if self._settings else []
        self.variants = Variants(self.layout, "consistency", percents)

    def works(self) -> Iterable[Work]:
        if self._settings is None:
            return
        for folder in self.layout.folders(self._settings.parent):
            place = f"{folder}/consistency"
            yield Work(place, folder, "consistency/requests.jsonl", leads=True)

    def lists(self) -> Mapping[str, Any]:
        return {"consistency_files": list(self.rows())}

    def request_options(self, wildcards: Wildcards) -> list[str]:
        """Which questions are asked and how, as options of write_consistency_requests."""
        settings, slick = self._settings, self.config.slick
        return [
            *("--form", settings.prompt, "--shots", str(settings.shots)),
            *given("--limit", settings.limit),
            *("--samples", str(settings.samples), "--temperature", str(settings.temperature)),
            *("--max-tokens", str(slick.max_tokens), "--seed", str(slick.seed)),
        ]

    def pair_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The questions, the parent's answers, and what the filter reads."""
        folder = self.layout.folder(self._settings.parent, wildcards.data)
        return {
            "questions": self.layout.path(wildcards.model, "slick/questions.jsonl"),
            "requests": self.layout.path(wildcards.model, "consistency/requests.jsonl"),
            "generations": self.layout.path(
                wildcards.model, f"{folder}/consistency/generations.jsonl"
            ),
            **self.variants.filter_inputs(wildcards),
        }

    def pair_options(self, wildcards: Wildcards) -> list[str]:
        """How votes become pairs and which are kept, as options of build_consistency_pairs."""
        return [
            *("--form", self._settings.prompt, "--min-share", str(self._settings.min_share)),
            *("--match", self.config.slick.match),
            *self.variants.filter_options(wildcards),
            # The base's pairs are the same for all seeds, so the filter must keep the same ones.
            *("--seed", seed_of(wildcards.data) or "0"),
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every training file: model, seed (none: shared by all), variant, and where it is."""
        if self._settings is None:
            return
        seeds = [None] if self._settings.parent == BASE else self.config.seeds
        for model in self.layout.models:
            for seed in seeds:
                for variant in self.variants.percents:
                    folder = variant if seed is None else f"seed-{seed}/{variant}"
                    yield {
                        "model": model,
                        "seed": seed,
                        "variant": variant,
                        "pairs": self.layout.path(model, f"{folder}/pairs.jsonl"),
                        "composition": self.layout.path(model, f"{folder}/composition.json"),
                    }

    def row_files(self) -> list[str]:
        """The files that these rows name."""
        return [row[key] for row in self.rows() for key in ("pairs", "composition")]

    def results(self, wildcards: Wildcards) -> list[str]:
        """The trainings, and the table of their pairs. InputError if there are none."""
        if self._settings is None:
            raise InputError(
                "consistency is null in the configuration, so nothing is to be trained."
            )
        trainings = self.experiment.trainings.each("training.json", self.variants.own)
        return [*trainings, f"{self.layout.root}/tables/consistency_pairs.csv"]
