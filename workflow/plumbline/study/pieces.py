"""The pieces in docs/study/data: <claim>/seed-<n>.items.csv.gz, .fits.csv.gz and .json.

The items of <claim>/groups.csv, if it is there, have the groups it names as their categories.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from plumbline.methods.slick.fitting import AskedProbe, MixRun
from plumbline.records import Fit
from plumbline.storage.files import (
    InputError,
    atomic_write,
    first_mistake,
    read_json,
    write_json,
)
from plumbline.study.contrasts import AREA, FIT, LAST, Side
from plumbline.study.records import FitRow, GroupRow, MeasuredRow, PieceManifest
from plumbline.tables import TableRow, number_columns

Row = TypeVar("Row", bound=TableRow)


@dataclass(frozen=True)
class Values:
    """The scores of a side's items, by item, and each item's cluster."""

    by_item: dict[str, float]
    cluster: dict[str, str]


@dataclass(frozen=True)
class Piece:
    """One claim at one seed."""

    about: PieceManifest
    items: list[MeasuredRow]
    fits: list[FitRow]

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str], list[MeasuredRow]]:
        """Rows by checkpoint, task and metric; for fit curves, their figures."""
        cells = defaultdict(list)
        for row in [*self.items, *(one for fit in self.fits for one in fit_values(fit))]:
            cells[row.checkpoint, row.task, row.metric].append(row)
        return cells

    def values(self, side: Side, task: str, metric: str) -> Values:
        rows = [
            row
            for row in self._cells.get((side.checkpoint, task, metric), [])
            if row.domain == side.domain
            and (not side.categories or row.category in side.categories)
        ]
        return Values({row.item: row.value for row in rows}, {r.item: r.cluster for r in rows})

    def mix_runs(self) -> list[MixRun]:
        """The mixes in the form that the linear model's code takes."""
        return [
            MixRun(
                model=self.about.model,
                seed=self.about.seed,
                tuning=tuning,
                parent=about.parent,
                fits=list(_fits([row for row in self.fits if row.tuning == tuning])),
                probes=[
                    AskedProbe(row.item, row.part, row.domain, row.category, row.subject)
                    for row in self.fits
                    if row.tuning == tuning
                ],
                composition=about.composition,
                stops=about.stops,
            )
            for tuning, about in self.about.mixes.items()
        ]


def fit_values(row: FitRow) -> Iterable[MeasuredRow]:
    """For a training question: the share of epochs, from the first on, after which it is answered right
    (the area under its fit curve), and whether it is right after the last.
    """
    if row.part == "train":
        digits = [int(digit) for digit in row.right[1:]]
        for metric, value in ((AREA, sum(digits) / len(digits)), (LAST, digits[-1])):
            yield MeasuredRow(
                checkpoint=row.tuning, task=FIT, domain=row.domain, category=row.category,
                metric=metric, item=row.item, cluster=row.subject or row.item, value=value,
            )  # fmt: skip


def _fits(rows: list[FitRow]) -> Iterable[Fit]:
    groups = defaultdict(list)
    for row in rows:
        groups[row.part, row.domain, row.category].append(row)
    for (part, domain, category), group in groups.items():
        for epoch in range(len(group[0].right)):
            right = [row.item for row in group if row.right[epoch] == "1"]
            yield Fit(
                epoch=epoch, part=part, domain=domain, category=category, right=right, n=len(group)
            )


def write_piece(folder: Path, piece: Piece) -> Path:
    """Write a piece below docs/study/data, the manifest last; returns the manifest's path."""
    stem = folder / piece.about.claim / f"seed-{piece.about.seed}"
    _pack(stem.with_name(f"{stem.name}.items.csv.gz"), MeasuredRow, piece.items)
    if piece.fits:
        _pack(stem.with_name(f"{stem.name}.fits.csv.gz"), FitRow, piece.fits)
    path = stem.with_name(f"{stem.name}.json")
    write_json(path, piece.about.model_dump(mode="json"))
    return path


def read_pieces(folder: Path, claim: str) -> list[Piece]:
    """The complete pieces of a claim, by seed. InputError if they do not belong together."""
    pieces, groups = [], _groups(folder / claim / "groups.csv")
    for path in folder.glob(f"{claim}/seed-*.json"):
        try:
            about = PieceManifest.model_validate(read_json(path))
        except ValidationError as error:
            raise InputError(
                f"{path}: {first_mistake(error, 'the whole')}. Expected a piece's manifest; delete it "
                f"and run the piece again."
            ) from error
        if (about.claim, f"seed-{about.seed}.json") != (claim, path.name):
            raise InputError(
                f"{path}: is of {about.claim}, seed {about.seed}. Put it where it belongs."
            )
        fits = path.with_suffix(".fits.csv.gz")
        items = _unpack(path.with_suffix(".items.csv.gz"), MeasuredRow)
        for row in items:
            row.category = groups.get(row.item, row.category)
        pieces.append(Piece(about, items, _unpack(fits, FitRow) if about.mixes else []))
    pieces.sort(key=lambda piece: piece.about.seed)
    for other in pieces[1:]:
        _check_alike(pieces[0].about, other.about, folder / claim)
    return pieces


def _groups(path: Path) -> dict[str, str]:
    """Groups by item; none without the file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row.item: row.group for row in table_rows(path, GroupRow, stream)}


def _check_alike(first: PieceManifest, other: PieceManifest, folder: Path) -> None:
    """InputError unless two seeds differ only in the seed."""
    for name, what in (
        ("model", "the model's name"),
        ("labels", "what the base was found to know"),
        ("configuration", "the configuration"),
        ("versions", "the versions of packages"),
    ):
        if getattr(first, name) != getattr(other, name):
            raise InputError(
                f"{folder}: seeds {first.seed} and {other.seed} differ in {what}: "
                f"{getattr(first, name)} and {getattr(other, name)}; they are no repetitions of one "
                f"experiment. Delete one of them and run it again as the other."
            )


def _pack(path: Path, record: type[TableRow], rows: Iterable[TableRow]) -> None:
    """Write rows as the same bytes each time: they contain neither time nor name."""
    with (
        atomic_write(path, "wb") as stream,
        gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        writer = csv.DictWriter(text, list(record.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump() for row in rows)


def _unpack(path: Path, record: type[Row]) -> list[Row]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            return table_rows(path, record, stream)
    except (OSError, EOFError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}). Expected the rows of a piece; delete its manifest "
            f"and run it again."
        ) from error


def table_rows(path: Path, record: type[Row], stream: Iterable[str]) -> list[Row]:
    """The rows of a CSV table, checked. InputError names a line that is not such a row."""
    numbers, rows = set(number_columns(record)), []
    for line, cells in enumerate(csv.DictReader(stream), start=2):
        given = {name: cell for name, cell in cells.items() if cell or name not in numbers}
        try:
            rows.append(record.model_validate(given))
        except ValidationError as error:
            raise InputError(
                f"{path}, line {line}: {first_mistake(error, 'the row')}. Expected the columns "
                f"{', '.join(record.model_fields)}."
            ) from error
    return rows
