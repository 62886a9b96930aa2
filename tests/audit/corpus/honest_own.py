"""Honest runs of our own recorder, hard ones: an audit that accuses one of these is wrong."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bizra_gate.model import ClosedLoop, Controls, HttpRequest, Intervals, Measurement, OpenLoop, Policy, Run, Stage
from bizra_gate.stats import merge

from . import record, simulate
from .case import Shelf
from .record import measurement, remade, run, stated
from .simulate import MS, US, S, arrivals, closed, constant, exponential, lognormal, mixture, open_loop, uniform

SHELF = Shelf()
T = 120 * S


def http(seed: int, users: int, service: simulate.Service, **more: object) -> Measurement:
    """A closed loop over HTTP for two minutes."""
    return measurement([run(closed(seed, users, T, service, **more))], ClosedLoop(users))  # type: ignore[arg-type]


def steady_open(
    seed: int, rate: float, service: simulate.Service, *, poisson: bool = False, **more: object
) -> Measurement:
    """An open loop over HTTP for two minutes."""
    trains = open_loop(seed, arrivals(seed, rate, T, poisson=poisson), service, **more)  # type: ignore[arg-type]
    load = OpenLoop(rate, "poisson" if poisson else "constant")
    started = sum(1 for train in trains if 0 <= train.start < T)
    return measurement([run(trains, open_loop=True)], load, started=started)


@SHELF.honest()
def the_circuit_breaker_at_half_a_million_a_second() -> Measurement:
    trains = closed(1, 1, T, lognormal(120 * US, 0.25), repeat=160, gap=0)
    return measurement([run(trains, lanes=64)], ClosedLoop(64))


@SHELF.honest()
def one_connection() -> Measurement:
    return http(2, 1, lognormal(30 * MS, 0.2))


@SHELF.honest()
def a_thousand_connections() -> Measurement:
    trains = closed(3, 10, T, lognormal(800 * MS, 0.4))
    return measurement([run(trains, lanes=100)], ClosedLoop(1000))


@SHELF.honest()
def an_open_loop_at_a_constant_rate() -> Measurement:
    return steady_open(4, 40, exponential(20 * MS))


@SHELF.honest()
def an_open_loop_with_random_arrivals() -> Measurement:
    return steady_open(5, 35, lognormal(40 * MS, 0.5), poisson=True)


@SHELF.honest()
def a_queue_near_its_capacity() -> Measurement:
    return steady_open(6, 40, exponential(15 * MS), servers=1, poisson=True)


@SHELF.honest()
def real_stalls_seen_by_an_open_loop() -> Measurement:
    return steady_open(7, 40, lognormal(8 * MS, 0.2), stalls=simulate.every(20, 1.0, 118))


@SHELF.honest()
def a_heavy_tail_in_an_open_loop() -> Measurement:
    return steady_open(8, 40, simulate.pareto(4 * MS, 1.6, 6 * S))


@SHELF.honest()
def a_heavy_tail_in_a_closed_loop() -> Measurement:
    return http(9, 16, lognormal(220 * MS, 1.1))


@SHELF.honest()
def latencies_of_seconds() -> Measurement:
    return http(10, 24, uniform(2500 * MS, 3500 * MS))


@SHELF.honest()
def two_requests_a_second() -> Measurement:
    return steady_open(11, 2, lognormal(90 * MS, 0.3))


@SHELF.honest(note="distribution.modes")
def cache_hits_and_misses() -> Measurement:
    return http(12, 8, mixture(0.8, lognormal(60 * MS, 0.1), lognormal(900 * MS, 0.1)))


@SHELF.honest(note="distribution.modes")
def two_modes_of_equal_weight_whose_shares_change_places() -> Measurement:
    """The median crosses from one mode to the other; the mean moves by 3 %."""
    quick, slow = lognormal(90 * MS, 0.008), lognormal(100 * MS, 0.008)
    return http(44, 8, lambda random, at: (quick if random.random() < 0.65 - 0.3 * at / T else slow)(random, at))


@SHELF.honest(note="distribution.modes")
def two_modes_in_an_open_loop() -> Measurement:
    return steady_open(13, 40, mixture(0.6, lognormal(2 * MS, 0.1), lognormal(45 * MS, 0.1)))


@SHELF.honest()
def a_few_refusals_kept_apart() -> Measurement:
    def fails(random: Random, at: int) -> tuple[str, int] | None:
        return ("refused", 300 * US) if random.random() < 0.004 else None

    return http(14, 8, lognormal(200 * MS, 0.3), fails=fails)


@SHELF.honest()
def a_few_timeouts_at_the_time_waited() -> Measurement:
    def fails(random: Random, at: int) -> tuple[str, int] | None:
        return ("timeout", 2 * S + random.randint(0, 900 * US)) if random.random() < 0.003 else None

    trains = closed(15, 16, T, lognormal(300 * MS, 0.3), fails=fails)
    return measurement([run(trains)], ClosedLoop(16), timeout=2 * S)


@SHELF.honest()
def a_python_call_of_eight_hundred_nanoseconds() -> Measurement:
    trains = closed(16, 1, T, uniform(79 * MS, 82 * MS), gap=90)
    controls = Controls(operation_ns=802.0, empty_ns=41.0, empty_spread_ns=2.5, twice_ns=1_571.0, result_type="int")
    return measurement(
        [run(trains, batch=100_000, controls=controls)], ClosedLoop(1), target="py:app:call", loop="batch"
    )


@SHELF.honest()
def the_shortest_call_that_still_does_something() -> Measurement:
    trains = closed(17, 1, T, uniform(58 * MS, 60 * MS), gap=90)
    controls = Controls(operation_ns=58.6, empty_ns=41.0, empty_spread_ns=2.5, twice_ns=77.0, result_type="int")
    return measurement(
        [run(trains, batch=1_000_000, controls=controls)], ClosedLoop(1), target="py:app:add", loop="batch"
    )


@SHELF.honest()
def a_python_call_of_fifty_microseconds() -> Measurement:
    trains = closed(18, 1, T, lognormal(50 * US, 0.1), repeat=400, gap=400 * 60)
    controls = Controls(
        operation_ns=50_100.0, empty_ns=60.0, empty_spread_ns=3.0, twice_ns=118_000.0, result_type="bytes",
        validated=1000, rejected=0, leftover_threads=0, leftover_processes=0,
    )  # fmt: skip
    return measurement([run(trains, controls=controls)], ClosedLoop(1), target="py:app:hash")


@SHELF.honest()
def a_hundred_tasks_on_one_event_loop() -> Measurement:
    trains = closed(19, 5, T, lognormal(100 * MS, 0.15))
    controls = Controls(result_type="dict", leftover_threads=0)
    return measurement([run(trains, lanes=20, controls=controls)], ClosedLoop(100), target="py:app:task")


@SHELF.honest()
def a_collector_pause_in_a_python_call() -> Measurement:
    trains = closed(20, 1, T, mixture(0.9997, lognormal(20 * MS, 0.1), uniform(1200 * MS, 1400 * MS)))
    return measurement([run(trains)], ClosedLoop(1), target="py:app:build")


@SHELF.honest()
def a_command_of_three_hundred_milliseconds() -> Measurement:
    return measurement([run(closed(21, 1, T, lognormal(300 * MS, 0.05)))], ClosedLoop(1), target="cmd:sort big.txt")


@SHELF.honest()
def five_processes_alike() -> Measurement:
    runs = [run(closed(30 + i, 4, T, lognormal(round((99 + i) * 2 * MS), 0.2)), index=i) for i in range(5)]
    return measurement(runs, ClosedLoop(4))


@SHELF.honest()
def ten_processes_one_of_them_eight_per_cent_off() -> Measurement:
    runs = [run(closed(40 + i, 2, T, lognormal(216 * MS if i == 7 else 200 * MS, 0.1)), index=i) for i in range(10)]
    return measurement(runs, ClosedLoop(2))


@SHELF.honest()
def a_service_time_that_never_varies() -> Measurement:
    return http(22, 4, constant(100 * MS + 7, jitter=3))


@SHELF.honest()
def a_stall_that_outlasts_the_window() -> Measurement:
    return steady_open(23, 40, lognormal(9 * MS, 0.2), stalls=[(118 * S, 123 * S)])


@SHELF.honest()
def one_long_request_while_the_others_go_on() -> Measurement:
    trains = closed(24, 16, T, lognormal(150 * MS, 0.2))
    index, slow = next((i, t) for i, t in enumerate(trains) if t.start > 60 * S)
    follow = next(i for i, t in enumerate(trains) if i > index and t.start > slow.start + 4 * S)
    trains[index:follow] = [slow._replace(end=trains[follow].start - 2 * US)]
    return measurement([run(trains)], ClosedLoop(16))


@SHELF.honest()
def a_wall_clock_slewed_by_ntp() -> Measurement:
    base = one_connection()
    return remade(base, clock=replace(record.OUR_CLOCK, wall_drift_ns=-48 * MS))


@SHELF.honest()
def a_clock_that_ticks_in_hundreds_of_nanoseconds() -> Measurement:
    tick = lambda random, at: round(random.lognormvariate(0, 0.2) * 240_000) * 100  # noqa: E731
    base = measurement([run(closed(25, 2, T, tick, repeat=4, gap=2_000))], ClosedLoop(2))
    service = base.runs[0].service
    assert service is not None
    coarse = replace(record.OUR_CLOCK, resolution_ns=100.0)
    generator = base.runs[0].generator
    assert generator is not None
    assert generator.lag is not None
    late = replace(generator, lag=replace(generator.lag, quantum_ns=100.0))
    return remade(base, clock=coarse, service=replace(service, quantum_ns=100.0), generator=late)


@SHELF.honest()
def users_who_think() -> Measurement:
    trains = closed(26, 8, T, lognormal(60 * MS, 0.3), think=uniform(100 * MS, 300 * MS))
    return measurement([run(trains)], ClosedLoop(8, think_ns=200 * MS))


@SHELF.honest()
def a_level_that_wanders_by_three_per_cent() -> Measurement:
    return http(27, 8, simulate.wandering(lognormal(150 * MS, 0.2), 27, 0.03, 0.7))


@SHELF.honest()
def short_pauses_of_the_target_every_two_seconds() -> Measurement:
    return http(28, 8, lognormal(120 * MS, 0.2), stalls=simulate.every(2, 0.06, 119, first_s=1.0))


@SHELF.honest()
def a_rate_reached_to_one_per_cent() -> Measurement:
    base = steady_open(29, 40, lognormal(12 * MS, 0.3))
    return asked(base, 40.4)


def asked(base: Measurement, rate: float) -> Measurement:
    """`base`, of which the plan asked for another rate."""
    assert base.plan is not None
    plan = replace(base.plan, load=OpenLoop(rate))
    return replace(base, rate_requested_per_s=record.Figure(rate), plan=plan)


@SHELF.honest()
def a_ramp_that_was_asked_for() -> Measurement:
    due, at = [], -2.0 * S
    while at < T:
        due.append(round(at))
        at += S / (20 + 30 * max(0.0, at) / T)
    trains = open_loop(31, due, simulate.drifting(lognormal(15 * MS, 0.2), lambda s: 1 + max(0.0, s) / 100))
    load = OpenLoop(50, stages=(Stage(T, 20, 50),))
    base = measurement([run(trains, open_loop=True)], load)
    return replace(base, rate_requested_per_s=record.Figure(35.0))


@SHELF.honest(policy=Policy(min_duration_ns=10 * S, min_warmup_ns=0, note="smoke run"))
def a_smoke_run_of_ten_seconds() -> Measurement:
    trains = closed(32, 8, 10 * S, lognormal(25 * MS, 0.2))
    return measurement([run(trains, 10 * S, length=S // 2)], ClosedLoop(8))


@SHELF.honest(policy=Policy(min_duration_ns=20 * S, min_warmup_ns=0, note="smoke run"))
def a_smoke_run_whose_operations_take_seconds() -> Measurement:
    trains = closed(36, 400, 20 * S, uniform(100 * MS, 9 * S), start=-9 * S)
    return measurement([run(trains, 20 * S, length=S // 2)], ClosedLoop(400))


@SHELF.honest(policy=Policy(min_duration_ns=S, min_warmup_ns=0, note="smoke run"))
def a_window_that_its_intervals_do_not_divide() -> Measurement:
    window = 10 * S + 7
    trains = closed(33, 8, window, lognormal(25 * MS, 0.2))
    return measurement([run(trains, window, length=window // 20)], ClosedLoop(8))


@SHELF.honest()
def a_health_check_that_is_meant_to_answer_404() -> Measurement:
    trains = closed(34, 2, T, lognormal(50 * MS, 0.2), labels=lambda random: "404")
    base = measurement([run(trains)], ClosedLoop(2))
    assert base.plan is not None
    return replace(base, plan=replace(base.plan, http=HttpRequest(expect_status=(404,))))


@SHELF.honest()
def outcomes_by_label() -> Measurement:
    labels = lambda random: "hit" if random.random() < 0.93 else "miss"  # noqa: E731
    trains = closed(35, 1, T, lognormal(40 * US, 0.2), repeat=300, gap=20 * US, labels=labels)
    return measurement([run(trains)], ClosedLoop(1), target="py:cache:get")


@SHELF.honest()
def a_record_that_was_merged_from_two_different_shards() -> Measurement:
    runs = [run(closed(50 + i, 8, T, lognormal(180 * MS, 0.25)), index=i) for i in range(2)]
    return stated(merge.from_runs(measurement(runs, ClosedLoop(8))))


def warm(base: Measurement, series: Intervals) -> Measurement:
    return remade(base, warmup_intervals=series)


def first_half_minute(base: Measurement) -> Intervals:
    """Thirty rows that a warm-up could have had."""
    series = record.series_of(base)
    return replace(series, **{
        name: getattr(series, name)[:30]
        for name in ("start_ns", "count", "errors", "total_ns", "maximum_ns", "p50_ns", "p99_ns")
    })  # fmt: skip


@SHELF.honest()
def a_warm_up_with_its_own_intervals() -> Measurement:
    base = one_connection()
    return warm(base, first_half_minute(base))


def connected(opened: int, closed: int, peak: int) -> Measurement:
    return remade(users_who_think(), connections={"opened": opened, "closed": closed, "peak": peak})


@SHELF.honest()
def connections_that_were_closed_and_opened_again() -> Measurement:
    return connected(40, 33, 8)


def begun(*stamps: str) -> Measurement:
    base = a_record_that_was_merged_from_two_different_shards()
    runs: list[Run] = [replace(run, started_at=stamp) for run, stamp in zip(base.runs, stamps, strict=True)]
    return stated(merge.from_runs(replace(base, runs=tuple(runs))))


@SHELF.honest()
def two_runs_one_after_the_other() -> Measurement:
    return begun("2026-11-22T04:00:00Z", "2026-11-22T04:02:30Z")


@SHELF.honest()
def refusals_and_timeouts_together() -> Measurement:
    def fails(random: Random, at: int) -> tuple[str, int] | None:
        drawn = random.random()
        if drawn < 0.003:
            return "refused", 300 * US
        return ("timeout", 2 * S + 200 * US) if drawn < 0.005 else None

    return http(61, 8, lognormal(200 * MS, 0.3), fails=fails)


@SHELF.honest()
def outcomes_of_some_calls_and_not_of_others() -> Measurement:
    base = a_python_call_of_fifty_microseconds()
    return remade(base, outcomes={"odd": (base.operations or 0) - 5})


@SHELF.honest()
def arrivals_that_were_never_started() -> Measurement:
    """They waited in vain until the drain was given up, and have no service time."""
    trains = open_loop(62, arrivals(62, 40, T), lognormal(20 * MS, 0.3))
    waited = [simulate.Train(T - (9 - i) * MS, T + 10 * S, T + 10 * S, error="timeout") for i in range(9)]
    return measurement([run([*trains, *waited], open_loop=True)], OpenLoop(40), started=len(trains))
