"""Our own records with one leaf that the rest of the same record contradicts: rows, sums, bounds of users and cores."""

from __future__ import annotations

from dataclasses import replace

from bizra_gate.model import Controls, Figure, Generator, InFlight, Latency, Measurement
from bizra_gate.stats.layout import DEFAULT

from . import honest_own as own
from .case import Shelf
from .record import histogram_of, remade, series_of, service_of
from .simulate import S

SHELF = Shelf()


def _edge(value: int) -> int:
    """The upper edge of the bin of `value`."""
    return DEFAULT.edges(DEFAULT.index(value))[1]


def _with(column: tuple[int, ...], row: int, value: int) -> tuple[int, ...]:
    return (*column[:row], value, *column[row + 1 :])


def _series(base: Measurement, **columns: tuple[int, ...]) -> Measurement:
    return remade(base, intervals=replace(series_of(base), **columns))  # type: ignore[arg-type]


def _inside(base: Measurement) -> InFlight:
    assert base.runs[0].in_flight is not None
    return base.runs[0].in_flight


def _generator(base: Measurement) -> tuple[Generator, Latency]:
    generator = base.runs[0].generator
    assert generator is not None
    assert generator.lag is not None
    return generator, generator.lag


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.summary")
def medians_of_all_intervals_lowered_to_a_fifth_of_the_values() -> Measurement:
    base = own.one_connection()
    low = histogram_of(service_of(base)).quantile(0.2) or 0
    series = series_of(base)
    rows = zip(series.p50_ns, series.count, strict=True)
    return _series(base, p50_ns=tuple(min(p50, low) if n > 1 else p50 for p50, n in rows))


@SHELF.lie("coherence.summary")
def medians_of_all_intervals_raised_a_little() -> Measurement:
    base = own.one_connection()
    high = histogram_of(service_of(base)).quantile(0.6) or 0
    series = series_of(base)
    rows = zip(series.p50_ns, series.p99_ns, strict=True)
    return _series(base, p50_ns=tuple(max(p50, high) if high < p99 else p50 for p50, p99 in rows))


@SHELF.lie("coherence.summary")
def a_percentile_of_an_interval_between_the_edges_of_its_bin() -> Measurement:
    base = own.a_python_call_of_fifty_microseconds()
    series = series_of(base)
    return _series(base, p99_ns=_with(series.p99_ns, 60, series.p99_ns[60] - 1))


@SHELF.lie("coherence.summary")
def a_largest_value_of_an_interval_that_the_histogram_does_not_hold() -> Measurement:
    base = own.one_connection()
    series, held = series_of(base), histogram_of(service_of(base))
    slow = held.quantile(0.95) or 0
    gap = next(high + 1 for high, low in zip(held.high, held.low[1:], strict=False) if low > high + 1 > slow)
    row = min(range(len(series.count) - 1), key=lambda row: abs(series.maximum_ns[row] - gap))
    return _series(base, maximum_ns=_with(series.maximum_ns, row, gap), p99_ns=_with(series.p99_ns, row, gap))


