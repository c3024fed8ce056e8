"""What the rules' shell lines say is what the programs understand, for every shipped configuration
and for one that turns everything on.

Each command of a dry run goes through bash with what Snakemake gives to jobs, and each program's
own parser reads what has come of it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from pathlib import Path

import method_overlays
import pytest
from plumbline.jobs.command_line import arguments
from plumbline.models.scoring_jobs import ScoringJob
from plumbline.storage.files import InputError
from project import ROOT, Project, shell_rules

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
CONFIG = ROOT / "config"
# Beside config.yaml; a paper's tasks are the harness's files.
SHIPPED = [path for path in sorted(CONFIG.rglob("*.yaml")) if path.parent.name != "tasks"]
SHIPPED.remove(CONFIG / "config.yaml")
EVERYTHING = [str(ROOT / "tests/everything.yaml"), *map(str, method_overlays.FILES)]
ENDPOINT = "{kind: endpoint, url: 'http://127.0.0.1:9/v1', model: m, passages: {format: facts}}"
OWN_QUESTIONS = "{name: own, format: rows, source: 'file:own.jsonl', domain: ood}"
AUDITED = "{checkpoints: [{name: tuned, source: 'file:tuned'}]}"
TARGETS = ["report", "plan", "fetch", "cards", "lm_eval"]
CONFIGURATIONS = {
    "default": TARGETS,
    **{path.stem: [*TARGETS, "--configfile", str(path)] for path in SHIPPED},
    "everything": [
        *(*TARGETS, "augment", "--configfile", *EVERYTHING),
        *("--config", f"evaluation={{closed_book: [{OWN_QUESTIONS}]}}", f"audit={AUDITED}"),
    ],
    "endpoint": ["flame", "--configfile", *EVERYTHING, "--config", f"verification={ENDPOINT}"],
}
SCORING = (1, 5)  # LAST and LEADING of workflow/rules/common.smk
# Arguments that are folders of what no rule has among its inputs or outputs.
STORES = ("store", "benchmarks")
# Files that are there once all beside them is.
MARKERS = ("training.json", "checkpoint.json")
# In place of Python: writes down its arguments, each ended by a zero byte, and a line break.
RECORDER = """#!/bin/sh
{ for word; do printf '%s\\0' "$word"; done; printf '\\n'; } >>calls/$CALL
"""


@dataclass
class Job:
    """A job of a dry run."""

    rule: str
    inputs: list[str]
    outputs: list[str]
    log: str
    command: str
    priority: int


@dataclass
class Call:
    """A program with the arguments that a job gives it."""

    job: Job
    program: str
    arguments: list[str]


def planned(project: Project, *arguments: str) -> list[Job]:
    said = project.snakemake("--dry-run", "--forceall", "--printshellcmds", *arguments)
    found = []
    for block in re.split(r"^\[.*\]$", said.split("Job stats:")[1], flags=re.MULTILINE)[1:]:
        rule = re.search(r"^(?:local)?rule (\w+):", block, flags=re.MULTILINE)
        command = re.search(r"^Shell command: (.+)$", block, flags=re.MULTILINE)
        if rule and command and command[1] != "None":  # which a target has
            told = dict(
                re.findall(r"^    (input|output|log|priority): (.+)$", block, flags=re.MULTILINE)
            )
            inputs, outputs = (told.get(name, "").split(", ") for name in ("input", "output"))
            priority = int(told["priority"])
            found.append(Job(rule[1], inputs, outputs, told["log"], command[1], priority))
    return found


def called(project: Project, jobs: list[Job]) -> Iterator[Call]:
    """What the jobs' commands call, after bash has read them."""
    folder = project.folder
    shutil.rmtree(folder / "calls", ignore_errors=True)
    (folder / "calls").mkdir()
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/python").write_text(RECORDER)
    (folder / "bin/python").chmod(0o755)
    for job in jobs:  # as Snakemake does
        (folder / job.log).parent.mkdir(parents=True, exist_ok=True)
    environment = json.loads((folder / "environment.json").read_text())
    environment["PATH"] = f"{folder}/bin:{environment['PATH']}"
    lines = [f"export CALL={n}; ( {job.command} )" for n, job in enumerate(jobs)]
    (folder / "commands.sh").write_text("set -euo pipefail\n" + "\n".join(lines))
    done = subprocess.run(
        ["bash", "commands.sh"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr, done.stderr[-3000:]
    for number, job in enumerate(jobs):
        record = folder / "calls" / str(number)
        assert record.exists(), f"{job.rule} calls no program: {job.command}"
        for line in record.read_text().split("\0\n")[:-1]:
            option, module, *arguments = line.split("\0")
            assert option == "-m" and module.startswith("scripts."), line
            yield Call(job, module.removeprefix("scripts."), arguments)


def parsed(call: Call) -> dict[str, object]:
    """The options as the program reads them, by name; an assertion with its words if it refuses."""
    main = import_module(f"scripts.{call.program}").main
    try:
        given = arguments(main, call.arguments).arguments
    except InputError as error:
        raise AssertionError(f"{call.job.rule}: {error}\n{call}") from None
    shared = [vars(value) for value in given.values() if is_dataclass(value)]
    return dict(ChainMap(*shared, given))


def check(call: Call, given: dict[str, object], folder: Path) -> None:
    """What a call names is what its job is there for, or a list of the run, and JSON is JSON."""
    files = [*call.job.inputs, *call.job.outputs]
    files += [str(path.relative_to(folder)) for path in folder.glob("results/*/lists/*.json")]
    for name, value in given.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str) and one.startswith(("{", "[")):
                json.loads(one)
            if isinstance(one, Path) and one.parts[:1] == ("results",) and name not in STORES:
                assert any(related(one, Path(file)) for file in files), (
                    f"{call.job.rule}: --{name} {one} is neither of its inputs nor of its outputs"
                )


def check_scoring(call: Call) -> None:
    """A process that scores for other jobs reads from the list what bash reads from their commands."""
    scores = hasattr(import_module(f"scripts.{call.program}"), "scoring_jobs")
    assert scores == (call.job.priority in SCORING), f"{call.job.rule} is listed by its priority"
    if scores:
        [output] = call.job.outputs
        listed = ScoringJob(call.job.command, call.job.inputs, output, code="")
        assert (listed.program, listed.words()) == (call.program, call.arguments)
        assert output in call.arguments


def related(one: Path, file: Path) -> bool:
    """Whether a path is a file, a folder that holds it, or stands for what a marker is there for."""
    beside = file.name in MARKERS and one.is_relative_to(file.parent)
    return beside or one.is_relative_to(file) or file.is_relative_to(one)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A checkout that writes down what Snakemake gives to jobs, with the files that are the user's."""
    made = Project(tmp_path_factory.mktemp("commands"))
    with (made.folder / "Snakefile").open("a") as stream:
        stream.write("\nPath('environment.json').write_text(json.dumps(dict(os.environ)))\n")
        stream.write("lists.write(Path(R) / 'lists', LISTS)\n")
    (made.folder / "tasks").mkdir()
    (made.folder / "tasks/arc.yaml").write_text("task: arc\n")
    (made.folder / "own.jsonl").write_text("")
    return made


@pytest.fixture(scope="module")
def seen():
    """Rules whose command has been read, by configuration."""
    return {}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_program_understands_what_its_rules_say(project, name, seen, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_DATA", str(project.folder))
    monkeypatch.chdir(project.folder)  # where lists of the run are
    jobs = planned(project, *CONFIGURATIONS[name])
    assert jobs
    exported = json.loads((project.folder / "environment.json").read_text())
    for variable in exported:
        if variable.startswith("PLUMBLINE_"):
            monkeypatch.setenv(variable, exported[variable])
    for call in called(project, jobs):
        check(call, parsed(call), project.folder)
        check_scoring(call)
    seen[name] = {job.rule for job in jobs}


def test_no_rule_is_left_out(seen):
    if len(seen) < len(CONFIGURATIONS):
        pytest.skip("only some of the configurations were read")
    assert shell_rules() - seen["everything"] == set()
