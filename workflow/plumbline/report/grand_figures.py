"""The figure of gains in the tuning domain against gains outside it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from plumbline.names import parts
from plumbline.report.drawing import GREY, INK, POINT, SERIES, Drawing
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import DOMAINS, Tables

MARKERS = "oDs^vP"
WIDEST = 25  # letters of a name, if two names are to fit side by side
AROUND = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)]


def gains(tables: Tables) -> Drawing | None:
    """ID gain across, OOD gain up: a numbered point per checkpoint, with intervals both ways, and a
    panel per model. Colour and shape show the method; the numbers are explained above the panels.
    """
    rows = tables.gains[tables.gains.against == "base"]
    by_place = {(r.model, r.checkpoint, r.domain): r for r in rows.itertuples()}
    both = [key[:2] for key in by_place if key[2] == "id" and (*key[:2], "ood") in by_place]
    if not both:
        return None
    models = list(dict.fromkeys(model for model, _ in both))
    names = sorted({name for _, name in both}, key=checkpoint_order)
    kinds = list(dict.fromkeys(parts(name)[0] for name in names))
    looks = {
        kind: (SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)])
        for place, kind in enumerate(kinds)
    }
    across = 2 if max(len(checkpoint_label(name)) for name in names) <= WIDEST else 1
    lines = math.ceil(len(names) / across)
    drawing = Drawing((30 + 13.5 * lines + 235 * len(models)) * POINT, len(models))
    for ax, model in zip(drawing.axes[:, 0], models, strict=True):
        points = []
        for name in (n for n in names if (model, n) in both):
            right, up = (by_place[model, name, domain] for domain in DOMAINS)
            colour, marker = looks[parts(name)[0]]
            x, y = 100 * right.value, 100 * up.value
            line = dict(color=colour, linewidth=0.9, alpha=0.45, solid_capstyle="butt")
            ax.plot([100 * right.low, 100 * right.high], [y, y], **line)
            ax.plot([x, x], [100 * up.low, 100 * up.high], **line)
            drawing.mark(
                ax.plot([x], [y], marker, color=colour, markersize=5.5)[0],
                f"{model}, {checkpoint_label(name)}: {_words('ID', right)}; {_words('OOD', up)}",
            )
            points.append((x, y, str(names.index(name) + 1), colour))
        for place in (ax.axhline, ax.axvline):
            place(0, color=GREY, linewidth=0.9, linestyle="--")
        ax.set(xlabel="gain in the domain (ID), points", ylabel="gain out of it (OOD), points")
        if len(models) > 1:
            ax.set_title(model)
        _label(drawing, ax, points)
    drawing.legend(
        [
            Line2D(
                [],
                [],
                linestyle="",
                color=looks[parts(name)[0]][0],
                marker=looks[parts(name)[0]][1],
                label=f"{place}  {checkpoint_label(name)}",
            )
            for place, name in enumerate(names, start=1)
        ],
        across,
    )
    return drawing


def _words(domain: str, row) -> str:
    interval = (
        "" if pd.isna(row.low)
        else f", 95 % interval {100 * row.low:+.1f} to {100 * row.high:+.1f}"
    )  # fmt: skip
    return f"{domain} {100 * row.value:+.1f} points{interval}, n = {row.n:.0f}"


def _label(drawing: Drawing, ax: Axes, points: list[tuple[float, float, str, str]]) -> None:
    """Write each point's number beside it, on the side farthest from other points and numbers."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    ax.set(xlim=(left, right), ylim=(bottom, top))
    # In points of paper, roughly: a panel is about 290 wide and 190 high.
    unit = np.array([290 / (right - left), 190 / (top - bottom)])
    taken = [np.array([x, y]) * unit for x, y, *_ in points]
    for x, y, text, _ in points:
        here = np.array([x, y]) * unit
        places = [here + 8.5 * np.array(way) / math.hypot(*way) for way in AROUND]
        best = max(places, key=lambda p: min(math.dist(p, other) for other in taken))
        taken.append(best)
        ax.annotate(
            text,
            (x, y),
            xytext=best - here,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
        )
