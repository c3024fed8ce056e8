"""Where APEFT's files are, and what its programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards, given
from plumbline.experiment.part import InstructionSet, Part, Place, Work
from plumbline.experiment.responses import state_files
from plumbline.experiment.variants import Variants
from plumbline.methods.apeft.tunings import questions_by
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class ApeftFiles(Part):
    """APEFT's trainings; contributes nothing if the configuration leaves APEFT out."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._settings = self.config.apeft
        percents = self._settings.keep_unknown if self._settings else []
        self.variants = Variants(self.layout, "apeft", percents)

    def instructions(self) -> Mapping[str, InstructionSet]:
        if self._settings is None:
            return {}
        return {"apeft": InstructionSet(self._settings.prompts, "train", "id", "apeft.prompts")}

    def places(self) -> Mapping[str, Place]:
        if self._settings is None:
            return {}
        # Facts are judged one by one, so a response is useful up to where it was cut off.
        return {"apeft/responses": Place("apeft", "apeft", unfinished="--whole-sentences")}

    def works(self) -> Iterable[Work]:
        for folder in self._parents():
            place = f"{folder}/apeft"
            yield Work(f"{place}/responses", folder, "apeft/responses/requests.jsonl", leads=True)
            yield from self.experiment.responses.claim_works(f"{place}/responses")
            yield Work(f"{place}/answers", folder, f"{place}/answers/requests.jsonl", leads=True)
            if questions_by(self.config) == "model":
                yield Work(
                    f"{place}/questions", folder, f"{place}/questions/requests.jsonl", leads=True
                )

    def lost(self) -> Iterable[str]:
        return [
            self.layout.path(model, f"{folder}/apeft/{name}")
            for model in self.layout.models
            for folder in self._parents()
            for name in ("dropped.json", "atomic/dropped.json")
        ]

    def states(self) -> Iterable[dict[str, Any]]:
        """The responses that pairs are made from, and answers to questions."""
        for model in self.layout.models:
            for folder in self._parents():
                checkpoint, seed = self.lineage.at(folder)
                place = self.layout.path(model, f"{folder}/apeft")
                row = {"model": model, "seed": seed}
                yield {
                    **row,
                    "checkpoint": f"{checkpoint}, for APEFT",
                    **state_files(f"{place}/responses"),
                }
                yield {
                    **row,
                    "checkpoint": f"{checkpoint}, answers for APEFT",
                    "verdicts": f"{place}/atomic/verdicts.jsonl",
                }

    def lists(self) -> Mapping[str, Any]:
        return {"apeft_files": list(self.rows()), "apeft_checkpoints": self.studied()}

    def response_options(self, wildcards: Wildcards) -> list[str]:
        """How responses are asked for, as options of write_responses."""
        apeft = self._settings
        return [
            *("--form", apeft.prompt, "--samples", str(apeft.responses)),
            *("--temperature", str(apeft.temperature), "--top-p", "1"),
            *("--max-tokens", str(apeft.max_tokens)),
        ]

    def question_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """Claims, and what their questions are made from."""
        place = self.layout.path(wildcards.model, f"{wildcards.folder}/apeft")
        files = {
            "claims": f"{place}/responses/claims.jsonl",
            "verdicts": f"{place}/responses/verdicts.jsonl",
        }
        if questions_by(self.config) == "table":
            return files | {"facts": self.layout.facts}
        return files | {
            "requests": f"{place}/questions/requests.jsonl",
            "generations": f"{place}/questions/generations.jsonl",
        }

    def question_options(self, wildcards: Wildcards) -> list[str]:
        """The same, with how many are asked and how often, as options of write_apeft_answers."""
        apeft, files = self._settings, self.question_inputs(wildcards)
        return [
            *given("--facts", files.get("facts")),
            *given("--question-requests", files.get("requests")),
            *given("--question-generations", files.get("generations")),
            *given("--per-entity", apeft.atomic_per_entity),
            *("--samples", str(apeft.samples), "--temperature", str(apeft.temperature)),
        ]

    def pair_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The parent's responses and answers with their verdicts, and what the filter reads."""
        folder = self.lineage.folder(self._settings.parent).format(seed=wildcards.seed)
        place = self.layout.path(wildcards.model, f"{folder}/apeft")
        return {
            "responses": f"{place}/responses/responses.jsonl",
            "verdicts": f"{place}/responses/verdicts.jsonl",
            "questions": f"{place}/questions.jsonl",
            "answers": f"{place}/atomic/claims.jsonl",
            "answer_verdicts": f"{place}/atomic/verdicts.jsonl",
            **self.variants.filter_inputs(wildcards),
        }

    def pair_options(self, wildcards: Wildcards) -> list[str]:
        """Both kinds of pairs and their mix as options of build_apeft_pairs."""
        apeft = self._settings
        percents = (f"{percent:g}" for percent in apeft.atomic_percent)
        return [
            *("--samples", str(apeft.samples), "--form", apeft.prompt),
            *given("--general-per-entity", apeft.general_per_entity),
            *("--max-length-gap", str(apeft.max_length_gap)),
            # With a size of its own, a file does not depend on which other files there are.
            *(("--size", str(apeft.pairs)) if apeft.pairs else ("--percents", *percents)),
            *self.variants.filter_options(wildcards),
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every training file: model, seed, name, and where its counts are."""
        if self._settings is None:
            return
        for model in self.layout.models:
            for seed in self.config.seeds:
                parent = self.lineage.folder(self._settings.parent).format(seed=seed)
                for variant in self.variants.percents:
                    for percent in self._settings.atomic_percent:
                        name = f"atomic-{percent:g}"
                        folder = f"seed-{seed}/{variant}/{name}"
                        yield {
                            "model": model,
                            "seed": seed,
                            "set": f"{variant}.{name}",
                            "composition": self.layout.path(model, f"{folder}/composition.json"),
                            "questions": self.layout.path(model, f"{parent}/apeft/dropped.json"),
                        }

    def row_files(self) -> list[str]:
        """The files that these rows name."""
        return sorted({row[key] for row in self.rows() for key in ("composition", "questions")})

    def studied(self) -> list[dict[str, Any]]:
        """The checkpoints by which losses are compared: the tuned ones and their parent."""
        if self._settings is None:
            return []
        return [
            row
            for row in self.experiment.evaluated.rows()
            if row["checkpoint"] == self._settings.parent or self.variants.own(row["checkpoint"])
        ]

    def studied_items(self) -> list[str]:
        """The files of scored items that these rows name."""
        return self.experiment.evaluated.files(self.studied())

    def results(self, wildcards: Wildcards) -> list[str]:
        """APEFT's trainings, and the table of facts and pairs. InputError if there are none."""
        if self._settings is None:
            raise InputError("apeft is null in the configuration, so there is nothing to train.")
        trainings = self.experiment.trainings.each("training.json", self.variants.own)
        return [*trainings, f"{self.layout.root}/tables/apeft_pairs.csv"]

    def _parents(self) -> list[str]:
        """Folders of the checkpoints that responses are drawn from, for all seeds."""
        return self.layout.folders(self._settings.parent) if self._settings else []
