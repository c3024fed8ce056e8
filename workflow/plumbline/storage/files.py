"""Reading and writing without ever leaving half a file: JSON Lines, JSON, CSV, digests."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from pydantic import BaseModel, ValidationError

from plumbline.storage.temporary import SUFFIX, prefix

Row = TypeVar("Row", bound=BaseModel)


class InputError(ValueError):
    """Bad input: the message names the file, line or key, what was expected and what to do."""


class DifferentRuns(InputError):
    """Files that do not belong together: what one lacks of the other, and how to make both again."""

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what}; the files are of different runs. {remedy}.")


@contextmanager
def atomic_write(path: Path | str, mode: str = "w") -> Iterator[IO]:
    """Open a temporary file beside `path`; on success flush it to disk and rename it to `path`."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=prefix(f".{path.name}"), suffix=SUFFIX
        )
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}). Make room, or correct the path or "
            f"its permissions."
        ) from error
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else ""
    try:
        with os.fdopen(descriptor, mode, encoding=encoding, newline=newline) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_rows(path: Path | str, model: type[Row]) -> Iterator[Row]:
    """Rows of a JSON Lines file, validated one by one.

    Raises `InputError` naming file, line and field when a line is not such a row.
    """
    path = Path(path)
    try:
        stream = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Expected a file of JSON Lines; correct the "
            f"path or its permissions."
        ) from error
    with stream:
        for number, line in enumerate(_decoded(stream, path), start=1):
            if not line.strip():
                continue
            try:
                yield model.model_validate_json(line)
            except ValidationError as error:
                raise InputError(
                    f"{path}, line {number}: {first_mistake(error, 'the line')}. "
                    f"Expected one JSON object with the fields of a "
                    f"{_spoken(model)}: {', '.join(model.model_fields)}."
                ) from error


def first_mistake(error: ValidationError, whole: str) -> str:
    """`field: what is wrong with it`, for the first wrong field; `whole` stands for the row itself."""
    field, expected, _ = first_error(error)
    return f"{field or whole}: {expected}"


def first_error(error: ValidationError) -> tuple[str, str, object]:
    """The first wrong field (a.b; empty: the whole), what was expected, and what was found.

    For a field that may be one of several things, the error found deepest is the most specific.
    """
    errors = error.errors(include_url=False)
    about_it = [finding for finding in errors if finding["loc"][:1] == errors[0]["loc"][:1]]
    deepest = max(about_it, key=lambda finding: len(finding["loc"]))
    expected = deepest["msg"].removeprefix("Value error, ")
    return ".".join(map(str, deepest["loc"])), expected, deepest["input"]


def _decoded(stream: IO, path: Path) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not UTF-8 text ({error.reason} at byte {error.start} of a block). Expected "
            f"JSON Lines, neither compressed nor in another encoding; save it as UTF-8."
        ) from error


def read_unique_rows(path: Path | str, model: type[Row], empty: bool = False) -> list[Row]:
    """Like `read_rows`, but every `id` must be unique and, unless `empty`, there must be a row."""
    return unique(path, read_rows(path, model), model, empty)


def unique(
    path: Path | str, given: Iterable[Row], model: type[BaseModel], empty: bool = False
) -> list[Row]:
    """The rows found in a file. InputError if two have the same id, or if there are none, unless
    `empty`.

    model: the kind of row, for messages.
    """
    rows = list(each_once(path, given))
    if not rows and not empty:
        raise InputError(f"{path}: no rows. Expected at least one {_spoken(model)}.")
    return rows


def each_once(path: Path | str, given: Iterable[Row]) -> Iterator[Row]:
    """The rows of a file, one by one. InputError if two have the same id."""
    lines: dict[str, int] = {}
    for number, row in enumerate(given, start=1):
        if row.id in lines:
            raise InputError(
                f"{path}: rows {lines[row.id]} and {number} have the same id {row.id!r}; "
                f"ids must be unique. Remove or rename one of them."
            )
        lines[row.id] = number
        yield row


def _spoken(model: type[BaseModel]) -> str:
    """`ChoiceQuestion` as `choice question`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()


def write_rows(path: Path | str, rows: Iterable[BaseModel]) -> int:
    """Write rows as JSON Lines atomically; returns how many."""
    count = 0
    with atomic_write(path) as stream:
        for row in rows:
            stream.write(row.model_dump_json(exclude_none=True) + "\n")
            count += 1
    return count


def read_json(path: Path | str) -> dict:
    """A JSON document; `InputError` names the file and position if it is not one."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: cannot be read as JSON ({error}). Expected one JSON document; make or fetch "
            f"the file again."
        ) from error


def write_json(path: Path | str, value: object) -> None:
    """Write a JSON document atomically, with sorted keys so that equal content is equal bytes."""
    with atomic_write(path) as stream:
        json.dump(value, stream, indent=1, sort_keys=True, ensure_ascii=False, default=str)
        stream.write("\n")


def sha256_file(path: Path | str) -> str:
    """Hex sha256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_json(value: object) -> str:
    """Hex sha256 of a JSON-serialisable value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def write_csv(path: Path | str, columns: list[str], rows: Iterable[dict]) -> None:
    """Write rows as CSV atomically; a missing column is left empty, an unknown one is an error."""
    with atomic_write(path) as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
