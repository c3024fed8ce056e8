"""Messages of a run: a line of progress now and then, and for a failure what one needs to continue.

Snakemake reports for each job what it reads, writes and why it runs; this goes only to its log file
(.snakemake/log). Its events arrive as log records with `event`, see
snakemake_interface_logger_plugins.common.LogEvent.
"""

from __future__ import annotations

import logging
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from plumbline.jobs.progress import Job, RunProgress, duration, tail
from plumbline.storage.files import InputError, read_json

SNAKEMAKE = logging.getLogger("snakemake.logging")
# Snakemake's events that these lines replace on the screen.
_REPLACED = {"job_info", "job_started", "job_finished", "job_error", "progress", "shellcmd"}
_REPLACED |= {"group_info", "group_error"}
_CHATTER = (
    "Select jobs to execute",
    "Exiting because a job execution failed",
    "WorkflowError:\nAt least one job did not complete successfully",
)
_STOPPING = "Terminating processes on user request"
# Seconds between lines, which grow to this share of the time so far.
EVERY, SHARE = 15.0, 1 / 30
_RAISED = re.compile(r"(\[rank\d+\]: )?[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Timeout)\b.*")
_PROGRAM = re.compile(r"python -m scripts\.(\w+)")
_SLURM = re.compile(r"slurmstepd[\w-]*: error: (.*)")
# Snakemake's message that a command failed, including everything before it.
_ENDED = re.compile(
    r"CalledProcessError.*(?:exit status (\d+)|died with <Signals\.(\w+): \d+>)\.", re.S
)


class Console(logging.Handler):
    """Follows Snakemake's events from a run's `begin` to its `end`.

    root: the run's folder. Its plan.json, which has the estimated times of stages, may be made while
    the run goes on. The stages are the folders of its benchmarks.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time):
        super().__init__()
        self._root, self._clock = root, clock
        self._progress: RunProgress | None = None
        self._statuses: dict[int, str] = {}  # of the last command that failed, by thread
        self._stopping = False
        self._ended = threading.Event()

    def begin(self, dag) -> None:
        """Print how much there is to do, and start reporting progress. dag: Snakemake's."""
        to_run = set(dag.needrun_jobs())
        jobs = {
            job.jobid: Job(
                _stage(job.benchmark),
                [Path(log) for log in job.log],
                [other.jobid for other in dag.depending[job] if other in to_run],
            )
            for job in to_run
        }
        self._progress = RunProgress(jobs, self._clock())
        for handler in SNAKEMAKE.handlers:
            if handler.name == "DefaultStreamHandler":
                handler.addFilter(_is_left)
        SNAKEMAKE.addHandler(self)
        self._tell()
        threading.Thread(target=self._keep_telling, daemon=True).start()

    def end(self) -> None:
        """Print how the run ended."""
        self._ended.set()
        SNAKEMAKE.removeHandler(self)
        progress, now = self._progress, self._clock()
        done = sum(job.seconds is not None for job in progress.jobs.values())
        took, total = duration(now - progress.begun), len(progress.jobs)
        SNAKEMAKE.info(f"{done:,} of {total:,} jobs done in {took}. Results are in {self._root}.")
        if done < total:
            failed, lost = len(progress.failed), len(progress.lost())
            told = [
                (failed, "failed"),
                (
                    lost - failed,
                    f"not run, since {'it' if lost - failed == 1 else 'they'} needed that",
                ),
                (total - done - lost, "not finished or not begun"),
            ]
            SNAKEMAKE.info(f"The others: {'; '.join(f'{n:,} {what}' for n, what in told if n)}.")
            SNAKEMAKE.info(f"Finished work is kept. To go on: {command(sys.argv)}")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._follow(record, self._clock())
        except Exception:
            self.handleError(record)

    def _follow(self, record: logging.LogRecord, now: float) -> None:
        event = getattr(record, "event", None)
        if event == "job_started":
            for job in self._progress.jobs.keys() & set(
                record.jobs
            ):  # a group has an id of its own
                self._progress.start(job, now)
        elif event == "group_info":
            for job in record.jobs:
                self._progress.start(job.jobid, now, len(record.jobs))
        elif event == "job_finished":
            self._progress.finish(record.job_id, now)
        elif event == "error" and (ended := _ENDED.search(str(record.msg))):
            self._statuses[record.thread] = ended[2] or ended[1]
        elif event == "job_error":
            self._progress.fail(record.jobid)
            status = self._statuses.pop(record.thread, None)
            if not getattr(record, "indent", False):  # a group's jobs are reported together
                SNAKEMAKE.error(failure(record, status))
        elif event == "group_error":
            SNAKEMAKE.error(group_failure(record))
        elif str(record.msg).startswith(_STOPPING):
            self._stopping = True

    def _keep_telling(self) -> None:
        while not self._ended.wait(max(EVERY, SHARE * (self._clock() - self._progress.begun))):
            with self.lock:
                self._tell()

    def _tell(self) -> None:
        line = self._progress.line(self._clock(), self._planned(), self._stopping)
        SNAKEMAKE.info(f"{time.strftime('%H:%M:%S')} {line}")

    def _planned(self) -> dict | None:
        """The plan, once it exists. A damaged one must not stop the run that repairs it."""
        plan = self._root / "plan.json"
        try:
            return read_json(plan) if plan.exists() else None
        except InputError:
            return None


