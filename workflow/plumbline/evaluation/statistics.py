"""Intervals: Wilson for a share, cluster bootstrap for a paired difference, OLS for a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A value with its interval and the number of items it rests on."""

    value: float
    low: float
    high: float
    n: int


def share(correct: int, n: int, confidence: float = 0.95) -> Estimate:
    """A share of right answers in [0, 1] with its Wilson interval. n must be at least 1."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(correct, n, alpha=1 - confidence, method="wilson")
    value = correct / n
    # At 0 and 1 the bounds miss the value by a rounding error.
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[str],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean of `first` minus mean of `second` over the same items, with a bootstrap interval.

    Whole clusters (the questions on one subject) are resampled, since answers about one entity
    are not independent. Percentile interval; all three sequences have the same length n >= 1.
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(cluster, weights=difference)
    sizes = np.bincount(cluster)
    random = np.random.default_rng(seed)
    means = np.empty(resamples)
    # In blocks, so that memory stays small with many clusters.
    for start in range(0, resamples, 200):
        rows = min(200, resamples - start)
        drawn = random.integers(len(sums), size=(rows, len(sums)))
        means[start : start + rows] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(difference.mean()), float(low), float(high), len(difference))


@dataclass(frozen=True)
class Line:
    """Coefficients of an ordinary least squares fit, by term, with R²."""

    terms: dict[str, Estimate]
    r2: float


def least_squares(
    y: Sequence[float], terms: dict[str, Sequence[float]], confidence: float = 0.95
) -> Line | None:
    """OLS of y on the terms and an intercept; intervals from the t distribution.

    None when the coefficients are not determined: no more points than coefficients, or collinear
    terms, as when there is only one mix.
    """
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(y)), *terms.values()])
    if len(y) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    fit = sm.OLS(np.asarray(y, float), design).fit()
    intervals = fit.conf_int(alpha=1 - confidence)
    names = ["intercept", *terms]
    return Line(
        {
            name: Estimate(float(value), float(low), float(high), len(y))
            for name, value, (low, high) in zip(names, fit.params, intervals, strict=True)
        },
        float(fit.rsquared),
    )
