"""Whether the rows of a series fit each other and their histogram, all rows at once by numpy.

`coherence_rows` defines what fits, row by row, and says what does not. What stands here only saves it the trouble: it
answers yes where every row certainly passes, and no as soon as one does not, or might not. A row costs next to nothing
here and a call of numpy as much as a hundred rows do, so the calls are few.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any

from ..model import Distribution, Intervals
from ..stats import arrays
from ..stats.layout import DEFAULT

_HIGHEST = 2**53
"""Above it a double, which finds the bins here, does not hold every whole number."""
_MOST = 10**7
"""Values of a row up to which the ceil rank of p99 is n − ⌊n/100⌋: beyond, a slack of 1e-9 may be a whole rank."""
_SMALLEST, _LARGEST = -290, 300
"""Powers of ten whose numbers are looked at; what is smaller than the first has to be equal."""
_HAIR = 1e-12
_CUT = 52 - DEFAULT.half_bits
"""Bits of the fraction of a double that a bin does not tell apart."""


def fit(window: Intervals | None, batch: int, whole: Distribution | None, warmup: Intervals | None = None) -> bool:
    """True where `coherence_rows.of_rows` would find nothing in either series; False where it has to look.

    `whole` is the histogram of the window. Without numpy the answer is always False.
    """
    np = arrays.loaded()
    held = arrays.columns_of(whole) if whole is not None else None
    if np is None or (whole is not None and held is None):
        return False
    rows = _rows(np, [series for series in (window, warmup) if series is not None])
    if rows is None:
        return False
    if batch > 1:
        if arrays.some(rows[0] % batch != 0):
            return False
        rows[0] //= batch
    ours = len(window.count) if window is not None else 0
    empty = rows[0] == 0
    if arrays.some(empty):
        if arrays.some(rows[1:, empty] != 0):
            return False
        ours -= int(empty[:ours].sum())
        rows = rows[:, ~empty]
        if not rows.size:
            return True
    values = rows[2:]
    ranks = _ranks(np, rows[0])
    low, high = _bins(np, values)
    edges = (values[:2] == high[:2]) & (ranks[1:] > 0)
    if arrays.some((values[:2] != values[2]) > edges):
        return False
    floors = np.zeros_like(ranks)
    floors[1:] = low[:2]
    if whole is not None and whole.minimum is not None:
        floors[0, :ours] = whole.minimum
    if not _sums_fit(np, rows, ranks, floors, batch):
        return False
    return held is None or not ours or _placed(np, held, values[:, :ours], ranks[:, :ours])


def _rows(np: ModuleType, parts: Sequence[Intervals]) -> Any:
    """Count, sum, p50, p99 and maximum of each row of all `parts`; None where a count times a value might overflow."""
    columns: list[tuple[int, ...]] = []
    for name in ("count", "total_ns", "p50_ns", "p99_ns", "maximum_ns"):
        for part in parts:
            column = getattr(part, name)
            if len(column) != len(part.count):
                return None
            columns.append(column)
    size = sum(len(part.count) for part in parts)
    if not size:
        return None
    try:
        packed = struct.pack(f"{5 * size}q", *chain.from_iterable(columns))
    except struct.error:
        return None
    rows = np.array(np.frombuffer(packed, np.int64)).reshape(5, size)
    most, *highest = np.maximum.reduce(rows.view(np.uint64), axis=1).tolist()  # below zero is beyond every limit
    if max(highest) >= _HIGHEST or most > _MOST or max(highest[1:]).bit_length() + most.bit_length() > 60:
        return None
    return rows


def _ranks(np: ModuleType, n: Any) -> Any:
    """How many values of each row lie up to p50, from there up to p99, and beyond: `coherence_rows._Row.of`."""
    ranks = np.empty((3, n.size), np.int64)
    first, between, beyond = ranks
    np.right_shift(n + 1, 1, out=first)
    np.floor_divide(n, 100, out=beyond)
    np.subtract(n - beyond, first, out=between)
    return ranks


def _bins(np: ModuleType, values: Any) -> tuple[Any, Any]:
    """Edges of the bin of each value: `coherence_rows._bin_of`.

    A bin holds the doubles that begin with the same bits; where it is one value wide, the next bin begins within a
    whole number of it.
    """
    begins = values.astype(float).view(np.int64) >> _CUT
    low = (begins << _CUT).view(float)
    high = ((begins + 1) << _CUT).view(float) - 1
    return low.astype(np.int64), np.maximum(low, high)


def _sums_fit(np: ModuleType, rows: Any, ranks: Any, floors: Any, batch: int) -> bool:
    """`coherence_rows._of_sum` of every row; `floors` are the least that the values of each of `ranks` can be."""
    values = rows[2:]
    below = np.add.reduce(ranks * floors) + (values[2] - floors[0])
    above = np.add.reduce(ranks * values)
    if batch == 1:
        return not arrays.some((below > rows[1]) | (rows[1] > above))
    total, rounded = rows[1] / batch, rows[0] / 2
    return not arrays.some((below - rounded > total) | (total > above + rounded))


def _placed(np: ModuleType, held: arrays.Columns, values: Any, ranks: Any) -> bool:
    """`coherence_rows._occupied` and `_of_whole`: N(≤ x) and N(≥ x) of the histogram against what the rows put there.

    Each value has to lie in a bin of the histogram itself: those of our recorder do.
    """
    above = np.ones_like(ranks)
    above[:-1] = ranks[1:]
    values = values.ravel()
    order = values.argsort()
    values = values.take(order)
    place = held.low.searchsorted(values, "right") - 1
    if place[0] < 0 or arrays.some(held.high.take(place) < values):
        return False
    up_to = held.totals.take(place)
    if arrays.some(up_to < ranks.take(order).cumsum()):
        return False
    beyond = held.totals[-1] - up_to + held.count.take(place)
    return not arrays.some(beyond[::-1] < above.take(order)[::-1].cumsum())


def alike(stated: Sequence[float], derived: Sequence[float], digits: int) -> bool:
    """True where all numbers are certainly equal to half a unit of the significant digit; False without numpy.

    `coherence_summary._same` takes that unit from a logarithm. Here it is looked up, and the one below it is taken
    within a hair of a power of ten, where a logarithm may be rounded either way.
    """
    np = arrays.loaded()
    if np is None:
        return False
    powers, halves = _units(np, digits)
    form = f"{len(stated)}d"  # of lists numpy makes arrays at three times the cost
    numbers, others = np.frombuffer(struct.pack(form, *stated)), np.frombuffer(struct.pack(form, *derived))
    apart = abs(numbers - others)
    return not arrays.some(~(apart <= halves.take(powers.searchsorted(abs(numbers)))))


@cache
def _units(np: ModuleType, digits: int) -> tuple[Any, Any]:
    """Powers of ten, and half a unit of the significant digit of the numbers below each of them and beyond the last.

    A little more than half, because a tie may be rounded: half of what `coherence_summary._same` allows for that.
    """
    exponents = range(_SMALLEST, _LARGEST + 1)
    powers = np.array([float(f"1e{exponent}") for exponent in exponents]) * (1 + _HAIR)
    halves = [0.0, *(float(f"1e{exponent - digits + 1}") * 0.50005 for exponent in exponents)]
    return powers, np.array(halves)
