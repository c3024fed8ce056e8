"""How long a process works with a model. All else that it does is overhead: imports, loads, starts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

TOLD = "s of passes through a model"  # how a program's last line ends
_total = 0.0


@contextmanager
def passes() -> Iterator[None]:
    """Around forward and backward passes or decoding, as a decorator or with `with`; not nested."""
    global _total
    begun = time.monotonic()
    try:
        yield
    finally:
        _total += time.monotonic() - begun


def told() -> str | None:
    """A line that says how long that was; None of a process that has no model."""
    return f"{_total:.1f} {TOLD}" if _total else None
