"""Counts and times that contradict each other, each made from an honest record by a single lie."""

from __future__ import annotations

from dataclasses import replace

from bizra_gate.model import (
    ClosedLoop,
    Distribution,
    Figure,
    Intervals,
    Latency,
    Measurement,
    Policy,
    Run,
    Source,
    Warmup,
)
from bizra_gate.stats import merge

from . import honest_foreign as foreign
from . import honest_own as own
from . import record
from .case import SHORT, Shelf
from .foreign import exact_histogram, figures, latencies, to, tool
from .lies_figures import headline
from .record import histogram_of, remade, series_of, service_of
from .simulate import MS, US, S, closed, lognormal

SHELF = Shelf()


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.count", policy=SHORT)
def samples_filled_in_for_a_pause() -> Measurement:
    base = foreign.autocannon_in_whole_milliseconds()
    return headline(base, count=7 * (base.operations or 0))


@SHELF.lie("coherence.count", policy=SHORT)
def the_slowest_samples_left_out_of_the_latencies() -> Measurement:
    base = foreign.exponential_service_times()
    return headline(base, count=round(0.97 * (base.operations or 0)))


@SHELF.lie("coherence.count", policy=SHORT)
def a_million_kept_of_a_million_and_a_half() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    return headline(replace(base, operations=1_500_000, duration_ns=Figure(1990 * S)), count=1_000_000)


@SHELF.lie("coherence.count")
def timeouts_left_out_of_the_histogram() -> Measurement:
    base = own.a_few_timeouts_at_the_time_waited()
    return remade(base, service=_without(service_of(base), 1900 * MS))


def _without(latency: Latency, above: int) -> Latency:
    """`latency` without what is longer than `above`, with count, maximum and sum in step."""
    held = histogram_of(latency)
    kept = [row for row in zip(held.low, held.high, held.count, strict=True) if row[1] < above]
    gone = sum(
        (low + high) // 2 * n for low, high, n in zip(held.low, held.high, held.count, strict=True) if high >= above
    )
    part = Distribution(
        tuple(row[0] for row in kept), tuple(row[1] for row in kept), tuple(row[2] for row in kept),
        held.minimum, kept[-1][1], (held.total_ns or 0) - gone,
    )  # fmt: skip
    return replace(latency, histogram=part, count=part.n)


@SHELF.lie("coherence.count")
def slow_samples_dropped_from_the_histogram() -> Measurement:
    base = own.a_heavy_tail_in_a_closed_loop()
    return remade(base, service=_without(service_of(base), 900 * MS))


@SHELF.lie("coherence.count")
def a_histogram_without_the_warm_up_and_counts_with_it() -> Measurement:
    base = own.one_connection()
    return remade(base, operations=(base.runs[0].operations or 0) + 980)


@SHELF.lie("coherence.count")
def one_shard_merged_twice() -> Measurement:
    base = own.a_record_that_was_merged_from_two_different_shards()
    runs = (*base.runs, replace(base.runs[0], index=2))
    sent = (base.sent or 0) + (base.runs[0].operations or 0)
    rate = Figure(sent / 360)
    base = planned(base, runs=3)
    more = replace(base, runs=runs, sent=sent, rate_achieved_per_s=rate, finished_at="2026-11-22T04:08:00.000000Z",
                   duration_requested_ns=Figure(360 * S))  # fmt: skip
    return record.stated(merge.from_runs(more))


@SHELF.lie("coherence.count", policy=SHORT)
def one_process_counted_twice() -> Measurement:
    base = foreign.pyperf_with_six_processes()
    return replace(base, runs=(*base.runs, Run(6, values=base.runs[2].values)))


@SHELF.lie("coherence.count")
def a_histogram_counted_twice() -> Measurement:
    base = own.one_connection()
    service = service_of(base)
    held = histogram_of(service)
    twice = replace(held, count=tuple(2 * n for n in held.count), total_ns=2 * (held.total_ns or 0))
    return remade(base, service=replace(service, histogram=twice, count=twice.n))


@SHELF.lie("coherence.count", policy=SHORT)
def status_codes_that_do_not_add_up() -> Measurement:
    base = foreign.h2load_with_requests_under_way_at_the_end()
    return replace(base, outcomes={"200": (base.operations or 0) - 400}, outcomes_complete=True)


@SHELF.lie("coherence.count", policy=SHORT)
def more_answers_than_requests() -> Measurement:
    base = foreign.h2load_with_requests_under_way_at_the_end()
    return replace(base, sent=(base.operations or 0) - 50)


