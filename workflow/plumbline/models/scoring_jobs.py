"""Scores of all kinds that are ready, made by the process of one of their jobs.

Importing torch and loading a model takes longer than most scoring. A program that ends with
`program.cli(main, scoring_jobs.call)` makes its own job's result and then runs the commands of other
jobs of the run that are ready. Their results wait in the model's store until these jobs take them. The
name of such a file is a digest of everything that determines the result: the command, the contents
of its inputs, and the digest of its code.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from plumbline.jobs import command_line
from plumbline.models import ahead, checkpoints, loaded
from plumbline.models.importing import MARKER
from plumbline.storage import lists
from plumbline.storage.files import InputError, sha256_file, sha256_json

log = logging.getLogger("plumbline")
LIST = "scoring_jobs"  # in the run's lists
_COMMAND = re.compile(r"python -m scripts\.(\w+) (.*?) 2>&1 ")
_VARIABLE = re.compile(r"\$(PLUMBLINE_\w+)")


class ScoringJob(NamedTuple):
    """A job of this run as in the list: paths as in its command, including its one output."""

    command: str
    inputs: list[str]
    output: str
    code: str

    @property
    def program(self) -> str:
        """The name of its program in `scripts`."""
        return _COMMAND.match(self.command)[1]

    def words(self) -> list[str]:
        """The program's options, with the run's variables filled in."""
        words = shlex.split(_COMMAND.match(self.command)[2])
        return [_VARIABLE.sub(lambda found: os.environ[found[1]], word) for word in words]

    def checkpoints(self) -> list[Path]:
        """The folders of the checkpoints that it needs."""
        return [Path(word) for word in self.words() if (Path(word) / MARKER).is_file()]

    def waiting(self) -> Path:
        """Where its result waits; the name depends on the current inputs."""
        decides = [
            [self.code, self.program, *self.words()],
            [sha256_file(Path(path)) for path in self.inputs],
            [checkpoints.answers_digest(folder) for folder in self.checkpoints()],
        ]
        root = Path(os.environ["PLUMBLINE_RESULTS"])
        model = Path(self.output).relative_to(root).parts[0]
        name = f"{sha256_json(decides)[:32]}{Path(self.output).suffix}"
        return root / model / "store" / "scores" / name

    def is_ready(self, begun: float) -> bool:
        """Whether it can run and has not; begun: when the run began."""
        return ahead.is_ready(map(Path, self.inputs), Path(self.output), begun)

    def take(self) -> bool:
        """Move its waiting result to where the job wants it; whether there was one."""
        return ahead.take(self.waiting(), Path(self.output))


def call(main: Callable[..., None], words: Sequence[str]) -> None:
    """Call a program's `main` as its job, and then, if it loaded a model, other jobs that are ready.

    If it is called by hand, with options that belong to no job of a run, only `main` is called.
    """
    path = Path(os.environ.get("PLUMBLINE_RESULTS", ""), "lists", f"{LIST}.json")
    jobs = lists.read(path, list[ScoringJob]) if path.is_file() else []
    # Not by the output alone, since other jobs' commands name it as an input.
    mine = next((job for job in jobs if job.output in words and job.words() == [*words]), None)
    if mine is None:
        command_line.call(main, words)
    elif mine.take():
        log.info(f"{mine.output} was made by another job's process")
    else:
        _make(mine, main, patience=-1)
        if loaded.folder():
            _make_others([job for job in jobs if job != mine], path.stat().st_mtime)
        # Last of all, so that a job that is killed while it works for others finds its own result
        # again.
        mine.take()


def _make(job: ScoringJob, main: Callable[..., None], patience: float) -> None:
    """Make a result that will wait. Timeout if another process is making it and patience ends."""
    from filelock import FileLock

    waiting = job.waiting()
    waiting.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{waiting}.lock", timeout=patience):
        if waiting.exists():
            return
        words = [str(waiting) if word == job.output else word for word in job.words()]
        command_line.call(main, words)
        if job.waiting() != waiting:
            waiting.unlink()
            raise InputError(f"{job.output}: one of its inputs was replaced; run this again.")


def _make_others(jobs: Iterable[ScoringJob], begun: float) -> None:
    """Make results that are ready, for an hour at most, including those that become ready meanwhile.

    Whatever cannot be made here, or is being made elsewhere, is left to its own job.
    """
    from filelock import Timeout

    end, left = time.monotonic() + ahead.LONGEST, list(jobs)
    while ready := [job for job in left if job.is_ready(begun)]:
        left = [job for job in left if job not in ready]
        here = loaded.folder()
        for job in sorted(ready, key=lambda job: _order(job.checkpoints(), here)):
            if time.monotonic() > end:
                log.info("no time is left for further jobs")
                return
            try:
                if job.is_ready(begun):  # still
                    _make(job, import_module(f"scripts.{job.program}").main, patience=0)
            except (Timeout, InputError) as error:
                log.info(f"{job.output} is left to its own job: {error}")
            except Exception as error:  # whatever it is, this job has already done its own work
                log.warning(f"{job.output} is left to its own job: {error}")
                loaded.clear()


def _order(folders: list[Path], here: Path | None) -> tuple:
    """Jobs of one checkpoint together, those of the loaded model first."""
    return here not in [folder.resolve() for folder in folders], sorted(folders)
