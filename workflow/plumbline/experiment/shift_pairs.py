"""The pairs of checkpoints whose token distributions are compared, and who writes long answers."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from plumbline.config.errors import nearest
from plumbline.experiment.config import Config
from plumbline.experiment.lineage import Lineage
from plumbline.methods.registry import METHODS
from plumbline.names import BASE
from plumbline.storage.files import InputError


class CheckpointPair(NamedTuple):
    """Names of two checkpoints."""

    tuned: str
    reference: str


def shift_pairs(config: Config, lineage: Lineage) -> list[CheckpointPair]:
    """The pairs of `evaluation.token_shift`, without repetition; [] if the section is null.

    A name with * stands for every checkpoint that it matches, except the reference. InputError for a
    name without * that is not a checkpoint, and for the base without a reference.
    """
    settings = config.evaluation.token_shift
    pairs: list[CheckpointPair] = []
    for number, pair in enumerate(settings.pairs if settings else []):
        key = f"evaluation.token_shift.pairs[{number}]"
        if pair.reference is not None:
            _check(f"{key}.reference", pair.reference, lineage)
        if "*" in pair.tuned:
            other = pair.reference or BASE
            fitting = [tuned for tuned in lineage.checkpoints if fnmatchcase(tuned, pair.tuned)]
            names = [tuned for tuned in fitting if tuned != other]
        else:
            _check(f"{key}.tuned", pair.tuned, lineage)
            names = [pair.tuned]
        for name in names:
            reference = pair.reference or lineage.parent(name)
            if not reference:
                raise InputError(f"{key}.tuned: {name} has no parent; name a reference.")
            pairs.append(CheckpointPair(name, reference))
    return list(dict.fromkeys(pairs))


def long_form_checkpoints(config: Config, lineage: Lineage) -> list[str]:
    """The checkpoints that write long answers: those evaluated so, and both sides of every pair."""
    settings = config.evaluation.long_form
    if settings is None:
        return []
    compared = {name for pair in shift_pairs(config, lineage) for name in pair}
    patterns = settings.checkpoints
    if patterns is None:
        writing = (method.name for method in METHODS if method.use(config).writes_claims)
        patterns = ["base", *(f"{name}*" for name in writing)]
    return [
        name
        for name in lineage.checkpoints
        if name in compared or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _check(key: str, name: str, lineage: Lineage) -> None:
    if name not in lineage.checkpoints:
        raise InputError(
            f"{key}: {name} does not exist.{nearest(name, lineage.checkpoints)} "
            f"Checkpoints: {', '.join(lineage.checkpoints)}."
        )
