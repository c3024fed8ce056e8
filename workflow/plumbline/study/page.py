"""The study's table in docs/study/README.md, and a figure a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plumbline.report.drawing import GREY, INK, KNOWN, POINT, Drawing
from plumbline.storage.files import InputError
from plumbline.study.decisions import CLAIM
from plumbline.study.records import ClaimRow

BEGIN, END = "<!-- claims: written by make study-tables -->", "<!-- end of claims -->"
NOTHING = "No piece has been run yet, so there are no numbers."
COUNTS = ("supported", "decided", "words")  # measures that are no shares
COLUMNS = (
    *("claim", "contrast", "measure", "estimate", "95 % interval"),
    *("n", "seeds", "could be seen", "decision"),
)


def table(rows: Iterable[ClaimRow]) -> str:
    """The rows as Markdown, shares in points of 100."""
    lines = [_line(row) for row in rows]
    head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *lines]) if lines else NOTHING


def _line(row: ClaimRow) -> str:
    bold = "**" if row.role == CLAIM else ""
    place = " ".join(filter(None, (row.measure, row.task and f"({row.task}, {row.domain})")))
    interval = "" if row.low is None else f"{_text(row, row.low)} to {_text(row, row.high)}"
    decision = f"{row.decision or row.role}{f' ({row.reason})' if row.reason else ''}"
    cells = [
        f"{bold}{row.claim}{bold}",
        row.contrast,
        place,
        _text(row, row.estimate),
        interval,
        f"{row.n:,}" if row.n else "",
        str(row.seeds or ""),
        _text(row, row.detectable),
        f"{bold}{decision}{bold}",
    ]
    return f"| {' | '.join(cells)} |"


def _text(row: ClaimRow, value: float | None) -> str:
    return "" if value is None else f"{_scaled(row, value):.1f}"


def _scaled(row: ClaimRow, value: float) -> float:
    return value if row.measure in COUNTS else 100 * value


def with_table(page: str, rows: Iterable[ClaimRow]) -> str:
    """The page with what stands between its two marks replaced. InputError if they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"docs/study/README.md: lacks the lines {BEGIN} and {END}; put them back.")
    return f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}"


def figure(claim: str, rows: Sequence[ClaimRow]) -> Drawing | None:
    """The contrasts of a claim that are shares, with their intervals; primary ones in colour."""
    shown = [row for row in rows if row.estimate is not None and row.measure not in COUNTS]
    if not shown:
        return None
    drawing = Drawing((40 + 24 * len(shown)) * POINT)
    ax = drawing.axes[0, 0]
    for place, row in enumerate(shown):
        text = f"{row.contrast}: {row.measure} ({row.task}, {row.domain})"
        value, low, high = (
            None if one is None else 100 * one for one in (row.estimate, row.low, row.high)
        )
        colour = KNOWN if row.role == "primary" else GREY
        described = f"{text}: {value:.1f}" + ("" if low is None else f", {low:.1f} to {high:.1f}")
        drawing.dot(ax, value, place, low, high, described, False, color=colour, marker="o")
        ax.text(0, place - 0.32, text, transform=ax.get_yaxis_transform(), fontsize=8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(xlabel="points of 100", yticks=[], ylim=(len(shown) - 0.4, -0.8))
    ax.set_title(f"{claim}: in colour what decides")
    return drawing
