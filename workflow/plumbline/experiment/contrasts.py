"""The contrasts of all methods."""

from __future__ import annotations

from plumbline.evaluation.contrasts import LONG_FORM, WIN_RATE, Contrast
from plumbline.experiment.config import Config
from plumbline.experiment.lineage import Lineage
from plumbline.experiment.shift_pairs import long_form_checkpoints
from plumbline.methods.registry import METHODS


def contrasts(config: Config, lineage: Lineage) -> list[Contrast]:
    """Those whose checkpoints both exist and, for tasks of long answers, write such answers."""
    there, writing = set(lineage.checkpoints), set(long_form_checkpoints(config, lineage))
    compared = config.evaluation.long_form and config.evaluation.long_form.instructions
    measured = {LONG_FORM: writing, WIN_RATE: writing if compared else set()}
    return [
        contrast
        for method in METHODS
        for contrast in method.contrasts(config, lineage)
        if {contrast.first, contrast.second} <= measured.get(contrast.task, there)
    ]
