"""Clocks: what they show, and what is found out about them on the spot."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from bizra_gate.load.clock import FakeClock, MonotonicClock, WallWatch, measure_clock, rfc3339


def stepping(step_ns: int, every: int = 1) -> Callable[[], int]:
    """A clock that moves on by `step_ns` at every `every`-th reading."""
    readings = count()
    return lambda: next(readings) // every * step_ns


def test_resolution_is_the_smallest_positive_step_and_overhead_the_cost_of_a_reading() -> None:
    facts = measure_clock(stepping(41), readings=100)
    assert facts.resolution_ns == 41
    assert 41 <= (facts.overhead_ns or 0) < 42


def test_a_coarse_clock_shows_its_quantum_and_not_zero() -> None:
    facts = measure_clock(stepping(1_000_000, every=7), readings=100)
    assert facts.resolution_ns == 1_000_000


def test_a_clock_that_stands_still_has_no_resolution_rather_than_a_perfect_one() -> None:
    assert measure_clock(lambda: 5, readings=100).resolution_ns is None


def test_a_fake_clock_moves_only_when_told_to() -> None:
    clock = FakeClock(start_ns=10)
    assert clock.now_ns() == clock.now_ns() == 10
    clock.advance(5)
    clock.sleep_until(100)
    clock.sleep_until(50)
    assert clock.now_ns() == 100


def test_a_fork_of_a_fake_clock_goes_its_own_way() -> None:
    clock = FakeClock(start_ns=7)
    fork = clock.fork()
    fork.advance(1)
    assert (clock.now_ns(), fork.now_ns()) == (7, 8)


def test_sleeping_on_the_real_clock_never_ends_early_even_for_a_time_that_has_passed() -> None:
    clock = MonotonicClock()
    when = clock.now_ns() + 200_000
    clock.sleep_until(when)
    clock.sleep_until(when - 1_000_000)
    assert clock.now_ns() >= when


def test_wall_clock_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(1_795_000_000_999_999_999) == "2026-11-18T11:06:40Z"


def test_a_wall_clock_that_jumps_is_counted_and_its_drift_told() -> None:
    clock = FakeClock()
    watch = WallWatch(clock)
    watch.check()
    assert (watch.steps, watch.drift_ns) == (0, 0)
    clock.wall_offset_ns = -3_600_000_000_000
    watch.check()
    watch.check()
    assert (watch.steps, watch.drift_ns) == (1, -3_600_000_000_000)


def test_a_wall_clock_that_is_slewed_drifts_without_a_step() -> None:
    clock = FakeClock()
    watch = WallWatch(clock)
    for second in range(1, 11):
        clock.advance(1_000_000_000)
        clock.wall_offset_ns = second * 500_000
        watch.check()
    assert (watch.steps, watch.drift_ns) == (0, 5_000_000)
