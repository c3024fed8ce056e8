"""The report's section on every checkpoint's tasks in and out of the tuning domain."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Table,
    checkpoint_cell,
    count,
    measured,
)
from plumbline.report.labels import checkpoint_order
from plumbline.report.tables import (
    CATEGORIES,
    DIFFERENCES,
    DOMAINS,
    FORMS,
    GUESSED,
    METRICS,
    Run,
    main_metrics,
    over_seeds,
    scale_of,
    tasks,
)

OPEN = 3  # how many tables of a model's main metrics are not folded


def id_ood(run: Run) -> list[Block]:
    """Open: closed-book EM by category and the main metrics of a few other tasks. Folded: the rest."""
    metrics = run.tables.metrics
    shown: list[Table] = []
    opened: Counter[str] = Counter()
    for key, part in tasks(metrics):
        title, main = ", ".join(key), main_metrics(part)
        guesses = part[part.metric.str.startswith(GUESSED)]
        part = part.drop(guesses.index)
        told = _guessing(guesses)
        names = list(dict.fromkeys(part.metric))
        if key[1] in FORMS:
            by_category, plain, rest = names, [], []
        else:
            several = part[part.category != "All"].metric.unique()
            by_category = [name for name in names if name in several]
            plain = main
            rest = [n for n in names if n not in main and not n.endswith(DIFFERENCES)]
        if plain:
            opened[key[0]] += 1
            folded = opened[key[0]] > OPEN
            shown.append(_by_metric(title, part, plain, metrics, folded, told))
        if rest:
            shown.append(_by_metric(f"{title}, further metrics", part, rest, metrics, folded=True))
        for name in by_category:
            of_metric, scale = part[part.metric == name], scale_of(metrics, name)
            folded = key[1] not in FORMS or name not in main
            shown.append(_by_category(f"{title}, {name}", of_metric, scale, folded))
    if not shown:
        return []
    caption = (
        "Each checkpoint in and out of the tuning domain, with 95 % intervals, by the first metric "
        "of each task; dashed: the base."
    )
    return [Picture("id_ood", caption), *shown]


def _guessing(guesses: pd.DataFrame) -> str:
    """What the task's measure would be without knowledge, in and out of the domain."""
    places = [f"{DOMAINS[d]} " if guesses.domain.nunique() > 1 else "" for d in guesses.domain]
    by_kind: dict[str, list[str]] = {}
    for place, row in zip(places, guesses.itertuples(), strict=True):
        kind, _, metric = row.metric.partition("_")
        by_kind.setdefault(kind, []).append(
            f"{place}{METRICS.get(metric, metric)} {100 * row.value:.1f} %"
        )
    if not by_kind:
        return ""
    return (
        f" By chance: {', '.join(by_kind['chance'])}. Without reading the question, by the length, "
        f"place or commonness of choices: {', '.join(by_kind['prior'])}."
    )


def _by_metric(
    title: str,
    part: pd.DataFrame,
    names: list[str],
    metrics: pd.DataFrame,
    folded: bool,
    more: str = "",
) -> Table:
    """Checkpoints down; domains and metrics across, each with the difference to the base."""
    means = over_seeds(part[part.category == "All"], ["checkpoint", "domain", "metric"])
    by_place = {(row.checkpoint, row.domain, row.metric): row for row in means.itertuples()}
    columns = [
        (domain, metric)
        for domain in DOMAINS
        for metric in names
        if ((means.domain == domain) & (means.metric == metric)).any()
    ]
    scales = {metric: scale_of(metrics, metric) for metric in names}
    sizes = means.groupby(["domain", "metric"]).n.max()
    rows = []
    for name in sorted(means.checkpoint.unique(), key=checkpoint_order):
        cells = [checkpoint_cell(name)]
        for domain, metric in columns:
            for which in (metric, f"{metric}_vs_base"):
                row = by_place.get((name, domain, which))
                cells.append(measured(row, scales[metric]) if row else Cell("–"))
        rows.append(cells)
    heads: list[str | Cell] = ["checkpoint"]
    for domain, metric in columns:
        unit = " %" if scales[metric] == 100 else ""
        heads += [
            Cell(f"{METRICS.get(metric, metric)}{unit}", f"n {count(sizes[domain, metric])}"),
            Cell("to base"),
        ]
    spans = [(DOMAINS[d], 2 * sum(d == column[0] for column in columns)) for d in DOMAINS]
    own_unit = [METRICS.get(metric, metric) for metric in names if scales[metric] == 1]
    note = f" ({', '.join(own_unit)}: in the metric's own unit)" if own_unit else ""
    groups = [("", 1), *[span for span in spans if span[1]]]
    return Table(f"{title}{note}, with differences to the base.{more}", heads, rows, groups, folded)


def _by_category(title: str, part: pd.DataFrame, scale: int, folded: bool) -> Table:
    """Checkpoints down, SliCK (or other) categories across, ID and OOD apart."""
    means = over_seeds(part, ["checkpoint", "domain", "category", "metric"])
    by_place = {(row.checkpoint, row.domain, row.category): row for row in means.itertuples()}
    categories = list(dict.fromkeys(["All", *CATEGORIES, *part.category]))
    columns = [
        (domain, category)
        for domain in DOMAINS
        for category in categories
        if ((means.domain == domain) & (means.category == category)).any()
    ]
    sizes = means.groupby(["domain", "category"]).n.max()
    rows = []
    for name in sorted(part.checkpoint.unique(), key=checkpoint_order):
        cells = [by_place.get((name, *column)) for column in columns]
        rows.append(
            [checkpoint_cell(name), *[measured(c, scale) if c else Cell("–") for c in cells]]
        )
    unit = "percent" if scale == 100 else "the metric's own unit"
    if part.metric.iloc[0].endswith(DIFFERENCES):
        other = part.metric.iloc[0].rpartition("_")[2]
        unit = f"difference to the {other} in " + ("points" if scale == 100 else unit)
    heads = [Cell(category, f"n {count(sizes[domain, category])}") for domain, category in columns]
    spans = [(DOMAINS[d], sum(d == column[0] for column in columns)) for d in DOMAINS]
    groups = [("", 1), *[span for span in spans if span[1]]]
    return Table(f"{title} ({unit}).", ["checkpoint", *heads], rows, groups, folded)
