"""Rates, rows, clocks and caps: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import MS, OWN, POLICY, TOOL, S, found, http, reason

from bizra_gate.audit import (
    NotApplicable,
    coherence_overflow,
    coherence_time,
)
from bizra_gate.model import (
    ClockFacts,
    ClosedLoop,
    Distribution,
    Figure,
    Intervals,
    Latency,
    Measurement,
)


@pytest.mark.parametrize(
    ("printed", "right"), [(100.0, True), (100.7, True), (101.2, False), (99.4, True), (98.5, False)]
)
def test_a_rate_may_be_off_by_what_was_in_flight_and_two_per_mille(printed: float, right: bool) -> None:
    told = Measurement(
        TOOL, concurrency=4, operations=1000, duration_ns=Figure(10 * S), rate_achieved_per_s=Figure(printed)
    )
    assert (found(coherence_time.times(told, POLICY)) == []) is right


def test_a_rate_may_count_errors_or_not() -> None:
    told = Measurement(TOOL, operations=900, errors={"503": 100}, duration_ns=Figure(10 * S))
    for printed in (90.0, 95.0, 100.0):
        assert found(coherence_time.times(replace(told, rate_achieved_per_s=Figure(printed)), POLICY)) == []
    assert found(coherence_time.times(replace(told, rate_achieved_per_s=Figure(103.0)), POLICY)) != []


@pytest.mark.parametrize(
    ("drift", "right"), [(130 * MS, True), (-130 * MS, True), (131 * MS, False), (-131 * MS, False)]
)
def test_clocks_may_drift_by_a_thousandth_and_ten_milliseconds(drift: int, right: bool) -> None:
    told = Measurement(OWN, duration_ns=Figure(120 * S), clock=ClockFacts(wall_drift_ns=drift))
    assert (found(coherence_time.times(told, POLICY)) == []) is right


def test_which_way_a_clock_ran_is_told() -> None:
    told = Measurement(OWN, duration_ns=Figure(120 * S), clock=ClockFacts(wall_drift_ns=-5 * S))
    assert "5 s shorter" in found(coherence_time.times(told, POLICY))[0].message


@pytest.mark.parametrize(
    ("finish", "right"), [("10:00:09", True), ("10:00:08", True), ("10:00:07", False), ("10:00:07.5", False)]
)
def test_stamps_in_whole_seconds_may_be_cut(finish: str, right: bool) -> None:
    told = Measurement(
        TOOL, duration_ns=Figure(10 * S), started_at="2026-01-01T10:00:00Z", finished_at=f"2026-01-01T{finish}Z"
    )
    assert (found(coherence_time.times(told, POLICY)) == []) is right


def test_stamps_with_fractions_are_exact_to_some_milliseconds() -> None:
    told = Measurement(TOOL, duration_ns=Figure(10 * S), started_at="2026-01-01T10:00:00.000Z")
    assert found(coherence_time.times(replace(told, finished_at="2026-01-01T10:00:09.98Z"), POLICY)) == []
    assert found(coherence_time.times(replace(told, finished_at="2026-01-01T10:00:09.90Z"), POLICY)) != []


def test_a_stamp_without_a_zone_tells_nothing() -> None:
    told = Measurement(TOOL, started_at="2026-01-01T10:00:00", finished_at="2026-01-01T09:00:00")
    assert "second clock" in reason(coherence_time.times(told, POLICY))


@pytest.mark.parametrize(("longest", "right"), [(20.0, True), (20.1, False)])
def test_an_operation_may_last_twice_the_run(longest: float, right: bool) -> None:
    told = Measurement(TOOL, duration_ns=Figure(10 * S), latency=Latency(maximum=Figure(longest * S)))
    assert (found(coherence_time.times(told, POLICY)) == []) is right


def test_an_operation_of_ours_may_last_until_its_timeout_as_well() -> None:
    told = Measurement(OWN, duration_ns=Figure(10 * S), latency=Latency(maximum=Figure(25.0 * S)))
    assert found(coherence_time.times(told, POLICY)) != []
    assert found(coherence_time.times(replace(told, plan=http(ClosedLoop(1), 6 * S)), POLICY)) == []


@pytest.mark.parametrize(("starts", "right"), [
    ((0, S, 2 * S, 3 * S), True), ((0, S, 2 * S, 3 * S, 4 * S, 5 * S), True), ((S, 2 * S, 3 * S), False),
    ((0, S), False), ((0, S, 2 * S, 3 * S, 4 * S, 5 * S, 6 * S, 7 * S, 8 * S), False),
])  # fmt: skip
def test_our_rows_cover_the_window_and_a_drain(starts: tuple[int, ...], right: bool) -> None:
    series = Intervals(S, starts, (10,) * len(starts))
    told = Measurement(OWN, duration_ns=Figure(4 * S), intervals=series, plan=http(ClosedLoop(1), S))
    assert (found(coherence_time.times(told, POLICY)) == []) is right


def test_a_step_too_long_and_a_step_too_short_are_told_apart() -> None:
    for second, what in ((3 * S, "missing"), (S // 2, "overlap")):
        told = Measurement(TOOL, intervals=Intervals(S, (0, second), (1, 1)))
        assert what in found(coherence_time.times(told, POLICY))[0].message


@pytest.mark.parametrize(("dropped", "severity"), [(0, None), (9, "note"), (11, "invalid")])
def test_values_dropped_are_told_or_refused_by_what_they_move(dropped: int, severity: str | None) -> None:
    held = Latency(count=10_000 - dropped, dropped=dropped, percentiles=((99.0, Figure(MS)),))
    told = found(coherence_overflow.overflow(Measurement(TOOL, latency=held), POLICY))
    assert [finding.severity for finding in told] == ([severity] if severity else [])


def test_what_share_was_dropped_is_told() -> None:
    held = Latency(count=9_000, dropped=1_000, percentiles=((90.0, Figure(MS)),))
    message = found(coherence_overflow.overflow(Measurement(TOOL, latency=held), POLICY))[0].message
    assert "1,000 values, 10 % of all" in message
    assert "p90 stands on the slowest 10 %" in message


@pytest.mark.parametrize(("ended", "severity"), [(1_000_000, None), (None, "insufficient"), (1_000_001, "invalid")])
def test_a_full_reservoir_is_held_against_what_ended(ended: int | None, severity: str | None) -> None:
    told = Measurement(TOOL, operations=ended, latency=Latency(count=1_000_000, cap=1_000_000))
    assert [f.severity for f in found(coherence_overflow.overflow(told, POLICY))] == ([severity] if severity else [])


@pytest.mark.parametrize(("top", "pile", "timeouts", "right"), [
    (S, 2, 0, True), (S, 3, 0, False), (S + 1, 30, 0, True), (S, 5, 3, True), (S, 6, 3, False),
    (2**30, 3, 0, False), (2**30 - 1, 3, 0, False), (2**19, 9, 0, True), (2**20, 9, 0, False),
])  # fmt: skip
def test_a_pile_on_a_round_number_is_a_cap(top: int, pile: int, timeouts: int, right: bool) -> None:
    held = Latency(histogram=Distribution.of([MS // 2 - 7, *[top] * pile]), quantum_ns=1.0)
    told = Measurement(TOOL, errors={"timeout": timeouts}, latency=held)
    assert (found(coherence_overflow.overflow(told, POLICY)) == []) is right


def test_a_pile_in_a_file_of_whole_milliseconds_is_no_cap() -> None:
    held = Latency(histogram=Distribution.of([400 * MS, *[S] * 9]), quantum_ns=MS)
    assert found(coherence_overflow.overflow(Measurement(TOOL, latency=held), POLICY)) == []


def test_stamps_of_a_wall_clock_that_was_set_meanwhile_accuse_nobody() -> None:
    told = Measurement(
        OWN, duration_ns=Figure(10 * S), started_at="2026-01-01T10:00:00Z", finished_at="2026-01-01T09:00:20Z"
    )
    assert found(coherence_time.times(replace(told, clock=ClockFacts(steps=0)), POLICY)) != []
    looked = coherence_time.times(replace(told, clock=ClockFacts(steps=1)), POLICY)
    assert isinstance(looked, NotApplicable) or list(looked) == []
