"""Whole measurements in fake time: what must come out is arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bizra_gate import load
from bizra_gate.errors import Interrupted, TargetError, UsageError
from bizra_gate.model import Clock as ClockProtocol
from bizra_gate.model import (
    ClosedLoop,
    Environment,
    Load,
    Measurement,
    OpenLoop,
    Plan,
    Recorder,
    Stage,
    Warmup,
    WorkerTask,
)
from bizra_gate.testing import Answer, FakeClock, FakeTarget

S = 1_000_000_000
MS = 1_000_000
HOUR = 3600 * S


def plan(load_: Load, duration_ns: int = 10 * S, **more: Any) -> Plan:
    return replace(Plan("fake:script", load_, Warmup(2 * S), duration_ns, name="test"), **more)


def run(plan_: Plan, target: FakeTarget, **more: Any) -> Measurement:
    return load.run(plan_, target, FakeClock(start_ns=5 * S), Environment(), **more)


def fixed(service_ns: int) -> FakeTarget:
    return FakeTarget(lambda index: Answer(service_ns))


def identity(measurement: Measurement) -> float:
    """Σ residence + carried in − carried out, over the integral of the number in flight."""
    inside, service = measurement.in_flight, measurement.service
    assert inside is not None
    assert service is not None
    assert service.histogram is not None
    residence = (service.histogram.total_ns or 0) * service.batch
    if measurement.failed is not None and measurement.failed.histogram is not None:
        residence += measurement.failed.histogram.total_ns or 0
    return (residence + inside.carried_in_ns - inside.carried_out_ns) / inside.integral_ns


def test_a_closed_loop_with_a_fixed_service_time_holds_its_concurrency() -> None:
    m = run(plan(ClosedLoop(64)), fixed(50 * MS))
    assert m.loop == "closed"
    assert m.operations == 64 * 200
    assert m.in_flight is not None
    assert m.in_flight.integral_ns == 64 * 10 * S
    assert identity(m) == 1
    assert m.latency is not None
    assert m.latency is m.service
    assert m.response is None, "a closed loop has no intended times"
    assert m.rate_requested_per_s is None


def test_users_that_think_are_in_flight_only_while_they_wait() -> None:
    m = run(plan(ClosedLoop(10, think_ns=15 * MS)), fixed(5 * MS))
    assert m.think_time is True
    assert m.in_flight is not None
    assert m.in_flight.integral_ns / m.in_flight.window_ns == pytest.approx(2.5)
    assert identity(m) == 1


def test_a_stall_shows_in_the_response_times_of_an_open_loop() -> None:
    """200/s, frozen for 5 s of 20 s: the published truth of the stall experiment."""
    m = run(plan(OpenLoop(200), 20 * S, warmup=Warmup(0)), replace(fixed(0), frozen_ns=((7 * S, 12 * S),)))
    assert m.latency is m.response
    assert m.latency is not None
    histogram = m.latency.histogram
    assert histogram is not None
    assert histogram.mean == pytest.approx(0.625 * S, rel=0.002)
    for q, truth_s in ((0.90, 3.0), (0.95, 4.0), (0.99, 4.8), (1.0, 5.0)):
        assert histogram.quantile(q) == pytest.approx(truth_s * S, rel=0.002)


def test_a_cap_on_what_is_in_flight_makes_the_rest_queue_and_the_queueing_is_response_time() -> None:
    m = run(plan(OpenLoop(100, max_in_flight=1), timeout_ns=HOUR), replace(fixed(20 * MS), servers=1))
    assert m.service is not None
    assert m.response is not None
    assert m.delay is not None
    assert m.service.histogram is not None
    assert m.service.histogram.quantile(0.5) == pytest.approx(20 * MS, rel=0.001)
    assert m.response.histogram is not None
    assert m.delay.histogram is not None
    assert (m.response.histogram.mean or 0) - (m.delay.histogram.mean or 0) == pytest.approx(20 * MS, rel=1e-6)
    assert m.rate_achieved_per_s is not None
    assert m.rate_achieved_per_s.value == pytest.approx(50, rel=0.02)
    assert identity(m) == pytest.approx(1)


def test_an_overloaded_queue_grows_by_one_minus_mu_over_lambda() -> None:
    m = run(plan(OpenLoop(200), 20 * S, warmup=Warmup(0), timeout_ns=HOUR), replace(fixed(10 * MS), servers=1))
    assert m.intervals is not None
    assert m.latency is not None
    assert m.latency.histogram is not None
    done_at = 40 * S  # 4,000 operations of 10 ms
    assert m.latency.histogram.maximum == pytest.approx(done_at * (1 - 100 / 200), rel=0.002)
    assert m.operations == 4000
    assert sum(m.intervals.count) == 4000
    assert m.intervals.start_ns[-1] > 20 * S, "half of them ended in the drain"


def test_a_queue_with_random_arrivals_waits_as_pollaczek_and_khinchine_say() -> None:
    """M/D/1 at ρ = 0.8: W = 1/μ + ρ/(2μ(1 − ρ)) = 30 ms."""
    m = run(
        plan(OpenLoop(80, "poisson", seed=3), 1000 * S, timeout_ns=HOUR, warmup=Warmup(20 * S)),
        replace(fixed(10 * MS), servers=1),
    )
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert m.latency.histogram.mean == pytest.approx(30 * MS, rel=0.03)


def test_ten_thousand_perfect_answers_and_one_of_100_seconds() -> None:
    """Gil Tene's fixture: 1 ms for 100 s, then nothing for 100 s; an honest p50 lies in the middle of the freeze."""
    m = run(plan(OpenLoop(100), 200 * S, warmup=Warmup(0), timeout_ns=HOUR),
            replace(fixed(1 * MS), frozen_ns=((100 * S, 200 * S),)))  # fmt: skip
    assert m.latency is not None
    histogram = m.latency.histogram
    assert histogram is not None
    assert histogram.quantile(0.5) == pytest.approx(1 * MS, rel=0.01)
    assert histogram.quantile(0.75) == pytest.approx(50 * S, rel=0.01)
    assert histogram.quantile(0.9999) == pytest.approx(100 * S, rel=0.01)
    assert histogram.mean == pytest.approx(25 * S, rel=0.01)


