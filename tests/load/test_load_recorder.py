"""The recorder against a plain count of the same operations, whatever the moments at which it folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.load.recorder import ColumnRecorder, Row
from bizra_gate.load.window import Window

S = 1_000_000_000
WINDOW = Window.after(origin_ns=1_000, warmup_ns=200, duration_ns=400)
TIMEOUT_NS = 90


@dataclass(frozen=True)
class Op:
    due: int
    wait: int
    service: int
    error: str | None = None

    @property
    def start(self) -> int:
        return self.due + self.wait

    @property
    def end(self) -> int:
        return self.start + self.service

    @property
    def counts(self) -> bool:
        return WINDOW.opens_ns <= self.due < WINDOW.closes_ns


def make(open_loop: bool = False) -> tuple[ColumnRecorder, list[Row]]:
    rows: list[Row] = []
    recorder = ColumnRecorder(WINDOW, open_loop=open_loop, timeout_ns=TIMEOUT_NS, emit=rows.append)
    return recorder, rows


def area(ops: list[Op], until: int) -> int:
    return sum(max(0, min(op.end, until) - op.start) for op in ops)


def play(ops: list[Op], looks: list[int], *, open_loop: bool) -> tuple[ColumnRecorder, list[Row]]:
    """Feed `ops` in the order of their ends; the driver looks at the clock at every event and at `looks`."""
    recorder, rows = make(open_loop)
    events = sorted({*looks, *(op.start for op in ops), *(op.end for op in ops), WINDOW.closes_ns})
    waiting = sorted(ops, key=lambda op: op.end)
    for now in events:
        if now >= recorder.fold_at_ns:
            edge = recorder.fold_at_ns
            flying = sum(op.start < edge and op.end >= now for op in ops)
            recorder.fold(now, area(ops, edge), flying)
        while waiting and waiting[0].end <= now:
            put(recorder, waiting.pop(0), open_loop)
    recorder.fold(events[-1], area(ops, min(recorder.fold_at_ns, events[-1])), 0)
    recorder.finish(events[-1])
    return recorder, rows


def put(recorder: ColumnRecorder, op: Op, open_loop: bool) -> None:
    if op.error is not None:
        recorder.failed(op.error, op.start, op.end, op.due if open_loop else None)
        return
    recorder.start_ns.append(op.start)
    recorder.end_ns.append(op.end)
    if open_loop:
        recorder.intended_ns.append(op.due)


def operations(open_loop: bool) -> st.SearchStrategy[list[Op]]:
    waits = st.integers(0, 120) if open_loop else st.just(0)
    errors = st.sampled_from([None, None, None, "refused", "timeout"])
    op = st.builds(Op, st.integers(1_000, 1_599), waits, st.integers(1, 250), errors)
    return st.lists(op, max_size=40)


looks = st.lists(st.integers(1_000, 1_700), max_size=10)


@given(operations(False), looks)
@settings(max_examples=150, deadline=None)
def test_littles_law_closes_exactly_in_a_closed_loop(ops: list[Op], looks: list[int]) -> None:
    tally = play(ops, looks, open_loop=False)[0].tally
    residence = tally.service.span_ns + tally.failed.span_ns
    assert tally.in_flight_ns == residence + tally.carried_in_ns - tally.carried_out_ns


@given(operations(True), looks)
@settings(max_examples=150, deadline=None)
def test_littles_law_closes_exactly_in_an_open_loop(ops: list[Op], looks: list[int]) -> None:
    tally = play(ops, looks, open_loop=True)[0].tally
    residence = tally.service.span_ns + tally.failed.span_ns
    assert tally.in_flight_ns == residence + tally.carried_in_ns - tally.carried_out_ns


@given(operations(True), looks)
@settings(max_examples=150, deadline=None)
def test_what_counts_is_what_was_due_in_the_window_and_nothing_else(ops: list[Op], looks: list[int]) -> None:
    recorder, rows = play(ops, looks, open_loop=True)
    counted = [op for op in ops if op.counts]
    answered = [op for op in counted if op.error in (None, "timeout")]
    slow = [op for op in counted if op.error is None and op.service > TIMEOUT_NS]
    failed = [op for op in counted if op.error is not None]
    tally = recorder.tally
    assert tally.response.counts.n == len(answered)
    assert tally.response.span_ns == sum(op.end - op.due for op in answered)
    assert tally.delay.span_ns == sum(op.wait for op in answered)
    assert tally.errors.total() == len(failed) + len(slow)
    assert tally.operations == len([op for op in counted if op.error is None]) - len(slow)
    late = [op for op in ops if op.due < WINDOW.opens_ns <= op.end < WINDOW.closes_ns and op.error is None]
    assert tally.carried_in_count == len(late)
    inside = [row for row in rows if row.start_ns >= WINDOW.opens_ns]
    assert sum(row.count for row in inside) == len(answered)
    assert sum(row.errors for row in inside) == tally.errors.total()
    assert sum(row.total_ns for row in inside) == tally.response.span_ns


@given(operations(False), looks, looks)
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_when_it_folds(ops: list[Op], some: list[int], others: list[int]) -> None:
    one, rows = play(ops, some, open_loop=False)
    two, more_rows = play(ops, others, open_loop=False)
    assert one.tally.service.distribution() == two.tally.service.distribution()
    assert one.tally.in_flight_ns == two.tally.in_flight_ns

    def known(rows: list[Row]) -> list[tuple[int, int, int, int]]:
        return [(r.start_ns, r.count, r.errors, r.in_flight_ns) for r in rows if r.start_ns < WINDOW.closes_ns]

    assert known(rows) == known(more_rows)


def test_the_warm_up_is_told_in_rows_and_counted_nowhere() -> None:
    recorder, rows = play([Op(1_000, 0, 50), Op(1_060, 0, 50)], [], open_loop=False)
    assert sum(row.count for row in rows if row.start_ns < WINDOW.opens_ns) == 2
    assert recorder.tally.operations == 0
    assert recorder.tally.service.counts.n == 0


def test_the_rows_tile_the_window_even_where_nothing_happened() -> None:
    _, rows = play([], [WINDOW.closes_ns + 5], open_loop=False)
    starts = [row.start_ns for row in rows if WINDOW.opens_ns <= row.start_ns < WINDOW.closes_ns]
    assert starts == [WINDOW.edge(k) for k in range(WINDOW.intervals)]


def test_a_long_stall_puts_its_time_in_flight_into_every_interval_that_it_covers() -> None:
    _, rows = play([Op(1_210, 0, 300)], [], open_loop=False)
    inside = [row.in_flight_ns for row in rows if 1_220 <= row.start_ns < 1_500]
    assert inside == [WINDOW.length_ns] * len(inside)
    assert inside


def test_a_batch_is_recorded_as_means_with_its_sum_exact() -> None:
    recorder, rows = make()
    recorder.batch = 7
    for start in range(1_200, 1_600, 100):
        recorder.start_ns.append(start)
        recorder.end_ns.append(start + 50)
    recorder.finish(1_600)
    distribution = recorder.tally.service.distribution(batch=7)
    assert (distribution.n, distribution.low) == (4, (7,)), "50 / 7 is 7 to the nanosecond"
    assert distribution.total_ns == round(4 * 50 / 7), "the sum is not made of rounded means"
    assert recorder.tally.operations == 28
    assert sum(row.count for row in rows) == 28


def test_an_operation_that_never_started_waited_but_had_no_service_time() -> None:
    recorder, _ = make(open_loop=True)
    recorder.failed("timeout", 1_700, 1_700, 1_300)
    recorder.finish(1_700)
    tally = recorder.tally
    assert tally.response.distribution().maximum == 400
    assert tally.service.counts.n == 0
    assert tally.errors == {"timeout": 1}
    assert tally.operations == 0


def test_outcomes_count_for_the_counted_population_only() -> None:
    recorder, _ = make()
    for start in (1_100, 1_250, 1_300):
        recorder.start_ns.append(start)
        recorder.end_ns.append(start + 10)
        recorder.outcome("hit")
    recorder.finish(1_600)
    assert recorder.tally.outcomes == {"hit": 2}


def test_labels_in_the_column_are_counted_with_their_operations() -> None:
    recorder, _ = make()
    for start, label in ((1_100, "hit"), (1_250, "miss"), (1_300, "hit"), (1_590, "hit")):
        recorder.start_ns.append(start)
        recorder.end_ns.append(start + 100)
        recorder.label.append(recorder.label_id(label))
    recorder.fold(1_395, 0, 0)
    recorder.finish(1_700)
    assert recorder.tally.outcomes == {"hit": 2, "miss": 1}


def test_a_thread_that_records_late_still_counts_in_its_own_interval() -> None:
    recorder, rows = make()
    recorder.fold(1_395, 0, 0)
    recorder.start_ns.append(1_210)
    recorder.end_ns.append(1_215)
    recorder.finish(1_600)
    assert [row.start_ns for row in rows if row.count] == [WINDOW.edge(WINDOW.index(1_215))]
    assert recorder.tally.operations == 1


def test_the_integral_of_the_number_in_flight_never_falls() -> None:
    recorder, rows = make()
    for now, integral in ((1_210, 500), (1_230, 450), (1_250, 530)):
        recorder.fold(now, integral, 0)
    recorder.finish(1_600)
    areas = [row.in_flight_ns for row in rows]
    assert min(areas) == 0
    assert sum(areas) == 530


def test_what_ended_after_the_edge_waits_for_the_next_fold() -> None:
    recorder, rows = make()
    edge = recorder.fold_at_ns
    recorder.start_ns.extend([1_000, 1_001])
    recorder.end_ns.extend([edge - 1, edge])
    recorder.fold(edge, 0, 0)
    assert list(recorder.end_ns) == [edge]
    assert sum(row.count for row in rows) == 1


def test_the_hooks_are_called_once_each_at_the_edges() -> None:
    calls: list[tuple[str, int]] = []
    recorder = ColumnRecorder(
        WINDOW,
        open_loop=False,
        timeout_ns=TIMEOUT_NS,
        emit=lambda row: None,
        opened=lambda now: calls.append(("opened", now)),
        closed=lambda now: calls.append(("closed", now)),
    )
    for now in (1_100, 1_204, 1_300, 1_601, 1_700):
        recorder.fold(now, 0, 0)
    assert calls == [("opened", 1_204), ("closed", 1_601)]


def test_a_moved_opening_is_followed_and_moves_the_stop() -> None:
    opens = WINDOW.edge(-3)
    recorder = ColumnRecorder(
        WINDOW, open_loop=False, timeout_ns=TIMEOUT_NS, emit=lambda row: None, moved=lambda: opens
    )
    recorder.fold(recorder.fold_at_ns, 0, 0)
    assert recorder.window.opens_ns == opens
    assert recorder.stop_at_ns == opens + 400


def test_lag_is_kept_for_the_counted_window_only() -> None:
    recorder, _ = make()
    for now, late in ((1_100, 1), (1_300, 20), (1_500, 30), (1_700, 4_000)):
        recorder.fold(now, 0, 0)
        recorder.lag_ns.append(late)
    recorder.finish(1_800)
    assert recorder.tally.lag.span_ns == 20 + 30


def test_a_clock_that_runs_backwards_is_an_error_and_not_a_latency() -> None:
    recorder, _ = make()
    recorder.start_ns.append(1_300)
    recorder.end_ns.append(1_299)
    with pytest.raises(ValueError, match="backwards"):
        recorder.finish(1_600)


def test_memory_stays_flat_over_many_operations() -> None:
    recorder, _ = make()
    sizes = set()
    for k in range(50):
        start = np.arange(1_000, 1_000 + 2_000, dtype=np.int64) // 4 + 200
        recorder.start_ns.frombytes(start.tobytes())
        recorder.end_ns.frombytes((start + 1).tobytes())
        recorder.fold(2_000 + k * WINDOW.length_ns, 0, 0)
        sizes.add((len(recorder.start_ns), len(recorder.tally.service.counts.counts)))
    assert len(sizes) == 1
