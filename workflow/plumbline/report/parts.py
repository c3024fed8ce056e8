"""What a report is made of: tables, figures and sections, and what a method adds to it.

The workflow's rules read this, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from plumbline.report.blocks import Block
    from plumbline.report.drawing import Drawing
    from plumbline.report.tables import Run, Tables
    from plumbline.tables import TableRow


class Figure(NamedTuple):
    """What a reader who cannot see it is told, the table it needs, where it is filed."""

    title: str
    table: str
    category: str


@dataclass(frozen=True)
class Report:
    """A method's part of the report, as far as the rules must know it.

    tables: their record types by name, as in tables/grath_rounds.csv; figures: by name, as in
        figures/grath_rounds.svg.
    chapter: the module whose `CHAPTER` tells the tables and draws the figures, loaded when a page
        is written.
    """

    tables: Mapping[str, type[TableRow]] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    chapter: str = ""


class Page(NamedTuple):
    """A section of the page: what tells it, and what it needs, named where there is nothing.

    exploratory: whether it compares checkpoints outside of the primary contrasts.
    """

    key: str
    title: str
    build: Callable[[Run], list[Block]]
    needs: str
    exploratory: bool = False


def _no_lines(tables: Tables) -> list[str]:
    return []


def _no_opening(tables: Tables, model: str) -> list[str]:
    return []


def _no_words(variant: str, rest: str) -> str | None:
    return None


@dataclass(frozen=True)
class Chapter:
    """What a method tells and draws.

    asks: by the names of its contrasts, what each asks, as a question that everybody understands.
    spoken: a checkpoint as a sentence for everybody names it, from `the` on (`the model after round
        2 of GRATH`), given its variant's label and the rest of its name, as in `Method.words`; None:
        by its label.
    pages: its sections.
    drawings: what draws each of its figures; None where there is nothing to draw.
    terms: what its words mean, for the last section.
    lines: its figures for a terminal, under 80 columns.
    opening: sentences about a model that stand below its primary contrasts, for what the paper finds
        beside them.
    """

    asks: Mapping[str, str] = field(default_factory=dict)
    spoken: Callable[[str, str], str | None] = _no_words
    pages: Sequence[Page] = ()
    drawings: Mapping[str, Callable[[Tables], Drawing | None]] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    lines: Callable[[Tables], list[str]] = _no_lines
    opening: Callable[[Tables, str], list[str]] = _no_opening
