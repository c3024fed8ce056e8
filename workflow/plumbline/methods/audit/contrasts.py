"""The comparison of audited models: whether they answer fewer questions right than their base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.evaluation.contrasts import CLOSED_BOOK, Contrast, in_domains
from plumbline.methods.audit.checkpoints import audited
from plumbline.names import BASE

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage

METRIC = "em"


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: each model against the base in the domain, asked with few-shot examples.

    The examples show the form of an answer, so that no model counts as wrong only for its form.
    """
    for name in audited(config):
        yield from in_domains("audit", "tuned elsewhere", name, BASE, CLOSED_BOOK, METRIC, "id")
