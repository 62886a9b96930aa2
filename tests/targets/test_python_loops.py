"""The loops that time synchronous operations, on a fake clock."""

from __future__ import annotations

from itertools import count, cycle, repeat
from typing import Any

import pytest
from python_bench import MS, Bench, S, identity

from bizra_gate.errors import TargetError
from bizra_gate.model import ClosedLoop, OpenLoop
from bizra_gate.targets import overload
from bizra_gate.targets.python import loops
from bizra_gate.targets.python.books import Books, Failure
from bizra_gate.targets.python.calibrate import Calibration, calibrate
from bizra_gate.targets.python.results import Sample


def books(bench: Bench, gap_ns: float = 0, bracket_ns: int = 0) -> Books:
    return Books(bench.recorder, bench.clock.now_ns, Sample(None), gap_ns, bracket_ns)


def paced(bench: Bench, operation: Any) -> int:
    kept = books(bench)
    left = loops.paced(operation, repeat(()), kept, bench.clock, bench.task)
    kept.end(bench.clock.now_ns())
    return left


def sometimes_failing(bench: Bench, every: int, error: BaseException, takes_ns: int = MS) -> Any:
    calls = count(1)

    def operation() -> None:
        bench.clock.advance(takes_ns)
        if next(calls) % every == 0:
            raise error

    return operation


