import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.statistics import holm, share


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


def test_holm_by_hand():
    # 0.01 × 4; 0.02 × 3; 0.03 × 2 = 0.06; 0.9 × 1. Never less than a smaller one's.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []
