"""What the study's pieces come to, as Markdown between marks of docs/study/README.md and README.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from plumbline.report.tables import METRICS, TASKS
from plumbline.storage.files import InputError
from plumbline.study.contrasts import CLAIMS, FIT, PRIMARY
from plumbline.study.decisions import CLAIM
from plumbline.study.pieces import Piece
from plumbline.study.records import ClaimRow

NOTHING = "No piece has been run yet, so there are no numbers."
MEASURES = METRICS | {
    "area": "area under the fit curve",
    "last": "right after the last epoch",
    "beta_unknown": "β_unk",
}
DOMAINS = {"id": "in the domain", "ood": "outside of it"}
COUNTS = ("supported", "decided", "words")  # measures that are no shares
COLUMNS = (
    *("claim", "contrast", "measure", "estimate", "95 % interval"),
    *("n", "seeds", "could be seen", "decision"),
)


def claims(rows: Iterable[ClaimRow], figures: Mapping[str, str]) -> str:
    """The table, and below it the figures: names of files in docs/study/figures, with their titles."""
    shown = [f"![{title}](figures/{name}.svg)" for name, title in figures.items()]
    return "\n\n".join([table(rows), *shown])


def table(rows: Iterable[ClaimRow]) -> str:
    """The rows as Markdown, shares in points of 100."""
    lines = [_line(row) for row in rows]
    head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *lines]) if lines else NOTHING


def _line(row: ClaimRow) -> str:
    bold = "**" if row.role == CLAIM else ""
    interval = "" if row.low is None else f"{_text(row, row.low)} to {_text(row, row.high)}"
    decision = f"{row.decision or row.role}{f' ({row.reason})' if row.reason else ''}"
    cells = [
        f"{bold}{row.claim}{bold}",
        minus(row.contrast),
        place_of(row),
        _text(row, row.estimate),
        interval,
        f"{row.n:,}" if row.n else "",
        str(row.seeds or ""),
        _text(row, row.detectable),
        f"{bold}{decision}{bold}",
    ]
    return f"| {' | '.join(cells)} |"


def _text(row: ClaimRow, value: float | None) -> str:
    return "" if value is None else minus(f"{_scaled(row, value):.1f}")


def _scaled(row: ClaimRow, value: float) -> float:
    return value if row.measure in COUNTS else 100 * value


def headline(rows: Sequence[ClaimRow]) -> str:
    """The verdicts, each with the comparisons that it rests on."""
    lines = [
        "| claim | verdict | decided by, in points of 100 (95 % interval) | seeds |",
        "|---|---|---|---|",
    ]
    for verdict in (row for row in rows if row.role == CLAIM):
        primary = [row for row in rows if (row.claim, row.role) == (verdict.claim, PRIMARY)]
        decided = f"**{verdict.decision}**" + (f" ({verdict.reason})" if verdict.reason else "")
        found = "; ".join(map(_decided_by, primary))
        lines.append(f"| {CLAIMS[verdict.claim]} | {decided} | {found} | {verdict.seeds} |")
    return "\n".join(lines) if len(lines) > 2 else NOTHING


def _decided_by(row: ClaimRow) -> str:
    where = f"{minus(row.contrast)}: {_in_words(row)}"
    if row.estimate is None:
        return f"{where}, {row.reason}"
    interval = "" if row.low is None else f" ({_signed(row, row.low)} to {_signed(row, row.high)})"
    return f"{where}, {_signed(row, row.estimate)}{interval}"


def _in_words(row: ClaimRow) -> str:
    measure = MEASURES.get(row.measure, row.measure)
    if row.task in ("", FIT):
        return measure
    return f"{measure} of {TASKS.get(row.task, row.task)} {DOMAINS[row.domain]}"


def _signed(row: ClaimRow, value: float) -> str:
    return minus(f"{_scaled(row, value):+.1f}")


def place_of(row: ClaimRow) -> str:
    """What is measured: `EM (closed_book, id)`."""
    where = row.task and f"({row.task}, {row.domain})"
    return " ".join(filter(None, (MEASURES.get(row.measure, row.measure), where)))


def minus(text: str) -> str:
    """The sign between numbers and names, which is no hyphen."""
    return re.sub(r"(?<!\S)-", "−", text)


def costs(pieces: Mapping[str, Sequence[Piece]]) -> str:
    """Processor minutes of each piece, by stage, largest first."""
    lines = [
        "| claim | seed | processor minutes | of these | processor | commit |",
        "|" + "---|" * 6,
    ]
    for claim, ones in pieces.items():
        for about in (piece.about for piece in ones):
            minutes = Counter()
            for stage in about.stages:
                minutes[stage.stage] += stage.processor_seconds / 60
            largest = ", ".join(f"{stage} {n:.0f}" for stage, n in minutes.most_common() if n >= 1)
            lines.append(
                f"| {claim} | {about.seed} | {minutes.total():.0f} | {largest} "
                f"| {about.processor}, {about.cores} cores | {about.commit[:7]} |"
            )
    return "\n".join(lines) if len(lines) > 2 else NOTHING


def with_part(page: Path, name: str, text: str) -> str:
    """The page with what stands between the marks of a part replaced. InputError without them."""
    begin, end = f"<!-- {name}: written by make study-tables -->", f"<!-- end of {name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise InputError(f"{page}: lacks the lines {begin} and {end}; put them back.")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
