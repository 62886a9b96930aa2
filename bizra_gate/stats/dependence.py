"""How many independent values a latency distribution is worth, from the time series beside it.

The uncertainty of a quantile is that of the share of values above it. Each interval gives such a share: its own p50
and p99 fix a log-normal, which says how much of the interval lay above the threshold. If these shares vary from
interval to interval by more than independent values would, or hang together over time, n is worth less. Against the
true shares of simulated series (log-normal, exponential, Pareto, bimodal, GC pauses, wandering levels, stalls, AR(1))
the estimate is within a factor of about two for p50 to p99.9, mostly on the careful side.

A stall of a second in two minutes then leaves p50 sharp and p99 open: the tail is one event, however many operations
stood in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from operator import mul, sub, truediv

from ..model import Distribution, Intervals
from .recent import Recent
from .series import effective_n_of

_Z99 = 2.3263478740408408
_WIDTH = _Z99 / math.sqrt(2)
"""Between p50 and p99 of a log-normal, in σ√2."""
_STEP = 1e12
"""1/σ√2 where there is no spread, and how far above its value in σ√2 such a step is."""
_ABOVE = 10.0
_DEEPEST = 0.999
"""Further out two percentiles of a row cannot be stretched; a higher quantile is worth as much as p99.9."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a series that show the steady flow: whole intervals of the counted window that held operations."""

    count: tuple[float, ...]
    mean_ns: tuple[float, ...]
    p50_ns: tuple[int, ...]
    p99_ns: tuple[int, ...]


def rows_of(intervals: Intervals, window_ns: float | None, residence_ns: float | None = None) -> Rows:
    """Rows of `intervals` without drain, without a last part, without the first rows that hold only quick operations.

    Operations are counted by start and listed by end, so for about three residences after the window opens the slow
    ones are still missing. At most a fifth of the rows is left out for that.
    """
    held, rows = intervals.count, full_rows(intervals, window_ns, residence_ns)
    whole = min(held[rows.start : rows.stop], default=1) > 0
    keep = rows if whole else [i for i in rows if held[i] > 0]
    count = tuple(map(float, _taken(held, keep)))
    total = _taken(intervals.total_ns, keep)
    means = tuple(map(truediv, total, count))
    return Rows(count, means, _taken(intervals.p50_ns, keep), _taken(intervals.p99_ns, keep))


def full_rows(intervals: Intervals, window_ns: float | None, residence_ns: float | None = None) -> range:
    """Indexes of the whole intervals of the counted window after the flow has filled."""
    length = intervals.length_ns
    begin, rows = _rows_within(intervals, window_ns)
    if residence_ns is not None and residence_ns > length / 100:
        return range(begin + min(math.ceil(3 * residence_ns / length), rows // 5), rows)
    return range(begin, rows)


_recent = Recent[tuple[int, int]]()
"""Rates, latencies and several rules of the audit ask for the rows of the very same series, one after the other."""


def _rows_within(intervals: Intervals, window_ns: float | None) -> tuple[int, int]:
    """(rows that begin before the window, rows that end with it)."""
    return _recent.answer((intervals,), window_ns, lambda: _counted_within(intervals, window_ns))


def _counted_within(intervals: Intervals, window_ns: float | None) -> tuple[int, int]:
    starts, length = intervals.start_ns, intervals.length_ns
    rows, latest = len(starts), math.inf if window_ns is None else window_ns + length * 1e-6 - length
    if starts and max(starts) > latest:
        rows = len([start for start in starts if start <= latest])
    begin = len([start for start in starts if start < 0]) if starts and min(starts) < 0 else 0
    return begin, rows


def _taken(column: tuple[int, ...], keep: range | list[int]) -> tuple[int, ...]:
    if isinstance(keep, range):
        return column[keep.start : keep.stop]
    return tuple([column[i] for i in keep]) if column else ()


class Dependence:
    """Effective n of one process as a share of its n, for the mean and for quantiles.

    `rows` and `histogram` (not empty) show the same latency. Other latencies of the same operations have no series
    of their own; they are taken to hang together as much as this one does at the same quantile.
    """

    def __init__(self, rows: Rows, histogram: Distribution) -> None:
        self.rows = rows
        self._histogram = histogram
        self._total = sum(rows.count)
        self._shares: dict[float, float] = {}

    @cached_property
    def for_mean(self) -> float:
        """Share for the mean, 0 < share ≤ 1."""
        if not self.rows.mean_ns:
            return 1.0
        return effective_n_of(self._histogram.variance or 0.0, self.rows.mean_ns, self.rows.count) / self._total

    def for_quantile(self, q: float) -> float:
        """Share for quantile `q`; that of the mean where the series has no p50 and p99."""
        if not self.rows.p50_ns or not self.rows.p99_ns:
            return self.for_mean
        q = min(q, _DEEPEST)
        if q not in self._shares:
            self._shares[q] = self._of_exceedance(q)
        return self._shares[q]

    def _of_exceedance(self, q: float) -> float:
        """From the spread of the rows' shares above the quantile, relative to their mean, known to be 1 − q."""
        counts, total = self.rows.count, self._total
        above = _twice_above(self._log_normals, math.log(max(self._histogram.quantile(q) or 0, 0.5)))
        weighted = tuple(map(mul, above, counts))
        mean = sum(weighted) / total
        return effective_n_of(mean * mean * q / (1 - q), above, counts, weighted) / total if mean > 0 else 1.0

    @cached_property
    def _log_normals(self) -> tuple[Sequence[float], Sequence[float]]:
        """1/σ√2 and μ/σ√2 of the logarithm, for the log-normal with each row's p50 and p99.

        Whatever lies on one value is a step just above it.
        """
        centres, tails = _logarithms(self.rows.p50_ns), _logarithms(self.rows.p99_ns)
        scales = [_WIDTH / (tail - centre) if tail > centre else _STEP
                  for centre, tail in zip(centres, tails, strict=True)]  # fmt: skip
        places = [
            centre * scale if scale != _STEP else centre * scale - _ABOVE
            for centre, scale in zip(centres, scales, strict=True)
        ]
        return scales, places


def _logarithms(values: Sequence[int]) -> list[float]:
    return list(map(math.log, values if min(values) > 0 else [max(value, 0.5) for value in values]))


def _twice_above(log_normals: tuple[Sequence[float], Sequence[float]], logarithm: float) -> tuple[float, ...]:
    """Twice the share of each of `Dependence._log_normals` that lies above the threshold."""
    scales, places = log_normals
    return tuple(map(math.erfc, map(sub, map(mul, repeat(logarithm), scales), places)))
