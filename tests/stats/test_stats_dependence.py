"""Effective n from the per-second columns, against the indicator series that only a simulation can see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bizra_gate.model import Distribution, Intervals
from bizra_gate.stats.dependence import Dependence, full_rows, rows_of
from bizra_gate.stats.series import effective_n_of

S = 1_000_000_000
Floats = NDArray[np.float64]


def dependence_of(seconds: list[Floats]) -> tuple[Dependence, NDArray[np.int64]]:
    values = [np.maximum(1, (second * 1e6).astype(np.int64)) for second in seconds]
    ranks = [[int(np.sort(v)[math.ceil(q * len(v)) - 1]) for v in values] for q in (0.5, 0.99)]
    intervals = Intervals(
        length_ns=S,
        start_ns=tuple(i * S for i in range(len(values))),
        count=tuple(len(v) for v in values),
        total_ns=tuple(int(v.sum()) for v in values),
        p50_ns=tuple(ranks[0]),
        p99_ns=tuple(ranks[1]),
    )
    together = np.concatenate(values)
    return Dependence(rows_of(intervals, None), Distribution.of(together.tolist())), together


def true_share(seconds: list[Floats], q: float) -> float:
    """What the columns stand in for: the share of each second that lay above the quantile, counted."""
    threshold = np.quantile(np.concatenate(seconds), q, method="inverted_cdf")
    above = [float((second > threshold).mean()) for second in seconds]
    sizes = [float(len(second)) for second in seconds]
    return effective_n_of(q * (1 - q), above, sizes) / sum(sizes)


def independent(generator: np.random.Generator) -> list[Floats]:
    return [generator.lognormal(0, 0.5, 500) for _ in range(120)]


def wandering(generator: np.random.Generator) -> list[Floats]:
    return [generator.lognormal(generator.normal(0, 0.05), 0.5, 1000) for _ in range(120)]


def jittering(generator: np.random.Generator) -> list[Floats]:
    return [generator.lognormal(generator.normal(0, 0.05), 0.1, 1000) for _ in range(120)]


def stalling(generator: np.random.Generator) -> list[Floats]:
    seconds = [generator.lognormal(0, 0.5, 1000) for _ in range(120)]
    seconds[60][:400] += np.linspace(400, 0, 400)
    return seconds


@pytest.mark.parametrize("shape", [independent, wandering, jittering, stalling])
def test_the_columns_tell_effective_n_within_a_factor_of_three(shape: object) -> None:
    seconds = shape(np.random.default_rng(8))  # type: ignore[operator]
    found, _ = dependence_of(seconds)
    for q in (0.75, 0.9, 0.95, 0.99, 0.999):
        assert 1 / 3 < found.for_quantile(q) / true_share(seconds, q) < 3, q


def test_a_stall_leaves_the_median_sharp_and_the_tail_open() -> None:
    found, values = dependence_of(stalling(np.random.default_rng(9)))
    n = len(values)
    assert found.for_quantile(0.5) * n > 10_000
    assert found.for_quantile(0.99) * n < 1500
    assert found.for_quantile(0.999) * n < 3688
    assert found.for_mean * n < 2000


def test_independent_values_keep_nearly_all_of_their_n() -> None:
    found, _ = dependence_of(independent(np.random.default_rng(10)))
    assert found.for_mean > 0.6
    assert all(found.for_quantile(q) > 0.4 for q in (0.5, 0.9, 0.99, 0.999, 0.9999))


def test_without_percentile_columns_the_mean_speaks_for_the_quantiles() -> None:
    intervals = Intervals(
        S, tuple(i * S for i in range(30)), (100,) * 30, total_ns=tuple(100 * (1000 + i) for i in range(30))
    )
    histogram = Distribution.of([1000 + i for i in range(30)] * 100)
    found = Dependence(rows_of(intervals, None), histogram)
    assert found.for_quantile(0.99) == found.for_mean < 0.05
    bare = Dependence(rows_of(Intervals(S, (0, S), (5, 5)), None), Distribution.of([1, 2]))
    assert bare.for_mean == bare.for_quantile(0.5) == 1


def test_drain_last_part_and_filling_rows_are_left_out() -> None:
    intervals = Intervals(S, tuple(i * S for i in range(13)), (5,) * 13)
    assert full_rows(intervals, 10.5 * S) == range(10)
    assert full_rows(intervals, 10 * S, residence_ns=0.5 * S) == range(2, 10)
    assert full_rows(intervals, 10 * S, residence_ns=1e6) == range(10)
    assert full_rows(intervals, None) == range(13)
    assert rows_of(Intervals(S, (0, S, 2 * S), (5, 0, 4)), 3 * S).count == (5.0, 4.0)


def test_the_variance_is_that_of_the_values() -> None:
    values = [3, 5, 5, 9, 14]
    assert Distribution.of(values).variance == pytest.approx(float(np.var(values)))
