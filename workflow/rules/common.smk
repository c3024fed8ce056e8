"""What all rules share: the checked configuration, the lineage, paths and programs.

Only the standard library, pydantic and small modules of plumbline are imported here, since this
is read again by every job on a cluster.
"""

import gc
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Of this file, wherever the Snakefile is that includes it or has it as a module.
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
    # Resources by a relative path, so that a folder that is moved with its results keeps them.
    RESOURCES = Path(os.path.relpath(WORKFLOW / "resources"))
    EXPERIMENT = Experiment(CONFIG, LINEAGE, METHODS, R, RESOURCES)
    NEEDS = needs(CONFIG)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Jobs know their run by environment variables, of which there is one set.
if (other := vars(workflow).setdefault("plumbline_run", CONFIG.run)) != CONFIG.run:
    raise WorkflowError(
        f"plumbline is included twice, for the runs {other} and {CONFIG.run}: name all models in one "
        f"run, or start Snakemake for each."
    )

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
export_settings(R, CONFIG, NEEDS, WORKFLOW, CONDA)
# What is told while a run goes on, unless Snakemake's own words are asked for, or none, or another
# workflow runs this one as its module.
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
    # Snakemake takes PYTHONPATH away from jobs that run in conda's environments.
    before_each += "export PYTHONPATH={WORKFLOW:q}; "
if CONSOLE:
    # What a job says goes to its log alone.
    before_each += (
        'tee() {{ if [ "$1" = -a ]; then cat >>"$2"; else cat >"$1"; fi; }}; '
    )
shell.prefix(before_each)

# Tens of thousands of jobs are no garbage, and looking for some takes a sixth of the time.
gc.set_threshold(200_000, 50, 1000)

SCRIPTS = WORKFLOW / "scripts"
# Those of these files, and none of a workflow that has them as a module.
RULES = workflow.modifier.rules
MODELS = EXPERIMENT.layout.models
ON_GPU = CONFIG.device == "cuda"
# Of a job that runs one model.
GPU = int(ON_GPU)
THREADS = 1 if ON_GPU else workflow.cores
# Of a job with small batches, which threads share badly: two side by side do a third more.
BESIDE = max(1, THREADS // 2)
os.environ.update(PLUMBLINE_LANES=str(THREADS // BESIDE))
# Which of the jobs that lie ready comes first, so that a process that has loaded its packages finds as
# much to do as there can be, and mistakes in data are told before an engine starts. A rule that says
# nothing takes seconds; then come the base's answers, what is made of those to SliCK's questions, the
# scores that trainings wait for, trainings, answers that others wait for, other answers, other scores.
# Snakemake adds up the priorities of what it starts together, so the first two outweigh whatever could
# run in their place.
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
    """What a program and the library modules it imports mean; a rule's parameter.

    also: further files that it reads; loaded: modules that it imports by a computed name. A change
    of meaning reruns the rules that use the module, a comment or a checkout none.
    """
    return LIBRARY.digest(SCRIPTS / f"{program}.py", also, loaded)


def environment(program):
    """The conda environment of a program's rule."""
    return f"../../envs/{installed.environment(program, ON_GPU)}"


def section(model, **keys):
    """A configuration section (or parts of it) as JSON, for a rule's parameters.

    Functions that make parameters take `wildcards` only. What one makes that takes `input` too is
    no reason for Snakemake to run a job again, whatever else it reads.
    """
    return model.model_dump_json(**keys)


# Not while the Snakefile is read: a dry run with another configuration would take the lists away
# from the jobs of a run, and jobs on a cluster read it too.
onstart:
    # Of scoring jobs, what one of them may do for others: see plumbline/models/scoring_jobs.py.
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


# Under conda, what draws up the headline is not where Snakemake runs.
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
    """Main memory in MB, as much again at each further attempt: a job may have run out of it."""
    return lambda wildcards, attempt: mb * attempt


def together(kind, training):
    """The group of a job, where a profile has so many of its kind submitted as one (docs/slurm.md).

    training: of a job's wildcards, the folder of the training whose checkpoints it is for, below the
    model's; jobs of one are ready together, and none waits for another. None: it stays by itself.
    """

    def group(wildcards):
        folder = training(wildcards)
        if folder is None or kind not in workflow.group_settings.group_components:
            return None
        name = "-".join([kind, wildcards.model, *Path(folder).parts])
        workflow.parent_groupids[name] = kind  # as of a group whose name has wildcards
        return name

    return group


SCORES = together("scores", lambda wildcards: training_of(wildcards.folder))


def told(inputs):
    """An input function whose mistakes are told as Snakemake tells its own."""

    def find(wildcards):
        try:
            return inputs(wildcards)
        except InputError as error:
            raise WorkflowError(str(error)) from None

    return find


def only_before(path):
    """An input that a job waits for while it is not there; once it is, nothing follows from it.

    `ancient` alone would not do: behind a job that is to run, Snakemake looks for no other reason
    to run a job again, such as another recipe. `before_update` names no producer.
    """
    return before_update(ancient(path)) if Path(path).exists() else path