@SHELF.lie("coherence.count", policy=SHORT)
def requests_that_never_came_back() -> Measurement:
    base = foreign.h2load_with_requests_under_way_at_the_end()
    return replace(base, sent=(base.operations or 0) + 300)


@SHELF.lie("coherence.count")
def an_interval_edited_upwards() -> Measurement:
    base = own.one_connection()
    series = series_of(base)
    return remade(base, intervals=replace(series, count=(series.count[0] + 1, *series.count[1:])))


@SHELF.lie("coherence.count")
def errors_taken_out_of_the_intervals() -> Measurement:
    base = own.a_few_refusals_kept_apart()
    series = series_of(base)
    return remade(base, intervals=replace(series, errors=(0,) * len(series.errors)))


@SHELF.lie("coherence.count")
def percentiles_of_batch_means_sold_as_those_of_calls() -> Measurement:
    base = own.a_python_call_of_eight_hundred_nanoseconds()
    service = service_of(base)
    return remade(base, service=replace(service, batch=1))


@SHELF.lie("coherence.count", policy=SHORT)
def a_histogram_smaller_than_the_count_it_states() -> Measurement:
    base = foreign.gatling_with_stamps_in_whole_milliseconds()
    return headline(base, count=histogram_of(base.latency).n + 9)


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.time", policy=SHORT)
def a_rate_over_the_wrong_window() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    assert base.rate_achieved_per_s is not None
    return replace(base, rate_achieved_per_s=Figure(base.rate_achieved_per_s.value * 6 / 5.5, 0.01))


def lasting(base: Measurement, window: int) -> Measurement:
    """`base` with another duration, and all that follows from it in step."""
    assert base.runs[0].in_flight is not None
    assert base.rate_achieved_per_s is not None
    was = base.runs[0].duration_ns or 1
    rate = Figure(base.rate_achieved_per_s.value * was / window)
    changed = replace(base, rate_achieved_per_s=rate, rate_requested_per_s=None, duration_requested_ns=Figure(window))
    return remade(changed, duration_ns=window, in_flight=replace(base.runs[0].in_flight, window_ns=window))


@SHELF.lie("littles_law.excess", policy=Policy(min_duration_ns=S))
def a_duration_cut_to_half() -> Measurement:
    return lasting(own.one_connection(), 60 * S)


@SHELF.lie("coherence.time", policy=SHORT)
def a_rate_below_what_was_counted() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    assert base.rate_achieved_per_s is not None
    return replace(base, rate_achieved_per_s=Figure(base.rate_achieved_per_s.value * 0.95, 0.01))


@SHELF.lie("coherence.time", policy=Policy(min_duration_ns=S))
def a_duration_cut_to_half_in_an_open_loop() -> Measurement:
    return lasting(own.an_open_loop_at_a_constant_rate(), 60 * S)


@SHELF.lie("coherence.time")
def a_duration_doubled() -> Measurement:
    return lasting(own.one_connection(), 240 * S)


@SHELF.lie("coherence.time")
def two_intervals_taken_out() -> Measurement:
    base = own.a_service_time_that_never_varies()
    series = series_of(base)
    return remade(base, intervals=_cut(series, 40, 42))


def _cut(series: Intervals, begin: int, end: int) -> Intervals:
    def cut(column: tuple[int, ...]) -> tuple[int, ...]:
        return column[:begin] + column[end:]

    return Intervals(
        series.length_ns, cut(series.start_ns), cut(series.count), cut(series.errors), cut(series.total_ns),
        cut(series.maximum_ns), cut(series.p50_ns), cut(series.p99_ns), cut(series.in_flight_ns),
    )  # fmt: skip


@SHELF.lie("coherence.time", policy=SHORT)
def lines_missing_from_a_histogram_log() -> Measurement:
    base = foreign.a_histogram_log_whose_stamps_jitter()
    assert base.intervals is not None
    return replace(base, intervals=_cut(base.intervals, 4, 6))


