"""Every checkpoint against its base, its parent and its unfiltered sibling, task by task.

Exploratory: p values are not corrected for their number, and no difference is claimed. Claims rest on
the contrasts that methods state (`contrast_table`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from plumbline.evaluation.estimation import difference
from plumbline.evaluation.grid import Grids, mean_over
from plumbline.evaluation.tables import Against, Comparison
from plumbline.names import unfiltered


def others_of(checkpoint: str, parent: str, there: Iterable[str]) -> Iterator[tuple[Against, str]]:
    """Which of the existing checkpoints a checkpoint is compared with.

    `base`; `parent`, unless that is the base; and `full`, the sibling trained on everything, if the
    checkpoint's training data were filtered of what is Unknown to the base.
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

    Comparisons whose two sides share no item are left out.
    """
    for checkpoint, parent in parents.items():
        for against, other in others_of(checkpoint, parent, parents):
            for place, grid in grids.items():
                if not grid.has((checkpoint, other)):
                    continue
                ours, theirs = grid.pair(checkpoint, other)
                if np.isnan(ours).all():
                    continue
                estimated = difference(ours, theirs, grid.clusters)
                bounds = estimated.estimate(confidence)
                yield Comparison(
                    model=model,
                    checkpoint=checkpoint,
                    against=against,
                    other=other,
                    task=place.task,
                    domain=place.domain,
                    metric=grid.metric,
                    value=mean_over(ours),
                    other_value=mean_over(theirs),
                    difference=estimated.value,
                    low=bounds.low,
                    high=bounds.high,
                    p=estimated.p(),
                    n=estimated.n,
                    seeds=len(ours),
                )
