"""Thousands of jobs whose programs only make their files: planning, submitting, asking after them."""

import json
import os
import subprocess
import sys

import pytest
from cluster_run import PROFILE, use_partitions
from method_overlays import OVERLAYS, overlay
from project import Project

pytestmark = [pytest.mark.slurm, pytest.mark.whole, pytest.mark.timeout(3600)]
# Snakemake in a process that says in the end how long each of these took. A job that is submitted
# runs no Snakemake of its own, which would take seconds each time.
DRIVER = """
import json, shlex, time
from collections import Counter
from pathlib import Path

from snakemake.cli import main
from snakemake import workflow
from snakemake.executors import local
from snakemake_executor_plugin_slurm import Executor

seconds, calls = Counter(), Counter()


def timed(owner, name, function):
    def call(*arguments):
        start = time.monotonic()
        try:
            return function(*arguments)
        finally:
            seconds[name] += time.monotonic() - start
            calls[name] += 1

    setattr(owner, name, call)


def files(job):
    jobs = job.jobs if job.is_group() else [job]
    return [str(path) for one in jobs for path in (*one.output, one.benchmark) if path]


def make(paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def locally(self, job):
    self.job_args_and_prepare(job)
    return self.pool.submit(make, files(job))


def command(self, job):
    folders = sorted({str(Path(path).parent) for path in files(job)})
    return f"mkdir -p {shlex.join(folders)}; touch {shlex.join(files(job))}"


def shutdown(self, real=Executor.shutdown):
    real(self)
    calls["asked"], seconds["asked"] = self._status_query_calls, self._status_query_total_seconds


local.Executor.run_single_job, Executor.format_job_exec = locally, command
Executor.shutdown = shutdown
timed(Executor, "run_job", Executor.run_job)
timed(workflow.Workflow, "_build_dag", workflow.Workflow._build_dag)
start = time.monotonic()
try:
    main()
finally:
    seconds["all"] = time.monotonic() - start
    print("\\nTOOK", json.dumps({"seconds": seconds, "calls": calls}))
"""
# All but the report, whose end is a look into tables that are empty here.
TARGETS = ["evaluate", "grath", "flame", "apeft", *OVERLAYS, "token_shift"]
# More often asked after than a shared cluster should be: nothing is shown by waiting.
QUICK = ["--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "20"]
QUICK += ["--jobs", "200", "--cores", "2"]


def test_five_thousand_jobs(cluster, tmp_path, tell):
    project = Project(tmp_path)
    use_partitions(project)
    (tmp_path / "driver.py").write_text(DRIVER)
    words = ["--workflow-profile", PROFILE, *QUICK, *overlay(project, seeds=5, models=5), *TARGETS]
    jobs = project.jobs(*words)
    with (tmp_path / "driver.log").open("w") as log:
        code = subprocess.run(
            [sys.executable, "driver.py", *words],
            cwd=tmp_path, stdout=log, stderr=log, timeout=3300,
            env={**os.environ, "NO_COLOR": "1"},
        ).returncode  # fmt: skip
    said = (tmp_path / "driver.log").read_text()
    assert code == 0, said[-4000:]
    took = json.loads(said.rpartition("TOOK")[2])
    seconds, calls = took["seconds"], took["calls"]
    assert sum(jobs.values()) > 5000 and 100 < calls["run_job"] < sum(jobs.values()) / 3
    assert project.jobs(*words) == {}
    tell(
        f"{sum(jobs.values()):,} jobs in {seconds['all']:.0f} s, {calls['run_job']:,} submitted: "
        f"planned in {seconds['_build_dag']:.0f} s, a submission in "
        f"{seconds['run_job'] / calls['run_job']:.2f} s, asked {calls['asked']} times in "
        f"{seconds['asked'] / calls['asked']:.2f} s each"
    )
