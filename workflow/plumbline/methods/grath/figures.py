"""Figures of what GRATH's rounds do to MC1, MC2 and the pairs (Chen et al. 2024)."""

from __future__ import annotations

from matplotlib.lines import Line2D

from plumbline.methods.grath.means import PAIRS, pair_means, score_means
from plumbline.report.drawing import (
    GREY,
    KNOWN,
    POINT,
    SERIES,
    UNKNOWN,
    Drawing,
    described,
    percent_axis,
    titled,
    two_across,
)
from plumbline.report.labels import variant_label
from plumbline.report.tables import DOMAINS, METRICS, Tables, of_single_seeds

LINES = {"mc1": (KNOWN, "o", -0.03), "mc2": (UNKNOWN, "D", 0.03)}  # colour, marker, place


def grath_rounds(tables: Tables) -> Drawing | None:
    """MC1 and MC2 by round with intervals, one panel per variant, task and domain; dashed: the base."""
    rounds = tables.grath_rounds
    rounds = rounds[rounds.metric.isin(LINES) & (rounds.task != PAIRS)]
    if rounds.empty:
        return None
    bases = tables.metrics[
        (tables.metrics.checkpoint == "base") & (tables.metrics.category == "All")
    ]
    keys, several = ["model", "variant", "task", "domain"], rounds.model.nunique() > 1
    groups = [
        list(score_means(part).groupby(keys, sort=False))
        for _, part in rounds.groupby(["model", "variant"], sort=False)
    ]
    drawing, panels = two_across(groups, 58, 128, sharex=True)
    for ax, ((model, variant, task, domain), panel) in panels:
        place = (rounds.model == model) & (rounds.variant == variant)
        place &= (rounds.task == task) & (rounds.domain == domain)
        whose = _whose(rounds, model, variant)
        base = bases[(bases.model == model) & (bases.task == task) & (bases.domain == domain)]
        for metric, (colour, marker, shift) in LINES.items():
            line = panel[panel.metric == metric].sort_values("round")
            for value in base[base.metric == metric].value.unique():
                ax.axhline(value, color=colour, linewidth=0.9, linestyle="--")
            if (line.seeds > 1).any():
                single = of_single_seeds(rounds[place & (rounds.metric == metric)])
                ax.plot(
                    single["round"] + shift,
                    single.value,
                    marker,
                    color=colour,
                    alpha=0.35,
                    markersize=3,
                )
            which, what = f"{whose}, {task}, {DOMAINS[domain]}", METRICS[metric]
            drawing.line(
                ax,
                line["round"] + shift,
                line,
                lambda row, which=which, what=what: (
                    f"{which}, round {row.round:.0f}: {what} {described(row)}"
                ),
                color=colour,
                marker=marker,
                markersize=4.5,
            )
        ax.set(title=titled(several or whose != model, whose, f"{task}, {domain.upper()}"))
        _whole_rounds(ax, rounds)
        percent_axis(ax, "yaxis")
    drawing.figure.supxlabel("rounds of preference training", fontsize=9.5)
    drawing.legend(
        [
            *[
                Line2D([], [], color=colour, marker=marker, linewidth=1.2, label=METRICS[metric])
                for metric, (colour, marker, _) in LINES.items()
            ],
            Line2D([], [], color=GREY, linewidth=0.9, linestyle="--", label="base"),
        ],
        3,
    )
    return drawing


def grath_similarity(tables: Tables) -> Drawing | None:
    """Mean similarity of a pair's two answers by round, with intervals; one line per variant."""
    rows = tables.grath_rounds[tables.grath_rounds.metric == "similarity"]
    if rows.empty:
        return None
    lines = list(dict.fromkeys(zip(rows.model, rows.variant, strict=True)))
    drawing = Drawing(190 * POINT)
    ax, means = drawing.axes[0, 0], pair_means(rows)
    for place, (model, variant) in enumerate(lines):
        of_variant = means[(means.model == model) & (means.variant == variant)]
        colour, line = SERIES[place % len(SERIES)], of_variant.sort_values("round")
        x = line["round"] + 0.04 * (place - (len(lines) - 1) / 2)
        whose = _whose(rows, model, variant)
        drawing.line(
            ax,
            x,
            line,
            lambda row, whose=whose: (
                f"{whose}, pairs of round {row.round:.0f}: similarity {row.value:.2f}, "
                f"95 % interval {row.low:.2f} to {row.high:.2f}, n = {row.n:.0f}"
            ),
            color=colour,
            marker="o",
        )
    ax.set(ylim=(0, 1), xlabel="pairs of round", ylabel="similarity")
    _whole_rounds(ax, rows)
    if len(lines) > 1:
        drawing.legend(
            [
                Line2D(
                    [],
                    [],
                    color=SERIES[place % len(SERIES)],
                    marker="o",
                    label=_whose(rows, *line),
                )
                for place, line in enumerate(lines)
            ],
            2,
        )
    return drawing


def _whose(rows, model: str, variant: str) -> str:
    """The model, and its variant if there are several."""
    return f"{model}, {variant_label(variant)}" if rows.variant.nunique() > 1 else model


def _whole_rounds(ax, rows) -> None:
    ax.set_xticks(sorted(rows["round"].unique()))
    ax.set_xlim(rows["round"].min() - 0.3, rows["round"].max() + 0.3)
    ax.grid(visible=False, axis="x")
    ax.xaxis.set_major_formatter("{x:.0f}")
