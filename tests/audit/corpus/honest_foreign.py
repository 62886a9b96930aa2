"""Honest reports of other tools, coarse but consistent: rounded, windowed and counted the way each tool does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import stdev

from bizra_gate.model import (
    Beside,
    Caveat,
    Controls,
    Distribution,
    Environment,
    Figure,
    InFlight,
    Latency,
    Measurement,
    Policy,
    Restated,
    Run,
    Source,
)

from .case import SHORT, Shelf
from .foreign import bench, digits, ended, exact, exact_histogram, figures, latencies, linear, seconds, to, tool
from .simulate import (
    MS,
    US,
    S,
    Service,
    Train,
    arrivals,
    closed,
    constant,
    every,
    exponential,
    lognormal,
    open_loop,
    uniform,
)

SHELF = Shelf()


def users(seed: int, count: int, window: int, service: Service, **more: object) -> list[Train]:
    """What a closed loop of `count` users saw end in its window."""
    return ended(closed(seed, count, window, service, start=0, **more), window)  # type: ignore[arg-type]


@SHELF.honest(policy=SHORT)
def wrk_over_eight_connections() -> Measurement:
    trains = users(101, 8, 6 * S, constant(10_600 * US, 300 * US))
    return tool("wrk", trains, 6 * S, figures(latencies(trains), digits(4), quantum=US, minimum=False), concurrency=8)


@SHELF.honest(policy=SHORT)
def wrk_whose_last_round_is_cut_off() -> Measurement:
    trains = users(102, 20, 2 * S, uniform(21 * MS, 30 * MS))
    return tool("wrk", trains, 2 * S, figures(latencies(trains), digits(4), quantum=US, minimum=False), concurrency=20)


@SHELF.honest(policy=SHORT)
def hey_with_four_decimals_of_a_second() -> Measurement:
    trains = users(103, 10, 5 * S, constant(21 * MS, 900 * US))
    held = figures(latencies(trains), to(100 * US), percentiles=(10, 25, 50, 75, 90, 95, 99), quantum=100 * US)
    return tool("hey", trains, 5 * S, held, concurrency=10, think_time=False)


@SHELF.honest(policy=SHORT)
def autocannon_in_whole_milliseconds() -> Measurement:
    trains = users(104, 20, 8 * S, constant(30_700 * US, 900 * US))
    held = figures(
        latencies(trains), to(MS), percentiles=(1, 2.5, 10, 50, 75, 90, 97.5, 99), quantum=MS, mean=to(10 * US)
    )
    return tool("autocannon", trains, 8 * S, held, concurrency=20)


@SHELF.honest(policy=SHORT)
def ab_in_whole_milliseconds() -> Measurement:
    trains = users(105, 10, 5 * S, constant(31 * MS, MS))
    held = figures(latencies(trains), to(MS), percentiles=(50, 66, 75, 80, 90, 95, 98, 99), quantum=MS, stdev=False)
    base = tool("ab", trains, 5 * S, held, concurrency=10, duration=to(MS))
    return replace(base, restated=(per_request(base),))


def per_request(base: Measurement) -> Restated:
    """ab's "Time per request (mean)" in microseconds, and what concurrency, time and requests allow it to be."""
    assert isinstance(base.duration_ns, Figure)
    assert base.concurrency is not None
    assert base.operations is not None
    share = base.concurrency / base.operations
    low, high = share * base.duration_ns.low, share * base.duration_ns.high
    return Restated("Time per request (mean)", to(US)(share * base.duration_ns.value), "ns", low, high, "C·T/N")


