"""The grid of a run: warm-up, counted window and drain, cut into intervals of one length.

The counted window ``[opens, closes)`` is tiled by intervals from `opens_ns`; the grid goes on to both sides of it, so
that moving the start of the window by whole intervals (a warm-up that ends when the series is steady) moves no edge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Phase = Literal["warm-up", "measured", "drain"]

_NICE_NS = tuple(m * 10**e for e in (8, 7, 6) for m in (10, 5, 2, 1))
"""1 s, 500 ms, 200 ms, … 1 ms."""
FEWEST = 20
"""Batch means need at least 20 intervals, so a window shorter than 20 s has intervals shorter than a second."""


def interval_length_ns(duration_ns: int) -> int:
    """One second where `duration_ns` holds 20 or more of them; else the longest round length that gives 20 intervals.

    A duration that no round length divides gets 20 intervals, of which the last takes the few ns that remain.
    """
    for length in _NICE_NS:
        if duration_ns % length == 0 and duration_ns // length >= FEWEST:
            return length
    return max(1, duration_ns // max(FEWEST, duration_ns // 1_000_000_000))


@dataclass(frozen=True, slots=True)
class Window:
    """Absolute clock readings, ns. ``origin ≤ opens < closes``."""

    origin_ns: int
    opens_ns: int
    closes_ns: int
    length_ns: int

    @classmethod
    def after(cls, origin_ns: int, warmup_ns: int, duration_ns: int) -> Window:
        """The window of `duration_ns` that opens `warmup_ns` after `origin_ns`."""
        opens = origin_ns + warmup_ns
        return cls(origin_ns, opens, opens + duration_ns, interval_length_ns(duration_ns))

    def opening_at(self, opens_ns: int) -> Window:
        """The same duration, opening at another edge of the grid."""
        return replace(self, opens_ns=opens_ns, closes_ns=opens_ns + self.closes_ns - self.opens_ns)

    @property
    def intervals(self) -> int:
        """Intervals in the counted window; the last one takes what the length does not divide."""
        return max(1, (self.closes_ns - self.opens_ns) // self.length_ns)

    def index(self, now_ns: int) -> int:
        """Number of the interval that holds `now_ns`: 0 is the first counted one, negative is warm-up."""
        if now_ns < self.opens_ns:
            return (now_ns - self.opens_ns) // self.length_ns
        if now_ns < self.closes_ns:
            return min((now_ns - self.opens_ns) // self.length_ns, self.intervals - 1)
        return self.intervals + (now_ns - self.closes_ns) // self.length_ns

    def edge(self, index: int) -> int:
        """Left edge of interval `index`; the first one of the warm-up may be cut short by the origin."""
        if index < self.intervals:
            return max(self.origin_ns, self.opens_ns + index * self.length_ns)
        return self.closes_ns + (index - self.intervals) * self.length_ns

    def next_edge(self, now_ns: int) -> int:
        """First edge after `now_ns`."""
        return self.edge(self.index(now_ns) + 1)

    def phase(self, now_ns: int) -> Phase:
        if now_ns < self.opens_ns:
            return "warm-up"
        return "measured" if now_ns < self.closes_ns else "drain"

    def earliest_opening(self, not_before_ns: int) -> int:
        """First edge at or after `not_before_ns` at which the window may open."""
        return self.next_edge(not_before_ns - 1)
