"""Drift, growth and lasting shifts are found; noise, stalls and pauses are let through."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stats_builders import S, closed_loop, open_loop, run_of

from bizra_gate.stats.steady import _clipped, bridge_range_quantile, critical_range, is_level, steady_run, steady_state


def noisy(seed: int, n: int = 120, rho: float = 0.0, cv: float = 0.03) -> list[float]:
    """1 plus AR(1) noise with standard deviation `cv`."""
    generator = random.Random(seed)
    value, series = generator.gauss(0, 1), []
    for _ in range(n):
        value = rho * value + math.sqrt(1 - rho * rho) * generator.gauss(0, 1)
        series.append(1 + cv * value)
    return series


def shaped(seed: int, shape: Callable[[int], float], rho: float = 0.3, cv: float = 0.03, n: int = 120) -> list[float]:
    return [5e6 * value * shape(i) for i, value in enumerate(noisy(seed, n, rho, cv))]


HONEST: dict[str, Callable[[int], float]] = {
    "noise": lambda i: 1,
    "a stall of three seconds": lambda i: 40 if 50 <= i < 53 else 1,
    "a stall in the first second": lambda i: 100 if i == 0 else 1,
    "a stall in the last seconds": lambda i: 30 if i > 116 else 1,
    "three stalls": lambda i: 20 if i in (10, 55, 100) else 1,
    "a collection every ten seconds": lambda i: 1.5 if i % 10 == 9 else 1,
    "a collection every five seconds, twice as slow": lambda i: 2 if i % 5 == 0 else 1,
    "a drift of one per cent": lambda i: 1 + 0.01 * i / 120,
    "a shift of two per cent": lambda i: 1.02 if i > 60 else 1,
}
DISHONEST: dict[str, tuple[Callable[[int], float], set[str]]] = {
    "a shift of 20 % at half time": (lambda i: 1.2 if i >= 60 else 1, {"change"}),
    "a shift of 20 % downwards": (lambda i: 1 if i >= 70 else 1.2, {"change"}),
    "a cold first sixth": (lambda i: 1.6 if i < 20 else 1, {"change"}),
    "a drift of 20 %": (lambda i: 1 + 0.2 * i / 120, {"drift"}),
    "a warm-up that goes on": (lambda i: 1 + 0.8 * math.exp(-i / 40), {"drift", "change", "unsteady"}),
    "a queue that grows without end": (lambda i: 0.02 + i / 20, {"drift"}),
    "a third of the run at twice the level": (lambda i: 2 if 40 <= i < 80 else 1, {"unsteady"}),
    "up and down": (lambda i: 1.3 if i // 30 % 2 else 1, {"unsteady"}),
}


@pytest.mark.parametrize("shape", HONEST.values(), ids=HONEST)
def test_an_honest_series_is_steady(shape: Callable[[int], float]) -> None:
    verdicts = [steady_state(shaped(seed, shape)).verdict for seed in range(20)]
    assert verdicts.count("steady") >= 19


@pytest.mark.parametrize("n", range(10, 61, 5))
def test_a_ramp_is_a_drift_however_few_points_show_it_and_does_not_pass_for_its_own_noise(n: int) -> None:
    ramps = [shaped(seed, lambda i: 1 + i / n, rho=0.0, cv=0.02, n=n) for seed in range(20)]
    assert {steady_state(ramp).verdict for ramp in ramps} == {"drift"}
    assert {steady_state(ramp[::-1]).verdict for ramp in ramps} == {"drift"}


@pytest.mark.parametrize(("shape", "allowed"), DISHONEST.values(), ids=DISHONEST)
def test_a_series_that_moves_is_found_and_named(shape: Callable[[int], float], allowed: set[str]) -> None:
    verdicts = [steady_state(shaped(seed, shape)).verdict for seed in range(20)]
    assert set(verdicts) <= allowed, verdicts


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [30, 120])
def test_the_test_of_wandering_keeps_its_nominal_5_per_cent(n: int, rho: float) -> None:
    found = [steady_state(noisy(1000 * n + seed, n, rho, 0.3)) for seed in range(200)]
    wandering = sum((s.wander or 0) > (s.critical or 0) for s in found) / 200
    assert 0.01 <= wandering <= 0.075
    assert sum(s.verdict != "steady" for s in found) / 200 <= 0.065


def test_a_shift_of_exactly_the_tolerance_is_rarely_called_one() -> None:
    flagged = [steady_state(shaped(s, lambda i: 1.05 if i >= 60 else 1)).verdict != "steady" for s in range(200)]
    assert sum(flagged) / 200 <= 0.06


def test_the_result_names_segments_levels_and_the_ratio() -> None:
    found = steady_state(shaped(1, lambda i: 1.5 if i >= 60 else 1))
    assert found.change_points == (60,)
    first, second = found.segments
    assert (first.start, first.stop, second.stop) == (0, 60, 120)
    assert first.level == pytest.approx(5e6, rel=0.03)
    assert second.level == pytest.approx(7.5e6, rel=0.03)
    assert found.ratio == pytest.approx(1.5, rel=0.05)
    assert "the level rises to 1.4" in found.message


def test_growth_from_nothing_has_no_finite_ratio_and_still_a_message() -> None:
    found = steady_state([0.0] * 5 + [float(i) for i in range(60)])
    assert found.verdict == "drift"
    assert found.message


def test_an_hour_is_judged_in_blocks_and_its_places_are_those_of_the_series() -> None:
    found = steady_state(shaped(3, lambda i: 1.3 if i >= 1800 else 1, n=3600))
    assert found.verdict == "change"
    assert [abs(place - 1800) <= 30 for place in found.change_points] == [True]
    assert found.segments[-1].stop == 3600


def test_too_short_or_without_a_level_is_said_and_not_called_steady() -> None:
    assert steady_state([1.0] * 9).verdict == "short"
    assert steady_state([]).verdict == "short"
    assert steady_state([0.0] * 30).verdict == "short"
    with pytest.raises(ValueError, match="finite"):
        steady_state([1.0] * 20 + [math.inf])


def test_a_constant_series_is_steady_and_a_clean_step_is_not() -> None:
    assert steady_state([200.0] * 120).verdict == "steady"
    assert steady_state([200.0] * 10).verdict == "steady"
    assert steady_state([200.0] * 60 + [300.0] * 60).verdict == "change"
    assert steady_state([200.0 + (i % 2) for i in range(120)]).verdict == "steady"


def test_a_wider_tolerance_lets_more_through() -> None:
    series = shaped(5, lambda i: 1.2 if i >= 60 else 1)
    assert steady_state(series, tolerance=0.3).verdict == "steady"


def test_the_range_of_the_bridge_is_kuipers() -> None:
    assert bridge_range_quantile(0.95) == pytest.approx(1.747, abs=5e-4)
    assert bridge_range_quantile(0.99) == pytest.approx(2.001, abs=5e-4)
    assert critical_range(120, 0, 0.95) > critical_range(120, 0.6, 0.95) > critical_range(30, 0.6, 0.95) > 0


@given(st.lists(st.floats(0, 1e12), min_size=10, max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_series_gets_a_verdict_and_segments_that_tile_it(series: list[float]) -> None:
    found = steady_state(series)
    if found.verdict == "short":
        assert found.segments == ()
        return
    edges = [segment.start for segment in found.segments] + [found.segments[-1].stop]
    assert edges[0] == 0
    assert edges[-1] == len(series)
    assert edges == sorted(set(edges))


def test_a_run_is_judged_on_latency_and_throughput() -> None:
    steady = run_of(closed_loop(1, users=8, seconds=60), 60 * S)
    assert {(name, found.verdict) for name, found in steady_run(steady)} == {
        ("mean latency", "steady"), ("throughput", "steady"),
    }  # fmt: skip
    drifting = run_of(closed_loop(1, users=8, seconds=60, drift=0.5), 60 * S)
    assert {found.verdict for _, found in steady_run(drifting)} == {"drift"}
    stalled = run_of(open_loop(2, seconds=60, stall_s=2.0), 60 * S, open_loop=True)
    assert {found.verdict for _, found in steady_run(stalled)} == {"steady"}
    assert steady_run(replace(steady, intervals=None)) == ()


def test_long_operations_do_not_make_the_first_seconds_look_unsteady() -> None:
    """Those that end early in the window are the quick ones; the slow ones of the same seconds end later."""
    run = run_of(closed_loop(4, users=200, seconds=90, mean_ns=4 * S, sigma=0.6), 90 * S)
    assert {found.verdict for _, found in steady_run(run)} == {"steady"}


@given(
    st.lists(st.floats(0.5, 2.0), min_size=10, max_size=150),
    st.floats(0.001, 0.2),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_what_is_told_to_be_level_in_short_is_steady_in_full(values: list[float], spread: float, stepped: bool) -> None:
    series = [1e6 * (1 + spread * (value - 1)) for value in (sorted(values) if stepped else values)]
    assert not is_level(series) or steady_state(series).verdict == "steady"


@given(st.lists(st.floats(0.5, 1.5), min_size=10, max_size=60), st.sampled_from([0.05, 0.01, 0.2]), st.floats(0, 1))
def test_a_series_that_is_not_clipped_is_as_it_was(values: list[float], tolerance: float, spread: float) -> None:
    series = [1 + (value - 1) * spread for value in values]
    reach = max(5 * 1.4826 * median([abs(value - 1) for value in series]), 4 * tolerance)
    assert _clipped(series, tolerance) == [min(max(value, 1 - reach), 1 + reach) for value in series]


def test_a_quiet_series_is_told_to_be_level_in_short_and_a_shifted_one_is_not() -> None:
    assert is_level(shaped(1, lambda i: 1, cv=0.01))
    assert not is_level(shaped(1, lambda i: 1.2 if i >= 60 else 1))


def test_one_stretch_within_a_series_is_told_against_the_rest() -> None:
    generator = random.Random(2)
    series = [100 * (1 + generator.gauss(0, 0.06)) * (1.2 if 19 <= i < 39 else 1) for i in range(60)]
    found = steady_state(series)
    assert (found.verdict, len(found.segments)) == ("unsteady", 1)
    assert "a stretch within the series lies above the rest, at 1.2" in found.message


def test_a_ratio_of_extremes_is_above_one_whichever_came_first() -> None:
    low, high = [65.0 + i % 3 for i in range(30)], [100.0 + i % 3 for i in range(30)]
    for series in (low + high + low + high, high + low + high + low):
        found = steady_state(series)
        assert found.verdict == "unsteady"
        assert "between 4 stretches, the highest at 1.5" in found.message
