"""Records that no queue, no clock, no machine and no working operation could have made."""

from __future__ import annotations

from dataclasses import replace

from bizra_gate.model import (
    ClockFacts,
    ClosedLoop,
    Controls,
    Distribution,
    Environment,
    Figure,
    InFlight,
    Latency,
    Measurement,
    Source,
)

from . import honest_foreign as foreign
from . import honest_own as own
from . import record
from .case import SHORT, Shelf
from .foreign import bench, digits, exact, figures, latencies, to, tool
from .lies_figures import headline
from .record import measurement, remade, run
from .simulate import MS, US, S, Train, closed, exponential, lognormal, uniform

SHELF = Shelf()
T = 120 * S


def scaled(base: Measurement, factor: float) -> Measurement:
    """Every latency of another tool's report times `factor`: a wrong unit."""
    latency = base.latency
    assert latency is not None

    def times(figure: Figure | None) -> Figure | None:
        return None if figure is None else Figure(figure.value * factor, figure.resolution * factor)

    return headline(
        base,
        minimum=times(latency.minimum),
        mean=times(latency.mean),
        maximum=times(latency.maximum),
        stdev=times(latency.stdev),
        percentiles=tuple((p, Figure(f.value * factor, f.resolution * factor)) for p, f in latency.percentiles),
        quantum_ns=None,
    )


# ── Little's law ─────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("littles_law.excess", policy=SHORT)
def microseconds_called_milliseconds() -> Measurement:
    return replace(scaled(foreign.wrk_over_eight_connections(), 1000.0), duration_ns=Figure(6 * S, 10 * MS))


@SHELF.lie("littles_law.deficit", policy=SHORT)
def milliseconds_called_microseconds() -> Measurement:
    return scaled(foreign.wrk_over_eight_connections(), 0.001)


@SHELF.lie("littles_law.excess", policy=SHORT)
def samples_filled_in_after_each_slow_answer() -> Measurement:
    trains = foreign.users(301, 10, 10 * S, exponential(15 * MS))
    values = latencies(trains)
    cycle = 10 * 10 * S // len(values)
    filled = sorted(values + [v for value in values for v in range(value - cycle, cycle, -cycle)])
    held = replace(figures(filled, digits(4), quantum=US), count=len(values))
    return tool("wrk", trains, 10 * S, held, concurrency=10)


@SHELF.lie("littles_law.excess", policy=SHORT)
def ten_per_cent_more_in_flight_than_connections() -> Measurement:
    base = foreign.wrk_over_eight_connections()
    return headline(base, mean=Figure(11_660 * US, 10 * US), maximum=Figure(24 * MS, 10 * US), percentiles=())


@SHELF.lie("littles_law.deficit", policy=SHORT)
def a_stall_that_only_the_timeouts_saw() -> Measurement:
    held = Latency(
        mean=Figure(51_150.0, 10.0), stdev=Figure(150_310.0, 10.0), maximum=Figure(8.89 * MS, 10 * US),
        percentiles=((50.0, Figure(43_000.0, 10.0)), (99.0, Figure(173_000.0, 1000.0))), origin="send", quantum_ns=US,
    )  # fmt: skip
    return Measurement(
        Source("wrk"), loop="closed", think_time=False, concurrency=4, operations=1_298_362, errors={"timeout": 4},
        duration_ns=Figure(20.01 * S, 10 * MS), rate_achieved_per_s=Figure(64_881.67, 0.01), latency=held,
    )  # fmt: skip


@SHELF.lie("littles_law.deficit", policy=SHORT)
def workers_that_sat_in_requests_nobody_timed() -> Measurement:
    trains = foreign.users(302, 50, 8 * S, lognormal(2 * MS, 0.2))
    awake = [train for train in trains if train.start % (2 * S) > 1.2 * S]
    held = figures(latencies(awake), exact, percentiles=(50, 90, 99), stdev=False)
    return tool("oha", awake, 8 * S, held, concurrency=50, duration=exact)


@SHELF.lie("littles_law.excess", policy=SHORT)
def more_waiting_than_there_were_sessions() -> Measurement:
    return replace(scaled(foreign.hyperfoil_with_its_sessions(), 4.0), concurrency=100)


