"""Where a driver puts what happened: plain columns, folded once per interval, forgotten after that.

Recording costs the driver one append per stamp. At each edge of the grid the columns become numpy arrays, are sorted
into counted and not counted and folded into histograms (`counting`), and emptied.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..stats.fold import HdrCounts
from .columns import Columns, later_than, replace_with, views
from .counting import Counting
from .tally import Tally
from .window import Window


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
    timeouts: int = 0
    """Operations of `count` that are errors all the same: their time is known, and nobody answered in time."""


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
        self.window = window
        self.fold_at_ns = window.next_edge(window.origin_ns)
        self.stop_at_ns = window.closes_ns
        self.kinds: Counter[str] = Counter()
        """Errors by class so far, in every phase."""
        self._counting = Counting(is_open=open_loop, timeout_ns=timeout_ns)
        self._open_loop = open_loop
        self._emit, self._moved = emit, moved
        self._hooks = [("opens_ns", opened), ("closes_ns", closed)]
        self._left_ns = window.origin_ns
        self._area_ns = 0
        self._latest_area_ns = 0
        self._failed: tuple[array[int], ...] = tuple(array("q") for _ in range(4))
        """Start, end, intended start and class of the operations that failed."""

    @property
    def batch(self) -> int:
        """Operations per appended pair."""
        return self.tally.batch

    @batch.setter
    def batch(self, size: int) -> None:
        self.tally.batch = size

    @property
    def tally(self) -> Tally:
        """What was counted up to the last fold."""
        return self._counting.tally

    def failed(self, kind: str, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        self.kinds[kind] += 1
        starts, ends, dues, kinds = self._failed
        starts.append(start_ns)
        ends.append(end_ns)
        dues.append(start_ns if intended_ns is None else intended_ns)
        kinds.append(self._counting.kinds.id(kind))

    def outcome(self, label: str, count: int = 1) -> None:
        due = self.intended_ns if self._open_loop else self.start_ns
        if due and self.window.opens_ns <= due[-1] < self.window.closes_ns:
            self.tally.outcomes[label] += count

    def label_id(self, label: str) -> int:
        return self._counting.labels.id(label)

    def fold(self, now_ns: int, in_flight_ns: int, in_flight: int) -> None:
        self._follow_window()
        first = self.fold_at_ns
        self._latest_area_ns = in_flight_ns + in_flight * max(0, now_ns - first)
        if now_ns < first:
            return
        last = self.window.edge(self.window.index(now_ns))
        starts = [self.start_ns, self.end_ns, self.intended_ns if self._open_loop else self.start_ns]
        successes = [*starts, self.label] if self.label else starts
        later = self._fold_columns(successes, first, last, in_flight_ns, in_flight)
        for columns, contents in zip((successes, self._failed), later, strict=True):
            replace_with(columns, contents)
        self._fold_lag()
        self._left_ns, self.fold_at_ns = last, self.window.next_edge(now_ns)
        self._call_hooks(now_ns, last)

    def _fold_columns(
        self, successes: Sequence[array[int]], first: int, last: int, in_flight_ns: int, in_flight: int
    ) -> tuple[tuple[bytes, ...], ...]:
        """Fold every interval up to `last`; returns what ended after it, for successes and failures."""
        operations, failures = views(successes), views(self._failed)
        for left, right in self._intervals((operations, failures), last):
            late = right <= self._left_ns
            area = self._area_ns if late else in_flight_ns + in_flight * (right - first)
            parts = (operations.within(left, right), failures.within(left, right))
            self._fold_interval(left, right, *parts, area, in_flight)
        return later_than(operations, last), later_than(failures, last)

    def finish(self, now_ns: int) -> None:
        """Take in what is left after `drive` has returned: everything has ended, so nothing is in flight."""
        latest = max([now_ns, self.window.closes_ns - 1, *self.end_ns, *self._failed[1]])
        self.fold(self.window.next_edge(latest), self._latest_area_ns, 0)

    def _follow_window(self) -> None:
        opens = self._moved()
        if opens is not None and opens != self.window.opens_ns:
            self.window = self.window.opening_at(opens)
            self.stop_at_ns = self.window.closes_ns

    def _intervals(self, parts: tuple[Columns, ...], last: int) -> list[tuple[int, int]]:
        """Intervals up to `last`, from the first unfinished one, or before it where a thread was late to record."""
        earliest = min([self._left_ns, *(int(part.end.min()) for part in parts if len(part))])
        first, final = self.window.index(max(earliest, self.window.origin_ns)), self.window.index(last)
        return [(self.window.edge(k), self.window.edge(k + 1)) for k in range(first, final)]

    def _fold_interval(
        self, left: int, right: int, operations: Columns, failures: Columns, area_ns: int, in_flight: int
    ) -> None:
        row_area_ns = max(0, area_ns - self._area_ns)
        self._area_ns += row_area_ns  # an integral never falls, however late a driver looked at its edge
        if right <= self.window.opens_ns:
            ended = self._counting.warm(operations, failures)
        else:
            ended = self._counting.counted(self.window, right, operations, failures)
            if right <= self.window.closes_ns:
                self.tally.in_flight_ns += row_area_ns
        times, span_ns, batch = ended.times.counts, ended.times.span_ns, self.batch
        late = ended.timeouts * batch
        self._emit(Row(left, times.n * batch, ended.errors, span_ns, times, row_area_ns, in_flight, late))

    def _fold_lag(self) -> None:
        """The generator's own lateness since the last fold, if that lies in the counted window."""
        lag = np.array(self.lag_ns, dtype=np.int64)
        del self.lag_ns[:]
        if self.window.phase(self._left_ns) == "measured":
            self.tally.lag.fold(np.maximum(lag, 0))

    def _call_hooks(self, now_ns: int, last: int) -> None:
        while self._hooks and last >= getattr(self.window, self._hooks[0][0]):
            self._hooks.pop(0)[1](now_ns)
