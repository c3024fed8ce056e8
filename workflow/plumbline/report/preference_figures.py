"""The figure of preference training, step by step."""

from __future__ import annotations

import math

from matplotlib.lines import Line2D

from plumbline.report.drawing import (
    GREY,
    INK,
    POINT,
    SERIES,
    Drawing,
    percent_axis,
    titled,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import Tables

MEASURES = {"loss": "loss", "margin": "margin of rewards", "accuracy": "chosen preferred"}


def preference_curves(tables: Tables) -> Drawing | None:
    """Loss, margin and accuracy by step: one panel per measure, one line per tuning."""
    curves = tables.preference_curves
    if curves.empty:
        return None
    models = list(dict.fromkeys(curves.model))
    tunings = sorted(curves.tuning.unique(), key=checkpoint_order)
    looks = {
        tuning: (SERIES[place % len(SERIES)], "--" if place // len(SERIES) % 2 else "-")
        for place, tuning in enumerate(tunings)
    }
    panels = [(model, measure) for model in models for measure in MEASURES]
    head = 40 + 14 * math.ceil((len(tunings) + 1) / 2)
    drawing = Drawing((head + 105 * len(panels)) * POINT, len(panels), sharex=True)
    for ax, (model, measure) in zip(drawing.axes[:, 0], panels, strict=True):
        for tuning, (colour, dash) in looks.items():
            lines = curves[(curves.model == model) & (curves.tuning == tuning)]
            lines = lines.dropna(subset=[measure])
            if lines.empty:
                continue
            if lines.seed.nunique() > 1:
                for _, line in lines.groupby("seed"):
                    ax.plot(line.step, line[measure], dash, color=colour, linewidth=0.7, alpha=0.4)
            mean = lines.groupby("step", as_index=False)[measure].mean()
            first, last = mean.iloc[0], mean.iloc[-1]
            drawing.mark(
                ax.plot(mean.step, mean[measure], dash, color=colour, linewidth=1.4)[0],
                f"{model}, {checkpoint_label(tuning)}: {MEASURES[measure]} "
                f"{first[measure]:.3f} at step {first.step:.0f}, "
                f"{last[measure]:.3f} at step {last.step:.0f}",
            )
        if measure == "loss":
            ax.axhline(math.log(2), color=INK, linewidth=0.8, linestyle=":")
        if measure == "margin":
            ax.axhline(0, color=GREY, linewidth=0.8)
        if measure == "accuracy":
            ax.set_ylim(-0.04, 1.04)
            percent_axis(ax, "yaxis")
        first_of_model = measure == next(iter(MEASURES))
        ax.set(title=titled(first_of_model and len(models) > 1, model, MEASURES[measure]))
        ax.xaxis.get_major_locator().set_params(integer=True)
    drawing.figure.supxlabel("step", fontsize=9.5)
    drawing.legend(
        [
            *[
                Line2D([], [], color=colour, linestyle=dash, label=checkpoint_label(tuning))
                for tuning, (colour, dash) in looks.items()
            ],
            Line2D([], [], color=INK, linewidth=0.8, linestyle=":", label="loss of ln 2"),
        ],
        2,
    )
    return drawing
