"""Rows of files that come as JSON Lines or as parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from plumbline.files import InputError, Row, first_mistake, read_rows


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
