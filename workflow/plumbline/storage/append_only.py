"""Finished work by key, in JSON Lines that are only ever appended to, outside any rule's outputs.

Snakemake deletes a rule's outputs before it runs the rule again; a store stays. A killed job loses
at most what it was working on.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

log = logging.getLogger("plumbline")
Value = TypeVar("Value")


class AppendOnly(Generic[Value]):
    """Values by key in a folder, with a file for each process, so that jobs on several nodes never
    write to the same one.

    A subclass names the entry's field that holds the value, says in a word how a value is made, and
    turns values into JSON and back; whatever `_value` raises for an entry that is none is taken for
    damage if it is a ValueError, KeyError or TypeError.
    """

    FIELD: ClassVar[str]
    MADE: ClassVar[str]

    def __init__(self, folder: Path):
        self.folder, self._stream = folder, None

    def load(self, wanted: set[str]) -> dict[str, Value]:
        """Values of the wanted keys. Half-written lines are skipped and told."""
        values, broken = {}, 0
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open(encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    try:
                        entry = json.loads(line)
                        if entry["key"] in wanted:
                            values[entry["key"]] = self._value(entry[self.FIELD])
                    except (ValueError, KeyError, TypeError):
                        broken += 1
        if broken:
            log.warning(
                f"{self.folder}: {broken} unreadable line(s), left by a killed job or a damaged "
                f"file; what they held is {self.MADE} again."
            )
        return values

    def append(self, entries: Iterable[tuple[str, Value]]) -> None:
        """Add finished values and see them safely on disk."""
        if self._stream is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"{time.time_ns()}-{os.uname().nodename}-{os.getpid()}.jsonl"
            self._stream = (self.folder / name).open("x", encoding="utf-8")
        for key, value in entries:
            entry = {"key": key, self.FIELD: self._json(value)}
            self._stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _value(self, held: object) -> Value:
        raise NotImplementedError

    def _json(self, value: Value) -> object:
        raise NotImplementedError
