"""What all rules share: the checked configuration, the lineage, paths and programs.

Only the standard library, pydantic and small modules of plumbline are imported here, since this
is read again by every job on a cluster.
"""

import json
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from snakemake.exceptions import WorkflowError

from plumbline import config as configuration
from plumbline import lineage
from plumbline.digest import code_digest
from plumbline.files import InputError
from plumbline.sources import Source, slug

try:
    CONFIG = configuration.load(config)
    LINEAGE = lineage.build(CONFIG)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Programs find the library and, outside of conda, the interpreter that runs Snakemake.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(WORKFLOW), os.environ.get("PYTHONPATH")])
)
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# Everything a job needs has been fetched by the fetch rules.
OFFLINE = "HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TOKENIZERS_PARALLELISM=false"

R = f"results/{CONFIG.run}"
SCRIPTS = WORKFLOW / "scripts"
MODELS = [model.name for model in CONFIG.models]
ON_GPU = CONFIG.device == "cuda"


wildcard_constraints:
    model="|".join(map(lineage.escape, MODELS)),
    seed=r"\d+",
    tuning="|".join(map(lineage.escape, LINEAGE.tunings)) or "none",


def code(program, also=()):
    """What a program and the library modules it imports mean; a rule's parameter.

    A change of meaning reruns the rules that use the module, a comment or a checkout none.
    """
    return code_digest(SCRIPTS / f"{program}.py", WORKFLOW / "plumbline", also)


def section(model, **keys):
    """A configuration section (or parts of it) as JSON, for a rule's parameters."""
    return model.model_dump_json(**keys)


def tuned(pattern):
    """The pattern filled in for every model, seed and tuning."""
    return [
        f"{R}/{model}/" + pattern.format(tuning=tuning).format(seed=seed)
        for model in MODELS
        for seed in CONFIG.seeds
        for tuning in LINEAGE.tunings.values()
    ]


def evaluated(name):
    """A file of every checkpoint's evaluation."""
    return [
        f"{R}/{model}/{folder}/{name}"
        for model in MODELS
        for checkpoint in LINEAGE.checkpoints
        for folder in LINEAGE.folders(checkpoint, CONFIG.seeds)
    ]


def checkpoint_rows():
    """Every checkpoint as JSON rows model, seed, checkpoint, parent, folder (below results/<run>)."""
    rows = [
        {
            "model": model,
            "seed": int(LINEAGE.at(folder)[1]),
            "checkpoint": checkpoint,
            "parent": LINEAGE.parent(checkpoint),
            "folder": f"{model}/{folder}",
        }
        for model in MODELS
        for checkpoint in LINEAGE.checkpoints
        for folder in LINEAGE.folders(checkpoint, CONFIG.seeds)
    ]
    return json.dumps(rows)


def tuning_rows():
    """Every training run as JSON rows model, seed, tuning, folder (below results/<run>)."""
    rows = [
        {
            "model": model,
            "seed": seed,
            "tuning": tuning.name,
            "folder": f"{model}/{tuning.folder.format(seed=seed)}",
        }
        for model in MODELS
        for seed in CONFIG.seeds
        for tuning in LINEAGE.tunings.values()
    ]
    return json.dumps(rows)
