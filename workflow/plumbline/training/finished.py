"""The result of a training, kept beside its checkpoints until the next one of the same tuning.

A job can be killed after its training has ended, but before its outputs are complete. Snakemake then
removes the outputs and starts the job again; it finds its result here and repeats no step.
"""

from __future__ import annotations

import logging

from plumbline.models import checkpoints
from plumbline.records import Fit
from plumbline.storage.files import InputError, read_json, read_rows, write_json
from plumbline.training.run import TrainingRun

log = logging.getLogger("plumbline")
FILE = ".finished.json"


def keep(run: TrainingRun, summary: dict) -> dict:
    """Keep the content of `training.json` and, for a run with probes, its fit rows; returns both."""
    fits = read_rows(run.work / "fit.jsonl", Fit) if run.probes else ()
    kept = {
        "identity": run.identity(),
        "training": summary,
        "fits": [row.model_dump(mode="json") for row in fits],
    }
    write_json(run.out / FILE, kept)
    return kept


def find(run: TrainingRun) -> dict | None:
    """The kept result, if it is of exactly this run and its checkpoints are unchanged."""
    if not (run.out / FILE).exists():
        return None
    try:
        kept = read_json(run.out / FILE)
        same = kept["identity"] == run.identity() and all(
            checkpoints.describe(run.out / stop)["weights_sha256"] == entry["weights_sha256"]
            for stop, entry in kept["training"]["stops"].items()
        )
    except (InputError, KeyError, TypeError):  # damaged, or a checkpoint is gone
        return None
    if same:
        log.info(f"{run.name}: was trained to its end before; nothing to train")
    return kept if same else None
