"""Intervals, p values and detectable effects on planted data, whose truth is known.

Intervals of right and wrong answers cannot hold any one truth in exactly 95 of 100 draws: their
coverage is the mean over a range of truths, as is usual, and bounded from below at each. Coverage
at 14 items of which few differ is above 97 %, as of every interval that does not collapse there.
"""

import numpy as np
import pytest
from plumbline.evaluation.estimation import (
    LEAST_CLUSTERS,
    UNBOUNDED,
    Estimated,
    Made,
    Stratum,
    cluster_values,
    difference,
    effective_size,
    made_for_a_difference,
    made_for_a_mean,
    mean,
    moments,
    weighted_difference,
)
from plumbline.evaluation.statistics import share
from scipy.stats import binom, binomtest, norm, t

SHARES = (-1.0, 1.0)


def names(n):
    return [str(place) for place in range(n)]


def held(columns, truth, made_for=made_for_a_difference, bounds=SHARES):
    """How often the 95 % interval of draws (draws, seeds, clusters) holds the truth."""
    centre, se, df = moments([Stratum(columns, made_for(columns, bounds))])
    return float((np.abs(centre - truth) <= se * t.ppf(0.975, df)).mean())


def right(random, share):
    return random.random(share.shape) < share


def trained(random, draws, seeds, items, *, base=0.4, tuned=0.4, spread=0.0):
    """Differences of right answers, (draws, seeds, items): tuned minus base.

    An item is as hard for the base as for all trainings; `spread`: SD of the trainings' true
    shares of right answers.
    """
    hard = random.normal(size=(draws, 1, items))
    shares = np.clip(tuned + spread * random.normal(size=(draws, seeds, 1)), 0.01, 0.99)

    def answers(share, rows):
        return hard + random.normal(size=(draws, rows, items)) < norm.ppf(share) * 2**0.5

    return answers(shares, seeds) * 1.0 - answers(np.array(base), 1)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spread", [0.0, 0.02, 0.05])
def test_chance_alone_is_seldom_called_an_effect(seeds, spread):
    """With a spread of 2 points, averaging seeds first called 45 % of such runs an effect."""
    draws = trained(np.random.default_rng(seeds), 2500, seeds, 150, spread=spread)
    assert 1 - held(draws, 0) <= 0.07


@pytest.mark.parametrize("seeds", [3, 5])
def test_an_effect_of_nothing_but_the_seed_is_seldom_called_one(seeds):
    """What each training does to all items alike, with little noise of the items."""
    random = np.random.default_rng(seeds)
    for noise in (0.1, 1, 5):
        draws = random.normal(size=(4000, seeds, 1)) + noise * random.normal(size=(4000, seeds, 60))
        assert 0.93 <= held(draws, 0, bounds=UNBOUNDED) <= 0.98


def test_two_seeds_are_few_and_their_intervals_wide():
    """Up to 9 % are called an effect where the spread of seeds is most of all, never 45 %."""
    random = np.random.default_rng(1)
    for spread in (0.0, 0.02, 0.08):
        assert held(trained(random, 2500, 2, 150, spread=spread), 0) >= 0.91
    few, more = (mean_width(trained(random, 300, n, 150, spread=0.05)) for n in (2, 5))
    assert few > 1.5 * more


def mean_width(columns):
    _, se, df = moments([Stratum(columns, made_for_a_difference(columns, SHARES))])
    return float((se * t.ppf(0.975, df)).mean())


@pytest.mark.parametrize("items", [14, 64, 300])
def test_a_paired_difference_of_shares_is_held_as_often_as_promised(items):
    random, found = np.random.default_rng(items), []
    for differing in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7):
        for up in (0.5, 0.6, 0.75, 0.9, 1):
            drawn = random.random((1500, 1, items))
            columns = (drawn < differing * up) * 1.0 - (drawn > 1 - differing * (1 - up))
            found.append((differing, held(columns, differing * (2 * up - 1))))
    assert min(coverage for _, coverage in found) >= 0.92
    enough = [coverage for differing, coverage in found if differing * items >= 5]
    assert 0.93 <= np.mean(enough) <= 0.97


