"""Under-aligned or over-aligned? A verdict from token distribution shift and factuality.

Yuan et al. 2024 (APEFT) name the two: a tuned model that behaves almost as before outside its domain,
and one that changes there, but in the wrong way. We do not know how the paper tells them apart by
numbers; the rule here is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plumbline.evaluation.estimation import LEAST_CLUSTERS
from plumbline.evaluation.statistics import Estimate


class Alignment(StrEnum):
    """What tuning did outside its domain."""

    UNDER = "under-aligned"
    OVER = "over-aligned"
    OPEN = "inconclusive"


@dataclass(frozen=True)
class AlignmentFinding:
    """A verdict and its reason."""

    verdict: Alignment
    reason: str


def judge(
    inside: Estimate | None, outside: Estimate | None, change: Estimate | None, margin: float
) -> AlignmentFinding:
    """The verdict on one pair of checkpoints.

    inside, outside: the share of shifted tokens on prompts in and out of the tuning domain.
    change: F1 of the claims of the tuned model minus that of the reference on the prompts outside.
    margin: the largest change that counts as small. All are fractions, with intervals over prompts;
    None, or bounds that are None, mean that the value is not known.

    under-aligned: the interval of `outside` lies below that of `inside`, and the whole interval of
        the change lies within ±margin: fewer tokens are shifted and factuality is as before.
    over-aligned: the interval of `outside` lies above that of `inside`, and the whole interval of
        the change lies below zero: more tokens are shifted, and the answers became less factual.
    inconclusive: everything else, above all intervals that overlap or touch.
    """
    for name, estimate in (("in", inside), ("out of", outside)):
        if not _known(estimate):
            return AlignmentFinding(
                Alignment.OPEN,
                f"{name} domain, answers to fewer than {LEAST_CLUSTERS} subjects have a token, which "
                f"is too few for an interval",
            )
    if outside.low <= inside.high and inside.low <= outside.high:
        return AlignmentFinding(
            Alignment.OPEN, "the intervals of the shifted shares in and out of domain overlap"
        )
    below = outside.high < inside.low
    shares = f"{'fewer' if below else 'more'} tokens are shifted out of domain than in it"
    if not _known(change):
        return AlignmentFinding(
            Alignment.OPEN,
            f"{shares}, but fewer than {LEAST_CLUSTERS} subjects out of domain have claims by "
            f"both models, so the change of factuality is not known",
        )
    if below:
        if -margin <= change.low and change.high <= margin:
            return AlignmentFinding(
                Alignment.UNDER, f"{shares}, and factuality there hardly changed"
            )
        return AlignmentFinding(
            Alignment.OPEN,
            f"{shares}, but the change of factuality there is not known to be small: its interval "
            f"goes beyond the margin",
        )
    if change.high < 0:
        return AlignmentFinding(Alignment.OVER, f"{shares}, and factuality there fell")
    return AlignmentFinding(Alignment.OPEN, f"{shares}, but factuality there did not clearly fall")


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.low is not None


def verdict_row(
    inside: Estimate | None, outside: Estimate | None, change: Estimate | None, margin: float
) -> dict:
    """The verdict with its numbers (fractions), as columns of the table, without unknown ones."""
    finding = judge(inside, outside, change, margin)
    row = {"verdict": str(finding.verdict), "reason": finding.reason, "margin": margin}
    for prefix, name, estimate in (
        ("id", "id_shifted", inside),
        ("ood", "ood_shifted", outside),
        ("change", "change", change),
    ):
        if estimate is not None:
            row[name] = estimate.value
        if _known(estimate):
            row |= {f"{prefix}_low": estimate.low, f"{prefix}_high": estimate.high}
    return row | ({"change_n": change.n} if change else {})
