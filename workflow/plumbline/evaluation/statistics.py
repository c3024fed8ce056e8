"""Intervals: Wilson for a share, cluster bootstrap for a paired difference.

And how likely a difference is by chance, corrected where many are looked at.
"""

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
    means = bootstrap_means(difference[:, None], clusters, resamples=resamples, seed=seed)
    return estimated(float(difference.mean()), means[:, 0], len(difference), confidence)


def estimated(value: float, draws: np.ndarray, n: int, confidence: float) -> Estimate:
    """A value with the percentile interval of its bootstrap draws."""
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high), n)


def bootstrap_means(
    values: np.ndarray, clusters: Sequence[str], *, resamples: int, seed: int | list[int] = 0
) -> np.ndarray:
    """Means of the columns of `values` in samples of whole clusters, drawn with replacement.

    values: items × columns, NaN where an item has no value in a column; clusters: one an item.
    Returns resamples × columns. A sample is the same for all columns, so that differences and
    means of columns can be taken sample by sample. NaN where a sample holds no value of a column.
    """
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    present = ~np.isnan(values)
    shape = cluster.max() + 1, values.shape[1]
    sums, sizes = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, cluster, np.where(present, values, 0))
    np.add.at(sizes, cluster, present)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, shape[1]))
    # In blocks, so that memory stays small with many clusters.
    for start in range(0, resamples, 200):
        rows = min(200, resamples - start)
        drawn = random.integers(len(sums), size=(rows, len(sums)))
        drawn += np.arange(rows)[:, None] * len(sums)
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)
        with np.errstate(invalid="ignore"):
            means[start : start + rows] = (times @ sums) / (times @ sizes)
    return means


def sign_flip_p(
    difference: Sequence[float], clusters: Sequence[str], *, resamples: int, seed: int = 0
) -> float:
    """Two-sided p of paired differences whose mean is zero, by flipping signs of whole clusters.

    If neither side is better, a cluster's differences are as likely with the other sign. Exact
    over all sign patterns where these are no more than `resamples`; else (1 + k) / (1 + resamples),
    k of the random patterns having a mean at least as far from zero (Phipson and Smyth 2010). A
    cluster whose differences cancel has no say; without any other, p is 1.
    """
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(cluster, weights=np.asarray(difference, float))
    sums = sums[np.abs(sums) > 1e-12]
    # Sums of the same numbers in another order differ by rounding.
    observed = abs(sums.sum()) - 1e-9 * np.abs(sums).sum()
    if 2 ** min(len(sums), 64) <= resamples:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float((np.abs((2 * patterns - 1) @ sums) >= observed).mean())
    # Of k clusters whose differences are equally large a binomial number is above zero. There are
    # few sizes where items are right or wrong, so this is far quicker than a sign for each.
    sizes, counts = np.unique(np.abs(sums).round(12), return_counts=True)
    alone, sizes, counts = sizes[counts == 1], sizes[counts > 1], counts[counts > 1]
    total, random, hits = np.abs(sums).sum(), np.random.default_rng(seed), 0
    for start in range(0, resamples, 2000):
        rows = min(2000, resamples - start)
        kept = random.integers(2, size=(rows, len(alone)), dtype=np.int8) @ alone
        kept += random.binomial(counts, 0.5, size=(rows, len(counts))) @ sizes
        hits += int((np.abs(2 * kept - total) >= observed).sum())
    return (1 + hits) / (1 + resamples)


def holm(p: Sequence[float]) -> list[float]:
    """Corrects p values for their number (Holm 1979).

    If those that are then at most α count as significant, the probability that any does by chance
    is at most α.
    """
    from statsmodels.stats.multitest import multipletests

    return [float(one) for one in multipletests(p, method="holm")[1]] if len(p) else []
