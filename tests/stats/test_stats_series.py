"""Correlated series: exact lag-1, effective n, and batch means that cover as often as they say."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.stats.series import batch_means_interval, effective_n, effective_n_of, inflation, lag1


def autoregressive(generator: random.Random, n: int, rho: float) -> list[float]:
    """AR(1) with mean 0 and variance 1."""
    value, series = generator.gauss(0, 1), []
    for _ in range(n):
        value = rho * value + math.sqrt(1 - rho * rho) * generator.gauss(0, 1)
        series.append(value)
    return series


@pytest.mark.parametrize(
    ("series", "certified"),
    [
        ([10_000_001.0, 10_000_003.0, 10_000_002.0], -0.5),
        ([1.2] + [1.1, 1.3] * 500, -0.999),
        ([1_000_000.2] + [1_000_000.1, 1_000_000.3] * 500, -0.999),
        ([10_000_000.2] + [10_000_000.1, 10_000_000.3] * 500, -0.999),
    ],
    ids=["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_lag_1_of_the_numerical_accuracy_series_of_nist(series: list[float], certified: float) -> None:
    assert lag1(series) == pytest.approx(certified, rel=1e-7)


def test_a_constant_or_a_single_value_has_no_correlation() -> None:
    assert lag1([]) == lag1([3.0]) == lag1([0.1] * 50) == lag1([1e9 + 0.1] * 7) == 0


def test_the_effective_n_is_what_the_theory_says() -> None:
    generator = random.Random(2)
    for rho in (0.3, 0.6, 0.9):
        series = autoregressive(generator, 20_000, rho)
        assert effective_n(20_000, series) == pytest.approx(20_000 * (1 - rho) / (1 + rho), rel=0.1)


def test_negative_correlation_never_makes_more_of_n_than_there_is() -> None:
    assert effective_n(1000, [1.0, 2.0] * 30) == 1000
    assert inflation([1.0, 5.0, 2.0]) == 1


def test_correlation_within_the_intervals_is_seen_too() -> None:
    """Seconds that each have their own level: neighbours are uncorrelated, and still there are only 120 values."""
    generator = random.Random(4)
    levels = [generator.gauss(10, 1) for _ in range(120)]
    assert effective_n(120_000, levels) > 80_000
    assert effective_n_of(1.0, levels, [1000.0] * 120) == pytest.approx(120, rel=0.35)
    independent = [generator.gauss(10, 1 / math.sqrt(1000)) for _ in range(120)]
    assert effective_n_of(1.0, independent, [1000.0] * 120) > 60_000
    assert effective_n_of(1.0, levels[:7], [1000.0] * 7) == 7000
    assert effective_n_of(0.0, levels, [1000.0] * 120) == effective_n_of(1.0, [5.0] * 120, [1000.0] * 120) == 120_000


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.9])
def test_batch_means_cover_as_often_as_they_say(rho: float) -> None:
    generator = random.Random(round(rho * 10))
    inside = 0
    for _ in range(300):
        found = batch_means_interval(autoregressive(generator, 120, rho))
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0 <= found.high
    assert 0.9 <= inside / 300 <= 0.985


def test_batches_grow_with_correlation_and_never_below_twenty() -> None:
    generator = random.Random(1)
    assert batch_means_interval([generator.gauss(0, 1) for _ in range(120)]).batches == 120
    assert 20 <= batch_means_interval(autoregressive(generator, 120, 0.8)).batches < 120
    assert batch_means_interval([float(i) for i in range(120)]).batches == 20


def test_the_mean_is_weighted_by_the_counts() -> None:
    found = batch_means_interval([1.0, 2.0, 4.0], [100.0, 50.0, 0.0])
    assert found.mean == pytest.approx(4 / 3)
    assert found.batches == 2


def test_one_interval_alone_has_a_mean_and_no_interval() -> None:
    found = batch_means_interval([7.0])
    assert (found.mean, found.low, found.high, found.batches) == (7, None, None, 1)


def test_an_empty_series_or_weights_that_do_not_fit_are_refused() -> None:
    for series, weights in (([], None), ([1.0], [1.0, 2.0]), ([1.0], [0.0])):
        with pytest.raises(ValueError, match="batch means"):
            batch_means_interval(series, weights)


@given(st.lists(st.floats(1, 1e9), min_size=2, max_size=200))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_mean(series: list[float]) -> None:
    found = batch_means_interval(series)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean <= found.high