@SHELF.honest(policy=SHORT)
def a_report_with_requests_and_bytes_by_second_beside_it() -> Measurement:
    """As autocannon tells of eight samples: to three digits, the smallest of those that are not 0."""
    trains = users(118, 20, 8 * S, constant(30_700 * US, 900 * US))
    held = figures(latencies(trains), to(MS), percentiles=(50, 90, 99), quantum=MS, mean=to(10 * US))
    counts = seconds(trains, 8 * S).count
    by_second = figures(sorted(counts), exact, percentiles=(2.5, 50, 97.5), method="hdr", mean=to(0.02))
    sizes = figures(sorted(n * 65 for n in counts), exact, percentiles=(50, 99), method="hdr", stdev=False)
    rows = (Beside("requests", "", by_second), Beside("throughput", "B", replace(sizes, bin_ratio=1 / 1024)))
    return replace(tool("autocannon", trains, 8 * S, held, concurrency=20), beside=rows)


@SHELF.honest(policy=SHORT)
def a_report_with_parts_of_the_time_of_how_many_is_not_told() -> Measurement:
    """As h2load tells of its connections, and fortio of their sizes: no count, then one in wide buckets."""
    trains = users(119, 12, 5 * S, constant(20_600 * US, 400 * US))
    held = figures(latencies(trains), digits(4), percentiles=(), quantum=US)
    connect = Latency(
        minimum=Figure(11e3, 1e3), mean=Figure(53e3, 1e3), maximum=Figure(90e3, 1e3), stdev=Figure(23e3, 1e3)
    )
    size = Distribution((65, 201), (200, 340), (len(trains) - 5, 5), 65, 340, 65 * (len(trains) - 5) + 5 * 340)
    sizes = Latency(
        histogram=size, count=len(trains), minimum=Figure(65.0), maximum=Figure(340.0), mean=Figure(size.mean or 0)
    )
    rows = (Beside("time for connect", "ns", connect), Beside("Sizes", "B", sizes))
    return replace(tool("h2load", trains, 5 * S, held, concurrency=12), beside=rows)


@SHELF.honest(policy=SHORT)
def siege_in_hundredths_with_its_own_concurrency() -> Measurement:
    trains = users(106, 10, round(5.62 * S), constant(203 * MS, 4 * MS))
    values, window = latencies(trains), round(5.62 * S)
    held = figures(values, to(10 * MS), percentiles=(), quantum=10 * MS, stdev=False)
    base = tool("siege", trains, window, held, concurrency=10, think_time=None)
    return replace(base, in_flight=InFlight(window_ns=window, integral_ns=sum(values)))


@SHELF.honest(policy=SHORT)
def locust_whose_percentile_exceeds_its_maximum() -> Measurement:
    trains = users(107, 10, 8 * S, lognormal(130 * MS, 0.2))
    values = latencies(trains)
    held = figures(values, digits(2), percentiles=(50, 66, 75, 80, 90, 95, 98, 99), quantum=MS, mean=exact)
    held = replace(held, minimum=Figure(values[0]), maximum=Figure(values[-1]), bin_ratio=0.05, stdev=None)
    top = replace(held, percentiles=(*held.percentiles[:-1], (99.0, digits(2)(values[-1] * 1.02))))
    return tool("locust", trains, 8 * S, top, concurrency=10, think_time=None)


@SHELF.honest(policy=SHORT)
def locust_users_who_think() -> Measurement:
    trains = users(108, 10, 6 * S, constant(22 * MS, 2 * MS), think=uniform(50 * MS, 150 * MS))
    held = figures(latencies(trains), to(MS), percentiles=(50, 90, 99), quantum=MS, mean=exact, stdev=False)
    return tool("locust", trains, 6 * S, held, concurrency=10, think_time=True)


@SHELF.honest(policy=SHORT)
def k6_with_interpolated_percentiles() -> Measurement:
    trains = users(109, 8, 6 * S, lognormal(21 * MS, 0.1))
    held = figures(latencies(trains), exact, percentiles=(50, 90, 95), method="linear", rank=linear, stdev=False)
    return tool("k6", trains, 6 * S, held, concurrency=8, duration=exact)


