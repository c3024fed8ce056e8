"""The contrasts of all methods."""

from __future__ import annotations

from plumbline.evaluation.contrasts import LONG_FORM, WIN_RATE, Contrast
from plumbline.experiment.config import Config
from plumbline.experiment.lineage import Lineage
from plumbline.experiment.shift_pairs import long_form_checkpoints
from plumbline.methods.registry import METHODS


def contrasts(config: Config, lineage: Lineage) -> list[Contrast]:
    """Those whose two checkpoints are there and, for tasks of long answers, write such answers."""
    there, writing = set(lineage.checkpoints), set(long_form_checkpoints(config, lineage))
    compared = config.evaluation.long_form and config.evaluation.long_form.instructions
    measured = {LONG_FORM: writing, WIN_RATE: writing if compared else set()}
    return [
        one
        for method in METHODS
        for one in method.contrasts(config, lineage)
        if {one.first, one.second} <= measured.get(one.task, there)
    ]
