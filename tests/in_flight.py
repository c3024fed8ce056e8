"""How many of the rows that a stage is given it holds at once."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from typing import TypeVar

Row = TypeVar("Row")


class InFlight:
    """Gives rows, and counts those that are still alive.

    The rows must be made as they are asked for, or they live on in what they come from.
    """

    def __init__(self):
        self.now = self.most = self.given = 0

    def through(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.given += 1
            self.now += 1
            self.most = max(self.most, self.now)
            weakref.finalize(row, self._gone)
            yield row
            del row

    def _gone(self) -> None:
        self.now -= 1
