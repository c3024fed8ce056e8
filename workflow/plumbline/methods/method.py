"""The face of a method: what the rest of the house asks of it, answered in one place.

A method's `face.py` makes one `Method`, and `methods/registry.py` lists them. Everything else loops
over that list and knows no method by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plumbline.experiment.part import Part
from plumbline.methods.tuning import Brought, Tuning
from plumbline.models.suitability import Chat
from plumbline.report.parts import Report

if TYPE_CHECKING:
    from plumbline.config.instructions import InstructionSource
    from plumbline.evaluation.contrasts import Contrast
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage
    from plumbline.methods.estimates import Planner, Stage


@dataclass(frozen=True)
class Use:
    """What a method, as it is configured, asks of a model.

    form: what it is tuned in, plain or chat, in which closed-book questions are put to its
        checkpoints and their ancestors too; None: in neither.
    chats: where it needs a chat template.
    max_tokens: longest answers by their keys, such as grath.max_tokens.
    recipes: names of those that train something.
    overrides: by key, such as mixes.overrides.unknown-50, what is changed in a recipe.
    writes_claims: whether responses are taken apart into claims.
    prompts: by key, what it is tuned to write about; of entities, their relations are then in the
        tuning domain.
    """

    form: str | None = None
    chats: Iterable[Chat] = ()
    max_tokens: Mapping[str, int] = field(default_factory=dict)
    recipes: Iterable[str] = ()
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    writes_claims: bool = False
    prompts: Mapping[str, Iterable[InstructionSource]] = field(default_factory=dict)


def _no_use(config: Config) -> Use:
    return Use()


def _no_cost(planner: Planner) -> Iterable[Stage]:
    return ()


def _plain_words(variant: str, rest: str) -> str | None:
    return f"{variant}: {rest}"


def _one_rank(rest: str) -> int:
    return 0


def _no_check(config: Config) -> None:
    pass


def _no_contrasts(config: Config, lineage: Lineage) -> Iterable[Contrast]:
    return ()


@dataclass(frozen=True)
class Method:
    """All that is known of a method outside of its own folder.

    name: what the names of its checkpoints begin with, as in `grath.r1`.
    label: the method in words, as the report writes it.
    sections: its keys at the top of the configuration, each with type and pydantic field, as
        `pydantic.create_model` takes them.
    tunings: its training runs, of which the lineage is made, and checkpoints of it that were trained
        elsewhere; none where the configuration leaves the method out.
    check: what must agree with other parts of the configuration; ValueError with the key where it
        does not.
    contrasts: what its checkpoints are compared for.
    use: what it asks of a model. One that is not told is held against no model's length or
        template, and found out when a job runs.
    cost: the stages of the plan that are its own. One that is not told is missing from the plan,
        but not from what the report says was run.
    words: a checkpoint in words, from its variant's label (`GRATH without Unknown`) and the rest of
        its name (`r1`); None: it is written as it is.
    rank: of the rest of a checkpoint's name, lower ones come first.
    files: what it brings to an experiment's files: work, instructions, judges, lists. One that is
        not told brings none, and its rules find none of its files.
    report: its tables, figures and chapter.
    """

    name: str
    label: str
    sections: Mapping[str, tuple[Any, Any]]
    tunings: Callable[[Config], Iterable[Tuning | Brought]]
    check: Callable[[Config], None] = _no_check
    contrasts: Callable[[Config, Lineage], Iterable[Contrast]] = _no_contrasts
    use: Callable[[Config], Use] = _no_use
    cost: Callable[[Planner], Iterable[Stage]] = _no_cost
    words: Callable[[str, str], str | None] = _plain_words
    rank: Callable[[str], int] = _one_rank
    files: type[Part] = Part
    report: Report = field(default_factory=Report)
