"""Wilson's interval for a share, and p values corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value, its interval (None if there are too few items for one), and the number of items."""

    value: float
    low: float | None
    high: float | None
    n: int


def share(
    correct: int, n: int, confidence: float = 0.95, effective: float | None = None
) -> Estimate:
    """A share of right answers in [0, 1] with its Wilson interval. n must be at least 1.

    effective: how many independent answers these are worth; None for n.
    """
    from statsmodels.stats.proportion import proportion_confint

    value, effective = correct / n, effective or n
    low, high = proportion_confint(
        value * effective, effective, alpha=1 - confidence, method="wilson"
    )
    # At 0 and 1, rounding errors would leave the value outside the bounds.
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm 1979).

    If corrected values of at most α count as significant, the probability that any does so by chance is
    at most α.
    """
    from statsmodels.stats.multitest import multipletests

    return [float(corrected) for corrected in multipletests(p, method="holm")[1]] if len(p) else []
