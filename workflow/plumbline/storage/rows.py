"""Rows of files in JSON Lines, a list in JSON, CSV or parquet, and rows of the user's own making."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError, model_validator

from plumbline.records import Record
from plumbline.storage.files import InputError, Row, first_mistake, read_json, read_rows

log = logging.getLogger("plumbline")


class OwnRow(Record):
    """A row whose columns its user chose: what would change the question is never passed over.

    Other columns that nothing reads are kept, and `own_rows` names them.
    """

    CONTENT: ClassVar[frozenset[str]] = frozenset(
        {
            *("instruction", "prompt", "query", "question", "input"),
            *("context", "passage", "passages", "document", "documents", "article", "background"),
            *("system", "system_prompt", "history", "conversations", "messages"),
            *("image", "images", "audio"),
        }
    )

    @model_validator(mode="after")
    def _whole(self):
        left = [name for name in self.unread() if name.casefold() in self.CONTENT]
        if left:
            raise ValueError(
                f"the column {left[0]} is not read, though it seems to belong to the question or the "
                f"answer. Put it into that text or, if it is only a note, rename it"
            )
        return self

    def unread(self) -> list[str]:
        """Further columns that are not empty."""
        return [
            name
            for name, value in (self.model_extra or {}).items()
            if value is not None and value not in ("", [], {})
        ]


Own = TypeVar("Own", bound=OwnRow)


def own_rows(path: Path, model: type[Own]) -> Iterator[Own]:
    """Like `read_any_rows`; a warning names the columns that nothing reads, with their rows."""
    unread: Counter = Counter()
    for row in read_any_rows(path, model):
        unread.update(row.unread())
        yield row
    if unread:
        named = ", ".join(f"{name} {n:,}" for name, n in unread.items())
        log.warning(f"{path}: columns that are not read, and how many rows have them: {named}.")


def read_any_rows(path: Path, model: type[Row]) -> Iterable[Row]:
    """Rows of a file, validated one by one: *.parquet, *.csv with a header, *.json with one list, or
    JSON Lines.

    Raises `InputError` naming file, row and field when a row is not valid.
    """
    if path.suffix == ".csv":
        return (validated(path, place, model, row) for place, row in _csv(path, model))
    if path.suffix == ".parquet":
        found = _parquet(path)
    elif path.suffix == ".json" and _is_list(path):
        found = read_json(path)
    else:
        return read_rows(path, model)
    rows = enumerate(found, start=1)
    return (validated(path, f"row {number}", model, row) for number, row in rows)


def _parquet(path: Path) -> list[dict]:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as parquet ({error}).") from error


def _is_list(path: Path) -> bool:
    """Whether a JSON file begins like a list; False if it cannot be opened."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            return next((line for line in stream if line.strip()), "").lstrip().startswith("[")
    except OSError:
        return False


def _csv(path: Path, model: type[BaseModel]) -> Iterator[tuple[str, dict]]:
    """The non-empty cells by column; if `model` has a list there, the cell's parts, separated by |."""
    rows = csv_cells(path)
    _, header = next(rows, ("", []))
    header = [name.strip() for name in header]
    several = {name for name, field in model.model_fields.items() if _is_of_lists(field.annotation)}
    for place, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{path}, {place}: {len(cells)} cells; the header has {len(header)}. Put a text with "
                f"commas in quotes."
            )
        filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell.strip()}
        yield (
            place,
            {n: cell.split("|") if n in several else cell for n, cell in filled.items()},
        )


def _is_of_lists(annotation: object) -> bool:
    return get_origin(annotation) is list or any(map(_is_of_lists, get_args(annotation)))


def csv_cells(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of a CSV file that are not empty, each with the line it ends on."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in filter(None, reader):
                if any("\0" in cell for cell in cells):  # left by a full disk
                    raise csv.Error(f"a NUL byte, line {reader.line_num}")
                yield f"line {reader.line_num}", cells
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Check its name and permissions."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as CSV ({error}). Expected UTF-8 with commas and quotes; get or "
            f"save the file again."
        ) from error


def validated(path: Path, place: str, model: type[Row], row: object) -> Row:
    """The row as a model; `InputError` names `place` in the file and the field that is wrong."""
    try:
        return model.model_validate(row)
    except ValidationError as error:
        raise InputError(
            f"{path}, {place}: {first_mistake(error, 'the row')}. "
            f"Expected the fields {', '.join(model.model_fields)}."
        ) from error
