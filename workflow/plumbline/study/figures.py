"""The study's figures: a claim's contrasts, and the fit curves of its mixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import matplotlib
import pandas as pd

from plumbline.methods.slick.figures import drawn_curves
from plumbline.methods.slick.fitting import fit_curve_rows
from plumbline.report.drawing import GREY, INK, KNOWN, POINT, STYLE, Drawing
from plumbline.study.contrasts import PRIMARY
from plumbline.study.decisions import CONFIDENCE
from plumbline.study.page import COUNTS, minus, place_of
from plumbline.study.pieces import Piece
from plumbline.study.records import ClaimRow


def drawings(
    pieces: Mapping[str, Sequence[Piece]], rows: Sequence[ClaimRow]
) -> Iterator[tuple[str, str, Drawing]]:
    """Name, title and drawing of every figure there is data for, claim by claim."""
    with matplotlib.rc_context(STYLE):
        for claim, ones in pieces.items():
            if drawing := contrasts_drawn([row for row in rows if row.claim == claim]):
                yield claim, f"{claim}: the contrasts; in colour those that decide", drawing
            if drawing := curves_drawn(ones):
                title = "share of questions answered right after each epoch, one thin line per seed"
                yield f"{claim}-fit", f"{claim}: {title}", drawing


def contrasts_drawn(rows: Sequence[ClaimRow]) -> Drawing | None:
    """The differences of a claim in points, with their intervals; primary ones in colour."""
    shown = [
        row
        for row in rows
        if row.estimate is not None and row.measure not in COUNTS and row.rule != "reached"
    ]
    if not shown:
        return None
    drawing = Drawing((40 + 24 * len(shown)) * POINT)
    ax = drawing.axes[0, 0]
    for y, row in enumerate(shown):
        text = f"{minus(row.contrast)}: {place_of(row)}"
        value, low, high = (
            None if one is None else 100 * one for one in (row.estimate, row.low, row.high)
        )
        colour = KNOWN if row.role == PRIMARY else GREY
        interval = "" if low is None else f", {low:.1f} to {high:.1f}"
        described = f"{text}: {minus(f'{value:.1f}{interval}')}"
        drawing.dot(ax, value, y, low, high, described, False, color=colour, marker="o")
        ax.text(0, y - 0.32, text, transform=ax.get_yaxis_transform(), fontsize=8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(xlabel="points of 100", yticks=[], ylim=(len(shown) - 0.4, -0.8))
    return drawing


def curves_drawn(pieces: Sequence[Piece]) -> Drawing | None:
    """Each mix's share of right answers by epoch, one thin line per seed; None without mixes."""
    runs = [run for piece in pieces for run in piece.mix_runs()]
    rows = [row for run in runs for row in fit_curve_rows(run, CONFIDENCE)]
    return drawn_curves(pd.DataFrame(rows)) if rows else None