def _stage(benchmark: str | None) -> str | None:
    """The benchmark's folder below that of all benchmarks."""
    _, named, rest = (benchmark or "").partition("/benchmarks/")
    return rest.partition("/")[0] if named else None


def _is_left(record: logging.LogRecord) -> bool:
    """Whether Snakemake's own message is still shown."""
    event, said = getattr(record, "event", None), str(record.msg)
    return not (
        event in _REPLACED
        or said.startswith(_CHATTER)
        or (event == "error" and _ENDED.search(said))
    )


def failure(record: logging.LogRecord, status: str | None = None) -> str:
    """A failed job in a few lines: its rule and file, the cause, and where to find more.

    status: the command's, or the name of the signal that ended it.
    """
    logs = [path for path in record.log if Path(path).exists()]
    program = _PROGRAM.search(record.shellcmd or "")
    told = " ".join((record.rule_msg or "").partition("sbatch call:")[0].split())
    causes = [
        told,
        _signal(status),
        *(cause(Path(path), program and program[1]) for path in logs),
    ]
    return "\n".join(
        [
            f"{record.rule_name} failed" + "".join(f": {path}" for path in record.output[:1]),
            f"  cause: {' '.join(filter(None, causes)) or 'no message was written'}",
            f"  log:   {', '.join(logs) or 'none'}",
        ]
    )


def _signal(status: str | None) -> str:
    """A sentence on the signal that ended a command, or empty: the status is 128 plus the signal's
    number, or its name.
    """
    if status and status.isdigit():
        numbers = {128 + one.value: one.name for one in signal.Signals}
        status = numbers.get(int(status))
    if status == "SIGKILL":
        return "It was killed, most often because memory ran out."
    return f"It was ended from outside or crashed ({status})." if status else ""


def group_failure(record: logging.LogRecord) -> str:
    """The same for jobs submitted as one; SLURM's own message is only in its log."""
    jobs = record.job_error_info
    logs = [path for job in jobs for path in job["log"] if Path(path).exists()]
    causes = []
    for job in jobs:
        program = _PROGRAM.search(job["shellcmd"] or "")
        for path in filter(logs.__contains__, job["log"]):
            causes += _wrong(_lines(Path(path)), program and program[1])[-1:]
    for path in filter(Path.exists, map(Path, record.aux_logs)):
        logs.append(str(path))
        causes += [said[1] for said in map(_SLURM.fullmatch, _lines(path)) if said][-1:]
    return "\n".join(
        [
            f"{record.groupid} failed: {len(jobs)} job{'s' * (len(jobs) > 1)} submitted as one",
            f"  cause: {' '.join(causes) or 'no message was written'}",
            f"  log:   {', '.join(logs) or 'none'}",
        ]
    )


def cause(log: Path, program: str | None) -> str | None:
    """The line of a log that says what went wrong: a program's own last message, otherwise an error, or
    otherwise the last line, marked as no more than that.
    """
    lines = _lines(log)
    if wrong := _wrong(lines, program):
        return wrong[-1]
    return f"It ended without an error message; last line: {lines[-1]}" if lines else None


def _lines(log: Path) -> list[str]:
    return [line.strip() for line in tail(log).splitlines() if line.strip()]


def _wrong(lines: list[str], program: str | None) -> list[str]:
    """A program's own messages about what went wrong, otherwise Python's."""
    own = [line for line in lines if program and line.startswith(f"{program}: ")]
    return own or [line for line in lines if _RAISED.fullmatch(line)]


def command(words: list[str]) -> str:
    """A command line as it was typed, or close enough to be typed again."""
    name, *rest = words
    if name.endswith("__main__.py"):
        return shlex.join(["python", "-m", Path(name).parent.name, *rest])
    path = Path(name)
    here = path.is_absolute() and path.is_relative_to(Path.cwd())
    return shlex.join([str(path.relative_to(Path.cwd())) if here else name, *rest])
