"""All checkpoints on all tasks, the study over losses, and the effect of filtering Unknown facts:
exploratory, with intervals and without verdicts.
"""

from __future__ import annotations

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Prose,
    Table,
    bracketed,
    checkpoint_cell,
    count,
    difference,
    measured,
    named,
    number,
    p_cell,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import CLOSED_BOOK, DOMAINS, METRICS, Run, over_seeds, scale_of

SPANS = {"id": "ID", "ood": "OOD", "both": "mean of both"}


def grand(run: Run) -> list[Block]:
    """Each model's table of all tasks, its figure, every comparison, and the effect of the filter."""
    comparisons = run.tables.comparisons
    if comparisons.empty:
        return []
    models = list(dict.fromkeys(comparisons.model))
    return [
        *([Picture("gains", _picture_caption(run.tables.gains))] if len(run.tables.gains) else []),
        *[_grand_table(run, model) for model in models],
        _every(run),
        *_crossing(run),
    ]


def _picture_caption(gains: pd.DataFrame) -> str:
    over = gains[gains.against == "base"]
    listed = []
    for domain in DOMAINS:
        names = dict.fromkeys(over[over.domain == domain].tasks)
        listed.append(f"{domain.upper()}: {' or '.join(n.replace(' ', ', ') for n in names)}")
    return (
        f"Gain over the base in and out of the domain, in points with 95 % intervals: the mean "
        f"difference over the tasks, equally weighted ({'; '.join(listed)}). So that they can be "
        f"compared, only tasks that all checkpoints of a model have; win rates are left out."
    )


def _places(comparisons: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Task, domain and metric, closed-book questions first, ID before OOD."""
    measured = comparisons[["task", "domain", "metric"]].drop_duplicates()
    places = list(measured.itertuples(index=False, name=None))
    order = list(dict.fromkeys(task for task, *_ in places))
    return sorted(
        places, key=lambda p: (p[0] != CLOSED_BOOK, order.index(p[0]), list(DOMAINS).index(p[1]))
    )


def _grand_table(run: Run, model: str) -> Table:
    """Checkpoints down; tasks across: value, difference to the base, difference to the parent."""
    metrics, here = run.tables.metrics, run.tables.comparisons
    here = here[(here.model == model) & (here.against != "full")]
    of_model = metrics[(metrics.model == model) & (metrics.category == "All")]
    means = over_seeds(of_model, ["checkpoint", "task", "domain", "metric"])
    values = {(r.checkpoint, r.task, r.domain, r.metric): r for r in means.itertuples()}
    by_place = {(r.checkpoint, r.against, r.task, r.domain): r for r in here.itertuples()}
    parents = {r.checkpoint: r.other for r in here[here.against == "parent"].itertuples()}
    places = _places(here)
    heads: list[str | Cell] = ["checkpoint", *["trained from"] * bool(parents)]
    groups, columns = [("", len(heads))], []
    for task, domain, metric in places:
        there = here[(here.task == task) & (here.domain == domain)]
        against = [a for a in ("base", "parent") if (there.against == a).any()]
        columns.append((task, domain, metric, against))
        unit = " %" if scale_of(metrics, metric) == 100 else ""
        heads += [Cell(f"{METRICS.get(metric, metric)}{unit}", f"n {count(there.n.max())}")]
        heads += [f"to {other}" for other in against]
        groups.append((f"{task}, {domain.upper()}", 1 + len(against)))
    rows = []
    for name in sorted({"base", *here.checkpoint}, key=checkpoint_order):
        cells = [checkpoint_cell(name)]
        if parents:
            parent = parents.get(name, "" if name == "base" else "base")
            cells.append(checkpoint_cell(parent) if parent else Cell("–"))
        for task, domain, metric, against in columns:
            scale, value = scale_of(metrics, metric), values.get((name, task, domain, metric))
            cells.append(measured(value, scale) if value else Cell("–"))
            for other in against:
                row = by_place.get((name, other, task, domain))
                cells.append(
                    difference(row.difference, row.low, row.high, scale) if row else Cell("–")
                )
        rows.append(cells)
    seeds = int(here.seeds.max())
    caption = (
        f"{named(run.tables.comparisons, model, 'every checkpoint')} on every task, by the main "
        f"measure of the task, with paired differences to the base and, if that is a different "
        f"checkpoint, to the one it was trained from."
    )
    caption += f" Means of {seeds} seeds." if seeds > 1 else ""
    return Table(caption, heads, rows, groups)


def _every(run: Run) -> Table:
    """One row per comparison, with its p value."""
    rows = [
        [
            Cell(r.model),
            checkpoint_cell(r.checkpoint),
            Cell(checkpoint_label(r.other), r.against),
            Cell(r.task),
            Cell(r.domain.upper()),
            difference(r.difference, r.low, r.high, scale_of(run.tables.metrics, r.metric)),
            p_cell(r.p),
            number(r.n),
        ]
        for r in run.tables.comparisons.sort_values("p", kind="stable").itertuples()
    ]
    return Table(
        f"Every comparison with its p value, not corrected: among {count(len(rows))} comparisons in "
        f"which nothing differs, about {count(max(1, len(rows) / 20))} would have a p below 0.05.",
        ["model", "checkpoint", "against", "task", "domain", "points", "p", "n"],
        rows,
        folded=True,
    )


def _crossing(run: Run) -> list[Block]:
    """Checkpoints trained with less or no Unknown beside those trained on everything."""
    gains = run.tables.comparisons[run.tables.comparisons.against == "full"]
    gained = run.tables.gains[run.tables.gains.against == "full"]
    if gains.empty:
        return []
    lines, rows = [], []
    for r in gained[gained.domain == "both"].itertuples():
        cell = difference(r.value, r.low, r.high)
        whose = named(gains, r.model, f"{checkpoint_label(r.checkpoint)} over its full sibling")
        lines.append(f"{whose}: {cell.text} points, mean of ID and OOD{bracketed(cell.sub)}.")
    for r in gained[gained.domain != "both"].itertuples():
        cells = [Cell("mean of tasks", r.tasks), Cell(r.domain.upper()), number(r.n)]
        cells += [Cell("–"), Cell("–"), difference(r.value, r.low, r.high), Cell("–")]
        rows.append([Cell(r.model), checkpoint_cell(r.checkpoint), *cells])
    for r in gains.itertuples():
        scale = scale_of(run.tables.metrics, r.metric)
        metric = METRICS.get(r.metric, r.metric)
        cells = [Cell(r.task, metric), Cell(r.domain.upper()), number(r.n)]
        cells += [number(v, f"{scale * v:.1f}") for v in (r.value, r.other_value)]
        cells += [difference(r.difference, r.low, r.high, scale), p_cell(r.p)]
        rows.append([Cell(r.model), checkpoint_cell(r.checkpoint), *cells])
    heads = ["model", "checkpoint", "task", "domain", "n"]
    heads += ["filtered", "full", "difference", "p"]
    caption = (
        "Checkpoints tuned on fewer of the facts Unknown to the base beside their siblings tuned on "
        "everything, over the items measured for both."
    )
    return [
        Prose(lines, "With and without what the base does not know"),
        Table(caption, heads, rows),
    ]