@pytest.mark.parametrize("items", [14, 64, 300])
def test_a_share_and_a_mean_of_fractions_are_held_as_often_as_promised(items):
    truths = np.linspace(0.02, 0.98, 49)
    counts = np.arange(items + 1)
    bounds = np.array([(one.low, one.high) for one in (share(int(k), items) for k in counts)])
    found = [
        binom.pmf(counts, items, p)[(bounds[:, 0] <= p) & (p <= bounds[:, 1])].sum() for p in truths
    ]
    assert 0.93 <= np.mean(found) <= 0.97
    random, found = np.random.default_rng(items), []
    for lost, tied in ((0.2, 0.3), (0.1, 0.6), (0.4, 0.2), (0.3, 0.5)):  # 0, 1/2, 1
        drawn = random.random((3000, 1, items))
        columns = np.where(drawn < lost, 0, np.where(drawn < lost + tied, 0.5, 1))
        truth = tied / 2 + 1 - lost - tied
        found.append(held(columns, truth, made_for_a_mean, (0, 1)))
    assert 0.93 <= np.mean(found) <= (0.985 if items == 14 else 0.97)


@pytest.mark.parametrize("subjects", [14, 64])
@pytest.mark.parametrize("tied", [0.1, 1])
def test_a_share_of_answers_tied_by_their_subjects_is_held_as_often_as_promised(subjects, tied):
    random, found = np.random.default_rng(subjects), []
    for truth in np.linspace(0.04, 0.96, 12):
        sizes = np.where(random.random(subjects) < tied, random.integers(2, 4, subjects), 1)
        clusters = np.repeat(np.arange(subjects), sizes)
        for _ in range(250):  # 7 of 10 answers are those of the subject's others
            alike = random.random(clusters.size) < 0.7
            of_subject = (random.random(subjects) < truth)[clusters]
            right = np.where(alike, of_subject, random.random(clusters.size) < truth) * 1.0
            size = effective_size(right, clusters)
            one = share(int(right.sum()), right.size, effective=size)
            found.append(one.low <= truth <= one.high)
    assert 0.93 <= np.mean(found) <= 0.97


