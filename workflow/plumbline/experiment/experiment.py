"""One experiment as the rules see it: what is to be made, from what, and where.

It is built once, from the checked configuration and the lineage. Rules ask it for their inputs and
parameters; it does not depend on Snakemake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from plumbline.config.choices import ChoiceSource
from plumbline.experiment.choice_tasks import ChoiceTasks
from plumbline.experiment.closed_book import ClosedBook
from plumbline.experiment.config import Config
from plumbline.experiment.contamination import ContaminationGate
from plumbline.experiment.evaluated import Evaluated
from plumbline.experiment.facts import FactSource
from plumbline.experiment.fetched import Fetched
from plumbline.experiment.judges import Judges
from plumbline.experiment.layout import Layout
from plumbline.experiment.lineage import Lineage
from plumbline.experiment.long_form import LongForm
from plumbline.experiment.part import InstructionSet, Place
from plumbline.experiment.responses import Responses
from plumbline.experiment.shared import Shared
from plumbline.experiment.token_shifts import TokenShifts
from plumbline.experiment.trainings import Trainings
from plumbline.experiment.verifier import VerifierFiles
from plumbline.experiment.works import Works
from plumbline.methods.method import Method


class Experiment:
    """Everything that rules ask, by topic.

    methods: the parts of the methods, by name. The other parts are those of evaluation; all parts are
    asked in one loop for what they contribute.
    """

    def __init__(
        self,
        config: Config,
        lineage: Lineage,
        methods: Iterable[Method],
        root: str,
        resources: Path,
    ):
        """root: results/<run>. resources: the folder of the data included in the workflow.

        InputError for mistakes that show only here: in sources, the harness's folders, judges, pairs.
        """
        self.layout = Layout(config, lineage, root)
        self.facts = FactSource(config.facts, resources / "facts")
        self.trainings = Trainings(self.layout)
        self.verifier = VerifierFiles(self.layout, resources / "verifier/claims.tsv")
        self.responses = Responses(self)
        self.choice_tasks = ChoiceTasks(self)
        self.closed_book = ClosedBook(self)
        self.evaluated = Evaluated(self)
        self.long_form = LongForm(self)
        self.token_shifts = TokenShifts(self)
        self.contamination = ContaminationGate(self)
        self.shared = Shared(self)
        self.methods = {method.name: method.files(self) for method in methods}
        self._parts = [
            self.choice_tasks,
            self.long_form,
            *self.methods.values(),
            self.closed_book,
            self.evaluated,
            self.token_shifts,
            self.contamination,
            self.shared,
        ]
        self.judges = Judges(self.layout, _together(part.judges() for part in self._parts))
        self.fetched = Fetched(self._sources())

    @cached_property
    def choices(self) -> dict[str, ChoiceSource]:
        """Sets of choice questions by their paths below results/<run>, without ending."""
        return _together(part.choices() for part in self._parts)

    @cached_property
    def pair_questions(self) -> list[str]:
        """Files of the choice questions from which methods make pairs."""
        return [path for part in self._parts for path in part.pair_questions()]

    @cached_property
    def instructions(self) -> dict[str, InstructionSet]:
        """Sets of instructions by their names."""
        return _together(part.instructions() for part in self._parts)

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where responses are collected, by the end of the path below the model's folder."""
        return _together(part.places() for part in self._parts)

    @cached_property
    def works(self) -> Works:
        """What is generated."""
        return Works(self.layout, (work for part in self._parts for work in part.works()))

    @cached_property
    def states(self) -> list[dict[str, Any]]:
        """The files in which the states of claims are counted."""
        return [row for part in self._parts for row in part.states()]

    @cached_property
    def lists(self) -> dict[str, Any]:
        """What jobs read from results/<run>/lists/<name>.json."""
        return {
            **_together(part.lists() for part in self._parts),
            # An engine that runs also does other work that is ready: all jobs read this list, but it
            # is not a parameter of any rule, so that new work does not repeat other work.
            "works": self.works.rows(),
            "tunings": self.trainings.rows(),
            "trainings": self.trainings.each("training.json"),
            "judges": self.judges.calibrations(),
            "states": self.states,
            "dropped": self.lost(),
        }

    def lost(self) -> dict[str, str | list[str]]:
        """Files that say what was left out and why, by kind."""
        scored = self.evaluated.scored()
        return {
            "facts": f"{self.layout.root}/tables/fact_counts.csv",
            "probes": [self.layout.path(name, "slick/dropped.json") for name in self.layout.models],
            "compositions": sorted(self.trainings.beside("composition.json")),
            "trainings": self.trainings.each("training.json"),
            "questions": [
                *(f"{self.layout.root}/{place}.dropped.json" for place in self.choices),
                *self.responses.lost(),
                *(path for part in self._parts for path in part.lost()),
            ],
            "harness": [path for path in scored if Path(path).parent.name == "harness"],
        }

    def _sources(self) -> Iterator[tuple[str | None, str | None]]:
        config = self.layout.config
        yield from ((model.source, model.sha256) for model in config.models)
        yield config.facts.path, config.facts.sha256
        sections = [*self.choices.values(), *self.verifier.sources()]
        for instructions in self.instructions.values():
            sections += instructions.sources
        for part in self._parts:
            sections += part.sources()
        yield from ((section.source, section.sha256) for section in sections)


def _together(brought: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything of one kind that the parts contribute. ValueError if two of them use the same name."""
    together: dict[str, Any] = {}
    for mapping in brought:
        if twice := together.keys() & mapping.keys():
            raise ValueError(f"{', '.join(sorted(twice))}: defined by two parts; rename one")
        together |= mapping
    return together
