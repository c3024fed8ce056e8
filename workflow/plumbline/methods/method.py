"""The face of a method: everything that other code needs to know about it, in one object.

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
    """What a method, as configured, requires of a model and of other stages.

    form: the form it tunes in, plain or chat; its checkpoints and their ancestors are then asked
        closed-book questions in this form too. None: in neither.
    chats: where it needs a chat template.
    max_tokens: longest answers, by their keys, such as grath.max_tokens.
    recipes: names of the recipes it trains with.
    overrides: changes to a recipe, by key, such as mixes.overrides.unknown-50.
    writes_claims: whether responses are split into claims.
    prompts: by key, what it is tuned to write about; the relations of entities are then in the tuning
        domain.
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
    """All that code outside a method's folder knows about the method.

    name: what the names of its checkpoints begin with, as in `grath.r1`.
    label: the method in words, as in the report.
    sections: its top-level keys in the configuration, each with type and pydantic field, as for
        `pydantic.create_model`.
    tunings: its training runs, from which the lineage is built, and its checkpoints that were trained
        elsewhere; none if the configuration leaves the method out.
    check: whether it agrees with other parts of the configuration; ValueError with the key if not.
    contrasts: the comparisons of its checkpoints.
    use: what it requires of a model. Without it, a model that is too short or lacks a template is
        found out only when a job runs.
    cost: its stages of the plan. Without it, they are missing from the plan, but not from the
        report's account of what was run.
    words: a checkpoint in words, from its variant's label (`GRATH without Unknown`) and the rest of
        its name (`r1`); None: the name is shown as it is.
    rank: sorts checkpoints by the rest of their names; lower ones come first.
    files: its part of an experiment's files: work, instructions, judges, lists. Without it, its rules
        find no files.
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
