"""Sets of instructions, responses to them, their claims, and how their states are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Wildcards, given
from plumbline.experiment.part import Place, Work

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class Responses:
    """Responses, which are processed in the same way wherever they are collected."""

    def __init__(self, experiment: Experiment):
        self._experiment, self._layout = experiment, experiment.layout
        self._config = self._layout.config

    def instruction_files(self) -> list[str]:
        """The files of all sets of instructions."""
        return [self.instruction_file(name) for name in self._experiment.instructions]

    def instruction_file(self, name: str) -> str:
        """The file of a set of instructions."""
        return f"{self._layout.root}/instructions/{name}.jsonl"

    def instruction_markers(self, wildcards: Wildcards) -> list[str]:
        """The markers of a set's fetched sources."""
        sources = self._experiment.instructions[wildcards.set].sources
        return [marker_of(source) for source in sources if source.source]

    def instruction_options(self, wildcards: Wildcards) -> list[str]:
        """A set of instructions as options of build_instructions."""
        sources, split, domains, key = self._experiment.instructions[wildcards.set]
        written = json.dumps([source.model_dump() for source in sources])
        tuned = self._config.tuned_relations() if wildcards.set == "long_form" else {}
        return [
            *("--sources", written, "--key", key, "--tuned", json.dumps(tuned)),
            *("--entities-split", split, "--entities-domains", domains),
        ]

    def place(self, path: str) -> Place | None:
        """The place with responses at this path; None if there is none."""
        places = self._experiment.places.items()
        return next((place for end, place in places if Path(path).match(end)), None)

    @property
    def pattern(self) -> str:
        """A wildcard's constraint to paths of places."""
        return ".+/(" + ("|".join(self._experiment.places) or "none") + ")"

    def asked(self, wildcards: Wildcards) -> str:
        """The instructions that a place's responses answer."""
        return self.instruction_file(self.place(wildcards.place).set)

    def requests(self, wildcards: Wildcards) -> str:
        """The file of requests for a place's responses."""
        requests = self._experiment.works[wildcards.place].requests
        return self._layout.path(wildcards.model, requests)

    def unfinished(self, wildcards: Wildcards) -> str:
        """What happens to responses that were cut off, as an option of collect_responses."""
        return self.place(wildcards.place).unfinished

    def stage(self, wildcards: Wildcards) -> str:
        """The stage under which dropped responses are counted."""
        return self.place(wildcards.place).stage

    def lost(self) -> list[str]:
        """What was left out of instructions, and of responses wherever they are collected."""
        places = [work for work in self._experiment.works if self.place(work)]
        return [
            *(
                f"{self._layout.root}/instructions/{name}.dropped.json"
                for name in self._experiment.instructions
            ),
            *(
                self._layout.path(model, f"{place}/dropped.json")
                for model in self._layout.models
                for place in places
            ),
        ]

    def claim_works(self, place: str) -> list[Work]:
        """Requests for the claims of a place's responses, if a model splits them."""
        if self._config.claims.splitter == "rule":
            return []
        splitter = self._layout.folder(self._config.claims.model, place)
        return [Work(f"{place}/claims", splitter, f"{place}/claims/requests.jsonl")]

    def claim_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The responses to split, and which of them were asked for facts."""
        place, model = self.place(wildcards.place), wildcards.model
        files = {"responses": self._layout.path(model, f"{wildcards.place}/responses.jsonl")}
        if place.decider:
            folder = self._layout.folder(place.decider, wildcards.place)
            files["decisions"] = self._layout.path(model, f"{folder}/{place.decisions}")
        return files

    def split_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The same and, if a model splits, the lists it wrote."""
        files = self.claim_inputs(wildcards)
        if self._config.claims.splitter == "model":
            generations = f"{wildcards.place}/claims/generations.jsonl"
            files["generations"] = self._layout.path(wildcards.model, generations)
        return files

    def decided(self, wildcards: Wildcards) -> list[str]:
        """Which responses were asked for facts, as an option of the programs that split claims."""
        return given("--decisions", self.claim_inputs(wildcards).get("decisions"))

    def split_by_model(self, wildcards: Wildcards) -> list[str]:
        """The lists that a model wrote, as an option of split_claims."""
        return given("--generations", self.split_inputs(wildcards).get("generations"))

    def state_inputs(self) -> list[str]:
        """All files named by the rows of states."""
        said = ("model", "seed", "checkpoint")
        return sorted(
            {
                path
                for row in self._experiment.states
                for key, path in row.items()
                if key not in said
            }
        )


def state_files(place: str, *more: str) -> dict[str, str]:
    """The files of a place in which states are counted, by their contents."""
    return {name: f"{place}/{name}.jsonl" for name in ("splittings", "verdicts", *more)}
