"""Little's law and the clock: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import MS, OWN, POLICY, TOOL, S, found, http, observed, reason

from bizra_gate.audit import (
    clock,
    littles_law,
)
from bizra_gate.model import (
    ClockFacts,
    ClosedLoop,
    Distribution,
    Figure,
    InFlight,
    Latency,
    Measurement,
    Run,
    Source,
)


def little(mean: float, **fields: object) -> Measurement:
    """1,000 operations in 10 s on 10 connections: λ = 100/s, so a mean of 100 ms is full."""
    held = Latency(mean=Figure(mean), stdev=Figure(0.0), origin="send")
    base = Measurement(
        TOOL, loop="closed", think_time=False, concurrency=10, operations=1000, duration_ns=Figure(10 * S), latency=held
    )
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mean", "right"), [(100, True), (101.9, True), (102.2, False)])
def test_excess_allows_one_per_cent_and_the_edges(mean: float, right: bool) -> None:
    """The edges: one operation of 0.1 s in 10 s is 1 %."""
    assert (found(littles_law.excess(little(mean * MS), POLICY)) == []) is right


@pytest.mark.parametrize(("mean", "right"), [(100, True), (88.8, True), (88.0, False)])
def test_deficit_allows_a_tenth_and_the_edges(mean: float, right: bool) -> None:
    assert (found(littles_law.deficit(little(mean * MS), POLICY)) == []) is right


def test_errors_that_nobody_timed_count_as_if_they_had_taken_the_mean() -> None:
    base = little(70.0 * MS, errors={"reset": 300})
    assert found(littles_law.deficit(replace(base, errors=None), POLICY)) != []
    told = replace(base, latency=replace(base.latency, includes_errors=False))  # type: ignore[type-var]
    assert found(littles_law.deficit(told, POLICY)) == []


@pytest.mark.parametrize(("field", "value", "word"), [
    ("loop", "open", "open"), ("loop", None, "not described"), ("think_time", None, "pause"),
    ("think_time", True, "right"), ("concurrency", None, "--connections"), ("duration_ns", None, "duration"),
])  # fmt: skip
def test_deficit_says_why_it_does_not_look(field: str, value: object, word: str) -> None:
    assert word in reason(littles_law.deficit(little(10.0 * MS, **{field: value}), POLICY))


def test_excess_says_why_it_does_not_look() -> None:
    assert "--connections" in reason(littles_law.excess(little(MS, concurrency=None), POLICY))
    assert "actual send" in reason(littles_law.excess(little(MS, latency=Latency(origin="intended")), POLICY))
    assert "count" in reason(littles_law.excess(little(MS, operations=None, rate_achieved_per_s=None), POLICY))


def identity(integral: int, **fields: object) -> Measurement:
    """100 operations of 10 ms in one second of ours, with the number in flight as integrated."""
    held = Latency(histogram=Distribution.of([10 * MS] * 100), count=100, origin="send")
    flight = InFlight(S, integral)
    base = Measurement(OWN, loop="closed", operations=100, duration_ns=Figure(S), service=held, in_flight=flight)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("integral", "right"), [(S, True), (991 * MS, True), (989 * MS, False), (1010 * MS, True), (1011 * MS, False)]
)
def test_measured_allows_one_per_cent(integral: int, right: bool) -> None:
    assert (found(littles_law.measured(identity(integral), POLICY)) == []) is right


def test_measured_allows_two_readings_of_the_clock_per_operation() -> None:
    slow_clock = ClockFacts(overhead_ns=0.25 * MS)
    assert found(littles_law.measured(identity(1050 * MS, clock=slow_clock), POLICY)) == []
    assert found(littles_law.measured(identity(1070 * MS, clock=slow_clock), POLICY)) != []


def test_measured_takes_the_edges_into_account() -> None:
    edges = InFlight(S, 1200 * MS, carried_in_ns=300 * MS, carried_out_ns=100 * MS)
    assert found(littles_law.measured(identity(0, in_flight=edges), POLICY)) == []
    assert found(littles_law.measured(identity(0, in_flight=replace(edges, carried_in_ns=0)), POLICY)) != []


def test_measured_forgives_what_never_ended() -> None:
    stuck = InFlight(S, 2 * S, unfinished=1)
    assert found(littles_law.measured(identity(0, in_flight=stuck), POLICY)) == []
    assert found(littles_law.measured(identity(0, in_flight=replace(stuck, unfinished=0)), POLICY)) != []


def test_measured_tells_missing_time_from_invented_time() -> None:
    assert "time is in no latency" in found(littles_law.measured(identity(2 * S), POLICY))[0].message
    assert "more latency than time" in found(littles_law.measured(identity(S // 2), POLICY))[0].message


def test_excess_of_ours_knows_what_crossed_the_edges() -> None:
    base = identity(S, concurrency=1, in_flight=InFlight(S, S))
    spent = replace(base, service=Latency(histogram=Distribution.of([15 * MS] * 100), count=100))
    assert found(littles_law.excess(spent, POLICY)) != []
    carried = replace(spent, in_flight=InFlight(S, S, carried_out_ns=500 * MS))
    assert found(littles_law.excess(carried, POLICY)) == []


@pytest.mark.parametrize("latency", [
    Latency(mean=Figure(0.0, MS)),
    Latency(percentiles=((50.0, Figure(0.0, MS)), (99.0, Figure(0.0, MS)))),
    Latency(mean=Figure(5.0), percentiles=((50.0, Figure(0.0)),)),
    Latency(histogram=Distribution.of([0] * 6 + [9] * 4)),
])  # fmt: skip
def test_work_in_no_time_is_refused(latency: Latency) -> None:
    assert found(littles_law.zero(Measurement(TOOL, operations=9, latency=latency), POLICY)) != []


@pytest.mark.parametrize("latency", [
    Latency(mean=Figure(1.0, MS), percentiles=((50.0, Figure(0.0, MS)),)),
    Latency(percentiles=((50.0, Figure(0.0, MS)), (99.0, Figure(3.0 * MS, MS)))),
    Latency(histogram=Distribution.of([0] * 4 + [9] * 6)),
    Latency(histogram=Distribution.of([0] * 6 + [9 * MS] * 4), quantum_ns=MS),
])  # fmt: skip
def test_a_zero_below_the_quantum_is_the_clocks_affair(latency: Latency) -> None:
    assert found(littles_law.zero(Measurement(TOOL, operations=9, latency=latency), POLICY)) == []


@pytest.mark.parametrize(("value", "right"), [(10 * MS, True), (9.9 * MS, False)])
@pytest.mark.parametrize("where", ["p50", "p75", "mean"])
def test_ten_quanta_are_enough(value: float, right: bool, where: str) -> None:
    high = (99.0, Figure(900.0 * MS))
    latency = {
        "p50": Latency(percentiles=((10.0, Figure(0.0)), (50.0, Figure(value)), high), quantum_ns=MS),
        "p75": Latency(percentiles=((10.0, Figure(0.0)), (75.0, Figure(value)), high), mean=Figure(1.0), quantum_ns=MS),
        "mean": Latency(percentiles=((10.0, Figure(0.0)),), mean=Figure(value), quantum_ns=MS),
    }[where]
    assert (found(clock.resolution(Measurement(TOOL, latency=latency), POLICY)) == []) is right


def test_the_last_printed_digit_is_a_quantum_too() -> None:
    coarse = Latency(percentiles=((50.0, Figure(300.0 * MS, 100 * MS)),), quantum_ns=1.0)
    assert observed(clock.resolution(Measurement(TOOL, latency=coarse), POLICY)) == ["p50 = 3 quanta of 100 ms"]


def test_the_clock_is_a_quantum_too_and_a_batch_is_one_reading() -> None:
    tick = ClockFacts(resolution_ns=100.0)
    for batch, right in ((1, False), (20, True)):
        held = Latency(percentiles=((50.0, Figure(50.0)),), batch=batch)
        told = Measurement(TOOL, latency=held, clock=tick)
        assert (found(clock.resolution(told, POLICY)) == []) is right


def test_a_resolution_that_nobody_knows_is_not_judged() -> None:
    assert "not known" in reason(clock.resolution(Measurement(TOOL, latency=Latency(mean=Figure(3.0))), POLICY))


@pytest.mark.parametrize(("reading", "right"), [(200.0, False), (200.1, True)])
def test_an_operation_costs_more_than_two_readings(reading: float, right: bool) -> None:
    told = Measurement(OWN, latency=Latency(mean=Figure(reading)), clock=ClockFacts(overhead_ns=100.0))
    assert (found(clock.overhead(told, POLICY)) == []) is right


@pytest.mark.parametrize(("reading", "right"), [(999.0, False), (1000.0, True)])
def test_a_benchmark_with_an_unknown_clock_reads_a_microsecond_at_least(reading: float, right: bool) -> None:
    told = Measurement(TOOL, loop="batch", latency=Latency(mean=Figure(reading)))
    assert (found(clock.overhead(told, POLICY)) == []) is right


def test_a_load_generator_with_an_unknown_clock_is_not_judged() -> None:
    told = Measurement(TOOL, loop="closed", latency=Latency(mean=Figure(9.0)))
    assert "not measured" in reason(clock.overhead(told, POLICY))


def rounded(step: int, source: Source = OWN) -> Measurement:
    values = [round(k * 1_234_567.9 / step) * step for k in range(40, 80)]
    held = Latency(histogram=Distribution.of(values), count=40, origin="send", quantum_ns=30.0)
    return Measurement(source, latency=held, clock=ClockFacts(resolution_ns=30.0))


@pytest.mark.parametrize(("step", "right"), [(1, True), (100, True), (1_000, True), (100_000, False), (MS, False)])
def test_our_values_do_not_move_in_steps(step: int, right: bool) -> None:
    assert (found(clock.resolution(rounded(step), POLICY)) == []) is right


def test_another_tools_values_may_move_in_steps_that_are_fine_enough() -> None:
    assert found(clock.resolution(rounded(MS, TOOL), POLICY)) == []
    assert found(clock.resolution(rounded(10 * MS, TOOL), POLICY)) != []


@pytest.mark.parametrize(("cpu", "target", "right"), [
    (500 * MS, "py:app:call", True), (1000 * MS, "py:app:call", False), (500 * MS, "http://127.0.0.1/", False),
])  # fmt: skip
def test_measured_allows_what_an_in_process_loop_lost_between_two_operations(
    cpu: int, target: str, right: bool
) -> None:
    """Of a turn of 5 ms 4 lie between stamps: waiting for a core for 0.5 s, the loop loses 0.1 s outside of them."""
    held = Latency(histogram=Distribution.of([4 * MS] * 99 + [504 * MS]), count=100, origin="send")
    run = Run(0, duration_ns=S, cpu_ns=cpu, service=held, operations=100, in_flight=InFlight(S, 1000 * MS))
    plan = replace(http(ClosedLoop(1)), target=target)
    told = identity(1000 * MS, service=held, runs=(run,), plan=plan, concurrency=1)
    assert (found(littles_law.measured(told, POLICY)) == []) is right
