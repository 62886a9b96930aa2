"""Several modes in one distribution: an average over them describes nobody.

The counts are spread over bins of equal relative width (Freedman and Diaconis on logarithms) and looked over for
valleys. Two peaks are two modes where the lowest point between them is at most half as high as the lower of them, by
more than chance would have it, each side holds at least 5 % of all values, and 1.25 % of all would have to move before
one hill were left. The last one is what a comb fails: a timer's tick cuts deep notches into a single hill, but a single
tooth of many holds next to nothing that is not in the hill.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add

from ..model import Distribution
from . import arrays

DEPTH = 0.5
"""A valley is at most this high, relative to the lower of its two peaks."""
LEAST_MASS = 0.05
LEAST_MOVED = 0.0125
"""Share of all values that one hill too many consists of: a quarter of the least mass, since half a valley stays."""
FEWEST = 50
"""Values below which a shape cannot be told."""
_Z = 4.0
"""Standard errors by which a valley must lie below its peak: dozens of places are looked at."""
_MOST_BINS = 400
_FINEST = 0.005
"""Narrowest bin: five times that of a histogram with three digits, whose own bins must not show as valleys."""
_RESOLUTIONS = (1.0, 0.5, 0.25, 0.125)
_LEVELS = 8
"""Heights between valley and peak at which the mass above is measured, less one."""
_LOG2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Mode:
    """A peak at `location_ns` with the share `mass` of all values between the valleys beside it."""

    location_ns: float
    mass: float


@dataclass(frozen=True, slots=True)
class _Bins:
    """Counts in bins of equal width on the logarithm; what lies beyond the central 98 % is left out."""

    start: float
    width: float
    count: Sequence[float]

    def middle_ns(self, index: int, size: int = 1) -> float:
        """The middle of the bin at `index`, of those that are `size` of these bins wide."""
        return math.exp(self.start + (index + 0.5) * (self.width * size))

    def grouped(self, size: int) -> _Bins:
        """`size` bins at a time."""
        if size == 1:
            return self
        padded = [*self.count, *[0.0] * (-len(self.count) % size)]
        counts = padded[::size]
        for place in range(1, size):
            counts = list(map(add, counts, padded[place::size]))
        return _Bins(self.start, self.width * size, counts)


def modes(distribution: Distribution, quantum_ns: float | None = None) -> tuple[Mode, ...]:
    """The modes of `distribution`, ascending; a single one where no valley is deep enough, none below 50 values.

    Looked at with bins of Freedman and Diaconis' width and three finer ones; the view that shows most modes counts.
    `quantum_ns` is the step of the source (10⁶ where it counts milliseconds): neighbours on that grid have no valley
    between them. Without it, exact values are taken to lie on the coarsest grid that holds them all.
    """
    if distribution.n < FEWEST:
        return ()
    finest = _binned(distribution, _quantum(distribution) if quantum_ns is None else max(1.0, quantum_ns))
    widest = _width(distribution) / finest.width
    sizes = sorted({max(1, round(widest * factor)) for factor in _RESOLUTIONS}, reverse=True)
    alone = arrays.only_peak(finest.count, sizes, DEPTH, _Z)
    if alone is not None:
        return (Mode(finest.middle_ns(alone, sizes[0]), float(sum(finest.count)) / distribution.n),)
    views = [_modes_of(finest.grouped(size), distribution.n) for size in sizes]
    return max(views, key=len)


def _modes_of(bins: _Bins, n: int) -> tuple[Mode, ...]:
    smooth = _smoothed(bins.count)
    found = []
    for start, stop in _parts(smooth, bins.count, 0, len(smooth)):
        part = smooth[start:stop]
        peak = start + part.index(max(part))
        found.append(Mode(bins.middle_ns(peak), sum(bins.count[start:stop]) / n))
    return tuple(found)


def _binned(distribution: Distribution, quantum: float) -> _Bins:
    """Every bin in the finest view: by its middle where it is narrow, else evenly over what it stands for.

    Exact values stand for a whole quantum of their source: 5 ms of a source that counts milliseconds is 4.5 to 5.5.
    """
    first, last = (distribution.bin_of_rank(distribution.rank(q)) for q in (0.01, 0.99))
    start = math.log(max(0.5, distribution.edges(first)[0] - quantum / 2))
    stop = math.log(max(1.0, distribution.edges(last)[1] + quantum / 2))
    width = max((stop - start) / _MOST_BINS, _FINEST)
    part = slice(first, last + 1)
    size, narrow, half, log = int((stop - start) / width) + 1, 1 + width / 4, quantum / 2, math.log
    quick = arrays.by_middle(distribution, part, start, width, size, half)
    if quick is not None:
        return _Bins(start, width, quick)
    lows, highs, held = (column[part] for column in (distribution.low, distribution.high, distribution.count))
    if min([low * narrow - high for low, high in zip(lows, highs, strict=True)]) > half * (1 + narrow):
        return _Bins(start, width, _by_middle(list(map(add, lows, highs)), held, start, width, size))
    counts, top = [0.0] * size, size - 1
    for low, high, count in zip(lows, highs, held, strict=True):
        left, right = low - half, high + half
        if 0 < right < left * narrow:
            counts[min(top, max(0, int((log(left + right) - _LOG2 - start) / width)))] += count
        else:
            _spread(counts, (log(max(0.5, left)) - start) / width, (log(max(0.5, right)) - start) / width, count)
    return _Bins(start, width, counts)


def _by_middle(doubled: Sequence[int], counts: Sequence[int], start: float, width: float, size: int) -> list[float]:
    """`counts` of bins by their middles, given `doubled`: the edges are looked up, instead of every logarithm taken."""
    total = [0, *accumulate(counts)]
    places = [bisect_left(doubled, 2 * math.exp(start + i * width)) for i in range(1, size)]
    return [float(total[b] - total[a]) for a, b in pairwise([0, *places, len(doubled)])]


def _spread(counts: list[float], left: float, right: float, count: int) -> None:
    first, last = int(left), min(int(right), len(counts) - 1)
    if first == last or right <= left:
        counts[min(first, last)] += count
        return
    density = count / (right - left)
    counts[first] += density * (first + 1 - left)
    for index in range(first + 1, last):
        counts[index] += density
    counts[last] += density * (right - last)


def _quantum(distribution: Distribution) -> float:
    """The coarsest grid that holds all values where they are exact, 1 ns else."""
    if distribution.bins < 2 or _wide(distribution.edges(-1)) or any(map(_wide, distribution.pairs())):
        return 1.0
    return float(max(1, math.gcd(*distribution.low)))


def _wide(edges: tuple[int, int]) -> bool:
    return edges[0] != edges[1]


def _width(distribution: Distribution) -> float:
    """Freedman–Diaconis on logarithms, 2·IQR·n^(−1/3), at least half of one per cent."""
    lower, upper = (math.log(max(0.5, distribution.quantile(q) or 0)) for q in (0.25, 0.75))
    return max(_FINEST, 2 * (upper - lower) / math.cbrt(distribution.n))


def _smoothed(counts: Sequence[float]) -> list[float]:
    """Binomial weights 1 2 1, which take single-bin noise off without moving a peak."""
    padded = [0.0, *counts, 0.0]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)]


def _parts(smooth: Sequence[float], counts: Sequence[float], start: int, stop: int) -> list[tuple[int, int]]:
    """Cut at the deepest valley that counts, and again within both parts."""
    valley = _valley(smooth, counts, start, stop)
    if valley is None:
        return [(start, stop)]
    return [*_parts(smooth, counts, start, valley), *_parts(smooth, counts, valley, stop)]


def _valley(smooth: Sequence[float], counts: Sequence[float], start: int, stop: int) -> int | None:
    """The lowest place between two peaks of [start, stop) that is deep and significant and parts two hills."""
    part, least = smooth[start:stop], LEAST_MOVED * sum(counts)
    for _, offset, peak in sorted(_valleys(part, counts[start:stop], LEAST_MASS * sum(counts))):
        if _are_two(part, offset, peak, least):
            return start + offset
    return None


def _valleys(smooth: Sequence[float], counts: Sequence[float], least: float) -> Iterator[tuple[float, int, float]]:
    """(relative height, place, height of its lower peak) of every deep, significant dip with mass on both sides."""
    masses, everything = list(accumulate(counts, initial=0.0)), sum(counts)
    first, last = bisect_left(masses, least), len(smooth) - 1
    while last >= first and everything - masses[last] < least:
        last -= 1
    if first > last:
        return
    left, right = list(accumulate(smooth, max)), list(accumulate(reversed(smooth), max))[::-1]
    around = zip([math.inf, *smooth], smooth, [*smooth[1:], math.inf], strict=False)
    for offset in [place for place, (before, height, after) in enumerate(around) if before > height <= after]:
        if not first <= offset <= last:
            continue
        height, peak = smooth[offset], min(left[offset], right[offset])
        if peak > 0 and height <= DEPTH * peak and peak - height > _Z * math.sqrt(0.375 * (peak + height)):
            yield height / peak, offset, peak


def _are_two(heights: Sequence[float], valley: int, peak: float, least: float) -> bool:
    """Do two hills hold `least` more than one at any level λ: E(left) + E(right) − E(both)?

    E is the mass of the best interval above λ. The most that the difference reaches is the mass that would have to move
    before one hill were left, twice Hartigan's dip. Source: Müller & Sawitzki, *Excess mass estimates and tests for
    multimodality* (1991).
    """
    low = heights[valley]
    for step in range(1, _LEVELS):
        level = low + (peak - low) * step / _LEVELS
        left, right = _above(heights[:valley], level), _above(heights[valley:], level)
        if min(left, right) < least:
            return False  # neither grows with the level, and the difference is at most the lesser of them
        if left + right - _above(heights, level) >= least:
            return True
    return False


def _above(heights: Sequence[float], level: float) -> float:
    """Mass above `level` in the interval that has most of it."""
    most = running = 0.0
    for height in heights:
        running = max(0.0, running + height - level)
        most = max(most, running)
    return most
