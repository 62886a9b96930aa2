"""PELT against the exhaustive search that it abbreviates."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.stats import changepoints
from bizra_gate.stats.changepoints import default_penalty, pelt


def exhaustive(series: list[float], penalty: float, min_segment: int) -> tuple[int, ...]:
    """Optimal partitioning without any pruning."""
    values = (np.array(series) - np.mean(series)) / np.std(series)
    n = len(values)
    best, last = [-penalty] + [math.inf] * n, [0] * (n + 1)
    for end in range(min_segment, n + 1):
        for start in range(end - min_segment + 1):
            cost = best[start] + (end - start) * math.log(max(float(values[start:end].var()), 1e-6)) + penalty
            if cost < best[end] - 1e-12:
                best[end], last[end] = cost, start
    found, place = [], last[n]
    while place > 0:
        found.append(place)
        place = last[place]
    return tuple(reversed(found))


@given(st.integers(0, 10**6), st.integers(6, 45), st.sampled_from([1.0, 3.0, 8.0, 30.0]), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_pruning_loses_nothing(seed: int, n: int, penalty: float, min_segment: int) -> None:
    generator = random.Random(seed)
    series = [generator.gauss(3.0 * (i > n // 2), 1 + 2 * (i > n // 3)) for i in range(n)]
    assert pelt(series, penalty, min_segment) == exhaustive(series, penalty, min_segment)


@given(st.integers(0, 10**6), st.integers(4, 150), st.sampled_from([None, 3.0, 8.0, 30.0]), st.floats(0, 4))
@settings(max_examples=60, deadline=None)
def test_what_is_told_without_a_search_is_what_the_search_finds(
    seed: int, n: int, penalty: float | None, shift: float
) -> None:
    generator = random.Random(seed)
    start, stop = sorted((generator.randrange(n), generator.randrange(n)))
    rho, value, series = generator.choice([0.0, 0.6, 0.95]), 0.0, []
    for i in range(n):
        value = rho * value + generator.gauss(0, 1)
        series.append(value + shift * (start <= i < stop))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changepoints, "_is_one_segment", lambda *_: False)
        searched = pelt(series, penalty)
    assert pelt(series, penalty) == searched


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_noise_is_told_from_changes_without_a_search(rho: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changepoints, "_search", lambda *_: pytest.fail("nothing changes, and it was searched"))
    generator, value, series = random.Random(5), 0.0, []
    for _ in range(120):
        value = rho * value + generator.gauss(0, 1)
        series.append(value)
    assert pelt(series) == ()


def test_a_shift_of_the_level_is_found_where_it_is() -> None:
    generator = random.Random(1)
    series = [generator.gauss(10, 1) for _ in range(60)] + [generator.gauss(16, 1) for _ in range(60)]
    assert pelt(series) == (60,)


def test_a_change_of_the_spread_alone_is_a_change() -> None:
    generator = random.Random(2)
    series = [generator.gauss(10, 1) for _ in range(100)] + [generator.gauss(10, 8) for _ in range(100)]
    (place,) = pelt(series)
    assert abs(place - 100) <= 4


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_noise_that_hangs_together_is_no_change(rho: float) -> None:
    generator = random.Random(3)
    for _ in range(40):
        value, series = 0.0, []
        for _ in range(120):
            value = rho * value + generator.gauss(0, 1)
            series.append(value)
        assert pelt(series) == ()


def test_the_unit_of_the_series_does_not_matter() -> None:
    generator = random.Random(4)
    series = [generator.gauss(5 + 4 * (i >= 40), 1) for i in range(90)]
    assert pelt(series) == pelt([value * 1e9 + 1e6 for value in series]) == pelt([value * 1e-9 for value in series])


def test_constant_short_and_stepped_series() -> None:
    assert pelt([]) == pelt([1.0]) == pelt([1.0, 2.0, 3.0]) == pelt([7.0] * 100) == pelt([0.1] * 100) == ()
    assert pelt([1.0] * 50 + [2.0] * 50) == (50,)


def test_a_segment_has_a_variance_and_values_are_finite() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        pelt([1.0, 2.0], min_segment=1)
    with pytest.raises(ValueError, match="finite"):
        pelt([1.0, math.nan, 2.0, 3.0])


def test_the_default_penalty_is_the_published_one() -> None:
    assert default_penalty(2000) == pytest.approx(15 * math.log(2000))
    assert default_penalty(1) == 0
