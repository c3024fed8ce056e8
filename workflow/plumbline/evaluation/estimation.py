"""A mean over seeds and items, or a paired difference of two: interval, p and detectable effect.

Trainings (seeds) and items (in whole clusters) are crossed random samples: the estimate is of the mean
over all possible trainings and clusters. Its variance is that of the seeds' means, minus the part that
items alone cause, plus that of the clusters' means. The degrees of freedom are Satterthwaite's;
interval and p are from the same t distribution, so they agree. With one seed, only items count.

If items are right or wrong, differences are mostly zero, and their sample variance is too small or
zero. As in Agresti and Min (2005) for paired shares, and Agresti and Coull (1998) for one share, a few
made-up clusters are added. Their weight decreases with the share of values that occur only once, so
that measures on a continuous scale have the plain t interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from plumbline.evaluation.statistics import Estimate

# With fewer clusters, no pattern of signs is as rare as 1 in 20: there is no interval and no claim.
LEAST_CLUSTERS = 6
POWER = 0.8
UNBOUNDED = (-np.inf, np.inf)


class Made(NamedTuple):
    """Made-up clusters: their number, sum and sum of squares."""

    number: np.ndarray | float
    total: np.ndarray | float
    squares: np.ndarray | float


@dataclass(frozen=True)
class Estimated:
    """A mean with what its interval and tests need; n items, some of them at several seeds.

    `se` is None if there is no interval: too few clusters, or no spread and no known scale. Bounds are
    clipped to the possible values.
    """

    value: float
    n: int
    centre: float = np.nan  # of the interval: the value, drawn slightly towards no difference
    se: float | None = None
    df: float = np.nan
    least: float = -np.inf
    most: float = np.inf

    def estimate(self, confidence: float) -> Estimate:
        """The value with its bounds at this level; None if there are none."""
        low, high = self.interval(confidence) or (None, None)
        return Estimate(self.value, low, high, self.n)

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """Bounds at this level."""
        from scipy.stats import t

        if self.se is None:
            return None
        half = self.se * t.ppf((1 + confidence) / 2, self.df)
        return float(max(self.centre - half, self.least)), float(min(self.centre + half, self.most))

    def p(self) -> float | None:
        """Two-sided p value for a mean of zero."""
        from scipy.stats import t

        return None if self.se is None else float(2 * t.sf(abs(self.centre) / self.se, self.df))

    def p_within(self, margin: float) -> float | None:
        """The p value of two one-sided tests (TOST) that the mean lies within ±margin, doubled.

        It is at most 1 - confidence exactly if the interval at that confidence lies within ±margin.
        """
        from scipy.stats import t

        if self.se is None:
            return None
        return float(min(1, 2 * t.sf((margin - abs(self.centre)) / self.se, self.df)))

    def detectable(self, level: float) -> float | None:
        """The smallest true mean that would be found, with p at most `level`, in four of five
        repetitions.

        It is only as good as this run's standard error, which for few seeds is itself a rough estimate.
        """
        from scipy.optimize import brentq
        from scipy.stats import nct, t

        if self.se is None:
            return None
        beyond = t.ppf(1 - level / 2, self.df)
        return float(
            self.se
            * brentq(lambda effect: nct.sf(beyond, self.df, effect) - POWER, 0, 3 * beyond + 9)
        )

    def margin_within_reach(self, level: float) -> float | None:
        """The smallest margin that would hold in four of five repetitions if the true mean is zero."""
        from scipy.stats import t

        if self.se is None:
            return None
        return float(self.se * (t.ppf(1 - level / 2, self.df) + t.ppf((1 + POWER) / 2, self.df)))


class Stratum(NamedTuple):
    """Seeds × clusters of one set of items, the clusters made up for it, and the weight of its mean."""

    columns: np.ndarray
    made: Made
    weight: float = 1.0


Values = tuple[np.ndarray, Sequence[str]]  # seeds × items (NaN where not defined); their clusters


def mean(values: np.ndarray, clusters: Sequence[str]) -> Estimated:
    """The mean of values (seeds × items, NaN where not defined), with equal weights for seeds."""
    values = np.atleast_2d(np.asarray(values, float))
    bounds = (0.0, 1.0) if _fractions(values) else (0.0, np.inf) if _counts(values) else UNBOUNDED
    return _estimated([(values, clusters)], [1], bounds, made_for_a_mean)


def difference(first: np.ndarray, second: np.ndarray, clusters: Sequence[str]) -> Estimated:
    """The mean of `first - second` (both seeds × items, NaN where either is not defined)."""
    first, second = (np.atleast_2d(np.asarray(side, float)) for side in (first, second))
    bounds = (-1.0, 1.0) if _fractions(first) and _fractions(second) else UNBOUNDED
    return _estimated([(first - second, clusters)], [1], bounds, made_for_a_difference)


def _fractions(values: np.ndarray) -> bool:
    """Whether all values are from 0 to 1, as for a measure that cannot have others."""
    here = values[~np.isnan(values)]
    return bool(((here >= 0) & (here <= 1)).all())


def _counts(values: np.ndarray) -> bool:
    """Whether all values are whole numbers from 0 on, as for a measure that counts."""
    here = values[~np.isnan(values)]
    return bool(((here >= 0) & (here == np.round(here))).all())


def weighted_difference(parts: Sequence[Values], weights: Sequence[float]) -> Estimated:
    """The weighted sum of several sets' mean differences of shares, with the same seeds.

    The sets have no item in common, so only the seeds connect them.
    """
    return _estimated(parts, weights, (-1.0, 1.0), made_for_a_difference)


def between(first: Values, second: Values) -> Estimated:
    """The mean of one set of shares minus that of another, with the same seeds.

    The sets have no item in common, so only the seeds connect them.
    """
    return _estimated([first, second], [1, -1], (-1.0, 1.0), _made_for_shares)


def _made_for_shares(columns: np.ndarray, bounds: tuple[float, float]) -> Made:
    """The made-up clusters for a mean of shares, whatever the bounds of the whole."""
    return made_for_a_mean(columns, (0.0, 1.0))


def _estimated(parts: Sequence[Values], weights, bounds, made_for) -> Estimated:
    """The weighted sum of the parts' means; at least one seed must have a value in every part."""
    parts = [(np.atleast_2d(np.asarray(values, float)), names) for values, names in parts]
    seeds = np.all([~np.isnan(values).all(axis=1) for values, _ in parts], axis=0)
    strata, n, value = [], 0, 0.0
    for (values, clusters), weight in zip(parts, weights, strict=True):
        there = ~np.isnan(values[seeds]).all(axis=0)
        columns = cluster_values(values[seeds][:, there], np.asarray(clusters)[there])
        strata.append(Stratum(columns, made_for(columns, bounds), weight))
        n, value = n + int(there.sum()), value + weight * float(columns.mean())
    if min(stratum.columns.shape[1] for stratum in strata) < LEAST_CLUSTERS:
        return Estimated(value, n)
    centre, se, df = (float(moment) for moment in moments(strata))
    if not se > 0:
        return Estimated(value, n)
    return Estimated(value, n, centre, se, df, *bounds)


