"""What is in results/, by run and stage, and what of it can be deleted."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plumbline.models.importing import MARKER
from plumbline.storage.temporary import is_temporary, owner_of

SOURCES, BASE, CHECKPOINTS = "sources", "imported models", "checkpoints"
STORE, ROWS, TABLES = "stores of answers", "questions, answers, scores", "tables and report"
LOGS, WORK = "logs and benchmarks", "work and temporary files"
# What a person may delete when disk space is short, and the consequences.
CONSEQUENCES = {
    SOURCES: "fetched again, which needs a network; for file: lines, there is only a note here",
    BASE: "imported again when needed, and whatever was made with them is made again",
    CHECKPOINTS: "gone: trained again when something needs them, with what follows them",
    STORE: "none while the answers exist; answers that are needed again are drawn again",
    ROWS: "made again, with everything that follows them",
    TABLES: "made again from the scores, in minutes",
    LOGS: "gone for good; the report's times need the benchmarks",
    WORK: "`make clean-cache` removes what is dead; otherwise a killed training starts again",
}


@dataclass(frozen=True)
class DiskUse:
    """Bytes on disk and files of one stage of a run; the folder of sources has no run."""

    run: str
    stage: str
    size: int
    files: int


@dataclass(frozen=True)
class Leftover:
    """A file or folder that no result needs. owner: as in `temporary.owner_of`."""

    path: Path
    size: int
    owner: str


def usage(results: Path) -> list[DiskUse]:
    """The size of every stage of every run; links count nothing, files with two names count once."""
    sizes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    seen: set[tuple[int, int]] = set()
    for path in _files(results):
        state = path.lstat()
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        run, *parts = path.relative_to(results).parts
        key = ("", SOURCES) if run == "sources" else (run, stage_of(path, parts))
        sizes[key][0] += state.st_blocks * 512
        sizes[key][1] += 1
    order = list(CONSEQUENCES)
    return [
        DiskUse(*key, *sizes[key])
        for key in sorted(sizes, key=lambda key: (key[0], order.index(key[1])))
    ]


def stage_of(path: Path, parts: list[str]) -> str:
    """The stage of a file, by its place below its run's folder."""
    if any(is_temporary(Path(part)) or part.startswith(".candidate-") for part in parts):
        return WORK
    if len(parts) < 2 or parts[0] in ("tables", "report", "figures"):
        return TABLES
    if parts[0] in ("logs", "benchmarks") or path.suffix == ".log":
        return LOGS
    if parts[1] == "store":
        return STORE
    if "work" in parts[3:4] and parts[1].startswith("seed-"):
        return WORK
    if (path.parent / MARKER).exists():
        return CHECKPOINTS if parts[1].startswith("seed-") else BASE
    return ROWS


def leftovers(results: Path, snakemake: Path) -> Iterator[Leftover]:
    """What killed processes left, scratch folders of finished trainings, and Snakemake's old logs.

    A killed training continues from its scratch folder, so that of an unfinished one is not a leftover.
    snakemake: the folder `.snakemake`; its latest log and its records about files stay.
    """
    for folder, names, files in os.walk(results):
        for name in sorted([*names, *files]):
            path = Path(folder, name)
            scratch = name == "work" or name.startswith(".candidate-")
            if is_temporary(path):
                yield Leftover(path, size(path), owner_of(path))
            elif scratch and (path.parent / "training.json").exists():
                yield Leftover(path, size(path), "dead")
        names[:] = [name for name in names if not is_temporary(Path(name))]
    for path in sorted(snakemake.glob("log/*.snakemake.log"))[:-1]:
        yield Leftover(path, size(path), "dead")


def size(path: Path) -> int:
    """Bytes on disk of a file, or of a folder with everything in it."""
    files = _files(path) if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.lstat().st_blocks * 512 for file in files)


def _files(folder: Path) -> Iterator[Path]:
    """The files that exist now; a run may add and remove some at the same time."""
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink() and path.exists():
                yield path


def as_text(uses: list[DiskUse]) -> str:
    """A table by run and stage, in the largest units that suit."""
    lines = [f"{'':10} {'stage':28} {'size':>10} {'files':>7}"]
    for run in dict.fromkeys(use.run for use in uses):
        of_run = [use for use in uses if use.run == run]
        total = DiskUse(run, "in all", sum(u.size for u in of_run), sum(u.files for u in of_run))
        for use in [*of_run, *([total] if len(of_run) > 1 else [])]:
            name = (run or "(all runs)") if use is of_run[0] else ""
            lines.append(f"{name:10} {use.stage:28} {human(use.size):>10} {use.files:>7,}")
    return "\n".join(lines)


def human(size: int) -> str:
    """Bytes with three digits and a unit."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1000 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
