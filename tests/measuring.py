"""What benchmarks share: variants measured in turn, their costs as rows, and the embedded model.

Other work on a machine changes wall time by half and processor time by little. So both are measured,
variants take turns (A, B, A, B, …), and a ratio is the median of the turns' own ratios.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

import yaml

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ("benchmark", "variant", "value", "unit")
TURNS = 3
Result = TypeVar("Result")


class Cost(NamedTuple):
    """Seconds of all processors together, and by the clock."""

    processor: float
    wall: float


class Different(AssertionError):
    """Two variants that should give the same answer do not."""


def check(same: bool, message: str) -> None:
    """Raise Different with the message unless `same`; unlike an assertion in every mode of Python."""
    if not same:
        raise Different(message)


def _processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # those that were waited for
    return time.process_time() + children.ru_utime + children.ru_stime


def cost_of(work: Callable[[], Result]) -> tuple[Cost, Result]:
    """What the work cost, in this process and in those it waited for, and what it gave."""
    processor, wall = _processor_seconds(), time.perf_counter()
    result = work()
    return Cost(_processor_seconds() - processor, time.perf_counter() - wall), result


def in_turn(
    variants: Mapping[str, Callable[[], tuple[Cost, Result]]],
    agree: Callable[[dict[str, Result]], None],
    turns: int = TURNS,
) -> dict[str, list[Cost]]:
    """The costs of every variant, turn by turn.

    variants: each gives what it cost (`cost_of`) and its result, so that what it needs before, such
    as an engine's start, can be left out. agree: given a turn's results by variant, raises
    `Different` where they are not the same.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for _ in range(turns):
        results = {}
        for name, run in variants.items():
            cost, results[name] = run()
            costs[name].append(cost)
        agree(results)
    return costs


def row(benchmark: str, variant: str, value: float, unit: str) -> dict:
    """A row of results/bench/<name>.csv."""
    return dict(zip(COLUMNS, (benchmark, variant, value, unit), strict=True))


def cost_rows(benchmark: str, costs: Mapping[str, Sequence[Cost]], ours: str) -> list[dict]:
    """Medians of every variant's costs, and how many times ours each of the others costs."""
    rows = []
    for name, found in costs.items():
        for kind in Cost._fields:
            value = median(getattr(one, kind) for one in found)
            rows.append(row(benchmark, name, value, f"{kind} s"))
    for name, found in costs.items():
        if name != ours:
            for kind in Cost._fields:
                pairs = zip(found, costs[ours], strict=True)
                value = median(
                    getattr(theirs, kind) / getattr(mine, kind) for theirs, mine in pairs
                )
                rows.append(row(benchmark, f"{name} / {ours}", value, f"{kind} ratio"))
    return rows


def run_program(words: Sequence[str], log: Path, folder: Path = ROOT, **environment: str):
    """(its cost, peak resident MiB) of a process that is run to its end.

    Its output goes to `log`; RuntimeError with the end of it when it fails. A process begins with
    the memory of the one that started it, so that peak memory below this one's is not seen.
    """
    with log.open("w", encoding="utf-8") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, words)), cwd=folder, stdout=stream, stderr=stream,
            env={**os.environ, **environment},
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(map(str, words))[:300]}: exit {process.returncode}\n{end}")
    return Cost(used.ru_utime + used.ru_stime, wall), used.ru_maxrss / 1024


def embedded_model() -> Path:
    """The embedded experiment's model as a base checkpoint, fetched and imported if it has to be.

    That is done in a process of its own: programs run by this one begin with the memory it has
    (`run_program`).
    """
    base = ROOT / "results/bench" / _about()["name"] / "base"
    if not (base / "checkpoint.json").exists():
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            alone.submit(_import, base).result()
    return base


def _about() -> dict[str, str]:
    (about,) = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["models"]
    return about


def _import(base: Path) -> None:
    from plumbline.experiment.fetched import marker
    from plumbline.models.importing import import_model
    from plumbline.sources.fetching import fetch
    from plumbline.sources.source import Source

    about = _about()
    where = about["source"], about["sha256"]
    path = fetch(Source.parse(*where), (ROOT / marker(*where)).parent)
    base.parent.mkdir(parents=True, exist_ok=True)
    import_model(path, base, about["name"], source=about["source"])
