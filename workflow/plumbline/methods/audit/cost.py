"""The cost of an audit besides the evaluation: imports, and the probing of each model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from plumbline.methods.audit.checkpoints import audited
from plumbline.methods.slick.cost import probing

if TYPE_CHECKING:
    from plumbline.methods.estimates import Planner, Stage


def cost(planner: Planner) -> Iterator[Stage]:
    """Each model is imported and probed like the base, which is probed once more."""
    models = len(audited(planner.config))
    if not models:
        return
    # An upper bound: for an adapter, only the adapter is stored.
    yield planner.importing(models, planner.parameters * 4 / 2**20)
    once = probing(planner)
    for _ in range(models + 1):
        yield replace(once)
