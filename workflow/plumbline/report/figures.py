"""Every figure of a run: the list of them, and the drawing that all methods share.

A further method adds its drawings in a module of its own and a line in `FIGURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.lines import Line2D

from plumbline.files import atomic_write
from plumbline.report import slick_figures as slick
from plumbline.report.drawing import (
    GREY,
    PALETTE,
    POINT,
    STYLE,
    Drawing,
    described,
    percent_axis,
    titled,
)
from plumbline.report.tables import (
    DOMAINS,
    Tables,
    checkpoint_label,
    checkpoint_order,
    over_seeds,
    scale_of,
)

DOMAIN_COLOURS = {domain: PALETTE[f"fig-{domain}"] for domain in DOMAINS}
# Metrics that qualify another one; their place is the table.
SECONDARY = {"majority_em", "answered", "em_answered"}


def id_ood(tables: Tables) -> Drawing | None:
    """Every checkpoint in and out of the tuning domain, one panel a task and metric.

    Metrics that are no fraction, and those that only qualify another one, are left to the tables.
    """
    fractions = [m for m in tables.metrics.metric.unique() if scale_of(tables.metrics, m) == 100]
    rows = tables.metrics[
        tables.metrics.metric.isin(fractions)
        & (tables.metrics.category == "All")
        & tables.metrics.domain.isin(DOMAINS)
        & ~tables.metrics.metric.str.endswith("_vs_base")
        & ~tables.metrics.metric.isin(SECONDARY)
    ]
    if rows.empty:
        return None
    models = list(dict.fromkeys(rows.model))
    panels = list(rows.groupby(["model", "task", "split", "metric"], sort=False))
    sizes = [panel.checkpoint.nunique() for _, panel in panels]
    drawing = Drawing(
        (36 + sum(17 * n + 42 for n in sizes)) * POINT,
        len(panels),
        height_ratios=[n + 0.4 for n in sizes],
    )
    for ax, ((model, task, _, metric), panel) in zip(drawing.axes[:, 0], panels, strict=True):
        names = sorted(panel.checkpoint.unique(), key=checkpoint_order)
        for row in over_seeds(panel, ["checkpoint", "domain"]).itertuples():
            y, colour = names.index(row.checkpoint), DOMAIN_COLOURS[row.domain]
            shift = -0.15 if row.domain == "id" else 0.15
            if row.seeds > 1:
                single = panel[(panel.checkpoint == row.checkpoint) & (panel.domain == row.domain)]
                ax.plot(
                    single.value,
                    [y + shift] * len(single),
                    "o",
                    color=colour,
                    alpha=0.35,
                    markersize=3,
                )
            drawing.dot(
                ax,
                row.value,
                y + shift,
                row.low,
                row.high,
                f"{model}, {checkpoint_label(row.checkpoint)}, {DOMAINS[row.domain]}: "
                f"{task} {metric} {described(row)}",
                upright=False,
                color=colour,
                marker="o" if row.domain == "id" else "D",
                markersize=4.5,
            )
            if row.checkpoint == "base":
                ax.axvline(row.value, color=colour, linewidth=0.9, linestyle="--")
        title = titled(len(models) > 1, model, f"{task}, {metric}")
        ax.set(ylim=(len(names) - 0.5, -0.5), title=title)
        ax.set_yticks(range(len(names)), [checkpoint_label(name) for name in names])
        ax.xaxis.get_major_locator().set_params(nbins=5)
        percent_axis(ax, "xaxis")
    drawing.legend(
        [
            Line2D([], [], color=DOMAIN_COLOURS[d], marker=m, label=DOMAINS[d])
            for d, m in zip(DOMAINS, "oD", strict=True)
        ]
        + [Line2D([], [], color=GREY, linewidth=0.9, linestyle="--", label="base")],
        3,
    )
    return drawing


# What is drawn: the function, what a reader who cannot see the figure is told, its table.
FIGURES: dict[str, tuple[Callable[[Tables], Drawing | None], str, str]] = {
    "slick_categories": (
        slick.slick_categories,
        "Share of SliCK categories by relation",
        "slick_counts.csv",
    ),
    "fit_curves": (slick.fit_curves, "Share answered right by epoch and mix", "fit_curves.csv"),
    "accuracy_by_unknown": (
        slick.accuracy_by_unknown,
        "Test accuracy by share of Unknown in the mix",
        "metrics.csv",
    ),
    "linear_model": (slick.linear_model, "Slopes of the linear model", "linear_model.csv"),
    "id_ood": (id_ood, "Every checkpoint in and out of the tuning domain", "metrics.csv"),
}


def _nothing(table: str) -> Drawing:
    drawing = Drawing(60 * POINT)
    drawing.axes[0, 0].set_axis_off()
    drawing.axes[0, 0].text(
        0, 0.5, f"Nothing to draw: tables/{table} has no such rows.", va="center_baseline"
    )
    return drawing


def draw_figures(tables: Tables, out: Path | str) -> list[Path]:
    """Write every figure to `out/NAME.svg`; one without data says which table is empty."""
    paths = []
    with matplotlib.rc_context(STYLE):
        for name, (draw, title, table) in FIGURES.items():
            text = (draw(tables) or _nothing(table)).svg(name.replace("_", "-"), title)
            paths.append(Path(out) / f"{name}.svg")
            with atomic_write(paths[-1]) as stream:
                stream.write(text)
    return paths
