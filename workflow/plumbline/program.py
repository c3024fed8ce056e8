"""What every program in workflow/scripts does around its work: logging and honest endings."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from plumbline.files import InputError

log = logging.getLogger("plumbline")


def run(main: Callable[[], None], name: str) -> None:
    """Run a program: log to stderr, end with status 1 and one clear line on bad input."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
    )
    try:
        main()
    except InputError as error:
        sys.exit(f"{name}: {error}")


class Progress:
    """Lines such as `1,200/10,000 prompts (12 %), 63.1/s, 2:20 left`, at most one every few seconds.

    Lines, not a bar: they read well in a log file and beside other jobs' lines.
    """

    def __init__(self, total: int, unit: str, every: float = 5.0):
        self.total, self.unit, self.every, self.done = total, unit, every, 0
        self._start = self._last = time.monotonic()

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self._last >= self.every or self.done >= self.total:
            self._last = now
            rate = self.done / max(now - self._start, 1e-9)
            left = int((self.total - self.done) / rate) if rate > 0 else 0
            share = self.done / self.total if self.total else 1
            log.info(
                f"{self.done:,}/{self.total:,} {self.unit} ({share:.0%}), "
                f"{rate:.1f}/s, {left // 60}:{left % 60:02d} left"
            )
