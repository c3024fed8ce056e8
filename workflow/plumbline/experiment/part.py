"""What a part of an experiment brings to it: a method, or a kind of evaluation.

`Experiment` asks each of its parts in one loop, so that no order of files matters.
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
    """A file of requests that goes to one checkpoint; answered into <name>/generations.jsonl.

    Paths are below the model's folder. match: how an answer is told to be right, where a right one
    ends the asking; leads: whether what is trained depends on the answers.
    """

    name: str
    folder: str  # of the checkpoint
    requests: str
    match: str = ""
    leads: bool = False


class InstructionSet(NamedTuple):
    """What a set of instructions is made from."""

    sources: list[InstructionSource]
    split: str  # of the facts' subjects
    domains: str  # of their relations, joined by commas
    key: str  # in the configuration, for errors


class Place(NamedTuple):
    """Where responses to a set of instructions are collected."""

    set: str
    stage: str  # that what is dropped counts for
    unfinished: str = ""  # option of collect_responses for those that were cut off; empty: dropped
    decider: str = ""  # the checkpoint that says what asks for facts, if claims are of that only
    decisions: str = ""  # what it said, below its folder


class JudgeRole(NamedTuple):
    """Who judges responses for one purpose."""

    key: str  # of the configuration's section that names it
    name: str  # `reference` or a checkpoint
    form: str  # of its prompts
    folders: list[str]  # of the checkpoints whose responses are judged, below the model's folder


class Part:
    """What a part brings; all of it is nothing unless a class says otherwise.

    Paths are below the model's folder, but for `lost`, `states` and `lists`, which are of all models.
    """

    def __init__(self, experiment: Experiment):
        self.experiment, self.layout = experiment, experiment.layout
        self.config, self.lineage = self.layout.config, self.layout.lineage

    def sources(self) -> Iterable[Fetchable]:
        """Sections whose sources are read, beside those of choice questions and instructions."""
        return ()

    def choices(self) -> Mapping[str, ChoiceSource]:
        """Sets of choice questions by their paths below results/<run>, without ending."""
        return {}

    def pair_questions(self) -> Iterable[str]:
        """Files of choice questions that it makes pairs of, <method>/<questions>.jsonl."""
        return ()

    def instructions(self) -> Mapping[str, InstructionSet]:
        """Sets of instructions by their names."""
        return {}

    def places(self) -> Mapping[str, Place]:
        """Where responses are collected, by the end of the path below the model's folder."""
        return {}

    def judges(self) -> Mapping[str, JudgeRole]:
        """Judges of responses by what they are used for."""
        return {}

    def works(self) -> Iterable[Work]:
        """What is generated."""
        return ()

    def lost(self) -> Iterable[str]:
        """Files that say what was left out, beside those of choice questions and responses."""
        return ()

    def states(self) -> Iterable[dict[str, Any]]:
        """Rows that say what the states of claims are counted of."""
        return ()

    def lists(self) -> Mapping[str, Any]:
        """What its programs read from results/<run>/lists/<name>.json."""
        return {}
