"""A sample of the kinds as a person runs a program: status, one message on stderr, --debug."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bad_files import KINDS
from checked import files
from programs import processor_seconds

ROOT = Path(__file__).parents[3]
SAMPLE = [
    "own-domain",
    "choices-truthfulqa-json-deep",
    "oasst-neither",
    "source-not-there",
    "tables-path-traversal",
]
BY_NAME = {kind.name: kind for kind in KINDS}


def run(kind, arguments, *more):
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{kind.program}", *map(str, arguments), *more],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", SAMPLE)
def test_a_program_ends_with_status_1_and_one_line(name, tmp_path):
    kind, out = BY_NAME[name], tmp_path / "out"
    out.mkdir()
    start = processor_seconds()
    done = run(kind, kind.arguments(tmp_path, out, tmp_path))
    assert processor_seconds() - start < 5
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(kind.says, done.stderr.splitlines()[-1]), done.stderr
    assert done.stderr.startswith(f"{kind.program}: ") and "Traceback" not in done.stderr
    assert files(out) == set()


def test_debug_shows_where_it_came_from(tmp_path):
    kind, out = BY_NAME["own-domain"], tmp_path / "out"
    done = run(kind, kind.arguments(tmp_path, out, tmp_path), "--debug")
    assert done.returncode == 1 and "Traceback" in done.stderr and "read_rows" in done.stderr
