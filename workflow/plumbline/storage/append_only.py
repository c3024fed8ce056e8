"""Finished work by key, in JSON Lines that are only ever appended to, outside any rule's outputs.

Snakemake deletes a rule's outputs before it runs the rule again; a store stays. A killed job loses at
most what it was working on.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import IO, ClassVar, Generic, TypeVar

log = logging.getLogger("plumbline")
Value = TypeVar("Value")
Place = int  # a file's number and an offset in it, combined, as there may be millions
LONGEST_FILE = 1 << 44


class AppendOnly(Generic[Value]):
    """Values by key in a folder, with one file per process, so that jobs on several nodes never
    write to the same one.

    A subclass names the field of an entry that contains the value, says in a word how values are
    made, and converts values to and from JSON. If `_value` raises a ValueError, KeyError or
    TypeError, the entry counts as damaged.
    """

    FIELD: ClassVar[str]
    MADE: ClassVar[str]

    def __init__(self, folder: Path):
        self.folder, self._stream = folder, None
        self._paths: list[Path] = []
        self._readers: dict[int, IO[bytes]] = {}
        self._begin: Place = 0  # of the file being written

    def load(self, wanted: Container[str]) -> dict[str, Value]:
        """Values of the wanted keys. Incomplete lines are skipped and reported."""
        return {key: value for key, value, _ in self._entries(wanted)}

    def locate(self, wanted: Container[str]) -> dict[str, Place]:
        """Places of the values of the wanted keys, for `at`, if they are too many to be in memory at
        once.

        Incomplete lines are skipped and reported.
        """
        return {key: place for key, _, place in self._entries(wanted)}

    def at(self, place: Place) -> Value:
        """The value at a place."""
        number, offset = divmod(place, LONGEST_FILE)
        stream = self._readers.get(number)
        if stream is None:
            stream = self._readers[number] = self._paths[number].open("rb")
        stream.seek(offset)
        return self._value(json.loads(stream.readline())[self.FIELD])

    def append(self, entries: Iterable[tuple[str, Value]]) -> None:
        """Add finished values and make sure that they are on disk."""
        for key, value in entries:
            self._write(key, value)
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def add(self, key: str, value: Value) -> Place:
        """Add one finished value, which outlives this process; returns its place."""
        place = self._write(key, value)
        self._stream.flush()
        return place

    def _entries(self, wanted: Container[str]) -> Iterator[tuple[str, Value, Place]]:
        broken = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            place = self._number(path) * LONGEST_FILE
            with path.open("rb") as stream:
                for line in stream:
                    try:
                        entry = json.loads(line)
                        if entry["key"] in wanted:
                            yield entry["key"], self._value(entry[self.FIELD]), place
                    except (ValueError, KeyError, TypeError):
                        broken += 1
                    place += len(line)
        if broken:
            log.warning(
                f"{self.folder}: {broken} unreadable line(s), left by a killed job or a damaged "
                f"file; what they held is {self.MADE} again."
            )

    def _number(self, path: Path) -> int:
        """The number by which places refer to a file."""
        if path not in self._paths:
            self._paths.append(path)
        return self._paths.index(path)

    def _write(self, key: str, value: Value) -> Place:
        if self._stream is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"{time.time_ns()}-{os.uname().nodename}-{os.getpid()}.jsonl"
            self._stream = (self.folder / name).open("xb")
            self._begin = self._number(self.folder / name) * LONGEST_FILE
        entry = {"key": key, self.FIELD: self._json(value)}
        place = self._begin + self._stream.tell()
        self._stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        return place

    def _value(self, held: object) -> Value:
        raise NotImplementedError

    def _json(self, value: Value) -> object:
        raise NotImplementedError