def test_answers_are_worth_as_many_as_vary_on_their_own():
    right = np.array([1.0, 0, 0, 1, 1, 0, 0, 0] * 5)
    alone, in_pairs = [str(i) for i in range(40)], [str(i // 2) for i in range(80)]
    assert effective_size(right, alone) == 40
    assert effective_size(np.repeat(right, 2), in_pairs) == pytest.approx(40)
    assert effective_size(np.ones(80), in_pairs) == 40
    assert effective_size(np.repeat(right, 2)[:8], in_pairs[:8]) is None  # of four subjects
    # Two questions about one subject among many change next to nothing.
    assert effective_size(right, ["0", *alone[:39]]) == pytest.approx(40, rel=0.08)


@pytest.mark.parametrize("items", [14, 64, 300])
@pytest.mark.parametrize("kind", ["normal", "beta", "unequal"])
def test_a_difference_on_a_continuous_scale_is_held_as_often_as_promised(items, kind):
    random = np.random.default_rng(items)
    shape = 4000, 1, items
    if kind == "normal":
        columns, truth = random.normal(0.3, 1, shape), 0.3
    elif kind == "beta":  # of probabilities near 0 and 1, as MC2
        columns, truth = random.beta(0.3, 0.3, shape) - random.beta(0.3, 0.6, shape), 0.5 - 1 / 3
    else:  # one side nearly always wrong
        columns, truth = random.beta(0.2, 0.8, shape) - random.beta(0.8, 0.8, shape), -0.3
    assert 0.93 <= held(columns, truth, bounds=SHARES) <= 0.97


def test_clusters_of_unequal_sizes_count_as_one_each():
    random, kept = np.random.default_rng(4), []
    sizes = np.tile([1, 2, 5], 20)
    clusters = np.repeat(names(60), sizes)
    for _ in range(400):
        effect = np.repeat(random.normal(0, 0.3, 60), sizes)
        values = np.clip(effect + random.normal(0.05, 0.1, len(clusters)), -1, 1)
        low, high = difference(values, np.zeros(len(clusters)), clusters).interval(0.95)
        kept.append(low <= 0.05 <= high)
    assert 0.91 <= np.mean(kept) <= 0.985
    # As many items, each a cluster of its own, say more.
    apart = difference(values, np.zeros(len(values)), names(len(values)))
    assert apart.se < 0.75 * difference(values, np.zeros(len(values)), clusters).se


def test_cluster_values_have_the_means_of_the_items():
    values = np.array([[1, 0, 1, 1, np.nan], [0, 0, np.nan, 1, 0.5]])
    columns = cluster_values(values, list("aabbc"))
    assert columns.shape == (2, 3)
    assert columns.mean(axis=1) == pytest.approx(np.nanmean(values, axis=1))


@pytest.mark.parametrize("n", [6, 14, 64, 1000])
def test_what_never_differs_may_still_differ_a_little(n):
    """Equal answers to 64 questions leave room for three in a hundred (the rule of three)."""
    same = np.tile([1.0, 0.0], n // 2)
    for values in (same, np.full(n, 0.5)):
        for seeds in (1, 3):
            found = difference(np.tile(values, (seeds, 1)), np.tile(values, (seeds, 1)), names(n))
            low, high = found.interval(0.95)
            assert found.p() == pytest.approx(1) and low == -high and high > 1.5 / (n + 2)
    single = mean(np.full((1, n), 0.5), names(n)).interval(0.95)
    assert single[0] < 0.5 < single[1]
    everything = difference(np.ones(n), np.zeros(n), names(n))
    low, high = everything.interval(0.95)
    assert everything.value == high == 1 and low < 1 - 1 / n
    # Of lengths in words, of which nothing says how far they can differ, there is none.
    assert difference(np.full(n, 7.0), np.full(n, 7.0), names(n)).interval(0.95) is None


def test_four_of_sixty_four_are_not_clear_and_nine_are():
    def of(up):
        return difference(np.r_[np.ones(up), np.zeros(64 - up)], np.zeros(64), names(64))

    assert of(4).p() > 0.05 and of(4).interval(0.95)[0] < 0  # exactly 0.125
    assert of(9).p() < 0.05 and of(9).interval(0.95)[0] > 0  # exactly 0.004


@pytest.mark.parametrize("n", [6, 8, 14, 30])
def test_p_is_near_that_of_the_exact_test(n):
    """McNemar's: of the differing items as many go up as down. Ours is never far below it."""
    for up in range(n // 2 + 1):
        for down in range(n // 2 + 1):
            if up + down:
                found = difference(
                    np.r_[np.ones(up), -np.ones(down), np.zeros(n - up - down)] > 0,
                    np.r_[np.zeros(up), np.ones(down), np.zeros(n - up - down)],
                    names(n),
                ).p()
                exact = binomtest(up, up + down).pvalue
                middle = exact - binom.pmf(up, up + down, 0.5) / 2
                assert found > 0.6 * middle - 0.002, (up, down)
                assert not (exact > 0.15 and found <= 0.05), (up, down)


def test_interval_and_p_say_the_same():
    random = np.random.default_rng(7)
    for seeds in (1, 2, 3):
        for _ in range(150):
            drawn = trained(random, 1, seeds, 40, tuned=0.5, spread=0.03)[0]
            found = difference(drawn, np.zeros_like(drawn), names(40))
            low, high = found.interval(0.95)
            assert (found.p() <= 0.05) == (low > 0 or high < 0)
            assert low <= found.value <= high
            assert (found.p_within(0.1) <= 0.05) == (low >= -0.1 and high <= 0.1)


@pytest.mark.parametrize(("n", "seeds", "spread"), [(64, 1, 0), (150, 3, 0.05), (150, 5, 0.05)])
def test_an_effect_of_the_detectable_size_is_found_in_four_of_five_draws(n, seeds, spread):
    random = np.random.default_rng(n)
    noise = 0.4 * random.normal(size=(6000, seeds, n)) + 0.3 * random.normal(size=(6000, 1, n))
    noise += spread * random.normal(size=(6000, seeds, 1))
    centre, se, df = moments([Stratum(noise, made_for_a_difference(noise, UNBOUNDED))])
    some = [Estimated(0, n, 0, float(se[k]), float(df[k])).detectable(0.05) for k in range(300)]
    size = float(np.mean(np.square(some)) ** 0.5)  # of few seeds single ones differ widely
    assert 0.75 <= ((centre + size) / se > t.ppf(0.975, df)).mean() <= 0.85
    assert Estimated(0, n, 0, 0.1, 20).detectable(0.05) < Estimated(0, n, 0, 0.1, 20).detectable(
        0.01
    )


def test_a_difference_at_the_margin_is_seldom_called_held():
    random = np.random.default_rng(8)
    for seeds in (1, 3, 5):
        draws = 0.15 * random.normal(size=(4000, seeds, 200)) + 0.02
        centre, se, df = moments([Stratum(draws, made_for_a_difference(draws, SHARES))])
        within = np.abs(centre) + se * t.ppf(0.975, df) <= 0.02
        assert within.mean() <= 0.055
    # The margin that is said to be within reach is reached where nothing differs.
    centre, se, df = moments([Stratum(draws[:, :1] - 0.02, Made(0, 0, 0))])
    margin = Estimated(0, 200, 0, float(se.mean()), float(df.mean())).margin_within_reach(0.05)
    assert 0.75 <= (np.abs(centre) + se * t.ppf(0.975, df) <= margin).mean() <= 0.85


def test_tasks_are_tied_by_the_seeds_alone():
    random = np.random.default_rng(9)
    for seeds, spread in ((1, 0), (3, 0), (3, 0.1)):
        by_seed = spread * random.normal(size=(3000, seeds, 1))
        tasks = [by_seed + 0.5 * random.normal(size=(3000, seeds, n)) for n in (20, 80)]
        strata = [Stratum(one, made_for_a_difference(one, SHARES), 0.5) for one in tasks]
        centre, se, df = moments(strata)
        assert 0.93 <= (np.abs(centre) <= se * t.ppf(0.975, df)).mean() <= 0.98
    parts = [(task[0], names(task.shape[2])) for task in tasks]
    found = weighted_difference(parts, [0.5, 0.5])
    assert found.value == pytest.approx(np.mean([task[0].mean() for task in tasks]))
    assert (found.n, found.se) == (100, pytest.approx(float(se[0])))


def test_what_is_too_little_has_no_interval_and_no_p():
    few = difference(np.ones(LEAST_CLUSTERS - 1), np.zeros(LEAST_CLUSTERS - 1), names(5))
    assert (few.value, few.n, few.interval(0.95), few.p()) == (1, 5, None, None)
    assert few.p_within(0.02) is few.detectable(0.05) is few.margin_within_reach(0.05) is None
    assert few.estimate(0.95).low is None
    assert binomtest(LEAST_CLUSTERS - 1, LEAST_CLUSTERS - 1).pvalue > 0.05
    assert binomtest(LEAST_CLUSTERS, LEAST_CLUSTERS).pvalue < 0.05


def test_what_is_not_defined_is_left_out():
    values = np.array([[1, np.nan, 0, 1, 0, 1, 1, 0], [0, np.nan, np.nan, 1, 0, 1, 1, 0]])
    found = mean(values, names(8))
    assert (found.value, found.n) == (pytest.approx((4 / 7 + 3 / 6) / 2), 7)
    silent = np.vstack([values, np.full(8, np.nan)])
    assert mean(silent, names(8)) == found