@SHELF.honest(policy=SHORT)
def k6_in_its_own_span_from_first_to_last_end() -> Measurement:
    trains = users(110, 6, round(4.7 * S), constant(26 * MS, 2 * MS))
    span = max(t.end for t in trains) - min(t.end for t in trains)
    held = figures(latencies(trains), exact, percentiles=(50, 90, 95, 99), method="linear", rank=linear)
    return replace(
        tool("k6", trains, span, held, concurrency=6, duration=exact), intervals=seconds(trains, round(4.7 * S))
    )


@SHELF.honest(policy=SHORT)
def vegeta_whose_sends_did_not_wait_for_the_freezes() -> Measurement:
    trains = open_loop(111, arrivals(111, 200, 30 * S, 0), constant(1100 * US, 60 * US), stalls=every(10, 1.0, 30, 9.0))
    held = figures(latencies(trains), exact, percentiles=(50, 90, 95, 99), method="tdigest", stdev=False)
    span = trains[-1].start - trains[0].start
    base = tool("vegeta", trains, span, held, loop="open", requested=200, duration=exact, think_time=None)
    return replace(base, rate_achieved_per_s=Figure(len(trains) / (30 - 1 / 200)))


@SHELF.honest(policy=SHORT)
def wrk2_whose_histogram_begins_after_calibration() -> Measurement:
    due = arrivals(112, 200, 30 * S, 0)
    trains = open_loop(112, due, constant(900 * US, 300 * US), cap=4, stalls=[(18 * S, 23 * S)])
    late = [train for train in trains if train.due >= 10 * S]
    held = figures(
        latencies(late, response=True), to(10 * US), percentiles=(50, 75, 90, 99), method="hdr", origin="intended"
    )
    held = replace(held, window_ns=Figure(20 * S, 2 * MS), quantum_ns=US, bin_ratio=0.001)
    held = exact_histogram(held, latencies(late, response=True))
    return tool("wrk2", trains, 30 * S, held, loop="open", concurrency=4, requested=200, think_time=False)


@SHELF.honest(policy=SHORT)
def h2load_with_requests_under_way_at_the_end() -> Measurement:
    trains = users(113, 12, 5 * S, constant(20_600 * US, 400 * US))
    held = figures(latencies(trains), digits(4), percentiles=(), quantum=US)
    return replace(tool("h2load", trains, 5 * S, held, concurrency=12), sent=len(trains) + 12)


@SHELF.honest(policy=SHORT)
def oha_that_counts_the_aborted_in_its_rate() -> Measurement:
    trains = users(114, 100, 10 * S, lognormal(24 * MS, 0.2))
    held = figures(latencies(trains), exact, percentiles=(50, 75, 90, 95, 99, 99.9, 99.99), stdev=False)
    base = tool("oha", trains, 10 * S, held, concurrency=100, duration=exact)
    p99 = dict(held.percentiles)[99.0].value
    again = Restated("metrics.p99", to(US)(p99), "ns", p99, p99, "latencyPercentiles.p99")
    return replace(base, rate_achieved_per_s=Figure((len(trains) + 100) / 10), restated=(again,))


@SHELF.honest(policy=SHORT)
def fortio_with_percentiles_interpolated_in_buckets() -> Measurement:
    trains = users(115, 8, 6 * S, constant(6600 * US, 350 * US))
    values = latencies(trains)
    edges = [*range(0, 10_000, 1000), 12_000, 14_000, 16_000]
    bins = [(a * US, b * US, sum(1 for v in values if a * US < v <= b * US)) for a, b in pairwise(edges)]
    held_bins = [(low + 1, high, n) for low, high, n in bins if n]
    histogram = Distribution(
        tuple(b[0] for b in held_bins), tuple(b[1] for b in held_bins), tuple(b[2] for b in held_bins),
        values[0], values[-1], sum(values),
    )  # fmt: skip
    held = figures(values, exact, percentiles=(50, 75, 90, 99), method="buckets")
    held = replace(held, percentiles=tuple((p, Figure(_in_bucket(histogram, p / 100))) for p, _ in held.percentiles))
    return tool("fortio", trains, 6 * S, replace(held, histogram=histogram, quantum_ns=100 * US), concurrency=8)


