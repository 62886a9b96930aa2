"""Records that are not wrong and still show nothing: too short, too few, too disturbed, or blind to what matters."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bizra_gate.model import ClosedLoop, Environment, Figure, Measurement, OpenLoop, Policy, Warmup

from . import honest_foreign as foreign
from . import honest_own as own
from . import record
from .case import SHORT, Shelf
from .foreign import bench, digits, exact, figures, latencies, tool
from .lies_figures import headline, restated
from .record import latency, measurement, remade, run
from .simulate import (
    MS,
    US,
    S,
    Train,
    arrivals,
    closed,
    constant,
    drifting,
    every,
    lognormal,
    mixture,
    open_loop,
    uniform,
)  # fmt: skip

SHELF = Shelf()
T = 120 * S


# ── length, warm-up, samples, processes ──────────────────────────────────────────────────────────────────────────


@SHELF.lie("method.duration", verdict="INSUFFICIENT", policy=Policy(min_warmup_ns=0))
def six_seconds_under_the_strict_policy() -> Measurement:
    return foreign.wrk_over_eight_connections()


@SHELF.lie("method.duration", verdict="INSUFFICIENT", policy=SHORT)
def a_run_cut_short() -> Measurement:
    return replace(foreign.wrk_over_eight_connections(), duration_requested_ns=Figure(30 * S, S))


@SHELF.lie("method.duration", verdict="INSUFFICIENT", policy=SHORT)
def a_duration_that_nobody_tells() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    return replace(base, duration_ns=None, rate_achieved_per_s=None)


@SHELF.lie("method.warmup", verdict="INSUFFICIENT", policy=Policy(min_duration_ns=S))
def a_warm_up_that_nobody_tells() -> Measurement:
    return foreign.wrk_over_eight_connections()


@SHELF.lie("method.warmup", verdict="INSUFFICIENT")
def a_warm_up_of_five_seconds() -> Measurement:
    base = remade(own.one_connection(), warmup_ns=5 * S)
    assert base.plan is not None
    return replace(base, plan=replace(base.plan, warmup=Warmup(5 * S)))


@SHELF.lie("method.samples", verdict="INSUFFICIENT", policy=SHORT)
def a_p999_on_four_hundred_samples() -> Measurement:
    trains = foreign.users(401, 2, 4 * S, constant(20 * MS, 2 * MS))[:400]
    held = figures(latencies(trains), exact, percentiles=(50, 90, 99, 99.9), quantum=1.0)
    return tool("k6", trains, 4 * S, held, concurrency=2, think_time=None)


@SHELF.lie("method.samples", verdict="INSUFFICIENT", policy=SHORT)
def a_p99_on_fifty_requests() -> Measurement:
    trains = foreign.users(402, 1, 2 * S, constant(38 * MS, 2 * MS))[:50]
    held = figures(latencies(trains), exact, percentiles=(50, 95, 99), quantum=1.0)
    return tool("ab", trains, 2 * S, held, concurrency=1, think_time=None)


@SHELF.lie("method.samples", verdict="INSUFFICIENT", policy=SHORT)
def a_p99_on_a_number_of_samples_that_nobody_tells() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    return headline(replace(base, operations=None, rate_achieved_per_s=None), count=None)


@SHELF.lie("method.samples", verdict="INSUFFICIENT", policy=SHORT)
def samples_that_hang_together() -> Measurement:
    random, level, trains, at = Random(403), 0.0, [], 0
    for second in range(60):
        level = 0.97 * level + random.gauss(0, 0.02)
        for _ in range(8):
            length = round(100 * MS * (1 + level) * random.uniform(0.99, 1.01))
            trains.append(Train(at, at, at + length))
            at = max(at + length + 10 * US, second * S)
    window = trains[-1].end
    held = figures(latencies(trains), exact, percentiles=(50, 95, 99), quantum=1.0)
    base = tool("slow", trains, window, held, concurrency=1, think_time=None, duration=exact)
    return replace(base, intervals=foreign.seconds(trains, window))


@SHELF.lie("method.samples", verdict="INSUFFICIENT", policy=SHORT)
def a_median_of_two_runs() -> Measurement:
    return bench("hyperfine", [[0.61 * S, 0.62 * S]], 1)


@SHELF.lie("coherence.summary")
def a_p9999_of_our_own_without_its_interval() -> Measurement:
    return restated(own.two_requests_a_second(), "latency.p99.99", lambda row: replace(row, interval=None))


@SHELF.lie("method.runs", verdict="INSUFFICIENT")
def one_process_of_five_is_another_program() -> Measurement:
    runs = [
        run(closed(60 + i, 4, T, lognormal((300 if i == 3 else 200) * MS, 0.2)), index=i) for i in range(5)
    ]  # fmt: skip
    return measurement(runs, ClosedLoop(4))


@SHELF.lie("method.runs", verdict="INSUFFICIENT", policy=replace(SHORT, min_runs=5))
def two_processes_where_five_are_asked_for() -> Measurement:
    return foreign.jmh_with_two_forks_of_five()


# ── steady state ─────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_leak_that_slows_it_down() -> Measurement:
    return own.http(404, 8, drifting(lognormal(120 * MS, 0.2), lambda s: 1 + max(0.0, s) / 120))


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_change_in_the_middle_of_the_run() -> Measurement:
    return own.http(405, 8, drifting(lognormal(120 * MS, 0.2), lambda s: 1.0 if s < 70 else 1.4))


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_warm_up_within_the_measurement() -> Measurement:
    return own.http(406, 8, drifting(lognormal(120 * MS, 0.2), lambda s: 1.0 + 1.5 * 2 ** (-max(0.0, s) / 12)))


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def two_levels_in_turn() -> Measurement:
    return own.http(407, 8, drifting(lognormal(120 * MS, 0.2), lambda s: 1.0 if int(s / 30) % 2 else 1.5))


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_queue_that_grows_to_the_end() -> Measurement:
    return own.steady_open(408, 40, lognormal(25 * MS, 0.2), servers=1, cap=10_000)


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_collector_that_storms_in_the_second_half() -> Measurement:
    storm = mixture(0.8, lognormal(100 * MS, 0.2), lognormal(400 * MS, 0.2))
    calm = lognormal(100 * MS, 0.2)
    return own.http(409, 8, lambda random, at: (storm if at > 70 * S else calm)(random, at))


@SHELF.lie("method.steady", verdict="INSUFFICIENT")
def a_leak_behind_a_few_operations_that_were_held_up() -> Measurement:
    """Three in a hundred take some fifty times as long: the means leap about, the medians climb by half."""
    leak = drifting(lognormal(100 * MS, 0.1), lambda s: 1 + max(0.0, s) / 240)
    return own.http(413, 16, mixture(0.97, leak, uniform(3 * S, 9 * S)))


@SHELF.lie("method.steady", verdict="INSUFFICIENT", policy=Policy(min_duration_ns=8 * S, min_warmup_ns=0))
def a_queue_that_grows_through_a_short_run() -> Measurement:
    trains = open_loop(414, arrivals(414, 150, 8 * S), constant(10 * MS, US), servers=1, cap=10_000)
    started = sum(1 for train in trains if 0 <= train.start < 8 * S)
    counted = run(trains, 8 * S, open_loop=True, length=200 * MS)
    return measurement([counted], OpenLoop(150), started=started)


# ── what a waiting generator cannot see ──────────────────────────────────────────────────────────────────────────


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT", policy=SHORT)
def a_freeze_that_a_closed_loop_waited_out() -> Measurement:
    trains = foreign.users(410, 16, 30 * S, lognormal(11 * MS, 0.1), stalls=every(10, 1.0, 30, 9.0))
    held = figures(latencies(trains), digits(4), percentiles=(), quantum=US)
    return tool("h2load", trains, 30 * S, held, concurrency=16)


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT", policy=SHORT)
def a_p99_beside_a_third_of_the_run_without_answers() -> Measurement:
    trains = foreign.users(411, 10, 9 * S, lognormal(9 * MS, 0.05), stalls=[(2 * S, 5 * S)])
    held = figures(latencies(trains), digits(4), percentiles=(50, 75, 90, 95, 99), quantum=US)
    return tool("bombardier", trains, 9 * S, held, concurrency=10)


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT")
def our_own_closed_loop_over_a_server_that_freezes() -> Measurement:
    return own.http(412, 8, lognormal(60 * MS, 0.2), stalls=every(20, 2.0, 118))


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT", policy=SHORT)
def sixteen_workers_sold_as_an_open_loop() -> Measurement:
    trains = open_loop(
        413, arrivals(413, 200, 30 * S, 0), constant(1100 * US, 60 * US), cap=4, stalls=every(10, 1.0, 30, 9.0)
    )
    held = figures(latencies(trains), exact, percentiles=(50, 90, 95, 99), method="tdigest", stdev=False)
    return tool("vegeta", trains, 30 * S, held, loop="open", requested=200, concurrency=4, think_time=None)


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT", policy=SHORT)
def threads_that_waited_and_then_caught_up() -> Measurement:
    trains = open_loop(
        414, arrivals(414, 400, 10 * S, 0), lognormal(4 * MS, 0.1), cap=8, stalls=[(3 * S, round(4.5 * S))]
    )
    held = figures(latencies(trains), exact, percentiles=(50, 75, 90, 99), method="linear")
    return tool("fortio", trains, 10 * S, held, loop="paced-closed", requested=400, concurrency=8)


@SHELF.lie("method.coordinated_omission", verdict="INSUFFICIENT", policy=SHORT)
def rows_with_a_gap_in_which_nothing_was_sent() -> Measurement:
    trains = foreign.users(415, 4, 20 * S, constant(3 * MS, 200 * US), stalls=[(6 * S, 11 * S)])
    held = foreign.exact_histogram(figures(latencies(trains), exact, percentiles=(), quantum=1.0), latencies(trains))
    base = tool("h2load", trains, 20 * S, held, concurrency=4, loop="paced-closed")
    return replace(base, intervals=foreign.seconds(trains, 20 * S))


# ── rate and errors ──────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("method.rate", verdict="INSUFFICIENT", policy=SHORT)
def a_third_of_the_rate_that_was_asked_for() -> Measurement:
    due = arrivals(416, 600, 10 * S, 0)
    trains = [t for t in open_loop(416, due, constant(20 * MS, MS), cap=4) if t.end < 10 * S]
    held = figures(latencies(trains, response=True), exact, percentiles=(50, 90, 99), origin="intended")
    return tool("wrk2", trains, 10 * S, held, loop="open", requested=600, concurrency=4)


@SHELF.lie("method.rate", verdict="INSUFFICIENT")
def our_own_sends_that_fell_behind() -> Measurement:
    return record.stated(replace(own.an_open_loop_at_a_constant_rate(), rate_achieved_per_s=Figure(36.0)))


@SHELF.lie("method.rate", verdict="INSUFFICIENT")
def three_per_cent_short() -> Measurement:
    base = own.an_open_loop_at_a_constant_rate()
    return own.asked(base, 41.3)


@SHELF.lie("method.errors", verdict="INSUFFICIENT")
def a_quarter_of_all_answers_refused() -> Measurement:
    def fails(random: Random, at: int) -> tuple[str, int] | None:
        return ("bad_status", MS) if random.random() < 0.26 else None

    return own.http(417, 8, lognormal(150 * MS, 0.2), fails=fails)


@SHELF.lie("method.errors", verdict="INSUFFICIENT")
def errors_answered_fast_and_counted_as_successes() -> Measurement:
    labels = lambda random: "503" if random.random() < 0.3 else "200"  # noqa: E731
    return measurement([run(closed(418, 8, T, lognormal(150 * MS, 0.2), labels=labels))], ClosedLoop(8))


@SHELF.lie("method.errors", verdict="INSUFFICIENT", policy=replace(SHORT, max_error_rate=0.5))
def errors_that_flatter_the_mean() -> Measurement:
    trains = foreign.users(419, 6, 6 * S, constant(12 * MS, MS), fails=_shed)
    good = [t for t in trains if t.error is None]
    bad = [t for t in trains if t.error is not None]
    held = figures(latencies([*good, *bad]), exact, percentiles=(50, 75, 90, 99), includes_errors=True)
    base = tool("fortio", trains, 6 * S, held, concurrency=6)
    return replace(base, failed=figures(latencies(bad), exact, percentiles=()))


def _shed(random: Random, at: int) -> tuple[str, int] | None:
    return ("503", 1500 * US) if random.random() < 0.25 else None


@SHELF.lie("method.errors", verdict="INSUFFICIENT", policy=SHORT)
def nothing_but_refused_connections() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    return replace(base, operations=200, errors={"refused": 200}, latency=None, rate_achieved_per_s=None)


# ── generator and machine ────────────────────────────────────────────────────────────────────────────────────────


def generated(base: Measurement, **fields: object) -> Measurement:
    held = base.runs[0].generator
    assert held is not None
    return remade(base, generator=replace(held, **fields))  # type: ignore[arg-type]


@SHELF.lie("generator.saturated", verdict="INSUFFICIENT")
def a_worker_at_ninety_eight_per_cent() -> Measurement:
    return generated(own.one_connection(), cpu_fraction=(0.51, 0.98))


@SHELF.lie("generator.lag", verdict="INSUFFICIENT")
def a_generator_as_late_as_what_it_measured() -> Measurement:
    late = latency([(21 * MS + 30 * US * i, 1) for i in range(400)], "intended")
    return generated(own.an_open_loop_at_a_constant_rate(), lag=late)


@SHELF.lie("generator.lag", verdict="INSUFFICIENT")
def a_generator_that_collects_its_own_garbage() -> Measurement:
    return generated(own.one_connection(), gc_pause_ns=4 * S)


@SHELF.lie("environment.noise", verdict="INSUFFICIENT")
def a_hypervisor_that_gave_the_time_to_others() -> Measurement:
    return generated(own.one_connection(), steal_fraction=0.06)


@SHELF.lie("environment.noise", verdict="INSUFFICIENT")
def a_build_on_the_same_cores() -> Measurement:
    return generated(own.one_connection(), other_cpu_fraction=0.41)


@SHELF.lie("environment.noise", verdict="INSUFFICIENT", policy=SHORT)
def a_debug_build() -> Measurement:
    return replace(foreign.google_benchmark_in_a_release_build(), environment=Environment(debug_build=True))


@SHELF.lie("environment.noise", verdict="INSUFFICIENT")
def a_clock_that_was_stepped() -> Measurement:
    return remade(own.one_connection(), clock=replace(record.OUR_CLOCK, steps=1, wall_drift_ns=-3 * S))


@SHELF.lie("method.rate", verdict="INSUFFICIENT")
def an_open_loop_beyond_the_targets_capacity() -> Measurement:
    due = arrivals(420, 40, T)
    trains = open_loop(420, due, lognormal(110 * MS, 0.1), cap=4)
    load = OpenLoop(40, max_in_flight=4)
    started = sum(1 for train in trains if 0 <= train.start < T)
    return measurement([run(trains, open_loop=True)], load, started=started, timeout=60 * S)
