"""Runs programs of workflow/scripts where they are, and holds them to what bad input must give."""

from __future__ import annotations

import importlib
import io
import logging
import re
import sys
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from plumbline.jobs import program
from programs import processor_seconds


@dataclass(frozen=True)
class Ending:
    """How a program ended: its status, what it said last, and how long it took."""

    code: int
    message: str
    seconds: float


def run(name: str, arguments: list, monkeypatch) -> Ending:
    """Run a program in this process as its shell command would; an exception it lets through is
    the test's own failure.
    """
    main = importlib.import_module(f"scripts.{name}").main
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    stderr, code, message = io.StringIO(), 0, ""
    start = processor_seconds()
    try:
        with redirect_stderr(stderr):
            program.cli(main)
    except SystemExit as ending:
        # A text ends a program with status 1 and itself on stderr.
        text = isinstance(ending.code, str)
        code, message = (1, ending.code) if text else (int(ending.code or 0), stderr.getvalue())
    finally:
        logging.getLogger().handlers = [
            one for one in logging.getLogger().handlers if "StringIO" not in repr(one)
        ]
    return Ending(code, message, processor_seconds() - start)


def files(folder: Path) -> set[str]:
    """All files below a folder, hidden and temporary ones included."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def check(ending: Ending, says: str, out: Path) -> None:
    """One clear message within five seconds of a processor, and nothing written."""
    assert ending.code != 0, "it took bad input for good"
    assert re.search(says, ending.message, flags=re.DOTALL), ending.message
    assert "Traceback" not in ending.message
    # A person reads it: it is not a dump of the input.
    assert len(ending.message) < 1500 and ending.message.count("\n") <= 3, ending.message
    assert ending.seconds < 5
    assert files(out) == set()
