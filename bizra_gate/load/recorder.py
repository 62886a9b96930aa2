"""Where a driver puts what happened: plain columns, folded once per interval, forgotten after that.

Recording costs the driver one append per stamp. At each edge of the grid the columns become numpy arrays, are sorted
into counted and not counted, folded into histograms, and emptied. An operation is counted when its start (closed
loop) or its intended start (open loop) lies in the counted window; those that merely overlap the window are kept as
two sums, so that Little's law can be closed at the edges.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..stats.fold import HdrCounts
from .tally import Tally, Times
from .window import Window

Values = NDArray[np.int64]
Mask = NDArray[np.bool_]
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Row:
    """One worker's share of one interval; several of one `start_ns` add up.

    In the counted window and the drain: operations of the counted population that ended in it. In the warm-up: all.
    """

    start_ns: int
    """Clock reading of the interval's left edge."""
    count: int
    errors: int
    total_ns: int
    times: HdrCounts
    in_flight_ns: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Operations as columns of one length; `due` is the intended start, or the start itself in a closed loop."""

    start: Values
    end: Values
    due: Values
    label: Values | None = None

    def __len__(self) -> int:
        return len(self.start)

    def where(self, mask: Mask) -> Columns:
        if mask.all():
            return self
        label = None if self.label is None else self.label[mask]
        return Columns(self.start[mask], self.end[mask], self.due[mask], label)

    def within(self, left: int, right: int) -> Columns:
        """Those that ended in ``[left, right)``."""
        return self.where((self.end >= left) & (self.end < right))


@dataclass(frozen=True, slots=True)
class Failure:
    """One operation that ended in an error."""

    kind: str
    start_ns: int
    end_ns: int
    due_ns: int


def columns_of(failures: list[Failure]) -> Columns:
    """`failures` as columns."""
    rows = [(f.start_ns, f.end_ns, f.due_ns) for f in failures]
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return Columns(table[:, 0], table[:, 1], table[:, 2])


def _ignore(now_ns: int) -> None:
    """A hook that nobody set."""


def _stay() -> int | None:
    """The window stays where it is."""
    return None


class ColumnRecorder:
    """Implements `model.Recorder`.

    `emit` gets a `Row` per finished interval. `moved` is asked at every fold where the window opens by now (an
    adaptive warm-up): a clock reading on the grid, or None. `opened` and `closed` are called once each, at the first
    fold past that edge, with the reading that showed it.
    """

    def __init__(
        self,
        window: Window,
        *,
        open_loop: bool,
        timeout_ns: int,
        emit: Callable[[Row], None],
        moved: Callable[[], int | None] = _stay,
        opened: Callable[[int], None] = _ignore,
        closed: Callable[[int], None] = _ignore,
    ) -> None:
        self.start_ns: array[int] = array("q")
        self.end_ns: array[int] = array("q")
        self.intended_ns: array[int] = array("q")
        self.lag_ns: array[int] = array("q")
        self.label: array[int] = array("q")
        self.batch = 1
        self.window = window
        self.fold_at_ns = window.next_edge(window.origin_ns)
        self.stop_at_ns = window.closes_ns
        self.tally = Tally()
        self.kinds: Counter[str] = Counter()
        """Errors by class so far, in every phase."""
        self._open_loop = open_loop
        self._timeout_ns = timeout_ns
        self._emit, self._moved = emit, moved
        self._hooks = [("opens_ns", opened), ("closes_ns", closed)]
        self._left_ns = window.origin_ns
        self._area_ns = 0
        self._latest_area_ns = 0
        self._failures: list[Failure] = []
        self._labels: list[str] = []
        self._label_ids: dict[str, int] = {}

    def failed(self, kind: str, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        self.kinds[kind] += 1
        self._failures.append(Failure(kind, start_ns, end_ns, start_ns if intended_ns is None else intended_ns))

    def outcome(self, label: str, count: int = 1) -> None:
        due = self.intended_ns if self._open_loop else self.start_ns
        if due and self.window.opens_ns <= due[-1] < self.window.closes_ns:
            self.tally.outcomes[label] += count

    def label_id(self, label: str) -> int:
        found = self._label_ids.get(label)
        if found is None:
            found = self._label_ids[label] = len(self._labels)
            self._labels.append(label)
        return found

    def fold(self, now_ns: int, in_flight_ns: int, in_flight: int) -> None:
        self._follow_window()
        first = self.fold_at_ns
        self._latest_area_ns = in_flight_ns + in_flight * max(0, now_ns - first)
        if now_ns < first:
            return
        last = self.window.edge(self.window.index(now_ns))
        operations, failures = self._take(last)
        for left, right in self._intervals(operations, last):
            late = right <= self._left_ns
            area = self._area_ns if late else in_flight_ns + in_flight * (right - first)
            within = [failure for failure in failures if left <= failure.end_ns < right]
            self._fold_interval(left, right, operations.within(left, right), within, area, in_flight)
        self._left_ns, self.fold_at_ns = last, self.window.next_edge(now_ns)
        self._fold_lag(last)
        self._call_hooks(now_ns, last)

    def finish(self, now_ns: int) -> None:
        """Take in what is left after `drive` has returned: everything has ended, so nothing is in flight."""
        ends = [*self.end_ns, *(failure.end_ns for failure in self._failures)]
        latest = max([now_ns, self.window.closes_ns - 1, *ends])
        self.fold(self.window.next_edge(latest), self._latest_area_ns, 0)

    def _follow_window(self) -> None:
        opens = self._moved()
        if opens is not None and opens != self.window.opens_ns:
            self.window = self.window.opening_at(opens)
            self.stop_at_ns = self.window.closes_ns

    def _take(self, edge: int) -> tuple[Columns, list[Failure]]:
        """Everything that ended before `edge`; the rest goes back into the emptied columns."""
        columns = [self.start_ns, self.end_ns, self.intended_ns if self._open_loop else self.start_ns]
        if self.label:
            columns.append(self.label)
        operations = Columns(*(np.array(column, dtype=np.int64) for column in columns))
        for column in (self.start_ns, self.end_ns, self.intended_ns, self.label):
            del column[:]
        later = operations.where(operations.end >= edge)
        if len(later):
            self._put_back(later)
        failures, self._failures = self._failures, []
        self._failures = [failure for failure in failures if failure.end_ns >= edge]
        return operations.where(operations.end < edge), [f for f in failures if f.end_ns < edge]

    def _put_back(self, later: Columns) -> None:
        self.start_ns.extend(later.start.tolist())
        self.end_ns.extend(later.end.tolist())
        if self._open_loop:
            self.intended_ns.extend(later.due.tolist())
        if later.label is not None:
            self.label.extend(later.label.tolist())

    def _intervals(self, operations: Columns, last: int) -> list[tuple[int, int]]:
        """Intervals up to `last`, from the first unfinished one, or before it where a thread was late to record."""
        earliest = min(self._left_ns, int(operations.end.min())) if len(operations) else self._left_ns
        first, final = self.window.index(max(earliest, self.window.origin_ns)), self.window.index(last)
        return [(self.window.edge(k), self.window.edge(k + 1)) for k in range(first, final)]

    def _fold_interval(
        self, left: int, right: int, operations: Columns, failures: list[Failure], area_ns: int, in_flight: int
    ) -> None:
        slow = columns_of([failure for failure in failures if failure.kind == TIMEOUT])
        errors, row_area_ns = len(failures), area_ns - self._area_ns
        counted = right > self.window.opens_ns
        if counted:
            operations = self._counted(operations, right, succeeded=True)
            slow = self._counted(slow, right, succeeded=False)
            errors = self._count_failures(failures, right) + self._count_too_slow(operations)
            if right <= self.window.closes_ns:
                self.tally.in_flight_ns += row_area_ns
        headline = self._headline(operations, slow)
        if counted:
            self._fold_counted(operations, slow, headline)
        self._area_ns = area_ns
        times = headline.counts
        self._emit(Row(left, times.n * self.batch, errors, headline.span_ns, times, row_area_ns, in_flight))

    def _counted(self, operations: Columns, right: int, *, succeeded: bool) -> Columns:
        """The counted population of `operations`; what overlaps the window otherwise goes into the carried sums."""
        window = self.window
        mask = (operations.due >= window.opens_ns) & (operations.due < window.closes_ns)
        if not mask.all():
            others = operations.where(~mask)
            ended = np.minimum(others.end, window.closes_ns)
            inside = np.maximum(ended - np.maximum(others.start, window.opens_ns), 0)
            self.tally.carried_in_ns += int(inside.sum())
            if succeeded and right <= window.closes_ns:
                self.tally.carried_in_count += len(others) * self.batch
        begun = (operations.start >= window.opens_ns) & (operations.start < window.closes_ns)
        self.tally.started += int(np.count_nonzero(begun)) * self.batch
        kept = operations.where(mask)
        if right > window.closes_ns:
            outside = np.maximum(kept.end - np.maximum(kept.start, window.closes_ns), 0)
            self.tally.carried_out_ns += int(outside.sum())
        return kept

    def _count_failures(self, failures: list[Failure], right: int) -> int:
        """Errors of the counted population by class; the times of those that are no timeouts are kept apart."""
        window = self.window
        counted = [f for f in failures if window.opens_ns <= f.due_ns < window.closes_ns]
        self.tally.errors.update(failure.kind for failure in counted)
        others = self._counted(columns_of([f for f in failures if f.kind != TIMEOUT]), right, succeeded=False)
        self._add(self.tally.failed, others.end - others.start)
        return len(counted)

    def _count_too_slow(self, operations: Columns) -> int:
        """Answers that came after the timeout are timeouts, whenever the driver noticed."""
        if self.batch > 1 or not len(operations):
            return 0
        slow = int(np.count_nonzero(operations.end - operations.start > self._timeout_ns))
        if slow:
            self.tally.errors[TIMEOUT] += slow
        return slow

    def _fold_counted(self, operations: Columns, slow: Columns, headline: Times) -> None:
        if self._open_loop:
            self.tally.response.merge(headline)
            for part in (operations, slow):
                self._add(self.tally.service, part.end - part.start)
                self._add(self.tally.delay, np.maximum(part.start - part.due, 0))
        else:
            self.tally.service.merge(headline)
        if operations.label is not None and len(operations):
            for number, count in enumerate(np.bincount(operations.label).tolist()):
                if count:
                    self.tally.outcomes[self._labels[number]] += count

    def _headline(self, operations: Columns, slow: Columns) -> Times:
        """Response times of an open loop, service times of a closed one."""
        times = Times()
        for part in (operations, slow):
            self._add(times, part.end - (part.due if self._open_loop else part.start))
        return times

    def _add(self, times: Times, spans: Values) -> None:
        """Fold spans of `batch` operations each, as means of the batch rounded to the nanosecond."""
        if len(spans):
            counts = HdrCounts()
            counts.add(spans if self.batch == 1 else (spans + self.batch // 2) // self.batch)
            times.add(counts, int(spans.sum()))

    def _fold_lag(self, last: int) -> None:
        """The generator's own lateness, over the counted window."""
        lag = np.array(self.lag_ns, dtype=np.int64)
        del self.lag_ns[:]
        if self.window.opens_ns < last <= self.window.closes_ns:
            self._add(self.tally.lag, np.maximum(lag, 0))

    def _call_hooks(self, now_ns: int, last: int) -> None:
        while self._hooks and last >= getattr(self.window, self._hooks[0][0]):
            self._hooks.pop(0)[1](now_ns)
