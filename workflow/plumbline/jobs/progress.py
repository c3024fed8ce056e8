"""One line on how far a run is and how long it will take, from the plan and the progress so far."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Stages whose jobs also do other jobs' work, so that a job's own time says little about others.
SHARED = ("generate", "score")
SHORT = 2.0  # seconds of a job that is not planned, before one has been seen
START = 5.0  # seconds of a job that finds its work done
# Seconds after which the progress so far weighs as much as the plan.
TRUSTED = 60.0
# As in `program.Progress`.
_LEFT = re.compile(r"\((\d+)%\), .*, (\d+):(\d\d) left$", re.MULTILINE)
# Per cent from which on it is believed: of answers that a model writes together, the first ends late
# and the others soon after.
TELLING = 10
_TAIL = 4096


@dataclass
class Job:
    """A job of a run.

    stage: the folder of its benchmark, None: it has none; awaited_by: the jobs that need it;
    seconds: its time, once it has succeeded; one_of: how many were submitted as one; each is taken
    to have an equal share of their time.
    """

    stage: str | None
    logs: Collection[Path] = ()
    awaited_by: Collection[int] = ()
    begun: float | None = None
    seconds: float | None = None
    one_of: int = 1

    @property
    def running(self) -> bool:
        return self.begun is not None and self.seconds is None

    def spent(self, now: float) -> float:
        if self.begun is None:
            return 0.0
        return (now - self.begun) / self.one_of if self.seconds is None else self.seconds

    def told(self) -> tuple[int, float] | None:
        """The per cent done and the remaining seconds that its program reports, in the last such line
        of its log.
        """
        for path in self.logs:
            try:
                if path.stat().st_mtime >= self.begun and (said := _LEFT.findall(tail(path))):
                    done, minutes, seconds = map(int, said[-1])
                    return done, 60.0 * minutes + seconds
            except FileNotFoundError:  # nothing has been logged yet
                continue
        return None

    def told_left(self) -> float | None:
        """Those seconds. None: it reports none, or too little of its work is done."""
        done, left = self.told() or (0, 0.0)
        return left if done >= TELLING else None


def tail(path: Path) -> str:
    """The end of a log."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        return stream.read().decode("utf-8", errors="replace")


