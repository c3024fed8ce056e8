"""What a part of an experiment, a method or a kind of evaluation, contributes to it.

`Experiment` asks all of its parts in one loop, so the order of files does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from plumbline.config.choices import ChoiceSource
from plumbline.config.instructions import InstructionSource

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment


class Fetchable(Protocol):
    """A section of the configuration that may name a source."""

    source: str | None
    sha256: str | None


class Work(NamedTuple):
    """A file of requests that goes to one checkpoint; its answers are in <name>/generations.jsonl.

    Paths are below the model's folder. match: how right answers are recognised, if asking ends with a
    right one; leads: whether trainings depend on the answers.
    """

    name: str
    folder: str  # the checkpoint's
    requests: str
    match: str = ""
    leads: bool = False


class InstructionSet(NamedTuple):
    """What a set of instructions is made from."""

    sources: list[InstructionSource]
    split: str  # of the facts' subjects
    domains: str  # of the subjects' relations, joined by commas
    key: str  # in the configuration, for error messages


class Place(NamedTuple):
    """Where responses to a set of instructions are collected."""

    set: str
    stage: str  # under which dropped responses are counted
    unfinished: str = ""  # option of collect_responses for cut-off ones; empty: they are dropped
    decider: str = ""  # checkpoint that decides what asks for facts, if only those have claims
    decisions: str = ""  # the file of its decisions, below its folder


class JudgeRole(NamedTuple):
    """Who judges responses for one purpose."""

    key: str  # of the configuration's section that names it
    name: str  # `reference` or a checkpoint
    form: str  # of its prompts
    folders: list[str]  # of the checkpoints whose responses it judges, below the model's folder


class Part:
    """A part's contributions; all are empty unless a class overrides them.

    Paths are below the model's folder, except for `lost`, `states` and `lists`, which cover all models.
    """

    def __init__(self, experiment: Experiment):
        self.experiment, self.layout = experiment, experiment.layout
        self.config, self.lineage = self.layout.config, self.layout.lineage

    def sources(self) -> Iterable[Fetchable]:
        """Sections whose sources it reads, besides those of choice questions and instructions."""
        return ()

    def choices(self) -> Mapping[str, ChoiceSource]:
        """Sets of choice questions by their paths below results/<run>, without ending."""
        return {}

    def pair_questions(self) -> Iterable[str]:
        """Files of choice questions from which it makes pairs, as <method>/<questions>.jsonl."""
        return ()

    def instructions(self) -> Mapping[str, InstructionSet]:
        """Sets of instructions by their names."""
        return {}

    def places(self) -> Mapping[str, Place]:
        """Where responses are collected, by the end of the path below the model's folder."""
        return {}

    def judges(self) -> Mapping[str, JudgeRole]:
        """Judges of responses, by purpose."""
        return {}

    def works(self) -> Iterable[Work]:
        """What is generated."""
        return ()

    def lost(self) -> Iterable[str]:
        """Files that say what was left out, besides those of choice questions and responses."""
        return ()

    def states(self) -> Iterable[dict[str, Any]]:
        """Rows that name the files in which the states of claims are counted."""
        return ()

    def lists(self) -> Mapping[str, Any]:
        """What its programs read from results/<run>/lists/<name>.json."""
        return {}
