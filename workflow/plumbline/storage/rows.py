"""Rows of files that come as JSON Lines or as parquet, and those of the user's own making."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import ValidationError, model_validator

from plumbline.records import Record
from plumbline.storage.files import InputError, Row, first_mistake, read_rows

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
                f"nothing reads the column {left[0]}, though it seems to be part of what is asked "
                f"or answered. Put it into the text it belongs to, or, if it is a note, rename it"
            )
        return self

    def unread(self) -> list[str]:
        """Further columns that hold something."""
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
        log.warning(f"{path}: columns that nothing reads, and how many rows have them: {named}.")


def read_any_rows(path: Path, model: type[Row]) -> Iterable[Row]:
    """Rows of a parquet file or of JSON Lines, validated one by one.

    Raises `InputError` naming file, row and field when a row is not such a row.
    """
    if path.suffix != ".parquet":
        return read_rows(path, model)
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as parquet ({error}).") from error
    rows = enumerate(table.to_pylist(), start=1)
    return (validated(path, f"row {number}", model, row) for number, row in rows)


def validated(path: Path, place: str, model: type[Row], row: object) -> Row:
    """The row as a model; `InputError` names `place` in the file and the field that is wrong."""
    try:
        return model.model_validate(row)
    except ValidationError as error:
        raise InputError(
            f"{path}, {place}: {first_mistake(error, 'the row')}. "
            f"Expected the fields {', '.join(model.model_fields)}."
        ) from error
