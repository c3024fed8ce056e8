"""The parts of a report: tables, figures and sections, and what a method adds to it.

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
    """A figure's description for readers who cannot see it, the table it needs, and where it
    is filed.
    """

    title: str
    table: str
    category: str


@dataclass(frozen=True)
class Report:
    """A method's part of the report, as far as the rules need to know it.

    tables: record types by name, as in tables/grath_rounds.csv; figures: by name, as in
        figures/grath_rounds.svg.
    chapter: the module whose `CHAPTER` writes the sections and draws the figures; loaded only when a
        page is written.
    """

    tables: Mapping[str, type[TableRow]] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    chapter: str = ""


class Page(NamedTuple):
    """A section of the page: what writes it, and the file it needs, which is named if it has no data.

    exploratory: whether it compares checkpoints outside the primary contrasts.
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
    """A method's sections and figures.

    asks: for each of its contrasts, by name, the question it asks, phrased for everybody.
    spoken: names a checkpoint in sentences for everybody, beginning with `the` (`the model after
        round 2 of GRATH`), from its variant's label and the rest of its name, as in `Method.words`;
        None: by its label.
    pages: its sections.
    drawings: the function that draws each of its figures; None if there is nothing to draw.
    terms: explanations of its terms, for the last section.
    lines: its figures for a terminal, under 80 columns.
    opening: sentences about a model that follow its primary contrasts, for other findings of the paper.
    """

    asks: Mapping[str, str] = field(default_factory=dict)
    spoken: Callable[[str, str], str | None] = _no_words
    pages: Sequence[Page] = ()
    drawings: Mapping[str, Callable[[Tables], Drawing | None]] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    lines: Callable[[Tables], list[str]] = _no_lines
    opening: Callable[[Tables, str], list[str]] = _no_opening