def cluster_values(values: np.ndarray, clusters: Sequence[str]) -> np.ndarray:
    """Seeds × clusters, such that row means are the means over items, whatever the clusters' sizes.

    A cluster's value is the seed's mean plus the sum of its items' deviations from that mean,
    divided by the mean size of a cluster (the linearised ratio of sums).
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    number = cluster.max() + 1
    here = ~np.isnan(values)
    means = np.nanmean(values, axis=1, keepdims=True)
    off = np.where(here, values - means, 0)
    sums = np.stack([np.bincount(cluster, row, minlength=number) for row in off])
    return means + sums * number / here.sum(axis=1, keepdims=True)


def effective_size(right: np.ndarray, clusters: Sequence[str]) -> float | None:
    """How many independent answers these right (1) and wrong (0) answers in clusters are worth.

    So many independent answers would have the variance that the clusters have (Kish 1965, design
    effect). It is at most the number of answers, which is reached if answers in a cluster are
    independent, and it is the number of clusters if all answers are the same. None if there are
    fewer clusters than an interval needs, unless every answer is a cluster of its own.
    """
    number = len(set(clusters))
    if number == len(right):
        return float(number)
    if number < LEAST_CLUSTERS:
        return None
    share = right.mean()
    [columns] = cluster_values(right[None], clusters)
    variance = ((columns - share) ** 2).mean() / number
    return float(min(share * (1 - share) / variance, len(right))) if variance else float(number)


def made_for_a_difference(columns: np.ndarray, bounds: tuple[float, float]) -> Made:
    """Two clusters: half a cluster up and half a cluster down by the usual size of differences, and
    a tie.

    columns: (…, seeds, clusters). If none differs, the size is all that the bounds allow; without
    bounds, no size is known.
    """
    means, weight = columns.mean(axis=-2), _repeated(columns)
    moved = np.abs(means) > 1e-12
    squared = _ratio((means**2).sum(axis=-1), moved.sum(axis=-1))
    widest = bounds[1] ** 2 if np.isfinite(bounds[1]) else 0
    return Made(2 * weight, 0, weight * np.where(moved.any(axis=-1), squared, widest))


def made_for_a_mean(columns: np.ndarray, bounds: tuple[float, float]) -> Made:
    """A cluster at each bound, if there are bounds."""
    if not np.isfinite(bounds).all():
        return Made(0, 0, 0)
    weight = _repeated(columns)
    return Made(2 * weight, weight * sum(bounds), weight * sum(bound**2 for bound in bounds))


def _repeated(columns: np.ndarray) -> np.ndarray:
    """The share of clusters whose mean repeats another's: 1 if all are equal, 0 if all are
    different.
    """
    means = np.sort(columns.mean(axis=-2).round(9), axis=-1)
    return (np.diff(means, axis=-1) == 0).sum(axis=-1) / max(means.shape[-1] - 1, 1)


def moments(strata: Sequence[Stratum]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre, standard error and degrees of freedom of the weighted sum of the strata's means.

    The columns of the strata are (…, seeds, clusters), with the same seeds in all.
    """
    seeds = strata[0].columns.shape[-2]
    centre, items, noise, doubt, of_seed = 0.0, 0.0, 0.0, 0.0, 0.0
    for columns, made, weight in strata:
        clusters, of_cluster = columns.shape[-1], columns.mean(axis=-2)
        number = clusters + made.number
        average = (of_cluster.sum(axis=-1) + made.total) / number
        spread = (of_cluster**2).sum(axis=-1) + made.squares - number * average**2
        variance = weight**2 * np.maximum(spread, 0) / (number - 1) / number
        centre, items, doubt = (
            centre + weight * average,
            items + variance,
            doubt + variance**2 / (number - 1),
        )
        own_seed = columns.mean(axis=-1)
        of_seed = of_seed + weight * own_seed
        if seeds > 1:
            rest = columns - own_seed[..., None] - of_cluster[..., None, :]
            rest += own_seed.mean(axis=-1)[..., None, None]
            degrees = (seeds - 1) * (clusters - 1)
            noise += weight**2 * (rest**2).sum(axis=(-2, -1)) / (degrees * seeds * clusters)
    if seeds == 1:
        return centre, np.sqrt(items), _ratio(items**2, doubt)
    between = of_seed.var(axis=-1, ddof=1) / seeds
    # Only a part of the seeds' variance that items alone cause is subtracted, none with two seeds:
    # otherwise few seeds that happen to agree would pass for trainings that do not differ.
    trained = np.maximum(between - noise * (seeds - 2) / (seeds - 1), 0)
    variance = trained + items
    of_all = doubt + np.where(trained > 0, between**2 / (seeds - 1), 0)
    # Satterthwaite's are too many if few seeds happen to agree, so they are limited to the mean of the
    # two samples' own, weighted by their parts of the variance.
    mixed = trained / (seeds - 1) + _ratio(doubt, items)
    df = np.minimum(_ratio(variance**2, of_all), _ratio(variance, mixed))
    return centre, np.sqrt(variance), np.maximum(df, 1)


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One divided by the other; 0 where both are 0."""
    return np.divide(one, other, out=np.zeros(np.shape(one)), where=np.asarray(other) > 0)