@SHELF.lie("coherence.time")
def intervals_that_overlap() -> Measurement:
    base = own.one_connection()
    series = series_of(base)
    return remade(base, intervals=replace(series, start_ns=tuple(start * 3 // 4 for start in series.start_ns)))


@SHELF.lie("coherence.time")
def a_wall_clock_five_seconds_ahead_without_a_step() -> Measurement:
    return remade(own.one_connection(), clock=replace(record.OUR_CLOCK, wall_drift_ns=5 * S))


@SHELF.lie("coherence.time")
def a_run_that_ends_before_it_begins() -> Measurement:
    return replace(own.one_connection(), finished_at="2026-11-22T03:00:00.000000Z")


@SHELF.lie("coherence.time")
def two_minutes_measured_within_one() -> Measurement:
    return replace(own.one_connection(), finished_at="2026-11-22T04:01:00.000000Z")


@SHELF.lie("coherence.time", policy=SHORT)
def a_run_shorter_than_its_own_requests() -> Measurement:
    held = Latency(mean=Figure(1.97 * S, 10 * MS), maximum=Figure(4.93 * S, 10 * MS), origin="intended")
    return Measurement(
        Source("wrk2"), loop="open", concurrency=1000, operations=833_071, duration_ns=Figure(1.25 * MS, 10 * US),
        duration_requested_ns=Figure(5 * S, S), rate_achieved_per_s=Figure(663_801_593.63, 0.01), latency=held,
    )  # fmt: skip


@SHELF.lie("coherence.time", policy=SHORT)
def work_in_a_run_of_no_length() -> Measurement:
    return replace(foreign.k6_with_interpolated_percentiles(), duration_ns=Figure(0.0), rate_achieved_per_s=None)


# ── overflow ─────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.overflow", policy=SHORT)
def values_above_the_histogram_dropped() -> Measurement:
    return headline(foreign.exponential_service_times(), dropped=40)


@SHELF.lie("coherence.overflow", policy=SHORT)
def a_reservoir_that_was_full() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    wide = replace(base, operations=1_600_001, duration_ns=Figure(54.908 * 40 * S), rate_achieved_per_s=None)
    return headline(wide, count=1_000_000, cap=1_000_000)


@SHELF.lie("coherence.overflow", policy=SHORT)
def values_clipped_at_one_second() -> Measurement:
    trains = foreign.users(204, 16, 20 * S, lognormal(120 * MS, 1.3))
    clipped = [min(value, S) for value in latencies(trains)]
    held = exact_histogram(figures(clipped, to(1), quantum=1.0), clipped)
    return tool("clip", trains, 20 * S, held, concurrency=16, think_time=None)


@SHELF.lie("coherence.overflow")
def a_value_at_the_end_of_the_histogram() -> Measurement:
    base = own.latencies_of_seconds()
    service = service_of(base)
    held, top = histogram_of(service), 3_600_000_000_000
    edge = replace(
        held, low=(*held.low[:-1], top), high=(*held.high[:-1], top), maximum=top,
        total_ns=(held.total_ns or 0) + top - (held.maximum or 0),
    )  # fmt: skip
    return remade(base, service=replace(service, histogram=edge))


@SHELF.lie("coherence.count")
def a_run_whose_operations_were_rounded_up() -> Measurement:
    trains = closed(205, 4, 120 * S, lognormal(180 * MS, 0.2))
    base = record.measurement([record.run(trains)], ClosedLoop(4))
    return remade(base, operations=-(-(base.runs[0].operations or 0) // 1000) * 1000)


# ── the plan in the same file ────────────────────────────────────────────────────────────────────────────────────


def planned(base: Measurement, **fields: object) -> Measurement:
    """`base` beside a plan that says something else."""
    assert base.plan is not None
    return replace(base, plan=replace(base.plan, **fields))  # type: ignore[arg-type]


@SHELF.lie("coherence.time")
def half_of_the_duration_that_was_asked_for() -> Measurement:
    return planned(own.one_connection(), duration_ns=240 * S)


@SHELF.lie("coherence.time")
def half_of_the_warm_up_that_was_asked_for() -> Measurement:
    return planned(own.one_connection(), warmup=Warmup(60 * S))


@SHELF.lie("coherence.count")
def one_run_left_out_of_two() -> Measurement:
    return planned(own.one_connection(), runs=2)


@SHELF.lie("coherence.count")
def users_that_the_plan_does_not_have() -> Measurement:
    return planned(own.one_connection(), load=ClosedLoop(2))


@SHELF.lie("coherence.count")
def operations_sent_that_nobody_heard_of_again() -> Measurement:
    base = own.an_open_loop_at_a_constant_rate()
    return replace(base, sent=(base.sent or 0) + 1)


@SHELF.lie("coherence.count")
def a_number_in_flight_that_its_rows_do_not_give() -> Measurement:
    base = own.a_python_call_of_fifty_microseconds()
    series, whole = series_of(base), base.runs[0].in_flight
    assert whole is not None
    rows = [0] * len(series.start_ns)
    rows[0] = whole.integral_ns - 1
    return remade(base, intervals=replace(series, in_flight_ns=tuple(rows)))


@SHELF.lie("coherence.summary")
def an_interval_of_more_confidence_than_it_has() -> Measurement:
    base = own.one_connection()
    return replace(base, printed=tuple(replace(row, confidence=0.99) for row in base.printed))
