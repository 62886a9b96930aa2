"""Figures that contradict each other or the counts beside them, each made from an honest record by a single lie."""

from __future__ import annotations

import math
from dataclasses import replace

from bizra_gate.model import (
    Figure,
    Measurement,
    Printed,
    Restated,
    Run,
)

from . import honest_foreign as foreign
from . import honest_own as own
from .case import SHORT, Shelf
from .foreign import bench, exact_histogram, figures, latencies, to, tool
from .record import histogram_of, remade, series_of, service_of
from .simulate import MS, US, S, constant, lognormal, uniform

SHELF = Shelf()


def headline(measurement: Measurement, **fields: object) -> Measurement:
    assert measurement.latency is not None
    return replace(measurement, latency=replace(measurement.latency, **fields))  # type: ignore[arg-type]


def shifted(measurement: Measurement, p: float, value: float) -> Measurement:
    """Percentile `p` set to `value` ns."""
    assert measurement.latency is not None
    rows = tuple((q, Figure(value, f.resolution) if q == p else f) for q, f in measurement.latency.percentiles)
    return headline(measurement, percentiles=rows)


# ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.order", policy=SHORT)
def a_minimum_above_the_median() -> Measurement:
    return headline(foreign.autocannon_in_whole_milliseconds(), minimum=Figure(32 * MS, MS))


@SHELF.lie("coherence.order", policy=SHORT)
def a_minimum_of_one_above_a_median_of_zero() -> Measurement:
    trains = foreign.users(206, 10, 6 * S, constant(170 * US, 20 * US), repeat=20)
    held = figures(latencies(trains), to(MS), percentiles=(50, 90, 99), quantum=MS, mean=to(10 * US), stdev=False)
    return tool("autocannon", trains, 6 * S, replace(held, minimum=Figure(MS, MS), mean=None), concurrency=10)


@SHELF.lie("coherence.order", policy=SHORT)
def a_deviation_shrunk_tenfold() -> Measurement:
    base = foreign.exponential_service_times()
    assert base.latency is not None
    assert base.latency.stdev is not None
    return headline(base, stdev=replace(base.latency.stdev, value=base.latency.stdev.value / 10))


@SHELF.lie("coherence.order", policy=SHORT)
def a_deviation_wider_than_the_extremes() -> Measurement:
    return headline(foreign.wrk_over_eight_connections(), stdev=Figure(9 * MS, 10 * US))


@SHELF.lie("coherence.order", policy=SHORT)
def a_deviation_tenfold_between_close_percentiles() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    assert base.latency is not None
    assert base.latency.stdev is not None
    return headline(base, stdev=replace(base.latency.stdev, value=base.latency.stdev.value * 10), minimum=None)


@SHELF.lie("coherence.order", policy=SHORT)
def a_p99_below_the_p95() -> Measurement:
    return shifted(foreign.hey_with_four_decimals_of_a_second(), 99.0, 20.0 * MS)


@SHELF.lie("coherence.order", policy=SHORT)
def a_p99_above_the_maximum() -> Measurement:
    return headline(foreign.exponential_service_times(), maximum=Figure(20.0 * MS))


@SHELF.lie("coherence.order", policy=SHORT)
def a_mean_below_the_minimum() -> Measurement:
    return headline(foreign.ab_in_whole_milliseconds(), mean=Figure(17 * MS, MS))


@SHELF.lie("coherence.order", policy=SHORT)
def a_mean_below_half_its_median() -> Measurement:
    base = foreign.exponential_service_times()
    assert base.latency is not None
    return headline(base, mean=Figure(dict(base.latency.percentiles)[50.0].value * 0.48), minimum=None)


@SHELF.lie("coherence.order", policy=SHORT)
def a_mean_that_is_not_a_number() -> Measurement:
    return headline(foreign.k6_with_interpolated_percentiles(), mean=Figure(math.nan))


@SHELF.lie("coherence.order", policy=SHORT)
def an_infinite_rate() -> Measurement:
    return replace(foreign.k6_with_interpolated_percentiles(), rate_achieved_per_s=Figure(math.inf))


@SHELF.lie("coherence.order", policy=SHORT)
def a_negative_latency() -> Measurement:
    return headline(foreign.k6_with_interpolated_percentiles(), minimum=Figure(-3.0 * MS))


