"""How one operation is timed: by itself, or in batches because it is too short for the clock."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

from .books import Books
from .loops import Arguments, Call, Failed, timed
from .results import Sample, is_label

TOO_SHORT = 200
"""Quanta. In an operation of 200 quanta or more the stamps themselves are half a percent, and the harness between two
operations is about 2 % of the loop's time."""
BATCH_QUANTA = 1_000
"""A batch lasts at least this many quanta, so that its stamps are a thousandth of it."""
BUDGET_NS = 25_000_000
"""How long the operation is tried."""
BLOCK_NS = 500_000
"""How long one block of it lasts, so that some blocks are not interrupted."""
TURNS = 500
BLOCKS = 9
MOST_TURNS = 1 << 14
MOST_BLOCKS = 60


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found out before the load begins."""

    operation_ns: float
    """Rough cost of one operation, warm."""
    quantum_ns: int
    """What the timed path shows for an empty operation, the median: more than the clock's step and its cost."""
    gap_ns: float
    """What the timed path takes per turn outside the stamps."""
    bracket_ns: int
    """What bracketing a stamp pair with two more readings shows by itself."""
    labelled: bool
    """Results are short strings, to be counted as outcomes."""

    @property
    def batch(self) -> int:
        """Operations per stamp pair; 1 where each is long enough to be timed by itself."""
        if self.operation_ns <= 0 or self.operation_ns >= TOO_SHORT * self.quantum_ns:
            return 1
        return max(2, -(-BATCH_QUANTA * self.quantum_ns // max(1, int(self.operation_ns))))


class Scratch:
    """A recorder that a loop can fill and that nobody reads: what is measured with it is not a measurement."""

    def __init__(self) -> None:
        self.start_ns: array[int] = array("q")
        self.end_ns: array[int] = array("q")
        self.intended_ns: array[int] = array("q")
        self.lag_ns: array[int] = array("q")
        self.label: array[int] = array("q")
        self.batch = 1
        self.fold_at_ns = self.stop_at_ns = 2**62

    def failed(self, kind: str, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        """Not kept."""

    def outcome(self, label: str, count: int = 1) -> None:
        """Not kept."""

    def label_id(self, label: str) -> int:
        return 0

    def fold(self, now_ns: int, in_flight_ns: int, in_flight: int) -> None:
        """Nothing to fold."""

    def spans(self) -> list[int]:
        """End − start of every turn."""
        return [end - start for start, end in zip(self.start_ns, self.end_ns, strict=True)]


def calibrate(call: Call, arguments: Arguments, now_ns: Callable[[], int]) -> Calibration:
    """Call the operation a few times, and an empty one through the same path.

    An operation that fails is timed by itself, so that its error has a time of its own.
    """
    operation_ns, result, labelled = _cost(call, arguments, now_ns)
    quantum, gap = _path_cost(result if labelled else None, now_ns)
    return Calibration(operation_ns, quantum, gap, _bracket_cost(now_ns), labelled)


def _cost(call: Call, arguments: Arguments, now_ns: Callable[[], int]) -> tuple[float, Any, bool]:
    """(least ns per operation over blocks, a label that it returned, whether it returns labels); 0 ns where it failed.

    The least, because whatever else the machine does only adds; a batch that is too long for it does no harm.
    """
    begun, turns, label = now_ns(), 1, None
    least = float("inf")
    for _ in range(MOST_BLOCKS):
        drawn = list(islice(arguments, turns))
        start = now_ns()
        try:
            results = [call(*items) for items in drawn]
        except Failed:
            return 0.0, None, False
        end = now_ns()
        label = next(filter(is_label, results), label)
        least = min(least, (end - start) / turns)
        if end - begun >= BUDGET_NS:
            break
        if end - start < BLOCK_NS and turns < MOST_TURNS:
            turns *= 2
    return least, label, label is not None


def _path_cost(result: Any, now_ns: Callable[[], int]) -> tuple[int, float]:
    """(median time that an empty operation shows, ns per turn outside the stamps); medians over blocks."""

    def empty() -> Any:
        return result

    shown, gaps = [], []
    for _ in range(BLOCKS):
        scratch = Scratch()
        books = Books(scratch, now_ns, Sample(None))
        begun = now_ns()
        timed(empty, repeat((), TURNS), books, now_ns)
        wall = now_ns() - begun
        spans = scratch.spans()
        gaps.append((wall - sum(spans)) / TURNS)
        shown += spans
    return int(_median(shown)), max(0.0, _median(gaps))


def _bracket_cost(now_ns: Callable[[], int]) -> int:
    """Outer span less inner span of four readings in a row."""
    found = []
    for _ in range(TURNS):
        before = now_ns()
        start = now_ns()
        end = now_ns()
        after = now_ns()
        found.append((after - before) - (end - start))
    return int(_median(found))


def _median(values: list[Any]) -> Any:
    return sorted(values)[len(values) // 2]