def test_a_closed_loop_hides_the_same_freeze() -> None:
    m = run(plan(ClosedLoop(1), 200 * S, warmup=Warmup(0), timeout_ns=HOUR),
            replace(fixed(1 * MS), frozen_ns=((100 * S, 200 * S),)))  # fmt: skip
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert m.latency.histogram.quantile(0.99) == pytest.approx(1 * MS, rel=0.01)


def test_errors_are_counted_by_class_and_their_times_kept_apart() -> None:
    def script(index: int) -> Answer:
        return Answer(1 * MS, error="refused") if index % 10 == 3 else Answer(5 * MS, outcome="200")

    m = run(plan(ClosedLoop(4)), FakeTarget(script))
    assert m.errors is not None
    assert m.operations is not None
    assert m.errors["refused"] == pytest.approx(m.operations / 9, rel=0.01)
    assert m.failed is not None
    assert m.failed.histogram is not None
    assert m.failed.histogram.maximum == 1 * MS
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert m.latency.histogram.minimum == 5 * MS
    assert m.outcomes == {"200": m.operations}
    assert identity(m) == 1


def test_two_workers_count_what_one_counts() -> None:
    one = run(plan(OpenLoop(1000, "poisson")), fixed(3 * MS))
    two = run(plan(OpenLoop(1000, "poisson"), workers=2), fixed(3 * MS))
    for name in ("operations", "latency", "service", "in_flight"):
        if name == "in_flight":
            assert one.in_flight is not None
            assert two.in_flight is not None
            assert one.in_flight.integral_ns == two.in_flight.integral_ns
        else:
            assert getattr(one, name) == getattr(two, name)
    assert one.intervals is not None
    assert one.intervals == replace(two.intervals or one.intervals)


def test_the_runs_are_told_apart_and_added_up() -> None:
    m = run(plan(ClosedLoop(2), runs=3), fixed(5 * MS))
    assert [r.index for r in m.runs] == [0, 1, 2]
    assert m.operations == sum(r.operations or 0 for r in m.runs) == 3 * 4000
    assert m.duration_ns is not None
    assert m.duration_ns.value == 30 * S
    assert m.duration_requested_ns is not None
    assert m.duration_requested_ns.value == 30 * S
    assert m.intervals is None, "time does not go on from one process to the next"


def test_intervals_add_up_to_the_histogram_and_tile_the_window() -> None:
    m = run(plan(ClosedLoop(8)), fixed(70 * MS))
    assert m.intervals is not None
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert sum(m.intervals.count) == m.latency.histogram.n
    assert sum(m.intervals.total_ns) == m.latency.histogram.total_ns
    window = [start for start in m.intervals.start_ns if start < 10 * S]
    assert window == list(range(0, 10 * S, m.intervals.length_ns))
    assert m.in_flight is not None
    inside = zip(m.intervals.start_ns, m.intervals.in_flight_ns, strict=True)
    assert sum(area for start, area in inside if start < 10 * S) == m.in_flight.integral_ns


def test_the_warm_up_is_shown_and_not_counted() -> None:
    m = run(plan(ClosedLoop(1)), FakeTarget(lambda index: Answer(100 * MS if index < 10 else 10 * MS)))
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert m.latency.histogram.maximum == 10 * MS
    warm = m.runs[0].warmup_intervals
    assert warm is not None
    assert max(warm.maximum_ns) == 100 * MS
    assert warm.start_ns[0] == 0
    assert m.runs[0].warmup_ns == 2 * S
    assert m.runs[0].warmup_until == "asked"