def _in_bucket(histogram: Distribution, q: float) -> float:
    index = histogram.bin_of_rank(histogram.rank(q))
    before = histogram.cumulative[index] - histogram.count[index]
    low, high = (
        max(histogram.low[index], histogram.minimum or 0),
        min(histogram.high[index], histogram.maximum or 10**18),
    )
    return low + (high - low) * (q * histogram.n - before) / histogram.count[index]


@SHELF.honest(policy=SHORT)
def gatling_with_stamps_in_whole_milliseconds() -> Measurement:
    trains = users(116, 10, 6 * S, constant(55 * MS, 3 * MS), gap=400 * US)
    stamped = [t._replace(start=t.start // MS * MS, end=t.end // MS * MS, due=t.start // MS * MS) for t in trains]
    held = exact_histogram(
        figures(latencies(stamped), to(MS), percentiles=(50, 75, 95, 99), quantum=MS), latencies(stamped)
    )
    return tool("gatling", stamped, 6 * S, held, concurrency=10, think_time=None, duration=to(MS))


@SHELF.honest(policy=SHORT)
def a_histogram_log_whose_stamps_jitter() -> Measurement:
    trains = open_loop(117, arrivals(117, 200, 12 * S, 0), constant(12 * MS, MS))
    values = latencies(trains, response=True)
    held = Latency(histogram=Distribution.of(values), count=len(values), origin="intended", quantum_ns=1.0)
    series = seconds(trains, 13 * S)
    random = Random(117)
    starts = tuple(start + random.randint(-2 * MS, 2 * MS) for start in series.start_ns)
    return replace(
        tool("hdrhistogram", trains, 13 * S, held, loop="open"), intervals=replace(series, start_ns=starts),
        rate_achieved_per_s=None,
    )  # fmt: skip


@SHELF.honest(policy=SHORT)
def exponential_service_times() -> Measurement:
    trains = users(118, 10, 10 * S, exponential(15 * MS))
    held = figures(latencies(trains), exact, percentiles=(50, 75, 90, 99), quantum=1.0)
    return tool("fortio", trains, 10 * S, held, concurrency=10)


@SHELF.honest(policy=SHORT)
def one_slow_answer_among_fifty_connections() -> Measurement:
    trains = users(119, 50, 10 * S, lognormal(4 * MS, 0.2))
    first = trains[0]
    lone = [first._replace(end=first.start + round(0.4 * S)), *[t for t in trains[1:] if t.start > S or t.end < S]]
    held = figures(latencies(lone), exact, percentiles=(50, 90, 99), quantum=1.0)
    return tool("bombardier", lone, 10 * S, held, concurrency=50, duration=exact)


@SHELF.honest(policy=SHORT)
def artillery_that_prints_no_quantum() -> Measurement:
    trains = open_loop(120, arrivals(120, 80, 8 * S, 0), constant(28 * MS, 2 * MS))
    held = figures(latencies(trains), to(100 * US), percentiles=(50, 75, 90, 95, 99), method="ddsketch", stdev=False)
    held = replace(held, bin_ratio=0.01)
    return tool("artillery", trains, 8 * S, held, loop="open", requested=80, think_time=None)


@SHELF.honest(policy=SHORT)
def nighthawk_at_the_rate_it_was_asked_for() -> Measurement:
    trains = open_loop(121, arrivals(121, 500, 10 * S, 0), constant(2 * MS, 200 * US))
    held = figures(latencies(trains), exact, percentiles=(50, 75, 90, 95, 99, 99.9), method="hdr", quantum=1.0)
    return tool("nighthawk", trains, 10 * S, held, loop="open", requested=500, concurrency=100, think_time=None)


@SHELF.honest(policy=SHORT)
def hyperfoil_with_its_sessions() -> Measurement:
    trains = open_loop(122, arrivals(122, 500, 8 * S, 0), constant(20 * MS, MS))
    held = figures(latencies(trains), exact, percentiles=(50, 90, 99, 99.9), method="hdr", quantum=1.0)
    base = tool("hyperfoil", trains, 8 * S, replace(held, bin_ratio=0.01), loop="open", requested=500, think_time=None)
    return replace(base, in_flight=InFlight(window_ns=8 * S, integral_ns=0, maximum=13))


@SHELF.honest(policy=SHORT)
def a_tool_that_fills_in_nothing_and_says_so() -> Measurement:
    base = wrk_over_eight_connections()
    return replace(base, caveats=(Caveat("source.backfill", "wrk adds samples after a stall; there was none"),))


def _processes(seed: int, count: int, size: int, mean_ns: float, cv: float) -> Sequence[Sequence[float]]:
    random = Random(seed)
    levels = [mean_ns * (1 + random.gauss(0, cv / 2)) for _ in range(count)]
    return [[level * (1 + random.gauss(0, cv)) for _ in range(size)] for level in levels]


@SHELF.honest(policy=SHORT)
def pyperf_with_six_processes() -> Measurement:
    return replace(
        bench("pyperf", _processes(123, 6, 5, 37_330.0, 0.012), 4096), environment=Environment(debug_build=False)
    )


@SHELF.honest(policy=SHORT)
def hyperfine_with_fourteen_runs() -> Measurement:
    return bench("hyperfine", _processes(124, 1, 14, 121.5 * MS, 0.004), 1)


@SHELF.honest(policy=SHORT)
def hyperfine_with_runs_on_two_kinds_of_cores() -> Measurement:
    values = [(210 if index % 2 else 160) * MS + 20 * US * ((index * 7) % 5) for index in range(10)]
    base = bench("hyperfine", [values], 1)
    assert base.latency is not None
    return replace(base, latency=replace(base.latency, stdev=Figure(stdev(values))))


@SHELF.honest(policy=SHORT)
def a_deviation_of_ten_values_on_two_levels() -> Measurement:
    values = [(210 if index % 2 else 160) * MS for index in range(10)]
    base = bench("by hand", [values], 1, percentiles=())
    assert base.latency is not None
    return replace(base, latency=replace(base.latency, stdev=Figure(stdev(values))))


@SHELF.honest(policy=SHORT)
def jmh_with_two_forks_of_five() -> Measurement:
    return bench("jmh", _processes(125, 2, 5, 19_550.0, 0.05), 25_000, percentiles=())


@SHELF.honest(policy=SHORT)
def go_with_a_count_of_eight() -> Measurement:
    return bench("go-bench", _processes(126, 1, 8, 133.1, 0.02), 2_700_000, percentiles=())


@SHELF.honest(policy=SHORT)
def an_operation_of_three_cycles_with_its_control() -> Measurement:
    base = bench("benchmarkdotnet", _processes(127, 1, 15, 1.35, 0.02), 100_000_000, percentiles=())
    return replace(base, controls=Controls(operation_ns=1.76, empty_ns=0.41))


@SHELF.honest(policy=SHORT)
def google_benchmark_in_a_release_build() -> Measurement:
    base = bench("google-benchmark", _processes(128, 1, 12, 8_170.0, 0.02), 24_869, percentiles=())
    return replace(base, environment=Environment(cpu_count=2, cpu_hz=2.596e9, debug_build=False))


@SHELF.honest(policy=SHORT)
def pytest_benchmark_with_thirty_calls_a_round() -> Measurement:
    return bench("pytest-benchmark", _processes(129, 1, 1400, 37_200.0, 0.04), 30, percentiles=(25, 50, 75))


@SHELF.honest(policy=SHORT)
def asv_with_twenty_samples() -> Measurement:
    return bench("asv", _processes(130, 1, 20, 38_400.0, 0.01), 3407, percentiles=(25, 50, 75))


@SHELF.honest(policy=SHORT)
def a_report_that_tells_hardly_anything() -> Measurement:
    return Measurement(Source("someone"), duration_ns=Figure(12 * S), latency=Latency(mean=Figure(4 * MS)))


@SHELF.honest(policy=SHORT)
def a_thousand_connections_of_another_tool() -> Measurement:
    trains = users(131, 100, 8 * S, lognormal(300 * MS, 0.3))
    wide = [t._replace(repeat=1) for t in trains for _ in range(10)]
    held = figures(latencies(wide), exact, percentiles=(50, 90, 99), quantum=1.0)
    return tool("oha", wide, 8 * S, held, concurrency=1000)


@SHELF.honest(policy=SHORT)
def a_burst_of_arrivals_each_second() -> Measurement:
    due = [second * S + i * 20 * US for second in range(10) for i in range(300)]
    trains = open_loop(132, due, constant(5 * MS, 500 * US))
    held = figures(latencies(trains), exact, percentiles=(50, 90, 99), quantum=1.0)
    return tool("burst", trains, 10 * S, held, loop="open", requested=300, think_time=None)


@SHELF.honest(policy=Policy(min_warmup_ns=0))
def two_minutes_printed_in_hundredths_of_a_minute() -> Measurement:
    trains = users(133, 4, 120 * S, lognormal(200 * MS, 0.2))
    held = figures(latencies(trains), to(10 * US), percentiles=(50, 90, 99), quantum=US)
    return replace(tool("wrk", trains, 120 * S, held, concurrency=4), duration_ns=Figure(120 * S, 0.6 * S))


@SHELF.honest(policy=SHORT)
def a_mean_that_rounding_lifted_by_four_per_cent() -> Measurement:
    trains = users(135, 10, 30 * S, constant(10_560 * US, 200 * US))
    held = figures(latencies(trains), to(MS), percentiles=(50, 90, 99), quantum=MS, stdev=False)
    return tool("ab", trains, 30 * S, held, concurrency=10)


@SHELF.honest(policy=SHORT)
def counters_read_while_requests_were_under_way() -> Measurement:
    base = wrk_over_eight_connections()
    assert base.latency is not None
    return replace(base, latency=replace(base.latency, count=(base.latency.count or 0) - 5))


@SHELF.honest(policy=SHORT)
def percentiles_at_the_rank_below() -> Measurement:
    trains = users(136, 8, 6 * S, lognormal(21 * MS, 0.3))
    values = latencies(trains)
    below = lambda held, p: held[math.ceil(p / 100 * len(held)) - 2]  # noqa: E731
    held = figures(values, exact, percentiles=(50, 90, 95, 99), rank=below, quantum=1.0)
    return tool("floor", trains, 6 * S, exact_histogram(held, values), concurrency=8)


@SHELF.honest(policy=SHORT)
def one_long_answer_to_a_request_that_was_due() -> Measurement:
    trains = open_loop(137, arrivals(137, 5, 120 * S, 0), lognormal(30 * MS, 0.2))
    trains[300] = trains[300]._replace(end=trains[300].start + 4 * S)
    held = figures(latencies(trains, response=True), exact, percentiles=(50, 90, 99), origin="intended", stdev=False)
    return tool("wrk2", trains, 120 * S, held, loop="open", requested=5, think_time=None)


@SHELF.honest(policy=SHORT)
def runs_that_share_no_values() -> Measurement:
    base = bench("krun", _processes(134, 3, 4, 2.0 * MS, 0.03), 200)
    return replace(base, runs=tuple(Run(i, values=run.values) for i, run in enumerate(base.runs)))
