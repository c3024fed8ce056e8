"""What Snakemake costs beside any work: reading the rules, planning jobs, and a run with none to do.

Nothing is compared with another program. What planning costs is set beside the number of jobs, which
it should grow with in proportion.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from measuring import check, row, run_program
from method_overlays import overlay
from project import Project

# Seeds, models, and how often each is planned. Each of both has some 200 jobs.
RUNS = ((1, 1, 3), (10, 2, 3), (30, 3, 1))


class Timed:
    """A copy of the project in which Snakemake is run and what it costs is noted."""

    def __init__(self, folder: Path):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.project, self.rows = Project(folder), []
        self.log = folder / "log.txt"

    def run(self, what: str, words: Sequence[str], turns: int) -> float:
        """Run Snakemake `turns` times and note the medians; returns that of processor seconds."""
        found = []
        for _ in range(turns):
            snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
            # As from a shell: what the workflow itself needs it finds.
            os.environ.pop("PYTHONPATH", None)
            found.append(run_program(snakemake, self.log, self.project.folder))
        processor = median(cost.processor for cost, _ in found)
        self.note(what, processor, "processor s")
        self.note(what, median(cost.wall for cost, _ in found), "wall s")
        self.note(what, max(memory for _, memory in found), "MiB at most")
        return processor

    def note(self, what: str, value: float, unit: str) -> None:
        self.rows.append(row("orchestration", what, value, unit))

    def jobs(self) -> int:
        return int(re.search(r"(?m)^total +(\d+)$", self.log.read_text())[1])


def measure(folder: Path, runs: Sequence[tuple[int, int, int]] = RUNS) -> list[dict]:
    """Rows of reading the rules, of dry runs, and of a run again of the default configuration."""
    timed = Timed(folder / "project")
    reading = timed.run("reading the rules", ["--list-rules"], 3)
    each: dict[int, float] = {}
    for seeds, models, turns in runs:
        words = ["--dry-run", "--quiet", "rules", *overlay(timed.project, seeds, models)]
        what = f"dry run, {seeds} seeds of {models} models"
        processor, jobs = timed.run(what, words, turns), timed.jobs()
        timed.note(what, jobs, "jobs")
        each[jobs] = (processor - reading) / jobs
        timed.note(what, 1000 * each[jobs], "processor ms a job beyond reading")
    fewest, most = min(each), max(each)
    timed.note(f"a job of {most:,} / of {fewest:,}", each[most] / each[fewest], "processor ratio")
    timed.project.finish()
    timed.run("run again, nothing to do", [], 3)
    check("Nothing to be done" in timed.log.read_text(), "a finished run has jobs to do")
    return timed.rows