def test_an_adaptive_warm_up_ends_when_the_series_is_steady() -> None:
    def script(index: int) -> Answer:
        return Answer(5 * MS + max(0, 3000 - index) * 3000)

    m = run(plan(ClosedLoop(4), 30 * S, warmup=Warmup(2 * S, True, 60 * S)), FakeTarget(script))
    assert m.runs[0].warmup_until == "steady"
    assert 7 * S < (m.runs[0].warmup_ns or 0) < 30 * S, "the ramp takes seven seconds"
    assert m.runs[0].duration_ns == 30 * S
    assert identity(m) == 1


def test_an_adaptive_warm_up_that_never_settles_ends_at_its_limit_and_says_so() -> None:
    growing = FakeTarget(lambda index: Answer(5 * MS + index * 5000))
    m = run(plan(ClosedLoop(4), 20 * S, warmup=Warmup(2 * S, True, 8 * S)), growing)
    assert m.runs[0].warmup_until == "limit"
    assert m.runs[0].warmup_ns == 8 * S
    assert "warmup.limit" in [caveat.code for caveat in m.caveats]


def test_requested_and_achieved_rates_stand_side_by_side() -> None:
    stages = (Stage(5 * S, 100, 100), Stage(5 * S, 100, 300))
    m = run(plan(OpenLoop(1, stages=stages)), fixed(1 * MS))
    assert m.rate_requested_per_s is not None
    assert m.rate_achieved_per_s is not None
    assert m.rate_requested_per_s.value == pytest.approx(150)
    assert m.rate_achieved_per_s.value == pytest.approx(150, rel=0.01)


def test_progress_is_told_for_every_interval_and_phase() -> None:
    seen: list[load.Snapshot] = []
    run(plan(ClosedLoop(3)), fixed(5 * MS), progress=seen.append)
    assert {snapshot.phase for snapshot in seen} == {"warm-up", "measured", "drain"}
    measured = [snapshot for snapshot in seen if snapshot.phase == "measured"]
    assert [s.elapsed_ns for s in measured] == list(range(500 * MS, 10 * S + 1, 500 * MS))
    assert measured[5].rate_per_s == pytest.approx(600, rel=0.02)
    assert measured[5].p50_ns == pytest.approx(5 * MS, rel=0.001)
    assert measured[5].in_flight == 3


def test_progress_shows_the_rate_of_answers_and_the_errors_of_the_phase_apart() -> None:
    """Two seconds of warm-up, in which a quarter is refused; then every fifth operation ends in a timeout."""
    script = [Answer(5 * MS, error="refused" if i % 4 == 0 else None) for i in range(400)]
    script += [Answer(5 * MS, error="timeout" if i % 5 == 0 else None) for i in range(4000)]
    seen: list[load.Snapshot] = []
    run(plan(ClosedLoop(1)), FakeTarget(lambda index: script[index]), progress=seen.append)
    warm, measured = ([s for s in seen if s.phase == phase] for phase in ("warm-up", "measured"))
    assert [s.rate_per_s for s in warm] == [pytest.approx(150, abs=4)] * len(warm)
    assert warm[-1].errors == pytest.approx(100, abs=2)
    assert [s.rate_per_s for s in measured] == [pytest.approx(160, abs=4)] * len(measured)
    assert [measured[0].errors, measured[-1].errors] == [pytest.approx(20, abs=2), pytest.approx(400, abs=4)]


def test_a_target_that_never_answers_is_an_error_with_its_reason() -> None:
    refusing = FakeTarget(lambda index: Answer(1 * MS, error="refused"))
    with pytest.raises(TargetError, match="refused") as failure:
        run(plan(ClosedLoop(2), duration_ns=S, warmup=Warmup(0)), refusing)
    assert failure.value.exit_code == 6


def test_a_long_run_against_nobody_ends_early() -> None:
    refusing = FakeTarget(lambda index: Answer(1 * MS, error="refused"))
    with pytest.raises(TargetError, match="no operation succeeded"):
        run(plan(ClosedLoop(2), duration_ns=HOUR), refusing)


def test_a_target_that_is_given_up_early_is_told_with_what_its_first_error_looked_like() -> None:
    refusing = FakeTarget(lambda index: Answer(1 * MS, error="refused", said="nobody listens at port 1"))
    with pytest.raises(TargetError, match="most of them with 'refused': nobody listens at port 1"):
        run(plan(ClosedLoop(2), duration_ns=HOUR), refusing)


