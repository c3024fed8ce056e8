"""Every checkpoint against its base, its parent and its unfiltered sibling, task by task.

p values are corrected for their number by Holm's method. A family is all comparisons of one model
with the same kind of other: every checkpoint and every task in every domain.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import numpy as np

from plumbline.evaluation.grid import Grid, Grids
from plumbline.evaluation.statistics import holm, paired_difference, sign_flip_p
from plumbline.names import unfiltered
from plumbline.records import Record

Against = Literal["base", "parent", "full"]


class Comparison(Record):
    """A checkpoint beside another one in one task and domain, by the measure of the task.

    `value` and `other_value` are over the n items that both have the measure of; an item's value
    is the mean over the seeds. `p` is of the mean difference being zero, `p_corrected` for all of
    its family; significant: that one is at most 1 - confidence.
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
    low: float
    high: float
    p: float
    p_corrected: float
    significant: Literal["yes", "no"]
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
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float, resamples: int
) -> Iterator[Comparison]:
    """All comparisons of a model's checkpoints; `parents` names each one's parent.

    Comparisons whose two sides have no item in common are left out. There are `resamples` bootstrap
    draws for an interval; sign patterns as many as it takes for the smallest p to be a tenth of
    what the correction asks of it.
    """
    families: dict[Against, list[tuple]] = {}
    for checkpoint, parent in parents.items():
        for against, other in others_of(checkpoint, parent, parents):
            for place, grid in grids.items():
                if checkpoint in grid.values and other in grid.values:
                    one, theirs = grid.pair(checkpoint, other)
                    if not np.isnan(one).all():
                        case = checkpoint, other, place, grid, one, theirs
                        families.setdefault(against, []).append(case)
    for against, cases in families.items():
        patterns = max(resamples, math.ceil(10 * len(cases) / (1 - confidence)))
        p = [_p(grid, one - theirs, patterns) for *_, grid, one, theirs in cases]
        corrected = holm(p)
        for (checkpoint, other, place, grid, one, theirs), raw, held in zip(
            cases, p, corrected, strict=True
        ):
            there = ~np.isnan(one)
            estimate = paired_difference(
                one[there],
                theirs[there],
                np.asarray(grid.clusters)[there],
                confidence=confidence,
                resamples=resamples,
            )
            yield Comparison(
                model=model,
                checkpoint=checkpoint,
                against=against,
                other=other,
                task=place.task,
                domain=place.domain,
                metric=grid.metric,
                value=float(one[there].mean()),
                other_value=float(theirs[there].mean()),
                difference=estimate.value,
                low=estimate.low,
                high=estimate.high,
                p=raw,
                p_corrected=held,
                significant="yes" if held <= 1 - confidence else "no",
                n=estimate.n,
                seeds=len(grid.values[checkpoint]),
            )


def _p(grid: Grid, difference: np.ndarray, patterns: int) -> float:
    there = ~np.isnan(difference)
    return sign_flip_p(difference[there], np.asarray(grid.clusters)[there], resamples=patterns)
