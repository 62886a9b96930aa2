"""Folding arrays of values into HDR histogram counts, a few nanoseconds a value.

The layout is HdrHistogram's with lowest 1 ns, highest 1 h and three significant digits: 2,048 counts of width one,
then 1,024 per power of two. Because 1,024 is 2¹⁰, the exponent and the first ten bits of the mantissa of a float64
*are* the index: ``bits >> 42`` less a constant. Integers below 2⁵³ are exact in a float64, so nothing is rounded.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from ..model import Distribution
from .layout import DEFAULT

HIGHEST_NS = DEFAULT.highest
LENGTH = DEFAULT.index(HIGHEST_NS) + 1
_HALF = 1 << DEFAULT.half_bits
_MANTISSA_SHIFT = 52 - DEFAULT.half_bits
_BIAS = (1023 + DEFAULT.half_bits - 1) * _HALF
"""Index of value v ≥ 1,024 is ``(bits(float64(v)) >> 42) − _BIAS``: 1,024 → 1,024, 2,048 → 2,048, 2,050 → 2,049."""
_CHUNK = 1 << 15
"""Values folded at a time: their temporaries stay in the second-level cache, and their sum (at most 2¹⁵ hours) far
below 2⁶³."""

Values = NDArray[np.int64]


def indexes(values: Values) -> Values:
    """Index of the count of each value, 0 ≤ value ≤ 1 h."""
    found = values.astype(np.float64).view(np.int64)
    found >>= _MANTISSA_SHIFT
    found -= _BIAS
    # Below 1,024 the index is the value, and what stands in `found` is no more than it; from there on it is as much.
    np.maximum(found, np.minimum(values, _HALF), out=found)
    return found


def _column(values: Values | array[int]) -> Values:
    if isinstance(values, array):
        if values.typecode != "q":
            raise TypeError(f"values must be 64-bit integers (array typecode 'q'), got {values.typecode!r}")
        return np.frombuffer(values, dtype=np.int64) if len(values) else np.zeros(0, dtype=np.int64)
    if values.dtype != np.int64:
        raise TypeError(f"values must be int64, got {values.dtype}")
    return values


class HdrCounts:
    """Counts by HDR index with exact minimum, maximum and sum beside them; grows with nothing that is recorded."""

    def __init__(self) -> None:
        self.counts: Values = np.zeros(LENGTH, dtype=np.int64)
        self.n = 0
        self.minimum: int | None = None
        self.maximum: int | None = None
        self.total_ns = 0
        self.dropped = 0
        """Values above one hour, which the layout cannot hold; counted here and nowhere else."""

    def add(self, values: Values | array[int]) -> None:
        """Fold int64 `values` (ns) in: an array of numpy, or an ``array('q')``, which is read in place.

        Raises ValueError on a value below zero (a clock went backwards) and TypeError on any other element type;
        nothing is folded in then.
        """
        column = _column(values)
        if column.size and int(column.min()) < 0:
            raise ValueError(f"a duration of {int(column.min())} ns: a clock that runs backwards cannot be folded")
        for start in range(0, column.size, _CHUNK):
            self._add_chunk(column[start : start + _CHUNK])

    def _add_chunk(self, values: Values) -> None:
        highest = int(values.max())
        if highest > HIGHEST_NS:
            kept = values[values <= HIGHEST_NS]
            self.dropped += values.size - kept.size
            if not kept.size:
                return
            values, highest = kept, int(kept.max())
        found = np.bincount(indexes(values))
        self.counts[: found.size] += found
        self._widen(values.size, int(values.min()), highest, int(values.sum()))

    def merge(self, other: HdrCounts) -> None:
        """Add the counts of `other`, exactly."""
        self.dropped += other.dropped
        if other.minimum is None or other.maximum is None:
            return
        self.counts += other.counts
        self._widen(other.n, other.minimum, other.maximum, other.total_ns)

    def _widen(self, n: int, minimum: int, maximum: int, total_ns: int) -> None:
        self.minimum = minimum if self.minimum is None else min(self.minimum, minimum)
        self.maximum = maximum if self.maximum is None else max(self.maximum, maximum)
        self.n += n
        self.total_ns += total_ns

    def distribution(self) -> Distribution:
        """The counts as the noun that everybody else reads."""
        used = np.flatnonzero(self.counts)
        shift = np.maximum(used // _HALF - 1, 0)
        low = np.where(used < _HALF, used, (used % _HALF + _HALF) << shift)
        high = low + (np.int64(1) << shift) - 1
        counts = self.counts[used]
        return Distribution(
            tuple(low.tolist()), tuple(high.tolist()), tuple(counts.tolist()), self.minimum, self.maximum, self.total_ns
        )