def test_a_target_that_dies_on_the_way_is_told_with_the_time_of_its_death() -> None:
    def script(index: int) -> Answer:
        return Answer(1 * MS, error="refused") if index >= 19_999 else Answer(1 * MS)

    with pytest.raises(TargetError, match=r"stopped answering 20 s into the load.*refused"):
        run(plan(ClosedLoop(1), duration_ns=120 * S), FakeTarget(script))


def test_a_death_near_the_end_is_not_passed_off_as_a_measurement() -> None:
    def script(index: int) -> Answer:
        return Answer(1 * MS, error="reset") if index > 9_000 else Answer(1 * MS)

    with pytest.raises(TargetError, match="stopped answering"):
        run(plan(ClosedLoop(1), duration_ns=10 * S), FakeTarget(script))


def test_bad_answers_are_answers_and_no_death() -> None:
    def script(index: int) -> Answer:
        return Answer(1 * MS, error="bad_status") if index > 3_000 else Answer(1 * MS)

    m = run(plan(ClosedLoop(1), duration_ns=30 * S), FakeTarget(script))
    assert m.errors is not None
    assert m.errors["bad_status"] > 25_000


def test_an_operation_longer_than_the_window_leaves_nothing_to_measure() -> None:
    with pytest.raises(TargetError, match="no operation"):
        run(plan(ClosedLoop(1), duration_ns=S, warmup=Warmup(S), timeout_ns=HOUR), fixed(5 * S))


def test_a_closed_loop_of_no_time_is_refused_rather_than_run_for_ever() -> None:
    with pytest.raises(UsageError, match="takes time"):
        run(plan(ClosedLoop(1)), fixed(0))


def test_a_mistake_in_a_driver_is_a_sentence_and_not_a_traceback() -> None:
    def script(index: int) -> Answer:
        raise LookupError("no such row")

    with pytest.raises(TargetError, match="LookupError: no such row"):
        run(plan(ClosedLoop(1)), FakeTarget(script))


def test_an_interrupt_ends_the_run_with_130_and_without_a_measurement() -> None:
    def press_ctrl_c(snapshot: load.Snapshot) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interrupted:
        run(plan(ClosedLoop(1)), fixed(1 * MS), progress=press_ctrl_c)
    assert interrupted.value.exit_code == 130


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"duration_ns": 0}, "duration"),
        ({"runs": 0}, "at least 1"),
        ({"workers": 3, "load": ClosedLoop(2)}, "concurrency of at least 3"),
        ({"warmup": Warmup(-1)}, "warm-up"),
        ({"load": OpenLoop(0)}, "above zero"),
        ({"load": OpenLoop(1, stages=(Stage(S, 1, 1),)), "warmup": Warmup(S, True, 2 * S)}, "fixed"),
    ],
)
def test_a_plan_that_does_not_fit_together_is_refused(wrong: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(replace(plan(ClosedLoop(4)), **wrong), fixed(MS))


@pytest.mark.parametrize(
    ("runs", "order"),
    [([2, 2], [(0, 0), (1, 0), (1, 1), (0, 1)]), ([1, 3], [(0, 0), (1, 0), (1, 1), (1, 2)]), ([0], [])],
)
def test_several_plans_take_turns_forwards_and_backwards(runs: list[int], order: list[tuple[int, int]]) -> None:
    assert load.turns(runs) == order


def test_several_plans_give_a_measurement_each_in_their_own_order() -> None:
    pairs = [
        (plan(ClosedLoop(1), runs=2, name="a"), fixed(1 * MS)),
        (plan(ClosedLoop(1), runs=2, name="b"), fixed(2 * MS)),
    ]
    measured = load.run_many(pairs, FakeClock(), Environment())
    assert [m.name for m in measured] == ["a", "b"]
    assert [m.operations for m in measured] == [20_000, 10_000]


class _Lazy:
    """A driver that comes back at once, before the window has even opened."""

    spec = kind = "lazy"

    def driver(self, task_plan: Plan) -> _Lazy:
        return self

    def identity(self) -> Mapping[str, str]:
        return {}

    def open(self) -> None: ...

    def drive(self, task: WorkerTask, recorder: Recorder, clock: ClockProtocol) -> None:
        recorder.failed("closed", task.origin_ns, task.origin_ns)

    def facts(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None: ...


def test_a_driver_that_gives_up_early_still_leaves_a_whole_grid_and_no_result() -> None:
    with pytest.raises(TargetError, match="no operation"):
        load.run(plan(ClosedLoop(1)), _Lazy(), FakeClock(), Environment())


def test_a_target_that_only_ever_times_out_is_given_up() -> None:
    """The time of a timeout is recorded like an answer's, but nobody answered."""
    hanging = FakeTarget(lambda index: Answer(500 * MS, error="timeout"), servers=4)
    with pytest.raises(TargetError, match=r"no operation succeeded: .* most of them with 'timeout'"):
        run(plan(ClosedLoop(4), 60 * S, timeout_ns=500 * MS), hanging)