@SHELF.lie("littles_law.measured", policy=SHORT)
def a_mean_in_flight_that_the_latencies_do_not_give() -> Measurement:
    base = foreign.siege_in_hundredths_with_its_own_concurrency()
    assert base.in_flight is not None
    return replace(base, in_flight=replace(base.in_flight, integral_ns=base.in_flight.integral_ns * 6 // 10))


@SHELF.lie("littles_law.measured")
def slow_answers_taken_out_of_every_count() -> Measurement:
    """The careful one: histogram, counts, intervals, sent and summary agree; only the number in flight remembers."""
    trains = closed(303, 16, T, lognormal(220 * MS, 1.0))
    quick = [train for train in trains if train.end - train.start < 1500 * MS]
    return replace_in_flight(run(quick), run(trains), 16)


def replace_in_flight(told: record.Run, true: record.Run, users: int) -> Measurement:
    return measurement([replace(told, in_flight=true.in_flight)], ClosedLoop(users))


@SHELF.lie("littles_law.measured")
def latencies_smoothed_towards_their_median() -> Measurement:
    trains = closed(304, 8, T, lognormal(120 * MS, 0.8))
    smooth = [t._replace(end=t.start + round((t.end - t.start) ** 0.5 * (120 * MS) ** 0.5)) for t in trains]
    return replace_in_flight(run(smooth), run(trains), 8)


@SHELF.lie("littles_law.measured")
def microseconds_recorded_as_nanoseconds() -> Measurement:
    trains = closed(305, 4, T, lognormal(90 * MS, 0.3))
    small = [t._replace(end=t.start + (t.end - t.start) // 1000) for t in trains]
    return replace_in_flight(run(small), run(trains), 4)


@SHELF.lie("littles_law.measured")
def samples_invented_beside_the_real_ones() -> Measurement:
    trains = closed(306, 4, T, lognormal(90 * MS, 0.3))
    extra = [t._replace(start=t.start + MS, due=t.due + MS, end=t.end + MS) for t in trains[::20]]
    return replace_in_flight(run(sorted([*trains, *extra], key=lambda t: t.start)), run(trains), 5)


@SHELF.lie("littles_law.zero", policy=SHORT)
def the_thirteen_million_a_second() -> Measurement:
    held = Latency(count=4_680_000, percentiles=((50.0, Figure(0.0, MS)), (99.0, Figure(0.0, MS))), quantum_ns=MS)
    return Measurement(
        Source("loop"), loop="closed", concurrency=64, operations=4_680_000, duration_ns=Figure(0.36 * S, 10 * MS),
        rate_achieved_per_s=Figure(13_000_000.0, 1.0), latency=held,
    )  # fmt: skip


@SHELF.lie("littles_law.zero", policy=SHORT)
def times_clamped_to_zero_after_the_shells_was_taken_off() -> Measurement:
    times = [0.0] * 46 + [60_000.0 + 3_000.0 * i for i in range(14)]
    return replace(bench("hyperfine", [times], 1), duration_ns=Figure(1.2 * S))


@SHELF.lie("littles_law.zero")
def a_histogram_of_nothing_but_zeros() -> Measurement:
    base = own.one_connection()
    return remade(base, service=record.latency([(0, base.operations or 0)], "send"))


# ── clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def quick_answers(seed: int) -> list[Train]:
    return closed(seed, 2, T, lognormal(1300 * US, 0.35), repeat=20)


@SHELF.lie("clock.resolution")
def latencies_cut_to_whole_milliseconds() -> Measurement:
    trains = quick_answers(307)
    whole = [t._replace(end=t.start + t.service // MS * MS * t.repeat) for t in trains]
    return replace_in_flight(run(whole), run(trains), 2)


@SHELF.lie("clock.resolution")
def latencies_rounded_to_two_digits() -> Measurement:
    trains = closed(308, 2, T, lognormal(300 * US, 1.6), repeat=20)
    rounded = [t._replace(end=t.start + round(digits(2)(t.service).value) * t.repeat) for t in trains]
    return replace_in_flight(run(rounded), run(trains), 2)


@SHELF.lie("clock.resolution")
def latencies_rounded_to_the_tick_of_another_clock() -> Measurement:
    trains = closed(309, 8, T, lognormal(180 * MS, 0.3))
    ticks = [t._replace(end=t.start + round(t.service / 15_625_000) * 15_625_000) for t in trains]
    return replace_in_flight(run(ticks), run(trains), 8)


@SHELF.lie("clock.resolution", policy=SHORT)
def a_median_of_one_quantum() -> Measurement:
    trains = foreign.users(310, 10, 4 * S, lognormal(130 * US, 0.4), repeat=20)
    held = figures(latencies(trains), to(100 * US), percentiles=(10, 50, 90, 99), quantum=100 * US, stdev=False)
    return tool("hey", trains, 4 * S, held, concurrency=10)


@SHELF.lie("clock.resolution", policy=SHORT)
def a_millisecond_in_whole_milliseconds() -> Measurement:
    trains = foreign.users(311, 16, 30 * S, lognormal(1150 * US, 0.1), repeat=10)
    held = figures(latencies(trains), to(MS), percentiles=(50, 90, 99), quantum=MS, mean=exact, stdev=False)
    return tool("autocannon", trains, 30 * S, held, concurrency=16)


@SHELF.lie("clock.resolution", policy=SHORT)
def stamps_in_milliseconds_that_nobody_mentions() -> Measurement:
    trains = foreign.users(312, 6, 6 * S, lognormal(3200 * US, 0.3))
    stamped = [t._replace(start=t.start // MS * MS, end=t.end // MS * MS, due=t.start // MS * MS) for t in trains]
    values = latencies(stamped)
    held = Latency(histogram=Distribution.of(values), count=len(values), origin="send")
    return tool("log", stamped, 6 * S, held, concurrency=6, think_time=None)


@SHELF.lie("clock.resolution", policy=SHORT)
def a_windows_tick_of_fifteen_milliseconds() -> Measurement:
    return bench("asv", [[15.625 * MS * k for k in (7, 8, 7, 8, 7, 7, 8, 8)]], 1)


@SHELF.lie("clock.resolution", policy=SHORT)
def a_batch_whose_reading_is_three_quanta() -> Measurement:
    return bench(
        "timer", [[3.1 * US, 2.9 * US, 3.0 * US, 3.05 * US, 2.95 * US, 3.2 * US] * 60_000], 10, quantum=10 * US
    )


@SHELF.lie("clock.overhead")
def an_operation_that_costs_two_readings_of_the_clock() -> Measurement:
    trains = closed(313, 1, T, uniform(440, 470), repeat=200_000, gap=10 * MS)
    base = measurement([run(trains)], ClosedLoop(1), target="py:app:nothing")
    return remade(base, clock=replace(record.OUR_CLOCK, overhead_ns=240.0, resolution_ns=30.0))


@SHELF.lie("clock.overhead", policy=SHORT)
def a_coroutine_made_two_thousand_times_and_never_awaited() -> Measurement:
    base = bench("pytest-benchmark", [[140.0 + 10 * (i % 3) for i in range(2000)]], 1)
    return replace(base, duration_ns=Figure(1.1 * S), clock=ClockFacts(overhead_ns=85.0, resolution_ns=10.0))


@SHELF.lie("clock.overhead", verdict="INSUFFICIENT", policy=SHORT)
def one_loop_a_reading_with_a_clock_nobody_measured() -> Measurement:
    base = bench("pyperf", [[231.0, 180.3, 177.0, 199.1, 204.9], [201.2, 190.7, 221.1, 170.4, 211.6]], 1)
    return replace(base, duration_ns=Figure(1.1 * S))


# ── physics ──────────────────────────────────────────────────────────────────────────────────────────────────────


@SHELF.lie("physics.rate", policy=SHORT)
def a_loop_that_the_optimiser_removed() -> Measurement:
    base = bench("google-benchmark", [[6.13e-10, 6.2e-10, 6.1e-10, 6.15e-10, 6.12e-10, 6.13e-10]], 10**18)
    return replace(base, environment=Environment(cpu_count=2, cpu_hz=2.596e9, debug_build=False))


@SHELF.lie("physics.rate", policy=SHORT)
def an_empty_closure_on_a_processor_nobody_names() -> Measurement:
    return bench("criterion", [[0.0542 + 0.0001 * i for i in range(10)]], 2 * 10**9)


@SHELF.lie("physics.rate", policy=SHORT)
def more_calls_than_eight_cores_have_cycles() -> Measurement:
    held = Latency(mean=Figure(12.0), minimum=Figure(11.0), maximum=Figure(900.0), quantum_ns=0.1)
    return Measurement(
        Source("calls"), loop="closed", operations=10**12, duration_ns=Figure(10 * S), latency=held,
        environment=Environment(cpu_count=8, cpu_hz=3e9),
    )  # fmt: skip


@SHELF.lie("physics.rate")
def sixty_million_requests_a_second_over_http() -> Measurement:
    trains = closed(314, 1, T, uniform(1000, 1100), repeat=20_000, gap=0)
    return measurement([run(trains, lanes=64)], ClosedLoop(64))


@SHELF.lie("physics.rate", policy=SHORT)
def four_hundred_gigabytes_a_second() -> Measurement:
    return replace(foreign.wrk_over_eight_connections(), bytes_in=6 * 400 * 10**9)


@SHELF.lie("physics.rate")
def answers_shorter_than_a_status_line() -> Measurement:
    base = own.one_connection()
    return remade(base, bytes_in=(base.operations or 0) * 7)


# ── controls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def controlled(**fields: object) -> Measurement:
    base = own.a_python_call_of_eight_hundred_nanoseconds()
    controls = base.runs[0].controls
    assert controls is not None
    return remade(base, controls=replace(controls, **fields))  # type: ignore[arg-type]


@SHELF.lie("control.empty")
def dead_code() -> Measurement:
    return controlled(operation_ns=42.1)


@SHELF.lie("control.empty")
def an_answer_from_the_interpreters_memory() -> Measurement:
    return controlled(operation_ns=38.5, twice_ns=78.0)


@SHELF.lie("control.empty", policy=SHORT)
def a_method_that_was_emptied() -> Measurement:
    base = bench("benchmarkdotnet", [[0.0012 + 0.0005 * i for i in range(15)]], 10**10)
    return replace(base, duration_ns=Figure(6 * S), latency=None, controls=Controls(operation_ns=0.413, empty_ns=0.412))


@SHELF.lie("control.empty", verdict="INSUFFICIENT", policy=SHORT)
def less_than_a_nanosecond_without_a_control() -> Measurement:
    return bench("go-bench", [[0.4598, 0.3947, 0.3854, 0.3930, 0.5432, 0.3769]], 8 * 10**8, percentiles=())


@SHELF.lie("control.scaling")
def a_result_folded_into_a_constant() -> Measurement:
    return controlled(twice_ns=809.0)


@SHELF.lie("control.scaling")
def a_second_call_answered_from_a_memo() -> Measurement:
    return controlled(twice_ns=861.0)


@SHELF.lie("control.scaling")
def a_second_call_that_costs_five_times_the_first() -> Measurement:
    return controlled(twice_ns=4_100.0)


@SHELF.lie("control.result")
def a_coroutine_never_awaited() -> Measurement:
    return controlled(result_type="coroutine", unconsumed="coroutine")


@SHELF.lie("control.result")
def a_generator_never_consumed() -> Measurement:
    return controlled(result_type="generator", unconsumed="generator")


@SHELF.lie("control.result")
def work_left_on_a_thread() -> Measurement:
    return controlled(leftover_threads=3)


@SHELF.lie("control.result")
def work_left_in_a_process() -> Measurement:
    return controlled(leftover_processes=1)


@SHELF.lie("control.result")
def results_that_the_validator_refuses() -> Measurement:
    return controlled(validated=1000, rejected=1)


@SHELF.lie("littles_law.measured", policy=SHORT)
def a_concurrency_edited_upwards() -> Measurement:
    base = foreign.siege_in_hundredths_with_its_own_concurrency()
    held = base.in_flight
    assert held is not None
    return replace(base, concurrency=None, in_flight=InFlight(held.window_ns, held.integral_ns * 3 // 2))
