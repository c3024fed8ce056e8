"""What was asked and what was found: a sentence a primary contrast, then all contrasts in tables.

These are the only sentences of the report that give a verdict; p values are corrected for the
number of a model's primary contrasts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Finding,
    Findings,
    Prose,
    Table,
    count,
    named,
    number,
    p_cell,
    p_text,
    signed,
)
from plumbline.report.chapters import chapters
from plumbline.report.labels import checkpoint_label, variant_label
from plumbline.report.tables import DOMAINS, METRICS, TASKS, Run, Tables, scale_of, trainings

MARKS = {"higher": "▲", "lower": "▼", "held": "=", "undecided": "○"}
NOTHING = "No contrast could be taken (contrasts.csv has no rows), so nothing is claimed."


@dataclass(frozen=True)
class Told:
    """A row of contrasts.csv in words; `scale` is 100 for a measure shown in points."""

    row: Any
    scale: int

    @property
    def compared(self) -> str:
        return f"{checkpoint_label(self.row.first)} against {checkpoint_label(self.row.second)}"

    @property
    def measure(self) -> str:
        """The measure, where it was taken, on how many items and trainings."""
        where = DOMAINS.get(self.row.domain, self.row.domain)
        what = (
            f"{METRICS.get(self.row.metric, self.row.metric)} on "
            f"{TASKS.get(self.row.task, self.row.task)}, {where}"
        )
        seeds = f"{count(self.row.seeds)} seed{'s' * (self.row.seeds > 1)}"
        return f"{what}, n = {count(self.row.n)}, {seeds}" if self.row.n else what

    def points(self, value: float) -> str:
        return f"{abs(self.scale * value):.1f}{' points' if self.scale == 100 else ''}"

    @property
    def held(self) -> bool:
        """Whether it asks for no difference, and not for one."""
        return self.row.kind == "equivalence"

    @property
    def interval(self) -> str:
        """Empty where there is none."""
        bounds = self.row.low, self.row.high
        return "" if pd.isna(self.row.low) else " to ".join(signed(self.scale * v) for v in bounds)

    @property
    def difference(self) -> str:
        if not self.row.n:
            return "Not measured"
        value = signed(self.scale * self.row.difference) + " points" * (self.scale == 100)
        return f"{value} (95 % interval {self.interval})" if self.interval else value

    @property
    def verdict(self) -> str:
        row = self.row
        if not row.n:
            return "No item has this measure of both."
        if not self.interval:
            return "Too few items, or all of them equal: no interval, and no verdict."
        corrected = f"p corrected {p_text(row.p_corrected)}"
        if row.verdict in ("higher", "lower"):
            return f"{row.verdict.capitalize()} ({corrected})."
        if self.held:
            within = f"within ±{self.points(row.margin)}"
            if row.verdict == "held":
                return f"Held {within} ({corrected})."
            return (
                f"Not shown to be held {within} ({corrected}); within ±"
                f"{self.points(row.detectable)} it would have been in 80 of 100 such runs, if "
                f"nothing differed."
            )
        if pd.isna(row.detectable):
            return (
                f"No difference seen ({corrected}); how large a one would have been is not known."
            )
        return (
            f"No difference seen ({corrected}); a difference of {self.points(row.detectable)} or "
            f"more would have been seen in 80 of 100 such runs."
        )

    @property
    def finding(self) -> Finding:
        return Finding(
            MARKS[self.row.verdict],
            self.row.verdict,
            f"{variant_label(self.row.method)}, {self.row.contrast}",
            f"{self.compared}: {self.measure}",
            self.difference,
            self.verdict,
        )


def told(tables: Tables, model: str, role: str) -> list[Told]:
    """A model's contrasts of one role, in the table's order."""
    rows = tables.contrasts
    rows = rows[(rows.model == model) & (rows.role == role)]
    return [Told(row, scale_of(tables.metrics, row.metric)) for row in rows.itertuples()]


def about_seeds(metrics: pd.DataFrame) -> str:
    """The first line of the report: whether intervals hold the spread between trainings."""
    seeds = trainings(metrics)
    if seeds == 1:
        return "One training a setting: the spread between trainings is in none of these intervals."
    return (
        f"{seeds} trainings a setting: intervals and p values of the contrasts hold the spread "
        f"between trainings as well as between questions."
    )


def summary(rows: list[Told]) -> str:
    """How many of a model's primary contrasts came out how."""
    counts = Counter(contrast.row.verdict for contrast in rows)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS)
    return (
        f"Of {len(rows)} primary contrasts, which the methods name before the run: {parts}. p values "
        f"are corrected for their number (Holm)."
    )


def opening(tables: Tables, model: str) -> list[str]:
    """What the methods add to a model's primary contrasts."""
    return [text for chapter in chapters() for text in chapter.opening(tables, model)]


def findings(run: Run) -> list[Block]:
    """The headline: what was asked and what was found, model by model."""
    tables = run.tables
    blocks: list[Block] = [Prose([about_seeds(tables.metrics)])]
    if tables.contrasts.empty:
        return [*blocks, Prose([NOTHING])]
    for model in dict.fromkeys(tables.contrasts.model):
        rows = told(tables, model, "primary")
        blocks += [
            Prose([summary(rows)], named(tables.contrasts, model)),
            Findings([contrast.finding for contrast in rows]),
            *(Prose([text]) for text in opening(tables, model)),
        ]
    return [*blocks, _table(tables, "primary"), _table(tables, "secondary")]


def _table(tables: Tables, role: str) -> Table:
    primary, rows = role == "primary", []
    for model in dict.fromkeys(tables.contrasts.model):
        for contrast in told(tables, model, role):
            row = contrast.row
            cells = [
                Cell(model),
                Cell(row.contrast, variant_label(row.method)),
                Cell(f"held within ±{contrast.points(row.margin)}" if contrast.held else "differs"),
                Cell(checkpoint_label(row.first), f"against {checkpoint_label(row.second)}"),
                Cell(
                    METRICS.get(row.metric, row.metric),
                    f"{TASKS.get(row.task, row.task)}, {row.domain.upper()}",
                ),
                *[
                    number(v, f"{contrast.scale * v:.1f}")
                    for v in (row.first_value, row.second_value)
                ],
                number(row.difference, signed(contrast.scale * row.difference), contrast.interval),
                p_cell(row.p),
            ]
            if primary:
                verdict = Cell(f"{MARKS[row.verdict]} {row.verdict}", tone=row.verdict)
                cells += [p_cell(row.p_corrected), verdict]
            detectable = number(row.detectable, f"{contrast.scale * row.detectable:.1f}")
            rows.append([*cells, detectable, number(row.n), number(row.seeds)])
    heads = [
        "model",
        "contrast",
        "asked",
        "compared",
        "measure",
        "first",
        "second",
        "difference",
        "p",
    ]
    heads += ["p corrected", "verdict"] * primary + ["detectable", "n", "seeds"]
    caption = (
        "The primary contrasts in figures. Detectable: the smallest difference that 80 of 100 such "
        "runs would have seen; where a difference is to be held, the smallest margin."
        if primary
        else "Secondary contrasts: exploratory, not corrected, without verdicts."
    )
    return Table(caption, heads, rows, folded=True)
