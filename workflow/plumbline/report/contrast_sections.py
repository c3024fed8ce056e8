"""What was asked and what was found: a sentence per primary contrast, then all contrasts in tables.

These are the only sentences of the report that give a verdict; their p values are corrected for the
number of the model's primary contrasts.
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
    capital,
    count,
    named,
    number,
    p_cell,
    p_text,
    signed,
)
from plumbline.report.chapters import chapters, question, spoken
from plumbline.report.labels import checkpoint_label, variant_label
from plumbline.report.tables import (
    METRICS,
    SPOKEN_DOMAINS,
    SPOKEN_METRICS,
    TASKS,
    Run,
    Tables,
    scale_of,
    trainings,
)

# Every mark is beside its word, so that no reader depends on colour or shape.
MARKS = {"higher": "▲", "lower": "▼", "held": "▬", "undecided": "○"}
NOTHING = "No contrast could be measured (contrasts.csv has no rows), so nothing is claimed."


@dataclass(frozen=True)
class Told:
    """A row of contrasts.csv in words; `scale` is 100 for a measure shown in points."""

    row: Any
    scale: int

    @property
    def asked(self) -> str:
        """The method's label and its question, or the contrast's name."""
        row = self.row
        label = variant_label(row.method)
        asked = question(row.method, row.contrast) or row.contrast
        return f"{capital(label)}: {asked}"

    @property
    def labels(self) -> tuple[str, str]:
        return checkpoint_label(self.row.first), checkpoint_label(self.row.second)

    @property
    def sides(self) -> tuple[str, str]:
        """Both checkpoints as a sentence names them."""
        return spoken(self.row.first), spoken(self.row.second)

    @property
    def measure(self) -> str:
        """The measure, and the task and domain it was taken on."""
        row = self.row
        return (
            f"{SPOKEN_METRICS.get(row.metric, METRICS.get(row.metric, row.metric))} on "
            f"{TASKS.get(row.task, f'the task “{row.task}”')}, "
            f"{SPOKEN_DOMAINS.get(row.domain, row.domain)}"
        )

    def points(self, value: float) -> str:
        return f"{abs(self.scale * value):.1f}{' points' if self.scale == 100 else ''}"

    @property
    def held(self) -> bool:
        """Whether the contrast tests that there is no difference, rather than that there is one."""
        return self.row.kind == "equivalence"

    @property
    def interval(self) -> str:
        """Empty if there is none."""
        bounds = self.row.low, self.row.high
        return "" if pd.isna(self.row.low) else " to ".join(signed(self.scale * v) for v in bounds)

    @property
    def difference(self) -> str:
        """Empty where nothing was measured."""
        if not self.row.n:
            return ""
        value = signed(self.scale * self.row.difference) + " points" * (self.scale == 100)
        return f"{value} (95 % interval {self.interval})" if self.interval else value

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        if not self.row.n:
            return "Not measured"
        if not self.interval:
            return "No verdict"
        if self.row.verdict != "undecided":
            return self.row.verdict.capitalize()
        return "Not shown" if self.held else "Not seen"

    @property
    def said(self) -> str:
        """The sentence up to the difference."""
        (first, second), row = self.sides, self.row
        if not row.n:
            return capital(f"{self.measure}: no item was measured for both {first} and {second}.")
        if not self.interval:
            opening = f"Nothing can be said about a difference between {first} and {second}"
        elif row.verdict in ("higher", "lower"):
            opening = f"{first} scores {row.verdict} than {second}"
        elif self.held:
            shown = "is shown" if row.verdict == "held" else "is not shown"
            opening = f"{first} {shown} to stay within ±{self.points(row.margin)} of {second}"
        else:
            opening = f"No difference is seen between {first} and {second}"
        unit = " %" if self.scale == 100 else ""
        values = (f"{self.scale * v:.1f}{unit}" for v in (row.first_value, row.second_value))
        return capital(f"{opening}: {' against '.join(values)} in {self.measure},")

    @property
    def seen(self) -> str:
        """The end of the sentence: if no difference was seen, how large a one would have been."""
        row = self.row
        if not row.n:
            return ""
        if not self.interval:
            return "; there are too few items, or all of them are equal."
        if row.verdict != "undecided":
            return "."
        if pd.isna(row.detectable):
            return "; how large a difference would have been seen is not known."
        if self.held:
            return (
                f"; a margin of ±{self.points(row.detectable)} would have been shown in 80 of 100 such "
                f"runs if there were no difference."
            )
        return (
            f"; a difference of {self.points(row.detectable)} or more would have been seen in 80 of "
            f"100 such runs."
        )

    @property
    def names(self) -> tuple[str, str]:
        """Both checkpoints as the tables name them."""
        return self.row.first, self.row.second

    @property
    def basis(self) -> str:
        """How many items and trainings it rests on, and its p value; empty without items."""
        row = self.row
        if not row.n:
            return ""
        parts = [f"n = {count(row.n)}", f"{count(row.seeds)} seed{'s' * (row.seeds > 1)}"]
        return ", ".join(
            [*parts, *[f"p corrected {p_text(row.p_corrected)}"] * bool(self.interval)]
        )

    @property
    def finding(self) -> Finding:
        verdict = self.row.verdict
        return Finding(
            mark=MARKS[verdict],
            tone=verdict,
            word=self.word,
            asked=self.asked,
            said=self.said,
            difference=self.difference,
            seen=self.seen,
            names=self.names,
            basis=self.basis,
        )


def told(tables: Tables, model: str, role: str) -> list[Told]:
    """A model's contrasts of one role, in the table's order."""
    rows = tables.contrasts
    rows = rows[(rows.model == model) & (rows.role == role)]
    return [Told(row, scale_of(tables.metrics, row.metric)) for row in rows.itertuples()]


def about_seeds(metrics: pd.DataFrame) -> str:
    """Whether the intervals include the spread between trainings."""
    seeds = trainings(metrics)
    if seeds == 1:
        return (
            "Each setting was trained once: no interval here covers the spread between trainings."
        )
    return (
        f"Each setting was trained {seeds} times: the contrasts' intervals and p values cover the "
        f"spread between trainings as well as between questions."
    )


def summary(rows: list[Told]) -> str:
    """How many of a model's primary contrasts have each verdict."""
    counts = Counter(contrast.row.verdict for contrast in rows)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS)
    contrasts = "contrast" if len(rows) == 1 else "contrasts"
    return (
        f"Of {len(rows)} primary {contrasts}, named by the methods before the run: {parts}. "
        f"p values are corrected for their number (Holm)."
    )


def notes(tables: Tables, model: str) -> list[str]:
    """What follows a model's findings: how they are corrected, and what the methods add."""
    added = [text for chapter in chapters() for text in chapter.opening(tables, model)]
    return [summary(told(tables, model, "primary")), *added]


def findings(run: Run) -> list[Block]:
    """The headline: what was asked and what was found, model by model."""
    tables = run.tables
    if tables.contrasts.empty:
        return [Prose([NOTHING]), Prose([about_seeds(tables.metrics)])]
    models = list(dict.fromkeys(tables.contrasts.model))
    blocks: list[Block] = []
    for model in models:
        found = [contrast.finding for contrast in told(tables, model, "primary")]
        blocks += [Findings(found, model if len(models) > 1 else "")]
    for model in models:
        blocks.append(Prose(notes(tables, model), named(tables.contrasts, model)))
    blocks.append(Prose([about_seeds(tables.metrics)]))
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
                Cell(contrast.labels[0], f"against {contrast.labels[1]}"),
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
        "runs would have found; for contrasts that should be held, the smallest margin."
        if primary
        else "Secondary contrasts: exploratory, not corrected, without verdicts."
    )
    return Table(caption, heads, rows, folded=True)
