"""The blocks that sections of the page consist of, and how figures are put in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from plumbline.jobs import progress
from plumbline.report.labels import checkpoint_label
from plumbline.report.responses import ShownClaim
from plumbline.report.tables import DIFFERENCES

VERDICT_MARKS = {"supported": "✓", "refuted": "✗", "unverifiable": "?"}  # of a claim


@dataclass(frozen=True)
class Cell:
    """A table cell: its text, a smaller second line, and the value by which its column is sorted."""

    text: str
    sub: str = ""
    sort: float | str | None = None
    tone: str = ""  # the verdict of a contrast, which highlights the cell; otherwise empty


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by its columns; `groups` are heads above the heads: (label,
    columns).
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str | Cell]
    rows: Sequence[Sequence[Cell]]
    groups: Sequence[tuple[str, int]] = ()
    folded: bool = False

    def is_text(self, column: int) -> bool:
        """Whether a column contains words, which are aligned left, and not figures."""
        return all(not isinstance(row[column].sort, int | float) for row in self.rows)


@dataclass(frozen=True)
class Picture:
    kind: ClassVar[str] = "picture"
    name: str  # of the SVG file, without its ending
    caption: str


@dataclass(frozen=True)
class Prose:
    kind: ClassVar[str] = "prose"
    lines: Sequence[str]
    heading: str = ""


@dataclass(frozen=True)
class Finding:
    """A contrast in words: `said`, `difference` and `seen` together are one sentence.

    mark, word, tone: its verdict as a sign, in words, and as in contrasts.csv; names: the names of the
    two checkpoints in the tables; basis: items, trainings and p value.
    """

    mark: str
    word: str
    tone: str
    asked: str
    said: str
    difference: str
    seen: str
    names: tuple[str, str]
    basis: str

    @property
    def sentence(self) -> str:
        return f"{self.said} {self.difference}{self.seen}".strip()


@dataclass(frozen=True)
class Findings:
    kind: ClassVar[str] = "findings"
    found: Sequence[Finding]
    heading: str = ""


@dataclass(frozen=True)
class Terms:
    kind: ClassVar[str] = "terms"
    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Tree:
    kind: ClassVar[str] = "tree"
    caption: str
    value: dict


@dataclass(frozen=True)
class ShownAnswer:
    """A checkpoint's response: its heading, its text and its claims."""

    label: str
    note: str
    text: str
    claims: Sequence[ShownClaim]


@dataclass(frozen=True)
class Answers:
    """Several checkpoints' responses to one prompt."""

    kind: ClassVar[str] = "answers"
    caption: str
    answers: Sequence[ShownAnswer]


@dataclass(frozen=True)
class Browser:
    """Questions to browse; `packed` is the data of the page's script."""

    kind: ClassVar[str] = "browser"
    packed: dict


@dataclass(frozen=True)
class Downloads:
    """Tables to download as files, by name."""

    kind: ClassVar[str] = "downloads"
    heading: str
    names: Sequence[str]


Block = Table | Picture | Prose | Findings | Terms | Tree | Answers | Browser | Downloads


@dataclass(frozen=True)
class ReportSection:
    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=list)
    left_out: str = ""  # why there is nothing to show
    exploratory: bool = False  # shows differences without a correction for their number


def percent(value: float, digits: int = 1) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.{digits}f}"


def signed(points: float) -> str:
    """Points with a sign: a true minus, and no sign if the value rounds to zero."""
    text = f"{points:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def count(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:,.0f}"


def duration(seconds: float) -> str:
    return "–" if pd.isna(seconds) else progress.duration(seconds)


def number(value: float, text: str | None = None, sub: str = "") -> Cell:
    """A cell that sorts by `value`; a dash if there is no value."""
    missing = pd.isna(value)
    return Cell(count(value) if text is None or missing else text, sub, None if missing else value)


def bracketed(interval: str) -> str:
    """An interval in brackets, to follow its value; empty if there is none."""
    return f" ({interval})" if interval else ""


def p_text(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_cell(value: float) -> Cell:
    return number(value, p_text(value))


def checkpoint_cell(name: str) -> Cell:
    """A checkpoint's name, with the stop of a mix below it."""
    label, _, stop = checkpoint_label(name).partition(", ")
    return Cell(label, stop, name)


def measured(row, scale: int = 100) -> Cell:
    """A row of `over_seeds` times `scale`, with its interval below; differences have signs."""
    value, low, high = scale * row.value, scale * row.low, scale * row.high
    if row.metric.endswith(DIFFERENCES):
        sub = "" if pd.isna(low) else f"{signed(low)} to {signed(high)}"
        return Cell(signed(value), sub, row.value)
    return Cell(f"{value:.1f}", "" if pd.isna(low) else f"{low:.1f}–{high:.1f}", row.value)


@dataclass(frozen=True)
class Score:
    """A metric with its interval and its difference to the base, and how many items each is over."""

    value: Cell
    difference: Cell | None
    n: int
    paired: int  # items that the difference is over: those for which both have the metric


def scores(
    means: pd.DataFrame, keys: list[str], scale: Callable[[str], int] = lambda metric: 100
) -> dict[tuple, dict[str, Score]]:
    """Rows of `over_seeds` by the columns `keys` and then by metric, in the table's order."""
    rows = {(tuple(getattr(r, k) for k in keys), r.metric): r for r in means.itertuples()}
    by_key: dict[tuple, dict[str, Score]] = {}
    for (key, metric), row in rows.items():
        if metric.endswith(DIFFERENCES):
            continue
        versus, unit = rows.get((key, f"{metric}_vs_base")), scale(metric)
        difference = measured(versus, unit) if versus else None
        paired = int(versus.n) if versus else 0
        score = Score(measured(row, unit), difference, int(row.n), paired)
        by_key.setdefault(key, {})[metric] = score
    return by_key


def named(frame: pd.DataFrame, model: str, *rest: str) -> str:
    """The start of a sentence, with the model's name if there are several models."""
    if frame.model.nunique() > 1:
        return ", ".join([model, *rest])
    return capital(", ".join(rest))


def capital(text: str) -> str:
    """A text with a capital at its start; unlike `str.capitalize`, nothing else changes."""
    return text[:1].upper() + text[1:]


def difference(value: float, low: float, high: float, scale: float = 100) -> Cell:
    """A difference with its interval; by default in points, for differences of shares."""
    sub = "" if pd.isna(low) else f"{signed(scale * low)} to {signed(scale * high)}"
    return Cell(signed(scale * value), sub, value)
