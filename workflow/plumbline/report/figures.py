"""The figures of a run: the functions that draw them, and the one figure that all methods share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.lines import Line2D

from plumbline.report import shift_figures as shift
from plumbline.report.chapters import chapters
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
from plumbline.report.grand_figures import gains
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.long_form_figures import factuality
from plumbline.report.names import FIGURES
from plumbline.report.preference_figures import preference_curves
from plumbline.report.tables import (
    DOMAINS,
    METRICS,
    Tables,
    main_metrics,
    of_single_seeds,
    over_seeds,
    scale_of,
    tasks,
)
from plumbline.storage.files import atomic_write

DOMAIN_COLOURS = {domain: PALETTE[f"fig-{domain}"] for domain in DOMAINS}


def id_ood(tables: Tables) -> Drawing | None:
    """Every checkpoint in and out of the tuning domain: the main metric, one panel per task.

    The tables have the other metrics, and tasks whose main metric is not a fraction.
    """
    panels = []
    for (model, task, _), part in tasks(tables.metrics):
        metric = main_metrics(part)[0]
        if scale_of(tables.metrics, metric) == 100:
            rows = part[(part.metric == metric) & (part.category == "All")]
            panels += [(model, task, metric, rows)] if len(rows) else []
    if not panels:
        return None
    several = len({model for model, *_ in panels}) > 1
    sizes = [panel.checkpoint.nunique() for *_, panel in panels]
    drawing = Drawing(
        (36 + sum(17 * n + 42 for n in sizes)) * POINT,
        len(panels),
        height_ratios=[n + 0.4 for n in sizes],
    )
    for ax, (model, task, metric, panel) in zip(drawing.axes[:, 0], panels, strict=True):
        metric = METRICS.get(metric, metric)
        names = sorted(panel.checkpoint.unique(), key=checkpoint_order)
        for row in over_seeds(panel, ["checkpoint", "domain"]).itertuples():
            y, colour = names.index(row.checkpoint), DOMAIN_COLOURS[row.domain]
            shift = -0.15 if row.domain == "id" else 0.15
            if row.seeds > 1:
                single = of_single_seeds(panel)
                single = single[
                    (single.checkpoint == row.checkpoint) & (single.domain == row.domain)
                ]
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
        title = titled(several, model, f"{task}, {metric}")
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


# The functions that draw `names.FIGURES`.
DRAW: dict[str, Callable[[Tables], Drawing | None]] = {
    **{name: draw for chapter in chapters() for name, draw in chapter.drawings.items()},
    "factuality": factuality,
    "token_shift": shift.token_shift,
    "token_shift_positions": shift.token_shift_positions,
    "preference_curves": preference_curves,
    "gains": gains,
    "id_ood": id_ood,
}


def _nothing(table: str) -> Drawing:
    drawing = Drawing(60 * POINT)
    drawing.axes[0, 0].set_axis_off()
    drawing.axes[0, 0].text(
        0, 0.5, f"Nothing to draw: tables/{table}.csv has no such rows.", va="center_baseline"
    )
    return drawing


def draw_figures(tables: Tables, out: Path | str) -> list[Path]:
    """Write every figure to `out/NAME.svg`; one without data says which table is empty."""
    paths = []
    with matplotlib.rc_context(STYLE):
        for name, figure in FIGURES.items():
            drawing = DRAW[name](tables) or _nothing(figure.table)
            text = drawing.svg(name.replace("_", "-"), figure.title)
            paths.append(Path(out) / f"{name}.svg")
            with atomic_write(paths[-1]) as stream:
                stream.write(text)
    return paths
