"""Normal and t quantiles against scipy, and the interval of a mean."""

from __future__ import annotations

import math

import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.stats.student import normal_quantile, t_cdf, t_interval, t_quantile

PROBABILITIES = (1e-10, 1e-6, 0.001, 0.005, 0.025, 0.05, 0.1, 0.3, 0.499, 0.6, 0.9, 0.975, 0.995, 0.99999)
DEGREES = (1, 1.5, 2, 2.7, 3, 4, 5, 8, 19, 30, 119, 1000, 1e4, 1e5, 1e6, 1.1e6, 1e8, 1e9)


@pytest.mark.parametrize("df", DEGREES)
def test_the_t_quantile_is_within_1e9_of_scipy(df: float) -> None:
    for p in PROBABILITIES:
        assert t_quantile(p, df) == pytest.approx(float(scipy.stats.t.ppf(p, df)), rel=1e-9)


def test_the_textbook_values_of_t_are_met() -> None:
    assert t_quantile(0.975, 1) == pytest.approx(12.706204736, rel=1e-9)
    assert t_quantile(0.975, 4) == pytest.approx(2.776445105, rel=1e-9)
    assert t_quantile(0.5, 7) == 0


def test_the_normal_quantile_agrees_with_scipy_down_to_1e_300() -> None:
    for p in (1e-300, 1e-100, 1e-10, 0.02425, 0.025, 0.3, 0.49, 0.5, 0.51, 0.975, 1 - 1e-12):
        assert normal_quantile(p) == pytest.approx(float(scipy.special.ndtri(p)), rel=1e-12, abs=1e-15)


@given(st.floats(0.001, 0.999), st.floats(1, 1e5))
@settings(max_examples=60, deadline=None)
def test_the_quantile_undoes_the_distribution_function(p: float, df: float) -> None:
    assert t_cdf(t_quantile(p, df), df) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.5, math.nan])
def test_a_probability_outside_0_to_1_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        t_quantile(p, 3)
    with pytest.raises(ValueError, match="probability"):
        normal_quantile(p)


def test_no_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_quantile(0.9, 0)


def test_the_t_interval_is_the_one_of_scipy() -> None:
    values = [9.9, 10.1, 10.4, 9.7, 10.0]
    mean, low, high = t_interval(values, 0.99)
    expected = scipy.stats.t.interval(0.99, 4, loc=mean, scale=scipy.stats.sem(values))
    assert (low, high) == pytest.approx(expected, rel=1e-12)
    assert mean == pytest.approx(10.02)


def test_one_process_alone_has_no_interval_and_none_at_all_is_refused() -> None:
    assert t_interval([4.0]) == (4.0, None, None)
    with pytest.raises(ValueError, match="at least one"):
        t_interval([])