@SHELF.lie("coherence.summary")
def time_moved_from_one_interval_to_the_next() -> Measurement:
    base = own.one_connection()
    total = series_of(base).total_ns
    moved = _with(_with(total, 60, total[60] // 3), 61, total[61] + total[60] - total[60] // 3)
    return _series(base, total_ns=moved)


@SHELF.lie("coherence.summary")
def an_interval_with_a_percentile_of_nothing() -> Measurement:
    base = own.real_stalls_seen_by_an_open_loop()
    series = series_of(base)
    row = series.count.index(0)
    return _series(base, p50_ns=_with(series.p50_ns, row, _edge(1000)))


@SHELF.lie("coherence.summary")
def a_few_operations_more_than_whole_batches() -> Measurement:
    base = own.a_python_call_of_eight_hundred_nanoseconds()
    count = series_of(base).count
    return _series(base, count=_with(_with(count, 60, count[60] + 1), 61, count[61] - 1))


@SHELF.lie("coherence.order")
def a_warm_up_whose_percentiles_are_out_of_order() -> Measurement:
    base = own.one_connection()
    series = own.first_half_minute(base)
    return own.warm(base, replace(series, p50_ns=_with(series.p50_ns, 7, series.maximum_ns[7] + 1)))


@SHELF.lie("coherence.summary")
def a_warm_up_of_twice_the_operations_in_the_same_time() -> Measurement:
    base = own.one_connection()
    series = own.first_half_minute(base)
    return own.warm(base, replace(series, count=tuple(2 * n for n in series.count)))


@SHELF.lie("coherence.time")
def a_warm_up_of_which_a_second_is_missing() -> Measurement:
    base = own.one_connection()
    series = own.first_half_minute(base)
    kept = {name: getattr(series, name)[:29] for name in ("start_ns", "count", "errors", "total_ns", "maximum_ns")}
    return own.warm(base, replace(series, **kept, p50_ns=series.p50_ns[:29], p99_ns=series.p99_ns[:29]))


@SHELF.lie("coherence.time")
def a_warm_up_that_went_on_for_longer_than_asked() -> Measurement:
    base = remade(own.one_connection(), warmup_ns=45 * S)
    return replace(base, finished_at="2026-11-22T04:02:46.000000Z")


# ── sums beside the bins ─────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.summary")
def a_lag_whose_sum_its_bins_do_not_give() -> Measurement:
    base = own.one_connection()
    generator, late = _generator(base)
    held = histogram_of(late)
    halved = replace(late, histogram=replace(held, total_ns=(held.total_ns or 0) // 2))
    return remade(base, generator=replace(generator, lag=halved))


@SHELF.lie("coherence.count")
def a_lag_of_twice_as_many_values() -> Measurement:
    base = own.one_connection()
    generator, late = _generator(base)
    return remade(base, generator=replace(generator, lag=replace(late, count=2 * (late.count or 0))))


@SHELF.lie("coherence.summary")
def a_quantum_finer_than_the_clock() -> Measurement:
    base = own.one_connection()
    return remade(base, service=replace(service_of(base), quantum_ns=3.0))


@SHELF.lie("coherence.summary")
def delays_that_the_response_times_do_not_have() -> Measurement:
    base = own.real_stalls_seen_by_an_open_loop()
    delay = base.runs[0].delay
    assert delay is not None
    held = histogram_of(delay)
    return remade(base, delay=replace(delay, histogram=replace(held, total_ns=(held.total_ns or 0) + 1)))


# ── what users, connections and cores leave room for ─────────────────────────────────────────────────────────────


@SHELF.lie("coherence.count")
def more_in_flight_than_there_were_users() -> Measurement:
    base = own.users_who_think()
    return remade(base, in_flight=replace(_inside(base), maximum=9))


@SHELF.lie("coherence.count")
def fewer_in_flight_at_the_most_than_on_average() -> Measurement:
    base = own.a_queue_near_its_capacity()
    inside = _inside(base)
    return remade(base, in_flight=replace(inside, maximum=inside.integral_ns // inside.window_ns // 2))


@SHELF.lie("coherence.count")
def more_carried_into_the_window_than_users_can_carry() -> Measurement:
    base = own.users_who_think()
    return remade(base, in_flight=replace(_inside(base), carried_in_count=9))


@SHELF.lie("coherence.count")
def a_number_in_flight_over_another_window() -> Measurement:
    base = own.one_connection()
    return remade(base, in_flight=replace(_inside(base), window_ns=120 * S - 1))


@SHELF.lie("coherence.count")
def more_connections_closed_than_opened() -> Measurement:
    return own.connected(40, 41, 8)


@SHELF.lie("coherence.count")
def more_connections_left_open_than_there_ever_were() -> Measurement:
    return own.connected(40, 30, 8)


@SHELF.lie("coherence.count")
def more_connections_than_users() -> Measurement:
    return own.connected(40, 33, 9)


@SHELF.lie("coherence.count")
def an_error_without_its_time() -> Measurement:
    base = own.a_few_refusals_kept_apart()
    failed = base.runs[0].failed
    assert failed is not None
    held = histogram_of(failed)
    fewer = replace(held, count=(held.count[0] + 1, *held.count[1:]))
    return remade(base, failed=replace(failed, histogram=fewer, count=fewer.n))


@SHELF.lie("coherence.count")
def answers_without_a_status() -> Measurement:
    base = own.one_connection()
    return remade(base, outcomes={"200": (base.operations or 0) - 1})


@SHELF.lie("coherence.count")
def more_outcomes_than_operations() -> Measurement:
    base = own.a_python_call_of_fifty_microseconds()
    return remade(base, outcomes={"odd": (base.operations or 0) + 1})


def _controlled(**fields: int) -> Measurement:
    base = own.a_python_call_of_fifty_microseconds()
    held = base.runs[0].controls
    return remade(base, controls=replace(held if held is not None else Controls(), **fields))  # type: ignore[arg-type]


@SHELF.lie("coherence.count")
def more_distinct_results_than_were_looked_at() -> Measurement:
    return _controlled(validated=300, rejected=0, distinct_results=301)


@SHELF.lie("coherence.order")
def fewer_than_no_results() -> Measurement:
    return _controlled(distinct_results=-1)


@SHELF.lie("coherence.count")
def a_duration_that_nobody_asked_for() -> Measurement:
    return replace(own.one_connection(), duration_requested_ns=Figure(60 * S))


@SHELF.lie("coherence.count")
def a_rate_that_nobody_asked_for() -> Measurement:
    return replace(own.an_open_loop_at_a_constant_rate(), rate_requested_per_s=Figure(39.9))


@SHELF.lie("coherence.count")
def another_seed_than_the_plan_has() -> Measurement:
    return remade(own.one_connection(), seed=2)


@SHELF.lie("coherence.time")
def more_cpu_time_than_the_cores_have() -> Measurement:
    return remade(own.one_connection(), cpu_ns=120 * S * 10)


@SHELF.lie("coherence.time")
def a_run_that_began_before_the_last_one_was_over() -> Measurement:
    return own.begun("2026-11-22T04:00:00Z", "2026-11-22T04:02:20Z")


@SHELF.lie("coherence.time")
def a_finish_before_the_warm_up_and_the_window_were_over() -> Measurement:
    return replace(own.one_connection(), finished_at="2026-11-22T04:02:20.000000Z")
