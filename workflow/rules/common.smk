"""What all rules share: the checked configuration, the lineage, paths and programs.

This file imports only the standard library, pydantic and small modules of plumbline, since every job
on a cluster reads it again.
"""

import gc
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# This file's folder, wherever the Snakefile is that includes it or uses it as a module.
WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
if not (WORKFLOW / "plumbline").is_dir():
    raise WorkflowError(
        "plumbline is more than its rules: clone its repository, and give the module's snakefile as "
        "the path of workflow/Snakefile in the clone."
    )
if workflow.modifier.path_modifier.replace_prefix("results/") != "results/":
    raise WorkflowError(
        "module plumbline: has no prefix, since its jobs know results/<run>; name the run in its "
        "config instead."
    )
sys.path.insert(0, str(WORKFLOW))

from snakemake.settings.types import DeploymentMethod

from plumbline.jobs import installed
from plumbline.jobs.console import Console
from plumbline.storage import lists
from plumbline.jobs.digest import Library
from plumbline.experiment.environment import export_settings
from plumbline.experiment.experiment import Experiment
from plumbline.experiment.layout import alternatives, training_of
from plumbline.storage.files import InputError, sha256_json
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.needs import needs
from plumbline.methods.registry import METHODS

try:
    CONFIG = experiment.load(config, map(Path, workflow.configfiles))
    LINEAGE = lineage.build(CONFIG)
    R = f"results/{CONFIG.run}"
    # A relative path, so that nothing runs again when the folder is moved with its results.
    RESOURCES = Path(os.path.relpath(WORKFLOW / "resources"))
    EXPERIMENT = Experiment(CONFIG, LINEAGE, METHODS, R, RESOURCES)
    NEEDS = needs(CONFIG)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Jobs learn their run from environment variables, of which there is only one set.
if (other := vars(workflow).setdefault("plumbline_run", CONFIG.run)) != CONFIG.run:
    raise WorkflowError(
        f"plumbline is included twice, for the runs {other} and {CONFIG.run}: name all models in one "
        f"run, or start Snakemake for each."
    )

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
export_settings(R, CONFIG, NEEDS, WORKFLOW, CONDA)
# Progress messages of our own, unless the user asks for Snakemake's messages or for none, or another
# workflow uses this one as a module.
TELLING = workflow.output_settings
CONSOLE = (
    Console(Path(R))
    if workflow.is_main_process
    and workflow.modifier.is_main_snakefile()
    and not (TELLING.quiet or TELLING.verbose or TELLING.printshellcmds)
    else None
)
before_each = "set -euo pipefail; "
if CONDA:
    # Snakemake removes PYTHONPATH from jobs that run in conda environments.
    before_each += "export PYTHONPATH={WORKFLOW:q}; "
if CONSOLE:
    # A job's output goes only to its log.
    before_each += (
        'tee() {{ if [ "$1" = -a ]; then cat >>"$2"; else cat >"$1"; fi; }}; '
    )
shell.prefix(before_each)

# Tens of thousands of jobs stay in use; collecting garbage among them takes a sixth of the time.
gc.set_threshold(200_000, 50, 1000)

