"""The stated contrasts, tested: differences, equivalences, and what this run could have detected.

Holm's correction is over those primary contrasts of a model that have an interval. All others are
exploratory: their p values are not corrected, and they have no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from plumbline.evaluation.contrasts import DIFFERENCE, EQUIVALENCE, PRIMARY, Contrast
from plumbline.evaluation.estimation import Estimated, difference
from plumbline.evaluation.grid import Grid, Grids, TaskDomain, mean_over
from plumbline.evaluation.statistics import holm
from plumbline.evaluation.tables import ContrastRow

HIGHER, LOWER, HELD, UNDECIDED = "higher", "lower", "held", "undecided"


def contrast_rows(
    model: str, grids: Grids, contrasts: Sequence[Contrast], *, confidence: float, margin: float
) -> Iterator[ContrastRow]:
    """A row per contrast, in order; one for which nothing was measured has no numbers and n 0."""
    rows, tested = [], []
    for contrast in contrasts:
        grid = grids.get(TaskDomain(contrast.task, contrast.domain))
        row, estimated = _measured(model, contrast, grid, confidence)
        rows.append(row)
        if row.role == PRIMARY:
            row.verdict = UNDECIDED
        if row.kind == EQUIVALENCE:
            row.margin = margin
        if estimated and estimated.se is not None:
            row.p = estimated.p() if row.kind == DIFFERENCE else estimated.p_within(margin)
            tested.append((row, estimated))
    family = [row for row, _ in tested if row.role == PRIMARY]
    for row, p in zip(family, holm([row.p for row in family]), strict=True):
        row.p_corrected = p
    for row, estimated in tested:
        _judge(row, estimated, 1 - confidence, len(family) if row.role == PRIMARY else 1)
    yield from rows


def _measured(
    model: str, contrast: Contrast, grid: Grid | None, confidence: float
) -> tuple[ContrastRow, Estimated | None]:
    described = contrast.row()
    row = ContrastRow(model=model, contrast=described.pop("name"), **described)
    if grid is None or not grid.has((contrast.first, contrast.second), contrast.metric):
        return row, None
    first, second = grid.pair(contrast.first, contrast.second, contrast.metric)
    if np.isnan(first).all():
        return row, None
    estimated = difference(first, second, grid.clusters)
    row.first_value, row.second_value = (mean_over(side) for side in (first, second))
    row.difference, row.n, row.seeds = estimated.value, estimated.n, len(first)
    bounds = estimated.estimate(confidence)
    row.low, row.high = bounds.low, bounds.high
    return row, estimated


def _judge(row: ContrastRow, estimated: Estimated, alpha: float, tests: int) -> None:
    of_difference = row.kind == DIFFERENCE
    reach = estimated.detectable if of_difference else estimated.margin_within_reach
    row.detectable = reach(alpha / tests)
    if row.p_corrected is not None and row.p_corrected <= alpha:
        row.verdict = HELD if not of_difference else HIGHER if row.difference > 0 else LOWER
