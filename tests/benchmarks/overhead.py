"""How much of a finished run was overhead: what is no forward or backward pass and no decoding.

Read from the run's benchmark files and logs, so the run must have been made in one go, on a CPU.
Imports, model loads, engine starts and all programs without a model count as overhead of the jobs;
the time when no job runs is Snakemake's. Jobs that run side by side count one by one.
"""

import re
from collections import Counter
from pathlib import Path

from measuring import ROOT
from plumbline.jobs.benchmarks import Measured, measured
from plumbline.jobs.effort import TOLD

_LINE = re.compile(rf"(?m)^[\d:]{{8}} (\w+): ([\d.]+) {TOLD}$")
_OWN = ("generate", "train")  # programs with a stage of their own; all others with a model score


def measure(folder: Path, run: Path = ROOT / "results/demo") -> list[dict]:
    """Seconds and shares of a run, which lies in `run`. FileNotFoundError if it is not finished."""
    if not (run / "report/index.html").is_file():
        raise FileNotFoundError(f"{run} is no finished run: make one first (make demo)")
    passes: Counter[str] = Counter()
    for log in run.rglob("*.log"):
        for program, seconds in _LINE.findall(log.read_text(encoding="utf-8")):
            passes[program if program in _OWN else "score"] += float(seconds)
    jobs: Counter[str] = Counter()
    times = []
    for job in measured(run / "benchmarks"):
        jobs[_kind(job)] += job.wall
        ended = (run / "benchmarks" / job.path).stat().st_mtime
        times.append((ended - job.wall, ended))
    wall, idle = _between(times)
    rows = []
    for kind in ("generate", "train", "score"):
        rows += [
            _row(f"{kind}: jobs", jobs[kind], "wall s"),
            _row(f"{kind}: passes", passes[kind], "wall s"),
            _row(f"{kind}: overhead", 100 * (1 - passes[kind] / jobs[kind]), "%"),
        ]
    return [
        *rows,
        _row("programs without a model", jobs["light"], "wall s"),
        _row("no job runs", idle, "wall s"),
        _row("the run", wall, "wall s"),
        _row("the run: overhead", 100 * (1 - passes.total() / (jobs.total() + idle)), "%"),
    ]


def _between(times: list[tuple[float, float]]) -> tuple[float, float]:
    """Seconds from the first job's beginning to the last one's end, and those when none runs."""
    first = last = min(begun for begun, _ in times)
    idle = 0.0
    for begun, ended in sorted(times):
        idle += max(0.0, begun - last)
        last = max(last, ended)
    return last - first, idle


def _kind(job: Measured) -> str:
    """What a job is, by its benchmark file."""
    stage, name = job.stage, job.path.stem
    if name in ("measure_p_true", "decide_fact_based") or name.startswith("reference-"):
        return "score"
    return stage if stage in ("generate", "train", "score") else "light"


def _row(variant: str, value: float, unit: str) -> dict:
    return {"benchmark": "overhead of a run", "variant": variant, "value": value, "unit": unit}
