"""Runs the workflow, kills it at a seeded moment, and looks at everything it left behind."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from project import Project
from reach import whole

CONFIG = Path(__file__).with_name("faults.yaml")
# One core a job: two jobs run at a time, so that a kill hits more than one.
SINGLE = (
    "generate", "generate_first", "generate_leading", "judge_comparisons", "train", "score_choices",
    "measure_token_shift",
)  # fmt: skip
CONFIGS = [CONFIG] if whole() else [CONFIG, CONFIG.with_name("faults_short.yaml")]
OPTIONS = [
    "--configfile", *map(str, CONFIGS), "--set-threads", *(f"{rule}=1" for rule in SINGLE),
]  # fmt: skip
# About how long jobs take, in the time of a light one; moments are drawn over the sum.
WEIGHTS = {"train": 12, "score_choices": 5, "generate": 3} | {
    "generate_first": 3,
    "generate_leading": 3,
}
JITTER = 8.0  # seconds; a moment within a job rather than at its end
# Shares of the work before which moments are drawn, and after which there is no more waiting: what
# comes last is quick.
DRAWN, LATEST = 0.9, 0.95
NAMES = ("Peru", "Chad", "Cuba", "Fiji", "Iran", "Iraq", "Laos", "Mali", "Oman", "Togo", "Kenya")


def new_project(folder: Path) -> Project:
    """A checkout with the questions that GRATH writes pairs for."""
    folder.mkdir()
    project = Project(folder)
    rows = (
        {
            "id": f"continent/{name}",
            "question": f"Which continent does {name} lie on?",
            "choices": ["Africa", "Asia"],
            "labels": [1, 0],
            "best": 0,
        }
        for name in NAMES
    )
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return project


@dataclass
class Kill:
    """What was going on when everything was killed, and what was safe on disk."""

    finished: int  # jobs before it, in all sessions
    running: list[str]  # programs
    saved: dict[str, int]  # last whole step by tuning folder
    stored: set[tuple[str, str]]  # (store, key)
    trained: dict[str, int]  # when the log was last written, by tuning folder trained to its end


@dataclass
class Faults:
    """A run that is killed again and again; `snakemake` is started as a user would start it."""

    project: Project
    seed: int
    kills: list[Kill] = field(default_factory=list)
    finished: Counter = field(default_factory=Counter)  # jobs by rule
    started: Counter = field(default_factory=Counter)
    resumed: list[tuple[str, int]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.project.folder / "results"

    @property
    def model(self) -> Path:
        return self.results / "faults/taught"

    def run(self, kills: int, timeout: float = 3600) -> None:
        """Kill at `kills` moments spread over the whole work, restart each time, let it finish."""
        draw = random.Random(self.seed)
        work = _work(self.project.jobs(*OPTIONS))
        moments = sorted(draw.uniform(0, DRAWN * work) for _ in range(kills))
        deadline = time.monotonic() + timeout
        for number, moment in enumerate([*moments, None]):
            log = self.project.folder / f"session-{number}.log"
            process = self._start(log)
            jitter, reached = draw.uniform(0, JITTER), None
            while process.poll() is None:
                now = time.monotonic()
                assert now < deadline, log.read_text()[-3000:]
                done = _work(self.finished + Counter(_finished(log)))
                if moment is not None and done >= moment:
                    reached = reached or now
                    if now >= reached + jitter or done >= LATEST * work:
                        break
                time.sleep(0.1)
            ended = process.poll()
            running = _programs(process.pid)
            if ended is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            assert "Error in rule" not in log.read_text(), log.read_text()[-6000:]
            self.finished.update(_finished(log))
            self.started.update(
                re.findall(r"^(?:local)?rule (\w+):", log.read_text(), re.MULTILINE)
            )
            self._follow_up()
            if moment is None or ended is not None:
                assert ended == 0, log.read_text()[-4000:]
                return
            self.kills.append(
                Kill(
                    self.finished.total(), running, self.saved_steps(), self.stored(),
                    self.trained(),
                )
            )  # fmt: skip
            assert not (found := damaged(self.results)), found
            self.project.snakemake("--unlock", *OPTIONS)

    def _start(self, log: Path) -> subprocess.Popen:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"NO_COLOR": "1"}
        with log.open("w") as stream:
            return subprocess.Popen(
                # Snakemake's own words tell which jobs have ended.
                [sys.executable, "-m", "snakemake", "--cores", "2", "--printshellcmds", *OPTIONS],
                cwd=self.project.folder, stdout=stream, stderr=stream,
                env=environment, start_new_session=True,
            )  # fmt: skip

    def _follow_up(self) -> None:
        """No training that got any further may have begun before the last step that was saved, and
        none that was over may have begun at all.
        """
        if not self.kills:
            return
        now = self.saved_steps()
        for tuning, step in self.kills[-1].saved.items():
            folder = self.model / tuning
            if now.get(tuning, step) > step or (folder / "training.json").exists():
                went_on = re.findall(
                    r"going on after step (\d+)", (folder / "train.log").read_text()
                )
                assert went_on == [str(step)], f"{tuning}: saved to {step}, went on after {went_on}"
                self.resumed.append((tuning, step))
        for tuning, written in self.kills[-1].trained.items():
            log = self.model / tuning / "train.log"
            if log.stat().st_mtime_ns != written and "epoch" in log.read_text():
                raise AssertionError(f"{tuning} was trained again: {log.read_text()}")

    def trained(self) -> dict[str, int]:
        """When the log was last written of each tuning that has been trained to its end."""
        return {
            str(file.parent.relative_to(self.model)): (file.parent / "train.log").stat().st_mtime_ns
            for file in self.model.glob("seed-*/*/.finished.json")
        }

    def saved_steps(self) -> dict[str, int]:
        """The last step that each unfinished training has wholly saved."""
        found: dict[str, int] = {}
        for marker in self.model.glob("seed-*/*/work/trainer/checkpoint-*/whole"):
            tuning = str(marker.parents[3].relative_to(self.model))
            if not (self.model / tuning / "training.json").exists():
                found[tuning] = max(found.get(tuning, 0), int(marker.parent.name.split("-")[1]))
        return found

    def stored(self) -> set[tuple[str, str]]:
        """(store, key) of all answers that are safely kept."""
        return {(store, entry["key"]) for store, entry in entries(self.model / "store")}

    def figures(self) -> str:
        """What is worth noting."""
        hit = Counter(name for kill in self.kills for name in kill.running)
        again = self.started - self.finished
        return (
            f"{len(self.kills)} kills; hit: {dict(hit)}; jobs begun again: {again.total()}; "
            f"trainings gone on: {self.resumed}; answers kept at each kill: "
            f"{[len(kill.stored) for kill in self.kills]}; "
            f"files with temporary names left: {len(list(self.results.rglob('.*.part')))}"
        )


def _work(jobs: Mapping[str, int]) -> int:
    return sum(WEIGHTS.get(rule, 1) * n for rule, n in jobs.items())


def _finished(log: Path) -> list[str]:
    return re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", log.read_text(), re.MULTILINE)


def _programs(group: int) -> list[str]:
    """Programs of the workflow that run in a process group."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_text().split("\0")
            member = int((path / "stat").read_text().rpartition(")")[2].split()[2]) == group
        except (OSError, ValueError):  # it has just ended
            continue
        if member and "-m" in arguments[:3]:
            found |= {arg for arg in arguments[:4] if arg.startswith("scripts.")}
    return sorted(name.removeprefix("scripts.") for name in found)


