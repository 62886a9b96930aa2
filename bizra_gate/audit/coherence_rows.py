"""The part of `coherence.summary` that looks into the rows of our own series, warm-up and drain included.

What a recorder writes of one row comes from one HDR histogram: count, sum, largest value, p50 and p99. Each leaves the
others little room, and the bins of the whole run must hold what the rows say.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from ..model import Distribution, Finding, Intervals
from ..stats.layout import DEFAULT
from .rule import invalid
from .wording import count, time

CODE = "coherence.summary"


class _Row(NamedTuple):
    """One row in values, which are operations or batches of them."""

    n: int
    total_ns: float
    maximum: int
    p50: int
    p99: int
    first: int
    """Ceil rank of p50."""
    last: int
    """Ceil rank of p99."""

    @classmethod
    def of(cls, n: int, total_ns: float, maximum: int, p50: int, p99: int) -> _Row:
        exact = 0.99 * n
        return cls(n, total_ns, maximum, p50, p99, (n + 1) // 2, math.ceil(exact - 1e-9 * max(1.0, exact)))


def of_rows(name: str, series: Intervals, batch: int, whole: Distribution | None) -> Iterator[Finding]:
    """The first row of `series` that contradicts itself, and where the rows contradict `whole`, their histogram."""
    columns = (series.total_ns, series.maximum_ns, series.p50_ns, series.p99_ns)
    if not all(columns):
        return
    rows: list[_Row] = []
    for place, (n, total, *values) in enumerate(zip(series.count, *columns, strict=True)):
        row = _Row.of(n // batch, total / batch, *values)
        wrong = _of_batches(n, batch) or _of_row(row, batch, whole)
        if wrong is not None:
            message, observed, expected = wrong
            yield invalid(CODE, f"{name}interval {place}: {message}", observed, expected)
            return
        if row.n:
            rows.append(row)
    if whole is not None:
        yield from _of_whole(name, rows, whole)


Wrong = tuple[str, str, str]
"""Message, observed, expected."""


def _of_batches(n: int, batch: int) -> Wrong | None:
    if n % batch == 0:
        return None
    return f"{count(n)} operations are no whole batches of {count(batch)}.", count(n), f"a multiple of {count(batch)}"


def _of_row(row: _Row, batch: int, whole: Distribution | None) -> Wrong | None:
    if not row.n:
        held = max(row.total_ns, row.maximum, row.p50, row.p99)
        return (f"no operation ended in it, but {time(held)} are told of one.", time(held), "0 ns") if held else None
    lows = []
    for what, value, rank in (("p50", row.p50, row.first), ("p99", row.p99, row.last), ("max", row.maximum, row.n)):
        low, high = _bin_of(value)
        lows.append(low)
        if value != row.maximum and (rank == row.n or value != high):
            allowed = time(row.maximum) if rank == row.n else f"{high:,} ns"
            message = f"{what} = {value:,} ns is neither the largest value nor the upper edge of a bin ({allowed})."
            return message, f"{what} {value:,} ns", allowed
        if whole is not None and not _occupied(whole, low, high):
            message = f"{what} = {time(value)} lies in a bin of which the histogram of the run says that it is empty."
            return message, f"{what} {time(value)}", "a value that was recorded"
    return _of_sum(row, lows, batch, whole)


_HALF_BITS = DEFAULT.half_bits


def _bin_of(value: int) -> tuple[int, int]:
    """Edges of the bin of `value`: `Layout.edges` of our own layout, whose unit is 1 ns, in fewer steps."""
    shift = max(0, value.bit_length() - 1 - _HALF_BITS)
    low = value >> shift << shift
    return low, low + (1 << shift) - 1


def _of_sum(row: _Row, lows: list[int], batch: int, whole: Distribution | None) -> Wrong | None:
    """Ranks up to p50's lie at or below it, those from there on at or above the lower edge of its bin, and so on."""
    first, last = row.first, row.last
    least = whole.minimum if whole is not None and whole.minimum is not None else 0
    below = (first - 1) * least + (last - first) * lows[0] + (row.n - last) * lows[1] + row.maximum
    above = first * row.p50 + (last - first) * row.p99 + (row.n - last) * row.maximum
    rounded = row.n / 2 if batch > 1 else 0.0  # each value is a mean that was rounded to whole ns
    if below - rounded <= row.total_ns <= above + rounded:
        return None
    message = (
        f"{count(row.n)} values with p50 = {time(row.p50)}, p99 = {time(row.p99)} and max = {time(row.maximum)} add up "
        f"to {time(below)} … {time(above)}, not to {time(row.total_ns)}."
    )
    return message, f"Σ {time(row.total_ns)}", f"{time(below)} … {time(above)}"


def _occupied(whole: Distribution, low: int, high: int) -> bool:
    place = bisect_left(whole.high, low)
    return place < len(whole.low) and whole.low[place] <= high


def _of_whole(name: str, rows: list[_Row], whole: Distribution) -> Iterator[Finding]:
    """N(≤ x) and N(≥ x) of the histogram against what the rows put there.

    A row has as many values at or below its p50, p99 and max as their ranks say, and the rest, itself included, at or
    above each.
    """
    steps = [step for row in rows for step in _steps(row)]
    steps.sort()
    low, high, cumulative, n = whole.low, whole.high, whole.cumulative, whole.n
    needed = 0
    for value, below, _ in steps:
        needed += below
        bins = bisect_right(low, value)  # that begin at or below it
        held = cumulative[bins - 1] if bins else 0
        if held < needed:
            yield _misplaced(name, value, "at or below", needed, held)
            return
    needed = 0
    for value, _, above in reversed(steps):
        needed += above
        bins = bisect_left(high, value)  # that end below it
        held = n - (cumulative[bins - 1] if bins else 0)
        if held < needed:
            yield _misplaced(name, value, "at or above", needed, held)
            return


def _steps(row: _Row) -> tuple[tuple[int, int, int], ...]:
    """(value, further values at or below it, further ones at or above it), p50 ≤ p99 ≤ max."""
    first, last = row.first, row.last
    rest = row.n - last
    return (row.p50, first, last - first), (row.p99, last - first, rest), (row.maximum, rest, 1)


def _misplaced(name: str, value: int, side: str, needed: int, held: int) -> Finding:
    return invalid(
        CODE,
        f"{name}the p50, p99 and max of the intervals put at least {count(needed)} values {side} {time(value)}, "
        f"the histogram holds {count(held)} there: the two were not made from the same operations.",
        f"{count(held)} values {side} {time(value)}",
        f"≥ {count(needed)}",
    )
