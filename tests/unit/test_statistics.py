import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.statistics import paired_difference, share


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        # Worked by hand from (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964.
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),
        (1, 1, 0.206549, 1.0),
        (81, 263, 0.255289, 0.366211),
    ],
)
def test_a_share_has_its_wilson_interval(correct, n, low, high):
    found = share(correct, n)
    assert found.value == correct / n
    assert found.n == n
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_within_its_interval_and_more_confidence_is_wider(pair):
    found, wide = share(*pair), share(*pair, confidence=0.99)
    assert 0 <= wide.low <= found.low + 1e-12
    assert found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    assert found.high <= wide.high + 1e-12 <= 1 + 1e-9


def names(n):
    return [str(i) for i in range(n)]


def test_a_paired_difference_has_the_right_sign_and_is_exact_where_all_items_agree():
    better = paired_difference([1, 1, 1, 0], [0, 1, 0, 0], names(4))
    assert better.value == 0.5
    worse = paired_difference([0, 1, 0, 0], [1, 1, 1, 0], names(4))
    assert (worse.value, worse.low, worse.high) == (-0.5, -better.high, -better.low)
    constant = paired_difference([1, 1, 1], [0, 0, 0], names(3))
    assert (constant.value, constant.low, constant.high, constant.n) == (1, 1, 1, 3)
    one = paired_difference([1], [0], ["a"])
    assert (one.low, one.high) == (1, 1)


def test_pairing_takes_out_what_the_items_share():
    random = np.random.default_rng(0)
    hard = random.random(400) < 0.5
    first, second = hard.copy(), hard.copy()
    second[:8] = ~second[:8]
    paired = paired_difference(first, second, names(400), resamples=400)
    apart = paired_difference(first, random.permutation(second), names(400), resamples=400)
    assert paired.high - paired.low < 0.3 * (apart.high - apart.low)


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        first, second = random.random(150) < 0.6, random.random(150) < 0.5
        found = paired_difference(first, second, names(150), resamples=300, seed=trial)
        held += found.low <= 0.1 <= found.high
    assert 180 <= held <= 198  # 190 expected


def test_the_interval_is_as_wide_as_theory_has_it():
    found = paired_difference([1, 0] * 200, [0] * 400, names(400))
    half = 1.96 * (0.25 / 400) ** 0.5
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.006)


def test_answers_on_one_subject_count_as_one():
    random = np.random.default_rng(2)
    per_subject = random.random(40) < 0.5
    repeated = np.repeat(per_subject, 10)
    subjects = np.repeat(names(40), 10)
    zero = np.zeros(400)
    clustered = paired_difference(repeated, zero, subjects)
    naive = paired_difference(repeated, zero, names(400))
    once = paired_difference(per_subject, np.zeros(40), names(40))
    assert clustered.value == naive.value == once.value
    assert clustered.n == 400
    width, naive_width, once_width = (e.high - e.low for e in (clustered, naive, once))
    assert width == pytest.approx(once_width, rel=0.15)
    assert width > 2.5 * naive_width  # √10 expected


def test_unequal_clusters_weigh_by_their_size():
    found = paired_difference([1, 1, 1, 0], [0, 0, 0, 0], ["a", "a", "a", "b"])
    assert found.value == 0.75
    assert (found.low, found.high) == (0, 1)


def test_the_bootstrap_is_reproducible_and_its_level_counts():
    random = np.random.default_rng(3)
    first, second = random.random(60) < 0.6, random.random(60) < 0.5
    one = paired_difference(first, second, names(60), resamples=500)
    assert one == paired_difference(first, second, names(60), resamples=500)
    assert one != paired_difference(first, second, names(60), resamples=500, seed=9)
    narrow = paired_difference(first, second, names(60), resamples=500, confidence=0.8)
    assert one.low < narrow.low < narrow.high < one.high
