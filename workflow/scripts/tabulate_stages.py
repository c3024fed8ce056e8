"""Sum the benchmarks of all jobs by stage: wall seconds, peak memory, number of jobs."""

from collections import defaultdict
from pathlib import Path

from plumbline.experiment.tables import StageCost
from plumbline.jobs import program
from plumbline.jobs.benchmarks import measured
from plumbline.tables import write_table


def main(*, benchmarks: Path, stages_path: Path) -> None:
    stages = defaultdict(lambda: {"wall_seconds": 0.0, "peak_memory_mib": 0.0, "jobs": 0})
    for job in measured(benchmarks):
        stage = stages[job.stage]
        stage["jobs"] += 1
        stage["wall_seconds"] = round(stage["wall_seconds"] + job.wall, 1)
        stage["peak_memory_mib"] = max(stage["peak_memory_mib"], job.memory or 0.0)
    write_table(stages_path, StageCost, ({"stage": name, **row} for name, row in stages.items()))


if __name__ == "__main__":
    program.cli(main)