@SHELF.lie("coherence.order", policy=SHORT)
def percentiles_interpolated_in_one_wide_bucket() -> Measurement:
    trains = foreign.users(201, 8, 6 * S, lognormal(130 * US, 0.3), repeat=20)
    held = figures(latencies(trains), lambda value: Figure(value), percentiles=(50, 75, 90, 99), method="buckets")
    rows = tuple((p, Figure(11 * US + (MS - 11 * US) * p / 100)) for p, _ in held.percentiles)
    return tool("fortio", trains, 6 * S, replace(held, percentiles=rows, quantum_ns=None), concurrency=8)


@SHELF.lie("coherence.order")
def an_interval_whose_median_exceeds_its_p99() -> Measurement:
    base = own.one_connection()
    series = series_of(base)
    return remade(base, intervals=replace(series, p99_ns=(series.p50_ns[0] // 2, *series.p99_ns[1:])))


@SHELF.lie("coherence.order", policy=SHORT)
def a_value_of_a_process_that_is_infinite() -> Measurement:
    base = bench("pyperf", [[2.0 * MS, 2.1 * MS, 2.05 * MS]] * 1, 500)
    return replace(base, runs=(*base.runs, Run(1, values=(math.inf, 2.0 * MS, 2.1 * MS))))


# ── summary ──────────────────────────────────────────────────────────────────────────────────────────────────────


def restated(measurement: Measurement, metric: str, change: object) -> Measurement:
    """The summary row of `metric` replaced by ``change(row)``."""
    rows = tuple(change(row) if row.metric == metric else row for row in measurement.printed)  # type: ignore[operator]
    return replace(measurement, printed=rows)


@SHELF.lie("coherence.summary")
def a_p99_edited_by_one_part_in_ten_thousand() -> Measurement:
    return restated(own.one_connection(), "latency.p99", lambda row: replace(row, value=row.value * 0.9999))


@SHELF.lie("coherence.summary")
def a_throughput_edited_upwards() -> Measurement:
    return restated(own.one_connection(), "throughput", lambda row: replace(row, value=row.value * 1.1))


@SHELF.lie("coherence.summary")
def an_interval_made_narrower() -> Measurement:
    def narrow(row: Printed) -> Printed:
        low = row.interval[0] if row.interval is not None else None
        return replace(row, interval=(low, (row.value + (low or 0.0)) / 2))

    return restated(own.one_connection(), "latency.p95", narrow)


@SHELF.lie("coherence.summary")
def an_upper_bound_that_the_samples_do_not_give() -> Measurement:
    def bounded(row: Printed) -> Printed:
        assert row.interval is not None
        return replace(row, interval=(row.interval[0], row.value * 1.01))

    return restated(own.one_connection(), "latency.p99.99", bounded)


@SHELF.lie("coherence.summary")
def a_larger_n_than_was_counted() -> Measurement:
    return restated(own.one_connection(), "latency.p50", lambda row: replace(row, n=(row.n or 0) * 10))


@SHELF.lie("coherence.summary")
def an_error_rate_of_zero_beside_errors() -> Measurement:
    return restated(own.a_few_refusals_kept_apart(), "error_rate", lambda row: replace(row, value=0.0))


@SHELF.lie("coherence.summary")
def a_metric_that_was_never_measured() -> Measurement:
    base = own.one_connection()
    return replace(base, printed=(*base.printed, Printed("delay.p99", 4_000.0, "ns", (3_900.0, 4_100.0), 3_000)))


@SHELF.lie("coherence.summary", policy=SHORT)
def percentiles_averaged_over_two_workers() -> Measurement:
    quick = foreign.users(202, 8, 6 * S, uniform(2 * MS, 3 * MS))
    slow = foreign.users(203, 8, 6 * S, uniform(20 * MS, 24 * MS))
    both = latencies([*quick, *slow])
    averaged = tuple(
        (p, Figure((latencies(quick)[int(p / 100 * len(quick))] + latencies(slow)[int(p / 100 * len(slow))]) / 2))
        for p in (50.0, 90.0, 99.0)
    )
    held = exact_histogram(figures(both, to(1), percentiles=(), quantum=1.0), both)
    return tool("average", [*quick, *slow], 6 * S, replace(held, percentiles=averaged), concurrency=16)


@SHELF.lie("coherence.summary")
def intervals_of_another_run() -> Measurement:
    base = own.one_connection()
    series = series_of(base)
    slower = tuple(round(value * 0.8) for value in series.p50_ns)
    return remade(base, intervals=replace(series, p50_ns=slower))


@SHELF.lie("coherence.summary")
def a_maximum_cut_down() -> Measurement:
    base = own.one_connection()
    service = service_of(base)
    held = histogram_of(service)
    lower = replace(held, maximum=held.low[-1], total_ns=held.total_ns)
    return remade(base, service=replace(service, histogram=lower))


@SHELF.lie("coherence.summary")
def a_sum_that_the_intervals_do_not_give() -> Measurement:
    base = own.one_connection()
    series = series_of(base)
    return remade(base, intervals=replace(series, total_ns=tuple(round(t * 0.999) for t in series.total_ns)))


# ── distributions beside the latency ─────────────────────────────────────────────────────────────────────────────


def beside(base: Measurement, index: int, **fields: object) -> Measurement:
    """`base` with the figures of its distribution `index` beside the latency changed."""
    rows = list(base.beside)
    rows[index] = replace(rows[index], figures=replace(rows[index].figures, **fields))  # type: ignore[arg-type]
    return replace(base, beside=tuple(rows))


@SHELF.lie("coherence.order", policy=SHORT)
def a_best_second_below_the_mean_one() -> Measurement:
    base = foreign.a_report_with_requests_and_bytes_by_second_beside_it()
    return beside(base, 0, maximum=Figure(600.0), percentiles=())


@SHELF.lie("coherence.order", policy=SHORT)
def seconds_spread_wider_than_their_extremes() -> Measurement:
    base = foreign.a_report_with_requests_and_bytes_by_second_beside_it()
    return beside(base, 0, stdev=Figure(300.0))


@SHELF.lie("coherence.order", policy=SHORT)
def connections_made_faster_than_the_fastest() -> Measurement:
    base = foreign.a_report_with_parts_of_the_time_of_how_many_is_not_told()
    return beside(base, 0, mean=Figure(9e3, 1e3))


@SHELF.lie("coherence.order", policy=SHORT)
def connections_spread_wider_than_their_extremes() -> Measurement:
    base = foreign.a_report_with_parts_of_the_time_of_how_many_is_not_told()
    return beside(base, 0, stdev=Figure(83e3, 1e3))


@SHELF.lie("coherence.order", policy=SHORT)
def a_rate_of_a_second_that_is_not_a_number() -> Measurement:
    base = foreign.a_report_with_requests_and_bytes_by_second_beside_it()
    return beside(base, 0, maximum=Figure(math.inf))


@SHELF.lie("coherence.summary", policy=SHORT)
def a_size_that_its_own_histogram_does_not_give() -> Measurement:
    base = foreign.a_report_with_parts_of_the_time_of_how_many_is_not_told()
    return beside(base, 1, mean=Figure(130.0))


@SHELF.lie("coherence.count", policy=SHORT)
def sizes_of_more_answers_than_their_histogram_holds() -> Measurement:
    base = foreign.a_report_with_parts_of_the_time_of_how_many_is_not_told()
    return beside(base, 1, count=99_999)


# ── figures that follow from those beside them ───────────────────────────────────────────────────────────────────


@SHELF.lie("coherence.summary", policy=SHORT)
def a_time_per_request_divided_by_ten() -> Measurement:
    base = foreign.ab_in_whole_milliseconds()
    honest = foreign.per_request(base)
    return replace(base, restated=(replace(honest, stated=Figure(honest.stated.value / 10, honest.stated.resolution)),))


@SHELF.lie("coherence.summary", policy=SHORT)
def a_throughput_in_bytes_that_nobody_carried() -> Measurement:
    carried = Restated("Transfer/sec", Figure(9.4e6, 1e4), "B/s", 8.21e6, 8.23e6, "bytes read over the run time")
    return replace(foreign.wrk_over_eight_connections(), restated=(carried,))


@SHELF.lie("coherence.summary", policy=SHORT)
def a_mean_that_the_kept_values_do_not_give() -> Measurement:
    base = foreign.jmh_with_two_forks_of_five()
    assert base.latency is not None
    assert base.latency.mean is not None
    return headline(base, mean=Figure(base.latency.mean.value * 0.98))


@SHELF.lie("coherence.summary", policy=SHORT)
def a_deviation_that_the_kept_values_do_not_give() -> Measurement:
    return headline(foreign.go_with_a_count_of_eight(), stdev=Figure(0.02))


@SHELF.lie("coherence.summary", policy=SHORT)
def a_deviation_that_the_histogram_does_not_give() -> Measurement:
    base = foreign.wrk2_whose_histogram_begins_after_calibration()
    assert base.latency is not None
    assert base.latency.histogram is not None
    assert base.latency.histogram.variance is not None
    return headline(base, stdev=Figure(1.2 * math.sqrt(base.latency.histogram.variance), 10_000.0))
