"""A run of the tiny experiment on a cluster: started, watched, and asked what became of its jobs."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from filelock import FileLock
from lab.cluster import ask, until
from plumbline.config.engines import GenerationSettings
from plumbline.generation.store import answers_folder
from project import Project, called

PROFILE = "workflow/profiles/slurm"
MODEL = 'models=[{name: tiny, source: "file:$PLUMBLINE_TINY_MODEL", dtype: float32}]'
TINY = Path(__file__).with_name("tiny.yaml")
SETTINGS = ["--configfile", str(TINY), "--config", MODEL]
# Rules that ask for a GPU where the device is cuda. The tests run them on a CPU beside one.
GPU_RULES = (
    "generate", "generate_first", "generate_leading", "train", "score_choices", "decide_fact_based",
)  # fmt: skip
GPUS = [f"{rule}:gpu=1" for rule in GPU_RULES]
# Quicker to look after its jobs than a shared cluster should be asked to be.
QUICK = ["--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10", "--cores", "2"]
RESULTS = "results/cluster/tiny"
# Two pieces of work that need the base model and not each other.
GENERATIONS, SCORES = f"{RESULTS}/slick/generations.jsonl", f"{RESULTS}/base/choices/facts.jsonl"


@dataclass
class Job:
    """What SLURM says of a job."""

    number: str
    rule: str
    state: str
    partition: str
    node: str
    fields: dict[str, str]


class Run:
    """Snakemake, submitting jobs from a project's folder."""

    def __init__(
        self,
        project: Project,
        *arguments: str,
        resources: list[str] = GPUS,
        config: str = "",
        settings: list[str] = SETTINGS,
    ):
        self.project = project
        self.before = {job.number for job in all_jobs()}
        self.log = project.folder / "driver.log"
        command = [
            sys.executable, "-m", "snakemake", *arguments, "--workflow-profile", PROFILE, *QUICK,
            *settings, *([config] if config else []), "--set-resources", *resources,
        ]  # fmt: skip
        environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=project.folder, env=environment, stdout=log, stderr=log
            )

    def wait(self, seconds: float = 400) -> tuple[int, str]:
        """How it ended, and all it said; AssertionError with that if it does not end."""
        try:
            return self.process.wait(seconds), self.log.read_text()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(self.log.read_text()[-4000:]) from None

    def jobs(self) -> list[Job]:
        """The jobs that it submitted, oldest first."""
        return [job for job in all_jobs() if job.number not in self.before]

    def running(self, rule: str, other_than: tuple[str, ...] = ()) -> Job:
        """A job of a rule, once SLURM has started it."""

        def find() -> list[Job]:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            return [
                job for job in self.jobs()
                if (job.rule, job.state) == (rule, "RUNNING") and job.number not in other_than
            ]  # fmt: skip

        until(f"a running job of {rule}", 300, find)
        return find()[0]


def all_jobs() -> list[Job]:
    """Every job that the cluster remembers."""
    found = []
    for line in ask("scontrol", "show", "job", "--oneliner", "--detail").splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if "JobId" in fields:
            rule = fields.get("Comment", "").removeprefix("rule_").split("_wildcards_")[0]
            rule = re.sub("^(answers|scores)-[^_]*_", "", rule)  # of a group, all its rules
            rule = called(rule)
            place = fields["JobState"], fields["Partition"], fields.get("NodeList", "")
            found.append(Job(fields["JobId"], rule, *place, fields))
    return sorted(found, key=lambda job: int(job.number))


@contextlib.contextmanager
def held(project: Project) -> Iterator[None]:
    """Answers of the base model wait, as for another job that has its store: no load, any time."""
    settings = GenerationSettings(**yaml.safe_load(TINY.read_text())["generation"])
    root = project.folder / RESULTS
    store = answers_folder(root, root / "base", settings)
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "serve-0-of-1.lock"):
        yield
        assert not (project.folder / GENERATIONS).exists(), "it did not wait"


def left_to_do(project: Project, *targets: str, settings: list[str] = SETTINGS) -> dict[str, int]:
    """The jobs of each rule that a rerun would have."""
    return project.jobs(*targets, "--workflow-profile", PROFILE, *settings)


def use_partitions(project: Project) -> None:
    """Do what a user does first: name the cluster's partitions."""
    partitions: dict[str, dict[str, int]] = {}
    for line in ask("sinfo", "-h", "-o", "%R %G").splitlines():
        name, devices = line.split(maxsplit=1)
        partitions.setdefault(name, {})
        if "gpu" in devices:
            partitions[name] = {"max_gpu": 8}
    file = project.folder / PROFILE / "partitions.yaml"
    file.write_text(yaml.safe_dump({"partitions": partitions}))
