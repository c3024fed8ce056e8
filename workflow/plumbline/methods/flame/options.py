"""FLAME's part of the configuration, and the files of a job, as options of its programs."""

from __future__ import annotations

from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards, given
from plumbline.methods.flame.files import FlameFiles
from plumbline.names import BASE


class FlameOptions:
    """For rules' parameters; not used if the configuration leaves FLAME out."""

    def __init__(self, files: FlameFiles):
        self._files, self._flame = files, files.settings

    def form(self, wildcards: Wildcards) -> str:
        """The form of prompts."""
        return self._flame.prompt

    def wanted(self, wildcards: Wildcards) -> int | str:
        """How many new instructions are requested."""
        return self._flame.augment or ""

    def trust(self, wildcards: Wildcards) -> str:
        """Whether a source's own labels decide what asks for facts."""
        return "--trust-labels" if self._flame.fact_based == "source" else ""

    def passes(self, wildcards: Wildcards) -> int:
        """How many passes over its instructions a training file of the first stage contains."""
        return self._files.config.recipes[self._flame.sft_recipe].epochs

    def decisions_for_own(self, wildcards: Wildcards) -> str | list:
        """The decisions needed when own answers are asked for; empty: all instructions are asked."""
        return [] if "sft-fact" in self._flame.sft else self.decisions_for_rag(wildcards)

    def decisions_for_rag(self, wildcards: Wildcards) -> str | list:
        """The same for answers with passages."""
        if self._flame.decider != BASE:
            return []
        return self._files.decisions(wildcards.model)

    def own_asked(self, wildcards: Wildcards) -> list[str]:
        """The former as an option of write_own_answers."""
        return given("--decisions", self.decisions_for_own(wildcards))

    def rag_asked(self, wildcards: Wildcards) -> list[str]:
        """The latter as an option of write_rag_answers."""
        return given("--decisions", self.decisions_for_rag(wildcards))

    def own_answers(self, wildcards: Wildcards) -> list[str]:
        """How the base's answers are drawn."""
        draws = self._draws(self._flame.own_answers)
        return ["--shots", str(self._flame.shots), *draws]

    def passages_marker(self, wildcards: Wildcards) -> str | list:
        """The marker of the passages' file, if there is one."""
        passages = self._flame.passages
        return marker_of(passages) if passages and passages.source else []

    def rag_answers(self, wildcards: Wildcards) -> list[str]:
        """How its answers with passages are drawn, and from which passages."""
        return [
            *("--passages", self._flame.passages.model_dump_json()),
            *given("--marker", self.passages_marker(wildcards)),
            *("--k", str(self._flame.k), *self.own_answers(wildcards)),
        ]

    def examples(self, wildcards: Wildcards) -> list[str]:
        """The base's answers and the filter, as options of build_flame_sft."""
        files = self._files.answers(wildcards)
        return [
            *given("--decisions", files.get("decisions")),
            *given("--own-requests", files.get("requests")),
            *given("--own-generations", files.get("generations")),
            *self._files.variants.filter_options(wildcards),
        ]

    def responses(self, wildcards: Wildcards) -> list[str]:
        """How responses are asked for, as options of write_responses."""
        return ["--form", self._flame.prompt, *self._draws(self._flame.responses)]

    def pairs(self, wildcards: Wildcards) -> list[str]:
        """The second stage as options of build_flame_pairs."""
        recipe = self._files.config.recipes[self._flame.dpo_recipe]
        files = self._files.pairs(wildcards)
        return [
            *given("--verdicts", files.get("verdicts")),
            *given("--confidence", files.get("confidence")),
            *("--form", self._flame.prompt, "--batch", str(recipe.global_batch_size)),
            *("--steps", str(recipe.max_steps), "--min-pairs", str(recipe.min_pairs)),
            *("--max-repeats", str(recipe.max_repeats)),
            *self._files.variants.filter_options(wildcards),
        ]

    def _draws(self, samples: int) -> list[str]:
        flame = self._flame
        return [
            *("--samples", str(samples), "--temperature", str(flame.temperature)),
            *("--top-p", str(flame.top_p), "--max-tokens", str(flame.max_tokens)),
        ]