@dataclass
class RunProgress:
    """The state of the jobs of a run, by id. Times are seconds since the epoch."""

    jobs: Mapping[int, Job]
    begun: float
    failed: set[int] = field(default_factory=set)

    def start(self, job: int, now: float, one_of: int = 1) -> None:
        """A job starts, or starts again after a failure."""
        self.failed.discard(job)
        self.jobs[job].begun, self.jobs[job].seconds = now, None
        self.jobs[job].one_of = one_of

    def finish(self, job: int, now: float) -> None:
        self.jobs[job].seconds = self.jobs[job].spent(now)

    def fail(self, job: int) -> None:
        self.failed.add(job)
        self.jobs[job].begun = None

    def lost(self) -> set[int]:
        """Jobs that failed, and jobs that wait for one of them."""
        found, to_do = set(), list(self.failed)
        while to_do:
            job = to_do.pop()
            if job not in found:
                found.add(job)
                to_do += self.jobs[job].awaited_by
        return found

    def line(self, now: float, plan: Mapping | None, stopping: bool = False) -> str:
        """`23/70 jobs · generate 3/9 (34 %) · train 2/5 (8 %, 60 %) · about 6 min left`.

        Stages with a running job are named, with how far their running jobs say they are. plan: that
        of plan.json; without it, or in a run that is stopping, no time is given.
        """
        done = sum(job.seconds is not None for job in self.jobs.values())
        parts = [f"{done:,}/{len(self.jobs):,} jobs"]
        for stage, found in self._stages().items():
            jobs = found.values()
            if stage and (running := [job for job in jobs if job.running]):
                ended = sum(job.seconds is not None for job in jobs)
                shares = ", ".join(f"{told[0]} %" for job in running if (told := job.told()))
                parts.append(
                    f"{stage} {ended:,}/{len(jobs):,}" + (f" ({shares})" if shares else "")
                )
        if self.failed:
            parts.append(f"{len(self.failed):,} failed")
        if stopping:
            parts.append("stopping, waits for running jobs to end")
        elif plan:
            parts.append(f"{about(self.left(now, plan))} left")
        return " · ".join(parts)

    def left(self, now: float, plan: Mapping) -> float:
        """Seconds until the end of the run.

        Each stage's remaining time is its planned time at the pace of what is done, or follows from
        what its jobs took and report; it is divided by the number of jobs that have run at once so far.
        """
        planned = dict(self._planned(plan))
        pace = self._pace(planned)
        lost = self.lost()
        work = 0.0
        for stage, jobs in self._stages().items():
            to_do = [job for number, job in jobs.items() if number not in lost]
            if stage not in planned:
                work += _unplanned(to_do)
                continue
            mean = planned[stage] * pace / len(jobs)
            if stage in SHARED:
                work += _shared(to_do, mean * len(to_do), now)
            else:
                work += _apart(to_do, mean, now)
        spent = sum(job.spent(now) for job in self.jobs.values())
        return work * (TRUSTED + now - self.begun) / (TRUSTED + spent)

    def _stages(self) -> dict[str | None, dict[int, Job]]:
        stages: dict[str | None, dict[int, Job]] = {}
        for number, job in self.jobs.items():
            stages.setdefault(job.stage, {})[number] = job
        return stages

    def _planned(self, plan: Mapping) -> Iterator[tuple[str, float]]:
        """Seconds of this run's part of each stage, since some jobs may have been done earlier."""
        here = self._stages()
        for stage in plan["stages"]:
            if (jobs := here.get(stage["stage"])) and stage["jobs"]:
                yield stage["stage"], stage["seconds"] * min(1.0, len(jobs) / stage["jobs"])

    def _pace(self, planned: Mapping[str, float]) -> float:
        """How much longer than planned the finished jobs took."""
        took = expected = TRUSTED
        for stage, jobs in self._stages().items():
            ended = [job.seconds for job in jobs.values() if job.seconds is not None]
            if stage in planned and (stage not in SHARED or len(ended) == len(jobs)):
                took += sum(ended)
                expected += planned[stage] * len(ended) / len(jobs)
        return took / expected


def _unplanned(jobs: Iterable[Job]) -> float:
    ended = [job.seconds for job in jobs if job.seconds is not None]
    mean = (SHORT + sum(ended)) / (1 + len(ended))
    return mean * sum(job.begun is None for job in jobs)


def _shared(jobs: Collection[Job], whole: float, now: float) -> float:
    """The rest of the whole stage's seconds, but at least what its jobs report."""
    waiting = sum(job.begun is None for job in jobs)
    running = [job for job in jobs if job.running]
    if not waiting and not running:
        return 0.0
    spent = sum(job.spent(now) for job in jobs)
    return max(whole - spent, waiting * START + sum(job.told_left() or 0.0 for job in running))


def _apart(jobs: Collection[Job], mean: float, now: float) -> float:
    """For jobs of similar length; `mean` is the expected time of one."""
    ended = [job.seconds for job in jobs if job.seconds is not None]
    told = [(job.spent(now), job.told_left()) for job in jobs if job.running]
    seen = ended + [spent + left for spent, left in told if left is not None]
    mean = (mean + sum(seen)) / (1 + len(seen))
    going = sum(max(mean - spent, 0.0) if left is None else left for spent, left in told)
    return going + mean * sum(job.begun is None for job in jobs)


def duration(seconds: float) -> str:
    """A time that was taken: `42 s`, `9 min`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def about(seconds: float) -> str:
    """A time as precise as an estimate can be: `about 6 min`, `about 1 h 40 min`, `about 3 days`."""
    minutes = math.ceil(seconds / 60)
    if minutes <= 1:
        return "about a minute"
    if minutes < 60:
        return f"about {minutes} min"
    hours, tens = divmod(round(minutes, -1), 60)
    if hours < 10:
        return f"about {hours} h {tens} min" if tens else f"about {hours} h"
    hours = round(minutes / 60)
    return f"about {hours} h" if hours < 48 else f"about {round(hours / 24)} days"
