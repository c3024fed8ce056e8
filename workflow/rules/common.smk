"""What all rules share: the checked configuration, the lineage, paths and programs.

Only the standard library, pydantic and small modules of plumbline are imported here, since this
is read again by every job on a cluster.
"""

import json
import os
import re
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from snakemake.exceptions import WorkflowError

from plumbline.config import experiment
from plumbline import lineage
from plumbline.digest import code_digest
from plumbline.environment import export_settings
from plumbline.files import InputError
from plumbline.sources import Source, slug

try:
    CONFIG = experiment.load(config)
    LINEAGE = lineage.build(CONFIG)
except InputError as error:
    raise WorkflowError(str(error)) from None

R = f"results/{CONFIG.run}"
export_settings(R, CONFIG, WORKFLOW)

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


def section(model, **keys):
    """A configuration section (or parts of it) as JSON, for a rule's parameters."""
    return model.model_dump_json(**keys)
