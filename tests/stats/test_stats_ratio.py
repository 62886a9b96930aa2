"""Wilson's interval of a ratio of counts."""

from __future__ import annotations

import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.stats.ratio import wilson


@given(st.integers(1, 10**6), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
@settings(max_examples=80, deadline=None)
def test_the_interval_is_the_one_of_scipy(n: int, share: float, confidence: float) -> None:
    successes = round(share * n)
    expected = scipy.stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


def test_zero_errors_are_an_upper_bound_and_not_zero() -> None:
    low, high = wilson(0, 1000)
    assert low == 0
    assert high == pytest.approx(0.003826758, rel=1e-6)


def test_all_successes_are_a_lower_bound_and_not_one() -> None:
    low, high = wilson(1000, 1000)
    assert high == 1
    assert low == pytest.approx(1 - 0.003826758, rel=1e-6)


def test_nothing_counted_says_nothing() -> None:
    assert wilson(0, 0) == (0, 1)


def test_a_smaller_effective_n_widens() -> None:
    low, high = wilson(100, 1000)
    wide_low, wide_high = wilson(10, 100)
    assert wide_low < low < 0.1 < high < wide_high


@pytest.mark.parametrize(("successes", "n"), [(5, 4), (-1, 4), (1, 0)])
def test_more_successes_than_trials_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)
