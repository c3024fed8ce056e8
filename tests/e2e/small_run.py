"""The small run of the real model, killed once on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from programs import csv_rows
from project import Project

SMALL = Path(__file__).with_name("small.yaml")
# One core: other tests have the other, and an engine's threads that wait for each other lose more
# than they gain.
OPTIONS = ["--cores", "1", "--configfile", str(SMALL)]


class Run:
    """A finished run with what it printed."""

    def __init__(self, project: Project):
        self.project = project
        self.root = project.folder / "results/small"
        self.model = self.root / "smollm2-135m"
        self.saved_at_kill = self._kill_while_generating()
        project.snakemake(*OPTIONS, timeout=4000)

    def _kill_while_generating(self) -> set[str]:
        """Start, wait for the first saved answers, kill everything; returns what was saved."""
        with (self.project.folder / "killed.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *OPTIONS],
                cwd=self.project.folder, stdout=log, stderr=log, start_new_session=True,
                env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            )  # fmt: skip
            deadline = time.time() + 900
            try:
                while not self.saved() and time.time() < deadline:
                    assert process.poll() is None, Path(log.name).read_text()[-3000:]
                    time.sleep(0.5)
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.project.snakemake("--unlock", "--configfile", str(SMALL))
        return self.saved()

    def saved(self) -> set[str]:
        """Keys of the answers that are safely stored."""
        lines = [
            line
            for path in (self.model / "store").glob("*-*/*.jsonl")
            for line in path.read_text().splitlines(keepends=True)
        ]
        return {json.loads(line)["key"] for line in lines if line.endswith("\n")}

    def rows(self, path: str) -> list[dict]:
        return [json.loads(line) for line in (self.model / path).read_text().splitlines()]

    def table(self, name: str) -> list[dict]:
        return csv_rows(self.root / f"tables/{name}.csv")
