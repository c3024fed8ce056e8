"""The stated contrasts, tested: differences, equivalences, and what this run could have seen.

Holm's correction is over the primary differences of a model that have an interval. All else is
exploratory: its p values are not corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from plumbline.evaluation.contrasts import DIFFERENCE, PRIMARY, Contrast
from plumbline.evaluation.estimation import Estimated, difference
from plumbline.evaluation.grid import Grid, Grids, Place, mean_over
from plumbline.evaluation.statistics import holm
from plumbline.records import Record

HIGHER, LOWER, HELD, UNDECIDED = "higher", "lower", "held", "undecided"


class ContrastRow(Record):
    """A contrast with its result: fractions of the metric; None where there is none.

    low, high: at the level of confidence, of this contrast alone. p: of a difference of zero; of
    equivalence, that of two one-sided tests, doubled, so that it is at most 1 - confidence where
    the interval lies within the margin. detectable: the smallest true difference that would have
    been found with a probability of 80 % at the corrected level (of a primary one: 1 - confidence
    over their number); of equivalence, the smallest margin, if nothing truly differs.
    """

    model: str
    method: str
    contrast: str
    first: str
    second: str
    task: str
    domain: str
    metric: str
    role: Literal["primary", "secondary"]
    kind: Literal["difference", "equivalence"]
    first_value: float | None = None
    second_value: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_corrected: float | None = None
    verdict: Literal["higher", "lower", "held", "undecided"] = UNDECIDED
    detectable: float | None = None
    n: int = 0
    seeds: int = 0


def contrast_rows(
    model: str, grids: Grids, contrasts: Sequence[Contrast], *, confidence: float, margin: float
) -> Iterator[ContrastRow]:
    """A row a contrast, in their order; one that nothing was measured for has no numbers and n 0."""
    rows, found = [], []
    for contrast in contrasts:
        grid = grids.get(Place(contrast.task, contrast.domain))
        row, estimated = _measured(model, contrast, grid, confidence)
        rows.append(row)
        found.append(estimated)
    family = [
        place
        for place, (row, estimated) in enumerate(zip(rows, found, strict=True))
        if row.role == PRIMARY and estimated and estimated.se is not None
    ]
    corrected = holm([found[place].p() for place in family])
    for place, p in zip(family, corrected, strict=True):
        rows[place].p_corrected = p
    for row, estimated in zip(rows, found, strict=True):
        if estimated and estimated.se is not None:
            tests = len(family) if row.role == PRIMARY else 1
            _judge(row, estimated, 1 - confidence, margin, tests)
        yield row


def _measured(
    model: str, contrast: Contrast, grid: Grid | None, confidence: float
) -> tuple[ContrastRow, Estimated | None]:
    about = contrast.row()
    row = ContrastRow(model=model, contrast=about.pop("name"), **about)
    if grid is None or not grid.has((contrast.first, contrast.second), contrast.metric):
        return row, None
    first, second = grid.pair(contrast.first, contrast.second, contrast.metric)
    if np.isnan(first).all():
        return row, None
    estimated = difference(first, second, grid.clusters)
    row.first_value, row.second_value = (mean_over(side) for side in (first, second))
    row.difference, row.n, row.seeds = estimated.value, estimated.n, len(first)
    row.low, row.high = estimated.interval(confidence) or (None, None)
    return row, estimated


def _judge(row: ContrastRow, estimated: Estimated, alpha: float, margin: float, tests: int) -> None:
    if row.kind == DIFFERENCE:
        row.p, row.detectable = estimated.p(), estimated.detectable(alpha / tests)
        p = row.p if row.p_corrected is None else row.p_corrected
        if p <= alpha:
            row.verdict = HIGHER if row.difference > 0 else LOWER
    else:
        row.p, row.detectable = estimated.p_within(margin), estimated.margin_within_reach(alpha)
        if row.p <= alpha:
            row.verdict = HELD