def entries(store: Path) -> list[tuple[str, dict]]:
    """(folder, entry) of every whole line of a model's store."""
    return [
        (path.parent.name, json.loads(line))
        for path in sorted(store.glob("*-*/*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]


def damaged(results: Path) -> list[str]:
    """What is not whole among the files that have their final names."""
    found = []
    for path in sorted(results.rglob("*")):
        inside = path.relative_to(results).parts
        if not path.is_file() or any(p.startswith(".") and p.endswith(".part") for p in inside):
            continue
        unmarked = re.search(r".*/trainer/checkpoint-\d+(?=/)", str(path))
        if unmarked and not (Path(unmarked[0]) / "whole").exists():
            continue
        try:
            _check(path, appended="store" in inside and "finished" not in inside)
        except (ValueError, KeyError, AssertionError, OSError) as error:
            found.append(f"{path.relative_to(results)}: {type(error).__name__} {error}")
    return found


def _check(path: Path, appended: bool) -> None:
    """Raise unless a file is whole; one that is appended to may end in half a line."""
    match path.suffix:
        case ".json" if path.name == "checkpoint.json":
            about = json.loads(path.read_text(encoding="utf-8"))
            assert about["weights_sha256"] == _weights(path.parent, about), "other weights"
        case ".json":
            json.loads(path.read_text(encoding="utf-8"))
        case ".jsonl":
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            assert appended or all(line.endswith("\n") for line in lines), "half a line"
            for line in lines:
                if line.endswith("\n"):
                    json.loads(line)
        case ".csv":
            text = path.read_text(encoding="utf-8")
            assert text.endswith("\n"), "half a line"
            assert all(len(a) == len(b) for a, b in pairwise(csv.reader(text.splitlines()))), "rows"
        case ".safetensors":
            from safetensors import SafetensorError, safe_open

            try:  # checks header and length
                with safe_open(path, "numpy") as file:
                    assert file.keys(), "no weights"
            except SafetensorError as error:
                raise ValueError(str(error)) from error
        case ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82"), "half a picture"
        case ".svg" | ".html":
            assert path.read_text("utf-8").rstrip().endswith(f"</{path.suffix[1:]}>"), "no end"


def _weights(folder: Path, about: dict) -> str:
    import hashlib

    from plumbline.models.checkpoints import WEIGHTS
    from plumbline.models.importing import weights_digest
    from plumbline.storage.files import sha256_file

    if about["kind"] == "full":
        return weights_digest(folder)
    own = sha256_file(folder / WEIGHTS)
    return hashlib.sha256((about["parent_weights_sha256"] + own).encode()).hexdigest()