def test_each_operation_is_timed_by_itself() -> None:
    bench = Bench(ClosedLoop())
    loops.timed(bench.taking(1 * MS, 3 * MS), repeat(()), books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.operations == 1000
    assert (tally.service.counts.minimum, tally.service.counts.maximum) == (1 * MS, 3 * MS)
    assert tally.in_flight_ns == 2 * S, "one user who never pauses"
    assert identity(tally) == 1


def test_what_the_harness_takes_between_operations_is_not_in_flight() -> None:
    bench = Bench(ClosedLoop(), tick_ns=1000)
    found = calibrate(bench.taking(15_000), repeat(()), bench.clock.now_ns)
    assert found.gap_ns == pytest.approx(1000, rel=0.01), "one reading of the clock from an end to the next start"
    bench = Bench(ClosedLoop(), tick_ns=1000)
    loops.timed(bench.taking(15_000), repeat(()), books(bench, found.gap_ns), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.in_flight_ns < 2 * S
    assert identity(tally) == pytest.approx(1, rel=0.002)


def test_a_sample_that_is_lost_shows_in_littles_law() -> None:
    bench = Bench(ClosedLoop())
    starts, ends = bench.recorder.start_ns, bench.recorder.end_ns

    def loses() -> None:
        """Every hundredth operation takes ten of those away that have reached the recorder by then."""
        bench.clock.advance(MS)
        if bench.clock.now_ns() // MS % 100 == 50:
            del starts[-10:], ends[-10:]

    loops.timed(loses, repeat(()), books(bench), bench.clock.now_ns)
    assert identity(bench.tally()) == pytest.approx(0.9, rel=0.01)


def test_arguments_are_drawn_one_by_one() -> None:
    bench = Bench(ClosedLoop())
    seen: list[int] = []

    def operation(number: int, factor: int) -> None:
        seen.append(number * factor)
        bench.clock.advance(500 * MS)

    loops.timed(operation, cycle([(1, 10), (2, 10)]), books(bench), bench.clock.now_ns)
    assert seen == [10, 20, 10, 20, 10, 20]


def test_an_error_is_one_of_its_class_and_its_time_is_kept_apart() -> None:
    bench = Bench(ClosedLoop())
    kept = books(bench)
    loops.timed(sometimes_failing(bench, 4, KeyError("gone")), repeat(()), kept, bench.clock.now_ns)
    tally = bench.tally()
    assert tally.errors == {"KeyError": 500}
    assert tally.operations == 1500
    assert tally.failed.counts.n == 500
    assert kept.examples == {"KeyError": "'gone'"}
    assert identity(tally) == 1


def test_a_failure_may_bring_a_class_of_its_own() -> None:
    bench = Bench(ClosedLoop())
    loops.timed(sometimes_failing(bench, 2, Failure("exit 3", "no")), repeat(()), books(bench), bench.clock.now_ns)
    assert set(bench.tally().errors) == {"exit 3"}


def test_an_operation_that_exits_is_an_error_and_an_interrupt_is_not_its_business() -> None:
    bench = Bench(ClosedLoop())
    loops.timed(sometimes_failing(bench, 2, SystemExit(1)), repeat(()), books(bench), bench.clock.now_ns)
    assert set(bench.tally().errors) == {"SystemExit"}
    bench = Bench(ClosedLoop())
    with pytest.raises(KeyboardInterrupt):
        loops.timed(sometimes_failing(bench, 1, KeyboardInterrupt()), repeat(()), books(bench), bench.clock.now_ns)


def test_returned_short_strings_are_outcomes_and_what_returns_none_is_told_as_such() -> None:
    bench = Bench(ClosedLoop())

    def result(index: int) -> Any:
        return ("hit", "hit", "miss", None, "x" * 100)[index % 5]

    loops.timed(bench.taking(MS, result=result), repeat(()), books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.outcomes == {"hit": 800, "miss": 400, "(none)": 800}
    assert tally.outcomes.total() == tally.operations


def test_too_many_different_outcomes_end_in_one_heap() -> None:
    bench = Bench(ClosedLoop())
    loops.timed(bench.taking(MS, result=lambda index: f"id-{index}"), repeat(()), books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert len(tally.outcomes) <= 102
    assert tally.outcomes.total() == 2000


def test_a_stall_longer_than_many_intervals_is_in_flight_all_along() -> None:
    bench = Bench(ClosedLoop())
    times = [MS] * 1500 + [700 * MS] + [MS] * 5000
    loops.timed(bench.taking(*times), repeat(()), books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.service.counts.maximum == 700 * MS
    assert tally.in_flight_ns == 2 * S
    inside = [row for row in bench.rows if 11 * S <= row.start_ns < 13 * S]
    assert {row.in_flight_ns for row in inside} == {100 * MS}
    assert identity(tally) == 1


def test_a_batch_is_one_pair_of_stamps() -> None:
    bench = Bench(ClosedLoop())
    bench.recorder.batch = 10
    loops.batched(bench.taking(100_000), 10, books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.operations == 20_000
    assert tally.service.counts.n == 2_000
    assert tally.service.counts.maximum == 100_000, "the mean of the batch"
    assert identity(tally) == 1


def test_what_bracketing_costs_is_taken_off() -> None:
    bench = Bench(ClosedLoop(), tick_ns=50)
    bench.recorder.batch = 10
    loops.batched(bench.taking(10_000), 10, books(bench, bracket_ns=100), bench.clock.now_ns)
    assert identity(bench.tally()) == pytest.approx(1, rel=0.002)


def test_batches_draw_their_arguments_before_the_clock_is_read() -> None:
    bench = Bench(ClosedLoop())
    bench.recorder.batch = 5

    def drawn() -> Any:
        for number in count():
            bench.clock.advance(300_000)
            yield (number,)

    seen: list[int] = []

    def operation(number: int) -> None:
        seen.append(number)
        bench.clock.advance(100_000)

    loops.batched_with(operation, drawn(), 5, books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert seen == list(range(len(seen)))
    assert tally.service.counts.maximum == 100_000
    assert tally.in_flight_ns / (2 * S) == pytest.approx(0.25, rel=0.01), "drawing is not being in flight"
    assert identity(tally) == 1


def test_outcomes_of_batches_are_all_counted() -> None:
    bench = Bench(ClosedLoop())
    bench.recorder.batch = 4
    operation = bench.taking(100_000, result=lambda index: "hit" if index % 4 else "miss")
    loops.batched_labelled(operation, repeat(()), 4, books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.outcomes == {"hit": 15_000, "miss": 5_000}
    assert tally.outcomes.total() == tally.operations


def test_an_error_ends_its_batch_and_keeps_littles_law() -> None:
    bench = Bench(ClosedLoop())
    bench.recorder.batch = 10
    operation = sometimes_failing(bench, 95, ValueError("x"), takes_ns=100_000)
    loops.batched(operation, 10, books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.errors["ValueError"] == pytest.approx(20_000 / 95, rel=0.02)
    assert tally.failed.counts.n == tally.errors["ValueError"]


def test_an_open_loop_in_one_thread_queues_and_the_queueing_counts() -> None:
    bench = Bench(OpenLoop(100))
    paced(bench, bench.taking(20 * MS))
    tally = bench.tally()
    assert tally.response.counts.n == 200
    assert tally.service.counts.maximum == 20 * MS
    # index 299 is due at 2.99 s and done at 6 s
    assert tally.response.counts.maximum == pytest.approx(3.01 * S, rel=0.001)
    assert tally.errors == {}
    assert identity(tally) == 1


def test_an_open_loop_that_keeps_up_starts_on_time() -> None:
    bench = Bench(OpenLoop(100))
    paced(bench, bench.taking(2 * MS))
    tally = bench.tally()
    assert (tally.delay.counts.maximum, tally.response.counts.maximum) == (0, 2 * MS)
    assert tally.lag.counts.n == pytest.approx(200, abs=1)
    assert tally.lag.counts.maximum == 0
    assert identity(tally) == 1


def test_what_is_still_due_when_the_drain_ends_has_timed_out() -> None:
    bench = Bench(OpenLoop(100), timeout_ns=S)
    left = paced(bench, bench.taking(20 * MS))
    tally = bench.tally()
    assert left == 100
    assert tally.errors == {"timeout": 100}
    assert tally.operations + tally.errors["timeout"] == 200, "nobody who was due is forgotten"
    assert tally.response.counts.n == 200
    assert tally.service.counts.n == 100


def test_a_rate_that_is_hopelessly_missed_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "MOST_UNSENT", 50)
    bench = Bench(OpenLoop(100), timeout_ns=S)
    with pytest.raises(TargetError, match="more than 50 operations were due and never sent"):
        paced(bench, bench.taking(20 * MS))


def test_an_operation_slower_than_the_timeout_is_a_timeout_though_it_ended() -> None:
    bench = Bench(ClosedLoop(), timeout_ns=100 * MS)
    loops.timed(bench.taking(10 * MS, 10 * MS, 180 * MS), repeat(()), books(bench), bench.clock.now_ns)
    tally = bench.tally()
    assert tally.errors == {"timeout": 10}
    assert tally.operations == 20
    assert tally.service.counts.n == 30


def test_a_user_who_thinks_starts_again_after_the_pause() -> None:
    bench = Bench(ClosedLoop(think_ns=15 * MS))
    paced(bench, bench.taking(5 * MS))
    tally = bench.tally()
    assert tally.operations == 100
    assert tally.in_flight_ns == 500 * MS
    assert identity(tally) == 1


def test_an_operation_that_starts_and_ends_between_two_looks_fills_the_intervals_that_it_covered() -> None:
    """An edge had passed before it started, and others pass while it runs."""
    bench = Bench(ClosedLoop())
    paced(bench, bench.taking(99 * MS, 351 * MS))
    tally = bench.tally()
    assert {row.in_flight_ns for row in bench.rows if 11 * S <= row.start_ns < 13 * S} == {100 * MS}
    assert identity(tally) == 1


@pytest.mark.parametrize(
    ("operation_ns", "batch"),
    [(50, 1_200), (1_000, 60), (11_000, 6), (11_999, 6), (12_000, 1), (10**9, 1), (0, 1)],
)
def test_the_batch_lasts_a_thousand_quanta_where_an_operation_is_shorter_than_two_hundred(
    operation_ns: float, batch: int
) -> None:
    found = Calibration(operation_ns, quantum_ns=60, gap_ns=100, bracket_ns=90, labelled=False)
    assert found.batch == batch
    assert batch == 1 or batch * operation_ns >= 1_000 * 60


def test_calibration_finds_the_cost_of_the_operation_and_of_the_path() -> None:
    bench = Bench(ClosedLoop(), tick_ns=40)
    found = calibrate(bench.taking(500), repeat(()), bench.clock.now_ns)
    assert found.operation_ns == pytest.approx(500, rel=0.01)
    assert (found.quantum_ns, found.gap_ns, found.bracket_ns) == (40, pytest.approx(40, rel=0.02), 80)
    assert found.batch == 80
    assert not found.labelled


def test_calibration_notices_outcomes_and_errors() -> None:
    bench = Bench(ClosedLoop(), tick_ns=40)
    labelled = calibrate(bench.taking(500, result=lambda i: None if i < 100 else "hit"), repeat(()), bench.clock.now_ns)
    assert labelled.labelled
    failing = calibrate(sometimes_failing(bench, 50, OSError(), takes_ns=500), repeat(()), bench.clock.now_ns)
    assert (failing.operation_ns, failing.batch) == (0, 1), "each error gets a time of its own"
