"""The per-interval series of a run, merged over its workers as their intervals arrive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..model import Intervals
from ..stats.fold import HdrCounts
from .messages import Interval
from .window import Window


@dataclass
class Point:
    """One interval over all workers. Once the percentiles are taken, of the histogram only what is occupied is kept:
    a thread may record late what ended in it."""

    start_ns: int
    count: int = 0
    errors: int = 0
    total_ns: int = 0
    maximum_ns: int = 0
    in_flight_ns: int = 0
    in_flight: int = 0
    p50_ns: int = 0
    p99_ns: int = 0
    timeouts: int = 0
    """Of `count`; they are among the `errors`, too."""
    times: HdrCounts | None = field(default_factory=HdrCounts)
    _kept: tuple[NDArray[np.uint16], NDArray[np.int64]] | None = None
    """Indexes and counts of the bins that are occupied."""

    def add(self, part: Interval) -> None:
        self.count += part.count
        self.errors += part.errors
        self.timeouts += part.timeouts
        self.total_ns += part.total_ns
        self.maximum_ns = max(self.maximum_ns, part.maximum_ns)
        self.in_flight_ns += part.in_flight_ns
        self.in_flight += part.in_flight
        if self.times is not None:
            part.add_to(self.times)
        elif part.count:
            self.times = self._reopened()
            part.add_to(self.times)
            self.finish()

    def finish(self) -> None:
        """Take the percentiles and let the empty bins go."""
        if self.times is not None and self.times.n:
            distribution = self.times.distribution()
            self.p50_ns = distribution.quantile(0.50) or 0
            self.p99_ns = distribution.quantile(0.99) or 0
            used = np.flatnonzero(self.times.counts)
            self._kept = used.astype(np.uint16), self.times.counts[used]
        self.times = None

    def _reopened(self) -> HdrCounts:
        """The counts as they were when the percentiles were taken."""
        times = HdrCounts()
        if self._kept is not None:
            used, counts = self._kept
            times.counts[used] = counts
            times.n, times.maximum = int(counts.sum()), self.maximum_ns
        return times


class Series:
    """Points by the clock reading of their left edge; a point is finished when every worker has passed it."""

    def __init__(self, workers: int) -> None:
        self._points: dict[int, Point] = {}
        self._reached: list[int | None] = [None] * workers
        self._unfinished: list[int] = []
        self.kinds: list[dict[str, int]] = [{} for _ in range(workers)]

    def add(self, worker: int, part: Interval) -> list[Point]:
        """Take one interval of `worker` in; returns the points that are finished by it, in order."""
        self.kinds[worker] = dict(part.kinds)
        point = self._points.get(part.start_ns)
        if point is None:
            point = self._points[part.start_ns] = Point(part.start_ns)
            self._unfinished.append(part.start_ns)
        point.add(part)
        self._reached[worker] = max(self._reached[worker] or part.start_ns, part.start_ns)
        return self._finish()

    def _finish(self) -> list[Point]:
        reached = [start for start in self._reached if start is not None]
        if len(reached) < len(self._reached):
            return []
        done = sorted(start for start in self._unfinished if start <= min(reached))
        self._unfinished = [start for start in self._unfinished if start > min(reached)]
        for start in done:
            self._points[start].finish()
        return [self._points[start] for start in done]

    def close(self) -> None:
        """No worker has more to say: finish what only some of them had (their drains differ in length)."""
        for start in self._unfinished:
            self._points[start].finish()
        self._unfinished = []

    def warmup(self, window: Window) -> list[Point]:
        return [self._points[start] for start in sorted(self._points) if start < window.opens_ns]

    def counted(self, window: Window) -> list[Point]:
        """The counted window, then the drain up to the last interval in which anything ended."""
        points = [self._points[start] for start in sorted(self._points) if start >= window.opens_ns]
        while points and points[-1].start_ns >= window.closes_ns and not (points[-1].count or points[-1].errors):
            points.pop()
        return points


def intervals(points: Iterable[Point], length_ns: int, zero_ns: int) -> Intervals:
    """`points` as columns with offsets from `zero_ns`."""
    rows = list(points)
    return Intervals(
        length_ns=length_ns,
        start_ns=tuple(p.start_ns - zero_ns for p in rows),
        count=tuple(p.count for p in rows),
        errors=tuple(p.errors for p in rows),
        total_ns=tuple(p.total_ns for p in rows),
        maximum_ns=tuple(p.maximum_ns for p in rows),
        p50_ns=tuple(p.p50_ns for p in rows),
        p99_ns=tuple(p.p99_ns for p in rows),
        in_flight_ns=tuple(p.in_flight_ns for p in rows),
    )
