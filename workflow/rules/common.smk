"""What all rules share: the checked configuration, the lineage, paths and programs.

Only the standard library, pydantic and small modules of plumbline are imported here, since this
is read again by every job on a cluster.
"""

import gc
import json
import os
import re
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from plumbline.config import experiment
from plumbline.config.needs import needs
from plumbline.config.verification import REFERENCE
from plumbline import installed, lineage, lists
from plumbline.digest import code_digest
from plumbline.environment import export_settings
from plumbline.evaluation.task_files import files_of
from plumbline.files import InputError, sha256_json
from plumbline.methods.contrasts import contrasts
from plumbline.shift_pairs import long_form_checkpoints, shift_pairs
from plumbline.sources import Source, slug

try:
    CONFIG = experiment.load(config, map(Path, workflow.configfiles))
    LINEAGE = lineage.build(CONFIG)
    SHIFT_PAIRS = shift_pairs(CONFIG, LINEAGE)
    NEEDS = needs(CONFIG)
except InputError as error:
    raise WorkflowError(str(error)) from None

R = f"results/{CONFIG.run}"
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
export_settings(R, CONFIG, NEEDS, WORKFLOW, CONDA)
if CONDA:
    # Snakemake takes PYTHONPATH away from jobs that run in conda's environments.
    shell.prefix("set -euo pipefail; export PYTHONPATH={WORKFLOW:q}; ")

# Tens of thousands of jobs are no garbage, and looking for some takes a sixth of the time.
gc.set_threshold(200_000, 50, 1000)

SCRIPTS = WORKFLOW / "scripts"
MODELS = [model.name for model in CONFIG.models]
ON_GPU = CONFIG.device == "cuda"


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    seed=r"\d+",
    tuning="|".join(map(re.escape, LINEAGE.tunings)) or "none",


def code(program, also=()):
    """What a program and the library modules it imports mean; a rule's parameter.

    A change of meaning reruns the rules that use the module, a comment or a checkout none.
    """
    return code_digest(SCRIPTS / f"{program}.py", WORKFLOW / "plumbline", also)


def environment(program):
    """The conda environment of a program's rule."""
    return f"../../envs/{installed.environment(program, ON_GPU)}"


def section(model, **keys):
    """A configuration section (or parts of it) as JSON, for a rule's parameters.

    Functions that make parameters take `wildcards` only. What one makes that takes `input` too is
    no reason for Snakemake to run a job again, whatever else it reads.
    """
    return model.model_dump_json(**keys)


# What jobs read from results/<run>/lists/<name>.json; see plumbline/lists.py.
LISTS = {}


# Not while the Snakefile is read: a dry run with another configuration would take the lists away
# from the jobs of a run, and jobs on a cluster read it too.
onstart:
    lists.write(Path(R) / "lists", LISTS)


def listed(name, rows):
    """Have rows written to the list <name>; their digest, for the parameters of a rule."""
    LISTS[name] = rows
    return sha256_json(rows)[:16]


def memory(mb):
    """Main memory in MB, as much again at each further attempt: a job may have run out of it."""
    return lambda wildcards, attempt: mb * attempt
