"""When a warm-up ends: as asked, or when the series is steady, or at its stated limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..model import Warmup
from .series import Point
from .window import Window

Until = Literal["asked", "steady", "limit"]
FEWEST = 10
"""Intervals that a judgement of steadiness looks at, at least."""
MARGIN = 2
"""Whole intervals between the decision and the opening, so that every worker hears of it in time."""


def longest_ns(warmup: Warmup, length_ns: int) -> int:
    """The warm-up that the window is laid out with: the limit of an adaptive one, on the grid of `at_least_ns`."""
    if not warmup.until_steady or warmup.at_most_ns is None:
        return warmup.at_least_ns
    spare = max(0, warmup.at_most_ns - warmup.at_least_ns)
    return warmup.at_least_ns + spare // length_ns * length_ns


class Opening:
    """Decides where the counted window opens, once."""

    def __init__(self, warmup: Warmup, window: Window) -> None:
        self._warmup = warmup
        self._window = window
        adaptive = warmup.until_steady and window.opens_ns > window.origin_ns + warmup.at_least_ns
        self.until: Until = "limit" if warmup.until_steady else "asked"
        self._decided = not adaptive

    def opens_at(self, points: Sequence[Point], now_ns: int) -> int | None:
        """The clock reading at which the window shall open, or None while nothing (new) is decided.

        Looked at: the latter half of the warm-up, on throughput and on mean latency.
        """
        if self._decided or now_ns < self._window.origin_ns + self._warmup.at_least_ns:
            return None
        latest = points[-max(FEWEST, len(points) // 2) :]
        if len(latest) < FEWEST or not is_steady(latest):
            return None
        opens = self._window.earliest_opening(now_ns + MARGIN * self._window.length_ns)
        self._decided = True
        if opens >= self._window.opens_ns:
            return None
        self.until = "steady"
        return opens


def is_steady(points: Sequence[Point]) -> bool:
    """Neither throughput nor mean latency drifts or changes over `points`."""
    from ..stats.steady import steady_state

    counts = [float(point.count) for point in points]
    means = [point.total_ns / point.count for point in points if point.count]
    return all(steady_state(series).verdict == "steady" for series in (counts, means))
