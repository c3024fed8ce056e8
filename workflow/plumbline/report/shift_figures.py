"""Figures of how tuning shifts the distribution of tokens (Lin et al. 2023; Yuan et al. 2024)."""

from __future__ import annotations

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from plumbline.report.drawing import (
    INK,
    PALETTE,
    POINT,
    Drawing,
    described,
    percent_axis,
    titled,
    two_across,
)
from plumbline.report.shift_sections import ALL, CLASSES, KEYS, pair_label, short_label
from plumbline.report.tables import DOMAINS, Tables, over_seeds

FILLS = {"shifted": "fig-unknown", "marginal": "fig-maybe", "unshifted": "fig-faint"}
LINES = {"id": ("fig-id", "o", -0.08), "ood": ("fig-ood", "D", 0.08)}  # colour, marker, place


def token_shift(tables: Tables) -> Drawing | None:
    """Shares of all tokens by class: one bar per pair and domain, with the shifted share's interval."""
    rows = tables.token_shift
    rows = rows[(rows.position == ALL) & rows.metric.isin(CLASSES)]
    if rows.empty:
        return None
    means = over_seeds(rows, [*KEYS, "domain", "metric"])
    models = list(dict.fromkeys(means.model))
    bars = {
        m: list(means[means.model == m].groupby([*KEYS[1:], "domain"], sort=False)) for m in models
    }
    sizes = [len(bars[model]) for model in models]
    drawing = Drawing(
        (40 + sum(26 * n + 34 for n in sizes)) * POINT,
        len(models),
        height_ratios=[n + 0.4 for n in sizes],
    )
    for ax, model in zip(drawing.axes[:, 0], models, strict=True):
        for y, ((tuned, reference, domain), part) in enumerate(bars[model]):
            by_metric, left = {row.metric: row for row in part.itertuples()}, 0.0
            for name, colour in FILLS.items():
                row = by_metric[name]
                if not row.value:
                    continue
                (bar,) = ax.barh(y, row.value, 0.6, left, color=PALETTE[colour])
                drawing.mark(
                    bar,
                    f"{model}, {pair_label(tuned, reference)}, {DOMAINS[domain]}: {name} "
                    f"{described(row)}",
                )
                left += row.value
            low, high = by_metric["shifted"].low, by_metric["shifted"].high
            if low == low:
                ax.plot([low, high], [y, y], color=INK, linewidth=1.4, solid_capstyle="butt")
        names = [
            f"{short_label(means, tuned, reference)}, {domain.upper()}"
            for (tuned, reference, domain), _ in bars[model]
        ]
        ax.set_yticks(range(len(names)), names)
        ax.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 1), title=model if len(models) > 1 else "")
        ax.grid(visible=False, axis="y")
        percent_axis(ax, "xaxis")
    drawing.legend([Patch(color=PALETTE[c], label=name) for name, c in FILLS.items()], 3)
    return drawing


def token_shift_positions(tables: Tables) -> Drawing | None:
    """Share of shifted tokens by position in the answer, with intervals; a panel per pair."""
    rows = tables.token_shift
    rows = rows[(rows.position != ALL) & (rows.metric == "shifted")]
    if rows.empty:
        return None
    means = over_seeds(rows, [*KEYS, "domain", "position"])
    places = list(dict.fromkeys(means.position))
    several = means.model.nunique() > 1
    groups = [
        list(part.groupby(KEYS, sort=False)) for _, part in means.groupby("model", sort=False)
    ]
    drawing, panels = two_across(groups, 58, 132, sharex=True)
    for ax, ((model, tuned, reference), panel) in panels:
        for domain, (colour, marker, shift) in LINES.items():
            line = panel[panel.domain == domain]
            x = [places.index(position) + shift for position in line.position]
            which = f"{model}, {pair_label(tuned, reference)}, {DOMAINS[domain]}, tokens"
            drawing.line(
                ax,
                x,
                line,
                lambda row, which=which: f"{which} {row.position}: shifted {described(row)}",
                color=PALETTE[colour],
                marker=marker,
                markersize=4.5,
            )
        ax.set_xticks(range(len(places)), [place.replace("-", "–") for place in places])
        ax.set(title=titled(several, model, short_label(means, tuned, reference)))
        ax.set_ylim(bottom=0)
        ax.grid(visible=False, axis="x")
        percent_axis(ax, "yaxis")
    drawing.figure.supxlabel("position in the answer, in tokens", fontsize=9.5)
    drawing.legend(
        [
            Line2D([], [], color=PALETTE[colour], marker=marker, label=DOMAINS[domain])
            for domain, (colour, marker, _) in LINES.items()
        ],
        2,
    )
    return drawing
