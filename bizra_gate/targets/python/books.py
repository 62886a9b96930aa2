"""The books of a loop in one thread: the number in flight, the occasional look at a result, and the folds."""

from __future__ import annotations

from collections.abc import Callable

from ...model import Recorder
from .results import Labels, Sample
from .scheduling import Queueing

LOOK_EVERY_NS = 20_000_000
"""How often a result is sampled: 50 a second, outside every stamp."""
EXAMPLE_LENGTH = 300


class Failure(Exception):
    """An operation's end in an error whose class has a name of its own (``exit 1``)."""

    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(message)
        self.kind = kind


def kind_of(error: BaseException) -> str:
    """The class under which an error is counted."""
    return error.kind if isinstance(error, Failure) else type(error).__name__


class Books:
    """Keeps the integral of the number in flight of a loop that has one operation in flight at most.

    What is independent about it: the loop's own wall time, from readings of the clock that no latency uses. A timed
    loop is in flight except for what the harness itself takes, ``gap_ns`` a turn, measured beforehand on an empty
    operation: ``area = Σ stretches − turns · gap``, the gap drawn out as the thread's own time was wherever other
    programs made it queue for a core. A loop that can afford it (batches, paced loops) brackets every
    turn with two readings of its own instead, and takes off what bracketing nothing shows (``bracket_ns``). Lost
    samples, wrong batch sizes, rounding and clocks that jump show as a difference; an error of the same size in the
    stamps and in what was measured beforehand would not.
    """

    def __init__(
        self,
        recorder: Recorder,
        now_ns: Callable[[], int],
        sample: Sample,
        gap_ns: float = 0.0,
        bracket_ns: int = 0,
        queueing: Queueing | None = None,
    ) -> None:
        self.recorder = recorder
        self.sample = sample
        self.labels = Labels(recorder)
        self.examples: dict[str, str] = {}
        """One message per class of error."""
        self._now_ns = now_ns
        self._gap_ns = gap_ns
        self._bracket_ns = bracket_ns
        self._start = recorder.start_ns
        self._queueing = queueing
        self._area_ns = 0
        self._marked = 0
        self._begun_ns = 0
        self._labelled = False

    def begin(self) -> int:
        """A stretch begins. Returns the time of the first tick."""
        self._marked = len(self._start)
        self._begun_ns = self._now_ns()
        return self._next_tick(self._begun_ns)

    def label(self, result: object) -> None:
        self._labelled = True
        self.labels.add(result)

    def failed(self, error: BaseException, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        kind = kind_of(error)
        self.recorder.failed(kind, start_ns, end_ns, intended_ns)
        if kind not in self.examples:
            self.examples[kind] = str(error)[:EXAMPLE_LENGTH]

    def pause(self, from_ns: int) -> None:
        """In a timed loop: nothing was in flight from `from_ns` until now."""
        self._area_ns -= self._now_ns() - from_ns

    def tick(self, start_ns: int, end_ns: int, result: object = None, *, succeeded: bool = True) -> int:
        """A timed loop's stop on the way, right after the operation from `start_ns` to `end_ns`."""
        turns = len(self._start) - self._marked
        gaps_ns = turns * self._gap_ns * (self._queueing.factor() if self._queueing else 1)
        self._area_ns += self._now_ns() - self._begun_ns - round(gaps_ns)
        return self._pause(start_ns, end_ns, result, succeeded)

    def busy(self, from_ns: int, to_ns: int) -> None:
        """A bracketed turn: one operation or batch was in flight between these readings."""
        self._area_ns += max(0, to_ns - from_ns - self._bracket_ns)

    def bracketed_tick(self, start_ns: int, end_ns: int, result: object = None, *, succeeded: bool = True) -> int:
        """As `tick`, where every turn was told by `busy`."""
        return self._pause(start_ns, end_ns, result, succeeded)

    def idle_fold(self, now_ns: int) -> int:
        """Fold while nothing is in flight."""
        self.settle()
        self.recorder.fold(now_ns, self._area_ns, 0)
        return self._next_tick(now_ns)

    def end(self, now_ns: int) -> None:
        """The loop is over."""
        self.idle_fold(now_ns)
        if self._queueing:
            self._queueing.close()

    def _pause(self, start_ns: int, end_ns: int, result: object, succeeded: bool) -> int:
        if succeeded:
            self.sample.look(result)
        if end_ns >= self.recorder.fold_at_ns:
            self._fold(start_ns, end_ns)
        return self.begin()

    def _fold(self, start_ns: int, end_ns: int) -> None:
        """At the end of an operation: an edge may have passed before it started, others while it ran."""
        recorder = self.recorder
        self.settle()
        if start_ns >= recorder.fold_at_ns:
            recorder.fold(start_ns, self._area_ns - (end_ns - start_ns), 0)
        if end_ns >= recorder.fold_at_ns:
            recorder.fold(end_ns, self._area_ns - (end_ns - recorder.fold_at_ns), 1)

    def settle(self) -> None:
        """Make the column of labels as long as the others, where there are labels."""
        if self._labelled:
            self.labels.settle()

    def _next_tick(self, now_ns: int) -> int:
        return min(self.recorder.fold_at_ns, self.recorder.stop_at_ns, now_ns + LOOK_EVERY_NS)
