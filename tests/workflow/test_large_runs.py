"""Runs of many seeds and models: no command and no variable grows with them."""

import json
import re
import time

import pytest
from method_overlays import overlay
from project import Project

pytestmark = pytest.mark.workflow
LIMIT = 128 * 1024  # bytes of an argument or a variable on Linux (execve(2), MAX_ARG_STRLEN)
# Snakemake in a process that prints the lengths of its variables in the end.
DRIVER = """
import json, os, sys
from snakemake.cli import main
try:
    main()
finally:
    print("\\nVARIABLES", json.dumps({name: len(value) for name, value in os.environ.items()}))
"""


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    (tmp_path / "driver.py").write_text(DRIVER)
    return made


def sizes(project, seeds, models):
    """The number of jobs, and the lengths of each rule's longest command and of every variable."""
    words = ["--dry-run", "--printshellcmds", *overlay(project, seeds, models)]
    output = project.snakemake(*words, program="driver.py", timeout=1800)
    commands, jobs = {}, re.split(r"(?m)^(?=(?:local)?rule \w+:$)", output)[1:]
    for part in jobs:
        rule = re.match(r"\w+ (\w+):", part)[1]
        command = re.search(r"(?ms)^Shell command: *(.*?)\n\n", part + "\n\n")
        if command:
            commands[rule] = max(commands.get(rule, 0), len(command[1].encode()))
    assert len(commands) > 40
    return len(jobs), commands, json.loads(output.rpartition("VARIABLES")[2])


def test_no_command_and_no_variable_grows_with_seeds_and_models(project):
    (_, one, few), (_, many, more) = sizes(project, 1, 1), sizes(project, 3, 2)
    # A few bytes: the number of a seed, what the configuration says of another model.
    grown = {rule: size - one[rule] for rule, size in many.items() if size > one[rule] + 400}
    assert not grown, "bytes by rule"
    grown = {name: size - few.get(name, 0) for name, size in more.items() if name in few}
    assert max(grown.values()) < 200, grown


def test_a_job_of_thirty_seeds_and_five_models_runs(project):
    """On Linux none could be started when all works stood in one variable."""
    project.snakemake("--configfile", *overlay(project, 30, 5)[1:], "facts")
    lists = project.folder / "results/demo/lists"
    assert (lists / "works.json").stat().st_size > LIMIT
    written = {path.name: path.stat().st_mtime_ns for path in lists.iterdir()}
    (project.folder / "results/demo/tables/fact_counts.csv").unlink()
    project.snakemake("--configfile", *overlay(project, 30, 5)[1:], "facts")
    assert {path.name: path.stat().st_mtime_ns for path in lists.iterdir()} == written
    # What is only tried out takes no list away from jobs that run.
    project.snakemake("--dry-run", *overlay(project, 1, 1), "facts")
    assert {path.name: path.stat().st_mtime_ns for path in lists.iterdir()} == written


@pytest.mark.whole
def test_thirty_seeds_and_five_models_make_a_plan_of_jobs(project, capsys):
    start = time.monotonic()
    project.snakemake("--dry-run", "--quiet", "rules", "progress", *overlay(project, 30, 5))
    seconds = time.monotonic() - start
    jobs, commands, variables = sizes(project, 30, 5)
    assert jobs > 30_000
    assert max(*commands.values(), *variables.values()) < LIMIT / 8
    with capsys.disabled():
        print(f"\n{jobs:,} jobs planned in {seconds:.0f} s")
