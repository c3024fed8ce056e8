"""The jobs of a configuration, what each depends on, and which would run again after another."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import snakemake.api
import snakemake.workflow
from plumbline.jobs import digest
from project import ROOT, Project, called
from snakemake.cli import parse_args
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    GroupSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry


class Job(NamedTuple):
    """What Snakemake compares with the last run of a job, and the jobs it waits for, by name."""

    rule: str
    params: tuple[str, ...]
    inputs: tuple[str, ...]
    behind: tuple[str, ...]
    wildcards: dict[str, str]
    priority: int


class Submission(NamedTuple):
    """What a cluster gets at once: jobs by their first output, and what they ask for together."""

    jobs: tuple[str, ...]
    resources: dict[str, int | str]


class Graphs:
    """Graphs of jobs of this checkout's workflow. Rules are read once, code is not."""

    def __init__(self, folder: Path):
        """folder: an empty one, where Snakemake finds nothing finished."""
        self._folder, self._rules = folder, {}
        self._parse = snakemake.workflow.parse

    def jobs(self, overlay: dict) -> dict[str, Job]:
        """All jobs of the default target by their first output, with this laid over the defaults."""
        file = self._folder / "overlay.json"
        file.write_text(json.dumps(overlay))
        with self._dag([file]) as dag:
            return {
                _name(job): Job(
                    called(job.rule.name),
                    tuple(sorted(map(repr, job.non_derived_params))),
                    tuple(sorted(job.input)),
                    tuple(sorted(map(_name, dag.dependencies[job]))),
                    dict(job.wildcards_dict),
                    job.rule.priority,
                )
                for job in dag.jobs
            }

    def counts(self, files: Sequence[Path], targets: Iterable[str]) -> dict[str, int]:
        """How many jobs of each rule these targets have, with configuration files laid over."""
        with self._dag(files, targets) as dag:
            return dict(
                Counter(called(job.rule.name) for job in dag.jobs if job.rule.name != "all")
            )

    def submissions(self, overlay: dict) -> list[Submission]:
        """What the profile for SLURM submits of the default target, with this over the defaults."""
        file = self._folder / "overlay.json"
        file.write_text(json.dumps(overlay))
        words = ["--workflow-profile", str(ROOT / "workflow/profiles/slurm"), "--dry-run"]
        with self._aside():
            _, profile = parse_args(words)
        with self._dag([file], profile=profile) as dag:
            return [
                Submission(
                    tuple(map(_name, one if one.is_group() else [one])),
                    dict(one.resources.items()),
                )
                for one in dag.get_jobs_or_groups()
                if not one.is_local
            ]

    @contextmanager
    def _dag(self, files: Sequence[Path], targets: Iterable[str] = (), profile=None):
        resources = ResourceSettings(cores=2)
        if profile:
            resources = ResourceSettings(
                cores=profile.cores,
                nodes=profile.jobs,
                default_resources=profile.default_resources,
                overwrite_threads=profile.set_threads,
            )
        with (
            self._aside(),
            snakemake.api.SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
        ):
            made = api.workflow(
                resource_settings=resources,
                config_settings=ConfigSettings(configfiles=files),
                snakefile=ROOT / "Snakefile",
                workdir=self._folder,
            )
            made.dag(DAGSettings(targets=set(targets)))
            workflow = made._workflow
            if profile:
                components = profile.group_components
                workflow.group_settings = GroupSettings(group_components=components)
                workflow.execution_settings = ExecutionSettings()
                workflow._executor_plugin = ExecutorPluginRegistry().get_plugin(profile.executor)
            workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
            workflow._build_dag()
            if profile:
                workflow.async_run(workflow.dag.postprocess(update_needrun=False))
            yield workflow.dag

    @contextmanager
    def _aside(self):
        """Without Snakemake's words, and without its changes of folder and environment."""
        environment, place, meaning = dict(os.environ), Path.cwd(), digest.Library.digest
        snakemake.workflow.parse = self._parsed
        digest.Library.digest = lambda _, program, *__: f"code of {Path(program).stem}"
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                yield
        finally:
            snakemake.workflow.parse, digest.Library.digest = self._parse, meaning
            os.chdir(place)
            os.environ.clear()
            os.environ.update(environment)

    def _parsed(self, path, workflow, linemap, rulecount=0):
        key = path.get_path_or_uri(secret_free=True), rulecount
        if key not in self._rules:
            lines = {}
            found = self._parse(path, workflow, rulecount=rulecount, linemap=lines)
            self._rules[key] = found, lines
        found, lines = self._rules[key]
        linemap.update(lines)
        return found


class Planned(Project):
    """A project in which nothing is finished; its jobs are told in this process, ten times faster."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self._graphs = Graphs(folder)

    def jobs(self, *arguments: str) -> dict[str, int]:
        """The same as of any project; arguments: `--configfile FILE`, and targets."""
        words, files, targets = iter(arguments), [], []
        for word in words:
            if word == "--configfile":
                files.append(self.folder / next(words))
            elif word != "--":
                assert not word.startswith("-"), f"{word}: only a Project knows this option"
                targets.append(word)
        return self._graphs.counts(files, targets)


def rerun(before: dict[str, Job], after: dict[str, Job]) -> tuple[set[str], set[str]]:
    """Names of the jobs of `after` that would run where all of `before` had been finished, and
    those of them that wait for no other of them.

    As Snakemake decides it: a job runs that is new, whose parameters or input files are others, or
    that waits for one that runs.
    """

    @cache
    def runs(name: str) -> bool:
        job, known = after[name], before.get(name)
        changed = known is None or (job.params, job.inputs) != (known.params, known.inputs)
        return changed or any(map(runs, waits(name)))

    def waits(name: str) -> Iterator[str]:
        """Once it was measured, no training waits for what contamination was found."""
        for one in after[name].behind:
            pair = after[name].rule, after[one].rule
            if name not in before or pair != ("train", "measure_contamination"):
                yield one

    running = {name for name in after if runs(name)}
    return running, {name for name in running if not running.intersection(waits(name))}


def _name(job) -> str:
    return str(job.output[0]) if job.output else job.rule.name


def processes(jobs: dict[str, Job]) -> Iterator[tuple[str, int]]:
    """The processes of a run one after the other: rule, and how many of its jobs one process does.

    Of what lies ready, the first by priority is run, and with it all of its rule that lies ready.
    """
    done: set[str] = set()
    while left := [name for name in jobs if name not in done]:
        ready = [name for name in left if done.issuperset(jobs[name].behind)]
        rule = max((jobs[name] for name in ready), key=lambda job: job.priority).rule
        together = [name for name in ready if jobs[name].rule == rule]
        done.update(together)
        yield rule, len(together)
