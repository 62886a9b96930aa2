"""Which operations count, and what becomes of those that do.

An operation counts when its start (closed loop) or its intended start (open loop) lies in the counted window. What
merely overlaps the window is kept as two sums, so that Little's law can be closed at the edges: ``integral of the
number in flight = Σ residence of the counted + carried in − carried out``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .columns import Columns, Names
from .tally import Tally, Times
from .window import Window

TIMEOUT = "timeout"


class Ended(NamedTuple):
    """What ended in one interval."""

    times: Times
    """Headline times, those of what ended in a timeout among them."""
    errors: int
    """Timeouts among them."""
    timeouts: int


class Counting:
    """Folds the operations of one interval at a time into a `Tally`."""

    def __init__(self, *, is_open: bool, timeout_ns: int) -> None:
        self.tally = Tally(is_open=is_open)
        self.labels = Names()
        self.kinds = Names()
        self._is_open = is_open
        self._timeout_ns = timeout_ns

    @property
    def batch(self) -> int:
        return self.tally.batch

    def warm(self, operations: Columns, failures: Columns) -> Ended:
        """What an interval of the warm-up comes to: everything that ended in it, nothing kept."""
        headline, late = Times(), failures.labelled(self.kinds.id(TIMEOUT))
        self._fold_headline(operations, headline)
        self._fold_headline(late, headline)
        return Ended(headline, len(failures), len(late))

    def counted(self, window: Window, right: int, operations: Columns, failures: Columns) -> Ended:
        """What became of the counted population that ended in the interval before `right`."""
        headline, timeout = Times(), self.kinds.id(TIMEOUT)
        late = sum(self._fold_successes(window, right, chunk, headline) for chunk in operations.chunks())
        slow = self._of_window(window, right, failures.labelled(timeout), succeeded=False)
        self._fold_headline(slow, headline)
        self._fold_parts(slow, slow.where(slow.end > slow.start))  # what never started has no service time
        others = self._of_window(window, right, failures.labelled(timeout, other=True), succeeded=False)
        self.tally.failed.fold(others.end - others.start)
        for part in (slow, others):
            self.tally.errors.update(self.kinds.counted(part.label))
        (self.tally.response if self._is_open else self.tally.service).merge(headline)
        return Ended(headline, late + len(slow) + len(others), late + len(slow))

    def _fold_successes(self, window: Window, right: int, operations: Columns, headline: Times) -> int:
        """Returns how many of them were slower than the timeout: those are errors, whenever the driver noticed."""
        operations = self._of_window(window, right, operations, succeeded=True)
        self._fold_headline(operations, headline)
        self._fold_parts(operations, operations)
        self.tally.outcomes.update(self.labels.counted(operations.label))
        if self.batch > 1 or (headline.counts.maximum or 0) <= self._timeout_ns:
            return 0
        slow = int(np.count_nonzero(operations.end - operations.start > self._timeout_ns))
        if slow:
            self.tally.errors[TIMEOUT] += slow
        return slow

    def _fold_headline(self, operations: Columns, headline: Times) -> None:
        """Response times of an open loop, service times of a closed one."""
        headline.fold(operations.end - (operations.due if self._is_open else operations.start), self.batch)

    def _fold_parts(self, operations: Columns, sent: Columns) -> None:
        """In an open loop, what the response times are made of."""
        if self._is_open:
            self.tally.delay.fold(np.maximum(operations.start - operations.due, 0))
            self.tally.service.fold(sent.end - sent.start)

    def _of_window(self, window: Window, right: int, operations: Columns, *, succeeded: bool) -> Columns:
        """The counted population of `operations`; what overlaps the window otherwise goes into the carried sums."""
        if not len(operations):
            return operations
        tally = self.tally
        if right <= window.closes_ns and int(operations.due.min()) >= window.opens_ns:
            tally.started += len(operations) * self.batch
            return operations
        begun = (operations.start >= window.opens_ns) & (operations.start < window.closes_ns)
        tally.started += int(np.count_nonzero(begun)) * self.batch
        mask = (operations.due >= window.opens_ns) & (operations.due < window.closes_ns)
        others, kept = operations.where(~mask), operations.where(mask)
        ended = np.minimum(others.end, window.closes_ns)
        tally.carried_in_ns += int(np.maximum(ended - np.maximum(others.start, window.opens_ns), 0).sum())
        if succeeded and right <= window.closes_ns:
            tally.carried_in_count += len(others) * self.batch
        if right > window.closes_ns:
            tally.carried_out_ns += int(np.maximum(kept.end - np.maximum(kept.start, window.closes_ns), 0).sum())
        return kept
