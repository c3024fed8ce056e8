"""Every checkpoint against its base, its parent and its unfiltered sibling, task by task.

p values are corrected for their number by Holm's method. A family is all comparisons of one model
with the same kind of other: every checkpoint and every task in every domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import numpy as np

from plumbline.evaluation.estimation import difference
from plumbline.evaluation.grid import Grids, mean_over
from plumbline.evaluation.statistics import holm
from plumbline.names import unfiltered
from plumbline.records import Record

Against = Literal["base", "parent", "full"]


class Comparison(Record):
    """A checkpoint beside another one in one task and domain, by the measure of the task.

    `value` and `other_value` are means over the seeds of means over the items (n in all) that both
    have the measure of; bounds and p are None where these are too few for an interval. `p` is of
    the mean difference being zero, `p_corrected` for all of its family; significant: that one is
    at most 1 - confidence.
    """

    model: str
    checkpoint: str
    against: Against
    other: str
    task: str
    domain: str
    metric: str
    value: float
    other_value: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None = None
    significant: Literal["yes", "no"] = "no"
    n: int
    seeds: int


def others_of(checkpoint: str, parent: str, there: Iterable[str]) -> Iterator[tuple[Against, str]]:
    """What a checkpoint is compared with, out of the checkpoints that are there.

    `base`; `parent`, unless that is the base; `full`, the sibling trained on everything, of a
    checkpoint whose training data were rid of what is Unknown to the base.
    """
    if checkpoint == "base":
        return
    yield "base", "base"
    if parent not in ("", "base"):
        yield "parent", parent
    if (sibling := unfiltered(checkpoint)) != checkpoint and sibling in there:
        yield "full", sibling


def compare(
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float
) -> Iterator[Comparison]:
    """All comparisons of a model's checkpoints; `parents` names each one's parent.

    Comparisons whose two sides have no item in common are left out.
    """
    families: dict[Against, list[Comparison]] = {}
    for checkpoint, parent in parents.items():
        for against, other in others_of(checkpoint, parent, parents):
            for place, grid in grids.items():
                if not grid.has((checkpoint, other)):
                    continue
                one, theirs = grid.pair(checkpoint, other)
                if np.isnan(one).all():
                    continue
                estimated = difference(one, theirs, grid.clusters)
                low, high = estimated.interval(confidence) or (None, None)
                families.setdefault(against, []).append(
                    Comparison(
                        model=model,
                        checkpoint=checkpoint,
                        against=against,
                        other=other,
                        task=place.task,
                        domain=place.domain,
                        metric=grid.metric,
                        value=mean_over(one),
                        other_value=mean_over(theirs),
                        difference=estimated.value,
                        low=low,
                        high=high,
                        p=estimated.p(),
                        n=estimated.n,
                        seeds=len(one),
                    )
                )
    for family in families.values():
        tested = [row for row in family if row.p is not None]
        for row, p in zip(tested, holm([row.p for row in tested]), strict=True):
            row.p_corrected, row.significant = p, "yes" if p <= 1 - confidence else "no"
        yield from family
