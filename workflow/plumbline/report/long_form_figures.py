"""The figure of how factual long answers are against how helpful or long (Lin et al. 2024, FLAME)."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
from matplotlib.lines import Line2D

from plumbline.report.drawing import (
    GREY,
    INK,
    SERIES,
    Drawing,
    described,
    percent_axis,
    titled,
    two_across,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import DOMAINS, LONG_FORM, WIN_RATE, Tables, over_seeds

MARKERS = "oDs^vP"


def factuality(tables: Tables) -> Drawing | None:
    """F1 of claims against the win rate, with intervals; one panel per model and domain.

    The checkpoint that the others are compared with is at 50 % by definition. If any win rate is
    missing (nothing was compared, or no verdict could be read), all are drawn against their number
    of words.
    """
    rows = tables.metrics[(tables.metrics.category == "All") & tables.metrics.domain.isin(DOMAINS)]
    long, keys = rows[rows.task == LONG_FORM], ["model", "checkpoint", "domain"]
    scored = over_seeds(long[long.metric == "f1"], keys)
    if scored.empty:
        return None
    wins = _wins(rows[rows.task == WIN_RATE], scored)
    words = over_seeds(long[long.metric == "words"], keys)
    across = wins or {(r.model, r.checkpoint, r.domain): r for r in words.itertuples()}
    names = sorted(scored.checkpoint.unique(), key=checkpoint_order)
    tuned = [name for name in names if name != "base"]
    looks = {"base": (INK, "o")} | {
        name: (SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(tuned)
    }
    models = list(dict.fromkeys(scored.model))
    panels = [
        [
            (model, domain, part)
            for domain in DOMAINS
            if len(part := scored[(scored.model == model) & (scored.domain == domain)])
        ]
        for model in models
    ]
    lines = math.ceil((len(names) + 1 + bool(wins)) / 2)
    drawing, drawn = two_across(panels, 34 + 13.5 * lines, 150)
    for ax, (model, domain, part) in drawn:
        for row in sorted(part.itertuples(), key=lambda r: names.index(r.checkpoint)):
            at = across[row.model, row.checkpoint, row.domain]
            colour, marker = looks[row.checkpoint]
            if pd.notna(at.low):
                ax.plot([at.low, at.high], [row.value] * 2, color=colour, linewidth=1.2)
            if not wins:
                helpful = f"{at.value:.0f} words"
            else:
                helpful = f"win rate {described(at)}" if at.n else "what others are compared with"
            drawing.dot(
                ax,
                at.value,
                row.value,
                row.low,
                row.high,
                f"{model}, {checkpoint_label(row.checkpoint)}, {DOMAINS[domain]}: F1 "
                f"{described(row)}; {helpful}",
                color=colour,
                marker=marker,
                markersize=5.5,
            )
            if row.checkpoint == "base":
                ax.axhline(row.value, color=GREY, linewidth=0.9, linestyle="--")
        if wins:
            ax.axvline(0.5, color=GREY, linewidth=0.9, linestyle=":")
            percent_axis(ax, "xaxis")
        ax.set(title=titled(len(models) > 1, model, DOMAINS[domain]))
        ax.xaxis.get_major_locator().set_params(nbins=4)
        percent_axis(ax, "yaxis")
    drawing.figure.supxlabel("win rate" if wins else "words of a response", fontsize=9.5)
    drawing.figure.supylabel("F1 of claims", fontsize=9.5)
    marks = [
        Line2D([], [], color=colour, marker=marker, linewidth=1.2, label=checkpoint_label(name))
        for name, (colour, marker) in looks.items()
        if name in names
    ]
    lines_ = [("--", "F1 of the base"), *([(":", "equal wins")] if wins else [])]
    marks += [Line2D([], [], color=GREY, linewidth=0.9, linestyle=s, label=t) for s, t in lines_]
    drawing.legend(marks, 2)
    return drawing


def _wins(compared: pd.DataFrame, scored: pd.DataFrame) -> dict[tuple[str, str, str], object]:
    """The win rate for every row of `scored`; empty if one of them has none."""
    keys = ["model", "checkpoint"]
    judged = set(compared[keys].itertuples(index=False, name=None))
    won = over_seeds(compared[compared.metric == "win"], keys)
    rates = {(row.model, row.checkpoint): row for row in won.itertuples()}
    if not rates or any(key not in rates for key in judged):
        return {}
    equal = SimpleNamespace(value=0.5, low=float("nan"), high=float("nan"), n=0)
    return {
        (row.model, row.checkpoint, row.domain): rates.get((row.model, row.checkpoint), equal)
        for row in scored.itertuples()
    }
