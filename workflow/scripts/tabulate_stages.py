"""Sum the benchmarks of all jobs by stage: wall seconds, peak memory, number of jobs."""

import csv
from collections import defaultdict
from pathlib import Path

from plumbline.experiment.tables import StageCost
from plumbline.jobs import program
from plumbline.tables import write_table


def main(*, benchmarks: Path, stages_path: Path) -> None:
    stages = defaultdict(lambda: {"wall_seconds": 0.0, "peak_memory_mib": 0.0, "jobs": 0})
    for path in sorted(benchmarks.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                # A benchmark lies in the folder of its stage.
                stage = stages[path.relative_to(benchmarks).parts[0]]
                stage["jobs"] += 1
                stage["wall_seconds"] = round(stage["wall_seconds"] + float(row["s"]), 1)
                if row["max_rss"] not in ("-", "NA"):  # a job too short to be measured
                    stage["peak_memory_mib"] = max(stage["peak_memory_mib"], float(row["max_rss"]))
    write_table(stages_path, StageCost, ({"stage": name, **row} for name, row in stages.items()))


if __name__ == "__main__":
    program.cli(main)
