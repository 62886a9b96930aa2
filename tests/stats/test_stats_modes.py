"""Modes: one where there is one, two where an average would describe nobody."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stats_builders import hdr

from bizra_gate.model import Distribution
from bizra_gate.stats.modes import modes

Draw = Callable[[random.Random], float]

ONE: dict[str, Draw] = {
    "log-normal": lambda r: r.lognormvariate(14, 0.5),
    "narrow": lambda r: r.lognormvariate(14, 0.02),
    "exponential": lambda r: 1 + r.expovariate(1 / 5e6),
    "gamma": lambda r: r.gammavariate(3, 2e6),
    "uniform": lambda r: r.uniform(1e6, 3e6),
    "Pareto": lambda r: r.paretovariate(1.5) * 1e6,
    "a floor and a tail": lambda r: 1e6 + r.expovariate(1 / 2e4),
    "a few nanoseconds": lambda r: r.gauss(150, 10),
    "stalls of two per cent": lambda r: r.uniform(1e9, 5e9) if r.random() < 0.02 else r.lognormvariate(14, 0.3),
}
TWO: dict[str, Draw] = {
    "halves": lambda r: r.lognormvariate(14 if r.random() < 0.5 else 15.5, 0.2),
    "a miss in ten": lambda r: r.lognormvariate(14 if r.random() < 0.9 else 16, 0.2),
    "side by side": lambda r: r.gauss(10e6 if r.random() < 0.5 else 14e6, 1e6),
}


def drawn(draw: Draw, seed: int, n: int = 2000) -> list[int]:
    generator = random.Random(seed)
    return [max(1, round(draw(generator))) for _ in range(n)]


@pytest.mark.parametrize("draw", ONE.values(), ids=ONE)
def test_one_mode_is_one(draw: Draw) -> None:
    found = [len(modes(hdr(drawn(draw, seed)))) for seed in range(12)]
    assert found.count(1) >= 11, found


@pytest.mark.parametrize("draw", TWO.values(), ids=TWO)
def test_two_modes_are_two(draw: Draw) -> None:
    for seed in range(5):
        assert len(modes(hdr(drawn(draw, seed)))) == 2


def test_modes_tell_where_they_are_and_how_much_they_hold() -> None:
    slow, fast = 20_000_000, 1_000_000
    values = drawn(lambda r: r.gauss(slow, 1e6) if r.random() < 0.2 else r.gauss(fast, 5e4), 1, 20_000)
    first, second = modes(hdr(values))
    assert first.location_ns == pytest.approx(fast, rel=0.05)
    assert second.location_ns == pytest.approx(slow, rel=0.05)
    assert first.mass == pytest.approx(0.8, abs=0.03)
    assert second.mass == pytest.approx(0.2, abs=0.03)


def test_a_source_that_counts_milliseconds_does_not_grow_modes() -> None:
    for seed in range(10):
        rounded = [max(1, round(v / 1e6)) * 1_000_000 for v in drawn(lambda r: r.lognormvariate(15.5, 0.6), seed)]
        assert len(modes(Distribution.of(rounded))) == 1


def test_two_values_are_two_modes_unless_the_source_could_not_have_shown_anything_between() -> None:
    neighbours = Distribution.of([1_000_000] * 500 + [2_000_000] * 500)
    assert len(modes(neighbours, quantum_ns=1)) == 2
    assert len(modes(neighbours, quantum_ns=1_000_000)) == len(modes(neighbours)) == 1
    assert len(modes(Distribution.of([1_000_000] * 500 + [5_000_000] * 500))) == 2


@pytest.mark.parametrize("mean_ms", [20, 30, 60])
def test_a_timers_tick_cuts_one_hill_into_teeth_and_not_into_modes(mean_ms: int) -> None:
    def ticked(r: random.Random) -> float:
        return (int(r.expovariate(1 / mean_ms)) + min(0.999, r.expovariate(2))) * 1e6 + 1

    assert len(modes(hdr(drawn(ticked, 3, 20_000)))) == 1


def test_a_single_value_is_one_mode_and_few_values_are_none() -> None:
    (only,) = modes(Distribution.of([5_000_000] * 100))
    assert only.location_ns == pytest.approx(5_000_000, rel=0.01)
    assert only.mass == pytest.approx(1)
    assert modes(Distribution.of([1, 10**9] * 20)) == modes(Distribution.of([])) == ()


@given(st.lists(st.integers(0, 10**12), min_size=50, max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_distribution_has_modes_in_order_with_no_more_mass_than_all(values: list[int]) -> None:
    found = modes(hdr(values))
    assert found
    assert [mode.location_ns for mode in found] == sorted(mode.location_ns for mode in found)
    assert 0 < sum(mode.mass for mode in found) <= 1 + 1e-9
