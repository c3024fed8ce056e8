"""Figures of what the base knows and what tuning on Unknown does to it (Gekhman et al. 2024)."""

from __future__ import annotations

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from plumbline.methods.slick.points import PAPER_LINEAR_MODEL, closed_book, mix_points, mix_task
from plumbline.names import FORM, STOPS
from plumbline.report.drawing import (
    GREY,
    INK,
    KNOWN,
    PALETTE,
    POINT,
    UNKNOWN,
    Drawing,
    described,
    percent_axis,
    percent_text,
    titled,
    two_across,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import CATEGORIES, DOMAINS, Tables, of_single_seeds, over_seeds

SHADES = [PALETTE[f"fig-{name}"] for name in ("high", "maybe", "weak", "unknown")]
CATEGORY_COLOURS = dict(zip(CATEGORIES, SHADES, strict=True))
STOP_COLOURS = {"early_stop": PALETTE["fig-early"], "convergence": PALETTE["fig-conv"]}
STOP_MARKERS = {"early_stop": "o", "convergence": "s"}


def slick_categories(tables: Tables) -> Drawing | None:
    """Stacked bars: each relation's shares of the four SliCK categories, ID and OOD separately."""
    rows = tables.slick_counts[
        tables.slick_counts.category.isin(CATEGORIES) & (tables.slick_counts.n > 0)
    ]
    if rows.empty:
        return None
    counts = rows.groupby(["model", "domain", "relation", "category"]).n.sum().unstack(fill_value=0)
    counts = counts.reindex(columns=CATEGORIES, fill_value=0)
    models = list(dict.fromkeys(rows.model))
    lines = {
        model: len(counts.loc[model]) + 1.6 * counts.loc[model].index.get_level_values(0).nunique()
        for model in models
    }
    drawing = Drawing(
        (50 + sum(15 * n + 34 for n in lines.values())) * POINT,
        len(models),
        height_ratios=list(lines.values()),
    )
    for ax, model in zip(drawing.axes[:, 0], models, strict=True):
        y, ticks = 0.0, {}
        for domain in [d for d in DOMAINS if d in counts.loc[model].index]:
            y += 0.6
            ax.text(0, y, DOMAINS[domain], va="center_baseline", fontweight="bold")
            part = counts.loc[model, domain]
            known = 1 - part[CATEGORIES[-1]] / part.sum(axis=1)
            for relation in known.sort_values(ascending=False, kind="stable").index:
                y, left, total = y + 1, 0.0, part.loc[relation].sum()
                ticks[y] = relation
                for category, n in part.loc[relation].items():
                    if n:
                        bar = ax.barh(y, n / total, 0.74, left, color=CATEGORY_COLOURS[category])
                        share = f"{n:.0f} of {total:.0f} ({percent_text(n / total)})"
                        drawing.mark(bar[0], f"{relation}, {category}: {share}")
                        left += n / total
                ax.text(1.02, y, f"{total:,.0f}", va="center_baseline", color=GREY)
            y += 1
        ax.text(1.02, 0.6, "n", va="center_baseline", color=GREY)
        ax.set(xlim=(0, 1), ylim=(y - 0.3, 0), title=model if len(models) > 1 else "")
        ax.set_yticks(list(ticks), list(ticks.values()))
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
        percent_axis(ax, "xaxis")
    drawing.legend(
        [Patch(color=colour, label=name) for name, colour in CATEGORY_COLOURS.items()], 4
    )
    return drawing


FIT_LINES = {
    ("train", "Known"): (KNOWN, "-", "Known, train"),
    ("train", "Unknown"): (UNKNOWN, "-", "Unknown, train"),
    ("dev", "All"): (GREY, "--", "all, dev"),
}


def fit_curves(tables: Tables) -> Drawing | None:
    return drawn_curves(tables.fit_curves)


def drawn_curves(curves: pd.DataFrame) -> Drawing | None:
    """Share answered right by epoch, one panel per mix: Known and Unknown train questions, dev.

    curves: rows of fit_curves.csv.
    """
    wanted = [f"{part} {category}" for part, category in FIT_LINES]
    curves = curves[(curves.part + " " + curves.category).isin(wanted) & (curves.domain != "ood")]
    if curves.empty:
        return None
    models = list(dict.fromkeys(curves.model))
    groups = []
    for model in models:
        tunings = list(curves[curves.model == model].groupby("tuning", sort=False))
        tunings.sort(key=lambda panel: checkpoint_order(panel[0]))
        groups.append(
            [(model, tunings[0][0] == tuning, tuning, panel) for tuning, panel in tunings]
        )
    drawing, panels = two_across(groups, 58, 118, sharex=True, sharey=True)
    for ax, (model, first, tuning, panel) in panels:
        for (part, category), (colour, dash, label) in FIT_LINES.items():
            lines = panel.query(
                "part == @part and category == @category",
                local_dict={"part": part, "category": category},
            )
            if lines.empty:
                continue
            if lines.seed.nunique() > 1:
                for _, line in lines.groupby("seed"):
                    ax.plot(line.epoch, line.value, dash, color=colour, linewidth=0.7, alpha=0.4)
            mean = lines.groupby("epoch", as_index=False).value.mean()
            artist = ax.plot(mean.epoch, mean.value, dash, color=colour)[0]
            drawing.mark(
                artist,
                f"{model}, {tuning}: {label}, "
                f"{percent_text(mean.value.iloc[0])} at epoch {mean.epoch.iloc[0]:.0f}, "
                f"{percent_text(mean.value.iloc[-1])} at epoch {mean.epoch.iloc[-1]:.0f}",
            )
        stops = panel[panel.stop.str.contains("early_stop")]
        for epoch in stops.epoch.unique():
            ax.axvline(epoch, color=INK, linewidth=0.8, linestyle=":")
        title = titled(first and len(models) > 1, model, tuning.removeprefix("mix."))
        ax.set(ylim=(-0.02, 1.04), title=title)
        ax.xaxis.get_major_locator().set_params(integer=True, nbins=5)
        percent_axis(ax, "yaxis")
    drawing.figure.supxlabel("epoch", fontsize=9.5)
    handles = [
        Line2D([], [], color=c, linestyle=dash, label=label)
        for c, dash, label in FIT_LINES.values()
    ]
    drawing.legend(
        [*handles, Line2D([], [], color=INK, linewidth=0.8, linestyle=":", label="early stop")], 4
    )
    return drawing


def accuracy_by_unknown(tables: Tables) -> Drawing | None:
    """Closed-book test EM against a mix's share of Unknown examples, at both stops."""
    points = mix_points(tables.metrics)
    if points.empty:
        return None
    asked = closed_book(tables.metrics, mix_task(tables.metrics))
    # If the mixes were first tuned on the form, that model is what they start from.
    parent = FORM if (asked.checkpoint == FORM).any() else "base"
    parents = asked[asked.checkpoint == parent]
    models = list(dict.fromkeys(points.model))
    domains = [domain for domain in DOMAINS if domain in set(points.domain)]
    drawing = Drawing((50 + 165 * len(models)) * POINT, len(models), len(domains), sharex=True)
    for row, model in zip(drawing.axes, models, strict=True):
        for ax, domain in zip(row, domains, strict=True):
            here = points[(points.model == model) & (points.domain == domain)]
            start = parents[(parents.model == model) & (parents.domain == domain)].value.mean()
            if pd.notna(start):
                ax.axhline(start, color=INK, linewidth=1, linestyle="--")
            for shift, stop in zip((-1.5, 1.5), STOPS, strict=True):
                line = over_seeds(here[here.stop == stop], ["percent"]).sort_values("percent")
                colour, marker = STOP_COLOURS[stop], STOP_MARKERS[stop]
                if line.seeds.max() > 1:
                    single = of_single_seeds(here[here.stop == stop])
                    ax.plot(
                        single.percent + 2.4 * shift,
                        single.value,
                        marker,
                        color=colour,
                        alpha=0.35,
                        markersize=3,
                        linestyle="",
                    )
                whose, which = f"{model}, {DOMAINS[domain]}", STOPS[stop]
                drawing.line(
                    ax,
                    line.percent + shift,
                    line,
                    lambda row, whose=whose, which=which: (
                        f"{whose}, {row.percent:.0f} % Unknown, {which}: {described(row)}"
                    ),
                    color=colour,
                    marker=marker,
                )
            ax.set(title=titled(len(models) > 1 and ax is row[0], model, domain.upper()))
            ax.set_xticks(sorted(points.percent.unique()))
            ax.grid(visible=False, axis="x")
            percent_axis(ax, "yaxis")
    drawing.figure.supxlabel("% Unknown in the tuning mix", fontsize=9.5)
    handles = [
        Line2D([], [], color=STOP_COLOURS[s], marker=STOP_MARKERS[s], label=STOPS[s]) for s in STOPS
    ]
    drawing.legend(
        [
            *handles,
            Line2D([], [], color=INK, linewidth=1, linestyle="--", label=checkpoint_label(parent)),
        ],
        3,
    )
    return drawing


def linear_model(tables: Tables) -> Drawing | None:
    """The two slopes of the linear model with intervals, beside the paper's."""
    rows = tables.linear_model.query("term != 'intercept'").dropna(subset=["estimate"])
    if rows.empty:
        return None
    models = list(dict.fromkeys(rows.model))
    terms = {"known_fitted": ("Known fitted", KNOWN), "unknown_fitted": ("Unknown fitted", UNKNOWN)}
    drawing = Drawing((60 + 112 * len(models)) * POINT, len(models), sharex=True)
    for ax, model in zip(drawing.axes[:, 0], models, strict=True):
        labels = {}
        for row in rows[rows.model == model].itertuples():
            y = 2 * list(DOMAINS).index(row.domain) + list(terms).index(row.term)
            name, colour = terms[row.term]
            labels[y] = f"{row.domain.upper()}: {name}"
            paper = PAPER_LINEAR_MODEL[row.domain][row.term]
            drawing.mark(
                ax.plot([paper], [y + 0.22], "D", color=GREY, markerfacecolor="none")[0],
                f"Gekhman et al. 2024, {labels[y]}: {paper:+.1f} points",
            )
            drawing.dot(
                ax,
                row.estimate,
                y - 0.1,
                row.low,
                row.high,
                f"{model}, {labels[y]}: {row.estimate:+.1f} points"
                + (
                    f", 95 % interval {row.low:+.1f} to {row.high:+.1f}"
                    if pd.notna(row.low)
                    else ", no interval"
                ),
                upright=False,
                color=colour,
                marker="o",
            )
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set(ylim=(max(labels) + 0.6, -0.6), title=model if len(models) > 1 else "")
        ax.set_yticks(list(labels), list(labels.values()))
        ax.grid(visible=False, axis="y")
    drawing.figure.supxlabel("accuracy points when the whole set is fitted", fontsize=9.5)
    drawing.legend(
        [
            Line2D([], [], color=INK, marker="o", linewidth=1.2, label="this run, 95 % interval"),
            Line2D(
                [],
                [],
                color=GREY,
                marker="D",
                markerfacecolor="none",
                linestyle="",
                label="the paper (another model)",
            ),
        ],
        2,
    )
    return drawing
