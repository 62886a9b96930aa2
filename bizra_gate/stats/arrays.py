"""Whole columns of a histogram at once, by numpy, for those who open artifacts by the dozen.

The plain loops elsewhere in this package define every result; what stands here gives the same to the last bit (sums
are taken of whole numbers, and every term is rounded where the loop rounds it) or gives way to them.
Importing numpy costs as much as a dozen artifacts, so nothing here happens before somebody asked for it by `load`.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from types import ModuleType
from typing import Any

from ..model import Distribution
from .layout import COARSE, DEFAULT, Layout

FEWEST = 64
"""Bins (or bytes) below which a plain loop is as quick."""
_LONGEST = 5
"""Bytes of a number that are read here: its 34 bits cannot overflow any sum over a whole stream."""
_SHORT = 2
"""Bytes of a number whose bits fit in 16."""
_HIGHEST = 2**61
"""Above it the sum of two edges may not fit in 63 bits."""
_EXACT = 2**51
"""Edges up to here, and sums of two of them, are numbers that a double holds."""
_SQUARED = 2**31
"""Sums of two edges below it have squares that fit in 63 bits."""
_ROUNDED = 1e-14
"""Relative, many times what two ways to take an exponential may differ by."""
_HALF = 31
_AT_ONCE = 64
"""Bins that are made numbers of Python at a time for those who may stop at the first."""

_numpy: ModuleType | None = None


class Columns:
    """`low`, `high` and `count` of a distribution as arrays of 64-bit integers: `model.distribution.Columns`."""

    def __init__(self, low: Any, high: Any, count: Any) -> None:
        self.low, self.high, self.count = low, high, count

    def column(self, name: str) -> tuple[int, ...]:
        return tuple(getattr(self, name).tolist())

    def bins(self) -> int:
        return len(self.low)

    def edges(self, index: int) -> tuple[int, int]:
        return int(self.low[index]), int(self.high[index])

    def edges_at(self, ranks: Sequence[int]) -> list[tuple[int, int]]:
        places = self.totals.searchsorted(ranks)
        return list(zip(self.low.take(places).tolist(), self.high.take(places).tolist(), strict=True))

    def same(self, other: Columns) -> bool:
        pairs = ((self.low, other.low), (self.high, other.high), (self.count, other.count))
        return all(one is two or (len(one) == len(two) and not some(one != two)) for one, two in pairs)

    def held(self, index: int) -> int:
        return int(self.count[index])

    def pairs(self) -> Iterator[tuple[int, int]]:
        for begin in range(0, len(self.low), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            yield from zip(self.low[part].tolist(), self.high[part].tolist(), strict=True)

    def cumulative(self) -> array[int]:
        return array("q", self.totals.tobytes())

    @cached_property
    def totals(self) -> Any:
        """Values up to and including each bin, as an array."""
        return self.count.cumsum()

    @cached_property
    def doubled(self) -> Any:
        """Twice the middle of each bin."""
        return self.low + self.high

    def powers(self) -> tuple[int, int]:
        """Squares are added up in two halves of their bits, since a sum of them needs more than 63.

        Bins beyond a second (and counts beyond four thousand million, if there were any) go the long way.
        """
        m, c = self.doubled, self.count
        short = int(m.searchsorted(_SQUARED)) if int(self.totals[-1]) < _SQUARED else 0
        near, held = m[:short], c[:short]
        squares = near * near
        first = int(near @ held)
        second = (int((squares >> _HALF) @ held) << _HALF) + int((squares & ((1 << _HALF) - 1)) @ held)
        for twice, count in zip(m[short:].tolist(), c[short:].tolist(), strict=True):
            first += count * twice
            second += count * twice * twice
        return first, second

    def sums(self) -> tuple[int, int] | None:
        """Σ c·low and Σ c·high; None where they might need more than 63 bits."""
        if int(self.totals[-1]).bit_length() + self.edges(-1)[1].bit_length() > 62:
            return None
        return int(self.low @ self.count), int(self.high @ self.count)

    def __reduce__(self) -> tuple[type[Columns], tuple[Any, Any, Any]]:
        return Columns, (self.low, self.high, self.count)


def load() -> None:
    """Import numpy and use it from now on, in this process and in those forked from it."""
    global _numpy
    import numpy

    _numpy = numpy


def loaded() -> ModuleType | None:
    """numpy after `load`, None before."""
    return _numpy


def some(mask: Any) -> bool:
    """`mask.any()` at a tenth of its cost; `mask` is an array of truth values, of which each is a byte, 0 or 1."""
    return 1 in mask.tobytes()


def columns_of(distribution: Distribution) -> Columns | None:
    """The columns that `distribution` was made from here; None where it came about in another way."""
    found = distribution.columns
    return found if isinstance(found, Columns) else None


def places(stream: bytes, layout: Layout) -> tuple[Any, Any, int] | None:
    """(indexes in use, their counts, index after the last) as `histogram._places` reads them from `stream`.

    None where a number is long, idle or cut off, or where an edge of `layout` might overflow: then the plain loop
    reads it, or says what is wrong with it.
    """
    np = _numpy
    if np is None or len(stream) < FEWEST or layout.highest > _HIGHEST:
        return None
    raw = np.frombuffer(stream, np.uint8)
    more = raw >= 0x80  # another byte of the same number follows
    if more[-1] or some(more[:-1] & (raw[1:] == 0)):
        return None
    longest, run = 1, more
    while some(run):
        if longest == _LONGEST:
            return None
        run = run[:-1] & more[longest:]
        longest += 1
    # nearly all counts fit in two bytes, and narrow arrays cost a quarter of wide ones
    low = (raw & 0x7F).astype(np.uint16 if longest <= _SHORT else np.int64)
    value, follows = low, more[:-1]
    for _ in range(1, longest):
        longer = low.copy()
        longer[:-1] += (value[1:] << 7) * follows
        value = longer
    begins = np.ones_like(more)
    np.logical_not(follows, out=begins[1:])
    half = value >> 1
    skipped = half * (value & 1)
    following = ((skipped + 1) * begins).cumsum(dtype=np.int64)  # at every byte, since picking out numbers costs more
    held = ((half > skipped) & begins).nonzero()[0]
    return following.take(held) - 1, half.take(held).astype(np.int64, copy=False), int(following[-1])


def distribution_of(indexes: Any, counts: Any, layout: Layout) -> Distribution:
    """The distribution with `counts` in the bins `indexes` of `layout`, as `places` gave them."""
    if layout in (DEFAULT, COARSE):
        low, high = _table(layout)
        return Distribution.in_columns(Columns(low.take(indexes), high.take(indexes), counts))
    return Distribution.in_columns(Columns(*_edges(indexes, layout), counts))


def _edges(indexes: Any, layout: Layout) -> tuple[Any, Any]:
    """Lowest and highest value of each of the bins `indexes`."""
    row = (indexes >> layout.half_bits) - 1
    row[row < 0] = 0
    shift = row + layout.unit
    low = (indexes - (row << layout.half_bits)) << shift
    return low, low | ~(-1 << shift)


@cache
def _table(layout: Layout) -> tuple[Any, Any]:
    """The edges of all bins of a layout that our own recorder writes; those of others may have millions of bins."""
    np = _numpy
    assert np is not None
    return _edges(np.arange(layout.length), layout)


def narrower(distribution: Distribution, widths: Sequence[int]) -> list[int] | None:
    """How many of the first bins hold fewer values than each of `widths`; None without columns.

    Bins that were read here get wider and wider, as those of every layout do.
    """
    columns, np = columns_of(distribution), _numpy
    if columns is None or np is None:
        return None
    found: list[int] = (columns.high - columns.low).searchsorted([width - 1 for width in widths]).tolist()
    return found


def by_middle(
    distribution: Distribution, part: slice, start: float, width: float, size: int, slack: float
) -> array[float] | None:
    """`modes._by_middle` of the bins in `part`; None without columns, or where a bin is not narrow enough for it."""
    columns, np = columns_of(distribution), _numpy
    if columns is None or np is None or columns.edges(-1)[1] > _EXACT:
        return None
    low, high = columns.low[part], columns.high[part]
    narrow = 1 + width / 4
    if some(low * narrow - high <= slack * (1 + narrow)):
        return None
    edges = 2 * np.exp(start + width * np.arange(1, size))
    for unsure in (abs(edges - np.rint(edges)) < _ROUNDED * edges).nonzero()[0].tolist():
        edges[unsure] = 2 * math.exp(start + (unsure + 1) * width)
    total = np.zeros(low.size + 1, np.int64)
    columns.count[part].cumsum(out=total[1:])
    places = np.zeros(size + 1, np.int64)
    places[1:-1], places[-1] = columns.doubled[part].searchsorted(edges), low.size
    held = total.take(places)
    return array("d", (held[1:] - held[:-1]).astype(float).tobytes())


def only_peak(counts: Sequence[float], sizes: Sequence[int], depth: float, errors: float) -> int | None:
    """Where `counts`, taken ``sizes[0]`` at a time, are highest once they are smoothed as `modes._smoothed` does it.

    None where `modes._valleys` might find something in a view of one of the `sizes`, or without numpy, or where sums
    of counts are not exact.
    """
    np = _numpy
    if np is None:
        return None
    finest = np.array(counts)
    if some(finest != np.rint(finest)):
        return None
    peak = None
    for size in sizes:
        padded = np.zeros(2 + -(-finest.size // size))
        padded[1:-1] = np.add.reduceat(finest, np.arange(0, finest.size, size)) if size > 1 else finest
        smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        lower = np.minimum(np.maximum.accumulate(smooth), np.maximum.accumulate(smooth[::-1])[::-1])
        deep = (smooth <= depth * lower) & (lower - smooth > errors * np.sqrt(0.375 * (lower + smooth)))
        if some(deep):
            return None
        if peak is None:
            peak = int(smooth.argmax())
    return peak
