"""The environment variables of jobs: settings that change no result.

They are not parameters of the rules, so that another device or batch size reruns nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from plumbline.experiment.config import Config
from plumbline.jobs import installed
from plumbline.models.suitability import Needs


def export_settings(
    results: str, config: Config, needs: Needs, workflow: Path, conda: bool
) -> None:
    """Set the variables that the rules' shell commands and their programs use.

    needs: what the configuration requires of its models; conda: whether jobs run in environments that
    conda makes.
    """
    path, library = os.environ.get("PATH", ""), os.environ.get("PYTHONPATH", "")
    os.environ.update({installed.OUTSIDE: sys.prefix if conda else ""})
    os.environ.update(
        # Without conda, programs run with the interpreter that runs Snakemake.
        PATH=os.pathsep.join(filter(None, [str(Path(sys.executable).parent), path])),
        PYTHONPATH=os.pathsep.join(filter(None, [str(workflow), library])),
        # Packages installed by the user for all Pythons would take precedence over the environment's
        # own.
        PYTHONNOUSERSITE="1",
        PLUMBLINE_RESULTS=results,
        PLUMBLINE_DEVICE=config.device,
        PLUMBLINE_SCORING=config.scoring.model_dump_json(),
        PLUMBLINE_TRAINING=config.training.model_dump_json(),
        PLUMBLINE_CONTAMINATION=config.contamination.model_dump_json(),
        PLUMBLINE_VERIFIER=config.verification.model_dump_json(),
        PLUMBLINE_GENERATION=config.generation.model_dump_json(),
        PLUMBLINE_NEEDS=needs.model_dump_json(),
        # The rule fetch_source has fetched everything that a job needs.
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        TOKENIZERS_PARALLELISM="false",
        # Programs print their progress themselves.
        TQDM_DISABLE="1",
        TRANSFORMERS_VERBOSITY="error",
    )
    # Threads that wait by spinning take processor time from everything else: a training that shares its
    # cores would become many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
