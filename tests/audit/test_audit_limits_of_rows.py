"""Rows, sums and bounds of our own records: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import MS, S, http

from bizra_gate.audit import coherence_elapsed, coherence_limits, coherence_parts, coherence_rows
from bizra_gate.audit.coherence_time import instant
from bizra_gate.model import (
    ClosedLoop,
    Controls,
    Distribution,
    Environment,
    Figure,
    Finding,
    InFlight,
    Intervals,
    Latency,
    Measurement,
    OpenLoop,
    Run,
    Source,
)

OWN = Source("bizra-gate", foreign=False)


def row(
    n: int, total: int, top: int, p50: int, p99: int, batch: int = 1, whole: Distribution | None = None
) -> list[Finding]:
    series = Intervals(S, (0,), (n,), (0,), (total,), (top,), (p50,), (p99,))
    return list(coherence_rows.of_rows("", series, batch, whole))


@pytest.mark.parametrize(("total", "right"), [(1_999, False), (2_000, True), (3_000, True), (3_001, False)])
def test_the_sum_of_a_row_lies_between_what_its_ranks_leave(total: int, right: bool) -> None:
    """4 values, p50 500 and max 1,000: from 0 + 500 + 500 + 1,000 to 500 + 500 + 1,000 + 1,000."""
    assert (row(4, total, 1_000, 500, 1_000) == []) is right


@pytest.mark.parametrize(("total", "right"), [(19_980, True), (19_979, False), (30_020, True), (30_021, False)])
def test_the_means_of_batches_were_rounded(total: int, right: bool) -> None:
    """4 batches of 10: 20,000 … 30,000, each mean off by up to half a nanosecond."""
    assert (row(40, total, 1_000, 500, 1_000, batch=10) == []) is right


def test_a_single_value_is_its_own_percentiles_and_sum() -> None:
    assert row(1, 777_777, 777_777, 777_777, 777_777) == []
    assert row(1, 777_777, 777_777, 777_215, 777_777) != []
    assert row(1, 777_776, 777_777, 777_777, 777_777) != []


def test_below_a_hundred_values_p99_is_the_largest() -> None:
    assert row(99, 99 * 1_000, 1_001, 1_000, 1_001) == []
    assert row(99, 99 * 1_000, 1_001, 1_000, 1_000) != []
    assert row(100, 100 * 1_000, 1_001, 1_000, 1_000) == []


def test_a_row_must_lie_in_the_bins_of_the_whole() -> None:
    whole = Distribution.of([1_000] * 50 + [1_500] * 50)
    assert row(100, 125_000, 1_500, 1_000, 1_500, whole=whole) == []
    assert row(100, 125_000, 1_500, 1_001, 1_500, whole=whole) != []


def test_another_tools_record_without_percentiles_has_no_rows_to_look_at() -> None:
    assert list(coherence_rows.of_rows("", Intervals(S, (0,), (3,), total_ns=(9,)), 1, None)) == []


@pytest.mark.parametrize(("total", "right"), [(10 + 20 + 40, True), (10 + 20 + 31, False), (10 + 29 + 40, True),
                                              (10 + 30 + 40, False)])  # fmt: skip
def test_a_sum_lies_within_its_bins_and_extremes(total: int, right: bool) -> None:
    """Three values: 10, one in 20 … 29, and 40."""
    bins = Distribution((10, 20, 30), (19, 29, 49), (1, 1, 1), 10, 40, total)
    allowed = coherence_parts.sum_of(bins)
    assert (allowed.low <= total <= allowed.high) is right


def test_the_values_of_a_single_bin_add_up_to_little_else() -> None:
    bins = coherence_parts.sum_of(Distribution((10,), (19,), (3,), 11, 17))
    assert (bins.low, bins.high) == (11 + 11 + 17, 11 + 17 + 17)
    free = coherence_parts.sum_of(Distribution((10,), (19,), (3,)))
    assert (free.low, free.high) == (30, 57)


def told(load: ClosedLoop | OpenLoop, **run: object) -> list[Finding]:
    plan = http(load)
    held = Run(0, duration_ns=S, operations=10, **run)  # type: ignore[arg-type]
    return coherence_limits.of_runs(Measurement(OWN, plan=plan, runs=(held,))) or []


@pytest.mark.parametrize(("load", "most"), [(ClosedLoop(8), 8), (OpenLoop(10, max_in_flight=4), 4)])
def test_the_largest_number_in_flight_is_that_of_users_or_cap(load: ClosedLoop | OpenLoop, most: int) -> None:
    assert told(load, in_flight=InFlight(S, S, maximum=most)) == []
    assert told(load, in_flight=InFlight(S, S, maximum=most + 1)) != []


@pytest.mark.parametrize(("integral", "right"), [(2_020_000_000, True), (2_030_000_000, True), (2_031_000_000, False)])
def test_the_mean_in_flight_is_below_the_largest_but_for_a_late_look(integral: int, right: bool) -> None:
    inside = InFlight(S, integral, maximum=2, carried_out_ns=10 * MS)
    assert (told(ClosedLoop(8), in_flight=inside) == []) is right


def test_an_open_loop_may_carry_in_more_than_its_cap() -> None:
    inside = InFlight(S, S, maximum=2, carried_in_count=9)
    assert told(OpenLoop(10, max_in_flight=4), in_flight=inside) == []
    assert told(ClosedLoop(4), in_flight=inside) != []


def test_the_last_row_of_a_window_may_be_longer_than_the_others() -> None:
    series = Intervals(400 * MS, (0, 400 * MS), (5, 5), in_flight_ns=(400 * MS, 600 * MS))
    inside = InFlight(S, S, maximum=1)
    assert told(ClosedLoop(8), in_flight=inside, intervals=series) == []
    crowded = replace(series, in_flight_ns=(410 * MS, 590 * MS))
    assert "interval" in told(ClosedLoop(8), in_flight=inside, intervals=crowded)[0].message


def test_what_has_ended_was_in_flight_before() -> None:
    series = Intervals(500 * MS, (0, 500 * MS), (5, 5), total_ns=(300 * MS, 400 * MS), in_flight_ns=(300 * MS,) * 2)
    inside = InFlight(S, 600 * MS, maximum=1)
    assert "have ended" in told(ClosedLoop(8), in_flight=inside, intervals=series)[0].message
    assert told(OpenLoop(10), in_flight=inside, intervals=series) == [], "there they wait before they are in flight"


def test_new_connections_are_one_for_each_operation() -> None:
    from bizra_gate.model import HttpRequest

    plan = replace(http(ClosedLoop(8)), http=HttpRequest(new_connections=True))
    for opened, right in ((10, True), (9, False)):
        run = Run(0, operations=10, connections={"opened": opened, "closed": opened, "peak": 3})
        found = coherence_limits.of_runs(Measurement(OWN, plan=plan, runs=(run,)))
        assert (found == []) is right


@pytest.mark.parametrize(("controls", "right"), [
    (Controls(validated=5, rejected=0, distinct_results=5), True),
    (Controls(validated=5, rejected=6), False),
    (Controls(validated=10_000, distinct_results=1_000), True),
    (Controls(validated=10_001), False),
    (Controls(distinct_results=1_001), False),
    (Controls(distinct_results=1_000), True),
])  # fmt: skip
def test_results_are_looked_at_before_they_are_told_apart(controls: Controls, right: bool) -> None:
    assert (told(ClosedLoop(8), controls=controls) == []) is right


def elapsed(measurement: Measurement) -> list[Finding]:
    return coherence_elapsed.of_elapsed(measurement, instant) or []


@pytest.mark.parametrize(("cpu", "right"), [(6_200 * MS + 600 * MS, True), (6_200 * MS + 601 * MS, False)])
def test_cores_have_so_much_cpu_time_and_the_longest_operation(cpu: int, right: bool) -> None:
    """Two cores, 1 s: 2 · (1.1 s + 2 s), and an operation of 300 ms that a command may end after the window."""
    slow = Latency(histogram=Distribution.of([300 * MS]))
    run = Run(0, duration_ns=S, cpu_ns=cpu, service=slow)
    told = Measurement(OWN, environment=Environment(cpu_count=2), runs=(run,))
    assert (elapsed(told) == []) is right
    assert elapsed(replace(told, environment=Environment())) == []


@pytest.mark.parametrize(("second", "right"), [("10:00:09", True), ("10:00:07", False)])
def test_runs_follow_each_other_to_their_whole_seconds(second: str, right: bool) -> None:
    runs = tuple(
        Run(place, duration_ns=8 * S, warmup_ns=2 * S, started_at=f"2026-01-01T{at}Z")
        for place, at in enumerate(("10:00:00", second))
    )
    assert (elapsed(Measurement(OWN, duration_ns=Figure(16 * S), runs=runs)) == []) is right
