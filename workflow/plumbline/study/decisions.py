"""The study's contrasts over all seeds, and the verdicts by the rules of docs/study/plan.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from plumbline.evaluation.estimation import Estimated, between, difference, mean
from plumbline.methods.slick.fitting import linear_model_rows
from plumbline.study.contrasts import (
    CLAIMS,
    CONTROL,
    FITTED,
    MARGIN,
    PRIMARY,
    SECONDARY,
    Rule,
    StudyContrast,
)
from plumbline.study.pieces import Piece
from plumbline.study.records import ClaimRow, Decision

CLAIM = "claim"
CONFIDENCE = 0.95
MATTERS = 0.02  # the least difference that would matter
LEAST_SEEDS = 3
YES, NO, UNDECIDED = "yes", "no", "undecided"


def claim_rows(
    pieces: Mapping[str, Sequence[Piece]], contrasts: Sequence[StudyContrast]
) -> Iterator[ClaimRow]:
    """A row per contrast, those of a claim preceded by one for the claim; none for claims without data.

    pieces: by claim, one per seed.
    """
    for claim in CLAIMS:
        rows = [
            contrast_row(one, pieces.get(one.piece, [])) for one in contrasts if one.claim == claim
        ]
        if any(row.seeds for row in rows):
            yield verdict(claim, rows)
            yield from rows
            yield from _slopes(claim, pieces.get(claim, []))


def contrast_row(contrast: StudyContrast, pieces: Sequence[Piece]) -> ClaimRow:
    """A contrast over all seeds of its pieces; without pieces, its numbers are empty."""
    row = ClaimRow(
        claim=contrast.claim,
        role=contrast.role,
        contrast=contrast.name,
        task=contrast.task,
        domain=_domain(contrast),
        measure=contrast.metric,
        rule=contrast.rule,
        decision=UNDECIDED if contrast.rule else "",
    )
    estimated = estimate(contrast, pieces)
    if estimated is None:
        row.reason = "nothing was measured" if pieces else "no piece has been run"
        return row
    found = estimated.estimate(CONFIDENCE)
    row.estimate, row.low, row.high, row.n = found.value, found.low, found.high, found.n
    row.seeds = len(pieces)
    level = 1 - CONFIDENCE
    held = contrast.rule in ("held", "zero")
    row.detectable = (estimated.margin_within_reach if held else estimated.detectable)(level)
    if contrast.rule and row.seeds < LEAST_SEEDS:
        row.reason = f"{row.seeds} of at least {LEAST_SEEDS} seeds"
    elif contrast.rule:
        row.decision = decide(contrast.rule, found.value, found.low, found.high)
    return row


def estimate(contrast: StudyContrast, pieces: Sequence[Piece]) -> Estimated | None:
    """The contrast's mean over seeds and items; None if a side was not measured."""
    sides = [
        [piece.values(side, contrast.task, contrast.metric) for piece in pieces]
        for side in (contrast.first, contrast.second)
        if side
    ]
    if not pieces or not all(values.by_item for side in sides for values in side):
        return None
    if contrast.second is None:
        return mean(*_matrix(sides[0], _names(sides[0])))
    if contrast.first.items != contrast.second.items:
        return between(*(_matrix(side, _names(side)) for side in sides))
    names = _names(sides[0]) | _names(sides[1])
    (first, clusters), (second, _) = (_matrix(side, names) for side in sides)
    return None if np.isnan(first - second).all() else difference(first, second, clusters)


def _names(values: Sequence) -> dict[str, str]:
    """The cluster of every item that occurs with any seed."""
    return {item: cluster for one in values for item, cluster in sorted(one.cluster.items())}


def _matrix(values: Sequence, clusters: Mapping[str, str]) -> tuple[np.ndarray, list[str]]:
    """Seeds × items, NaN if an item has no value, and the items' clusters."""
    rows = [[one.by_item.get(item, np.nan) for item in clusters] for one in values]
    return np.array(rows, float), list(clusters.values())


def decide(rule: Rule, value: float, low: float | None, high: float | None) -> Decision:
    """The decision for an interval by a rule of the plan; without an interval, nothing is decided.

    `reached` is about the value itself, which is a share of everything that was trained on.
    """
    if rule == "reached":
        return YES if value >= FITTED else NO
    if low is None or high is None:
        return UNDECIDED
    if rule == "below":
        return decide("above", -value, -high, -low)
    if rule == "above":
        return YES if low > 0 else NO if high < MATTERS else UNDECIDED
    if rule == "held":
        outside = low > MARGIN or high < -MARGIN
        return YES if low >= -MARGIN and high <= MARGIN else NO if outside else UNDECIDED
    return YES if low <= 0 <= high else NO  # for a placebo, whose interval should contain zero


def verdict(claim: str, rows: Sequence[ClaimRow]) -> ClaimRow:
    """The verdict on a claim: all primary contrasts must agree, and all controls must hold."""
    primary = [row for row in rows if row.role == PRIMARY]
    failed = [row for row in rows if row.role == CONTROL and row.decision != YES]
    decisions = {row.decision for row in primary}
    found = NO if NO in decisions else YES if decisions == {YES} else UNDECIDED
    about = ClaimRow(
        claim=claim,
        role=CLAIM,
        contrast="all primary ones",
        decision=found,
        seeds=min(row.seeds for row in primary),
    )
    if found == YES and failed:
        about.decision = UNDECIDED
        about.reason = f"control: {failed[0].contrast}, {failed[0].measure}: {failed[0].decision}"
    return about


def _slopes(claim: str, pieces: Sequence[Piece]) -> Iterator[ClaimRow]:
    """The effect of fitting Unknown on accuracy, with one line per seed; as fractions of 1."""
    runs = [run for piece in pieces for run in piece.mix_runs()]
    for row in linear_model_rows(runs, CONFIDENCE):
        if row["term"] in ("", "unknown_fitted"):
            figures = {
                name: row[key] / 100
                for name, key in (("estimate", "estimate"), ("low", "low"), ("high", "high"))
                if key in row
            }
            yield ClaimRow(
                claim=claim,
                role=SECONDARY,
                contrast="slope of fitted Unknown",
                task="closed_book_plain",
                domain=row["domain"],
                measure="beta_unknown",
                n=row["n"],
                seeds=row["seeds"],
                reason=row.get("reason", ""),
                **figures,
            )


def _domain(contrast: StudyContrast) -> str:
    sides = [contrast.first, *([contrast.second] if contrast.second else [])]
    return "/".join(dict.fromkeys(side.domain for side in sides))
