"""Run benchmarks, two side by side, each in a process of its own, and print what they found.

    make bench                  # all of them
    make bench ONLY=probing     # some: names with commas between them

Every other module of this folder is a benchmark: it has `measure(folder)`, where `folder` is its own
to write in, which returns rows with `measuring.COLUMNS`. They are written to results/bench/NAME.csv
as soon as there are any. A benchmark that fails is reported at the end, and the others still run.
Two run at a time where there are two cores, since most keep one busy: a ratio is of variants that take
turns, in processor seconds, and hardly depends on what runs beside them.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import groupby
from pathlib import Path

from measuring import COLUMNS, ROOT

HERE = Path(__file__).resolve().parent


def benchmarks(folder: Path = HERE) -> list[str]:
    """The names of a folder's benchmarks."""
    return sorted(path.stem for path in folder.glob("*.py") if path.name != Path(__file__).name)


def measure(name: str, folder: Path, out: Path) -> None:
    """Run a benchmark of `folder` in this process and write its rows."""
    sys.path.insert(0, str(folder))
    work = out / "work" / name
    work.mkdir(parents=True, exist_ok=True)
    rows = import_module(name).measure(work)
    if not rows or any(set(row) != set(COLUMNS) for row in rows):
        raise ValueError(f"{name}: expected rows with the columns {', '.join(COLUMNS)}")
    with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def table(path: Path) -> str:
    """A benchmark's rows as text."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    width = max(len(row["variant"]) for row in rows)
    lines = []
    for benchmark, group in groupby(rows, key=lambda row: row["benchmark"]):
        lines += ["", benchmark]
        for row in group:
            value = float(row["value"])
            shown = f"{value:,.3g}" if abs(value) < 99.95 else f"{value:,.0f}"
            lines.append(f"  {row['variant']:<{width}}  {shown:>9}  {row['unit']}")
    return "\n".join(lines)


def run(names: list[str], folder: Path, out: Path) -> list[str]:
    """Run benchmarks, tell how they went, and return the names of those that failed."""
    failed = []

    def one(place: int, name: str) -> None:
        print(f"[{place}/{len(names)}] {name} …", flush=True)
        start = time.monotonic()
        (out / f"{name}.csv").unlink(missing_ok=True)
        words = ["--alone", name, "--folder", str(folder), "--out", str(out)]
        done = subprocess.run([sys.executable, __file__, *words], check=False)
        told = f"{time.monotonic() - start:.0f} s"
        if done.returncode:
            failed.append(name)
            print(f"[{place}/{len(names)}] {name}: FAILED after {told}", flush=True)
        else:
            print(table(out / f"{name}.csv") + f"\n\n{name}: {told}", flush=True)

    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as beside:
        list(beside.map(one, range(1, len(names) + 1), names))
    return sorted(failed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="names, comma-separated; default: all")
    parser.add_argument("--folder", type=Path, default=HERE, help="of the benchmarks")
    parser.add_argument("--out", type=Path, default=ROOT / "results/bench", help="of their files")
    parser.add_argument("--alone", help="this one, in this process")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.alone:
        measure(args.alone, args.folder.resolve(), args.out)
        return
    there = benchmarks(args.folder)
    names = [name.strip() for name in args.only.split(",") if name.strip()] or there
    if unknown := sorted(set(names) - set(there)):
        sys.exit(f"no such benchmark: {', '.join(unknown)}. There are: {', '.join(there)}.")
    if failed := run(names, args.folder.resolve(), args.out):
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
