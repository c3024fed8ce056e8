"""Snakemake's measurements of jobs, from their benchmark files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Measured(NamedTuple):
    """A job's wall and processor seconds and peak memory in MiB; None: not measured for a short job.

    path: its file, below the folder of all benchmarks, in the folder of its stage.
    """

    path: Path
    wall: float
    processor: float | None
    memory: float | None

    @property
    def stage(self) -> str:
        return self.path.parts[0]


def measured(benchmarks: Path) -> Iterator[Measured]:
    """All jobs that have a benchmark file in a folder."""
    for path in sorted(benchmarks.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                yield Measured(
                    path.relative_to(benchmarks),
                    float(row["s"]),
                    _number(row.get("cpu_time")),
                    _number(row.get("max_rss")),
                )


def _number(cell: str | None) -> float | None:
    return None if cell in (None, "-", "NA") else float(cell)
