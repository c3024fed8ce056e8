"""How long a process works with a model. Everything else is overhead: imports, loading, starts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

TOLD = "s of passes through a model"  # how the last line of a program ends
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
    """A line that says how long that was; None for a process without a model."""
    return f"{_total:.1f} {TOLD}" if _total else None