SCRIPTS = WORKFLOW / "scripts"
# The rules of these files only, not those of a workflow that uses them as a module.
RULES = workflow.modifier.rules
MODELS = EXPERIMENT.layout.models
ON_GPU = CONFIG.device == "cuda"
# For a job that runs one model.
GPU = int(ON_GPU)
THREADS = 1 if ON_GPU else workflow.cores
# For a job with small batches, which use many threads badly: two such jobs side by side are a third
# faster than one after the other.
BESIDE = max(1, THREADS // 2)
os.environ.update(
    PLUMBLINE_CORES=str(workflow.cores), PLUMBLINE_LANES=str(THREADS // BESIDE)
)
# Priorities: which of the jobs that are ready come first. The order lets work collect for a process
# that has loaded its packages, and reports mistakes in data before an engine starts. LIGHT, the default,
# is for jobs of seconds; then come the base's answers, what is made from its answers to SliCK's
# questions, scores that trainings wait for, trainings, answers that others wait for, other answers and
# other scores. Snakemake adds up the priorities of jobs it starts together, so the first two outweigh
# whatever could run in their place.
LIGHT, FIRST, LABELS = 10_000, 100, 6
LEADING, TRAINING, ANSWERING, GENERATING, LAST = 5, 4, 3, 2, 1
# What jobs read from results/<run>/lists/<name>.json; see plumbline/storage/lists.py.
LISTS = EXPERIMENT.lists


wildcard_constraints:
    model=alternatives(MODELS),
    seed=r"\d+",
    tuning=alternatives(LINEAGE.tunings),


LIBRARY = Library(WORKFLOW / "plumbline", Path(".snakemake/meanings.json"))


def code(program, also=(), loaded=()):
    """The digest of a program and of the library modules it imports, for a rule's parameters.

    also: further files that it reads; loaded: modules that it imports by a computed name. A changed
    computation reruns the rules that use it; a comment or a fresh checkout reruns nothing.
    """
    return LIBRARY.digest(SCRIPTS / f"{program}.py", also, loaded)


def environment(program):
    """The conda environment of a program's rule."""
    return f"../../envs/{installed.environment(program, ON_GPU)}"


def section(model, **keys):
    """A configuration section (or parts of it) as JSON, for a rule's parameters.

    Functions that make parameters take `wildcards` only: Snakemake ignores a changed parameter if its
    function also takes `input`.
    """
    return model.model_dump_json(**keys)


# Lists are not written while the Snakefile is read: a dry run with another configuration would replace
# the lists of a run in progress, and jobs on a cluster read the Snakefile too.
onstart:
    # The commands of scoring jobs, so that one can do others' work: plumbline/models/scoring_jobs.py.
    scores = [
        job
        for job in workflow.dag.needrun_jobs()
        if job.rule in RULES and job.rule.priority in (LEADING, LAST)
    ]
    commands = [
        [job.shellcmd, job.input, str(job.output[0]), job.params.code]
        for job in scores
    ]
    lists.write(Path(R) / "lists", LISTS | {"scoring_jobs": commands})
    if CONSOLE:
        CONSOLE.begin(workflow.dag)


# Under conda, the packages that print_headline needs are not where Snakemake runs.
onsuccess:
    if CONSOLE:
        CONSOLE.end()
    made = {job.rule.name for job in workflow.dag.finished_jobs}
    if "report" in made and not (CONDA or workflow.touch):
        shell(
            "python -m scripts.print_headline --tables {R}/tables --report {R}/report/index.html"
        )


onerror:
    if CONSOLE:
        CONSOLE.end()


def listed(name):
    """The digest of a list, for the parameters of a rule whose program reads it."""
    return sha256_json(LISTS[name])[:16]


def memory(mb):
    """Main memory in MB, with as much again for each further attempt: a job may have run out of it."""
    return lambda wildcards, attempt: mb * attempt


def together(kind, training):
    """The group of a job, if the profile submits several jobs of its kind as one (docs/slurm.md).

    training: a function from a job's wildcards to the folder, below the model's, of the training whose
    checkpoints the job is for. Jobs of one training are ready together and do not wait for each other.
    Where it returns None, the job is submitted singly.
    """

    def group(wildcards):
        folder = training(wildcards)
        if folder is None or kind not in workflow.group_settings.group_components:
            return None
        name = "-".join([kind, wildcards.model, *Path(folder).parts])
        # As Snakemake does for groups whose names have wildcards.
        workflow.parent_groupids[name] = kind
        return name

    return group


SCORES = together("scores", lambda wildcards: training_of(wildcards.folder))


def told(inputs):
    """An input function whose `InputError` Snakemake prints like an error of its own."""

    def find(wildcards):
        try:
            return inputs(wildcards)
        except InputError as error:
            raise WorkflowError(str(error)) from None

    return find


def only_before(path):
    """An input that a job waits for while it is missing; once it exists, its changes rerun nothing.

    `ancient` alone is not enough: if the job that makes the input is to run, Snakemake overlooks other
    reasons to run this job again, such as a changed recipe. `before_update` names no such job.
    """
    return before_update(ancient(path)) if Path(path).exists() else path
