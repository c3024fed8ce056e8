"""Runs a program of workflow/scripts in this process, as a rule would, and reads what it made."""

import csv
import json
import os
import sys
from importlib import import_module

from plumbline.jobs import command_line


def processor_seconds():
    """Of this process and of those that it has waited for: whatever else the machine does."""
    return sum(os.times()[:4])


def program(monkeypatch, name, /, *words, **arguments):
    """Run a program with words as they are, then arguments by name: a list gives several values,
    True a bare flag.
    """
    words = list(map(str, words))
    for key, value in arguments.items():
        words.append("--" + key.replace("_", "-"))
        if value is not True:
            words += map(str, value if isinstance(value, list) else [value])
    monkeypatch.setattr(sys, "argv", [name, *words])
    command_line.call(import_module(f"scripts.{name}").main, words)


def listed(folder, rows):
    """Rows in a file that a program reads as a list of the run."""
    path = folder / "list.json"
    path.write_text(json.dumps(rows, default=str), encoding="utf-8")
    return path


def csv_rows(path):
    """A table's rows, by column."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
