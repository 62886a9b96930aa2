"""Modes of a latency distribution: heaps of values with a clear valley between them.

The counts are laid on a logarithmic grid, smoothed, and split at every valley that is at most half as high as the
lower of the two peaks beside it; a heap with less than 5 % of the values is no mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..model import Distribution

BINS_PER_OCTAVE = 8
SMALLEST_MASS = 0.05
DEEPEST_RATIO = 0.5
FEWEST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Mode:
    """One heap: the value at its peak in ns, and its share of all values."""

    location_ns: float
    mass: float


def modes(distribution: Distribution) -> tuple[Mode, ...]:
    """The modes of `distribution`, ascending; empty below 100 values, where a shape cannot be told."""
    if distribution.n < FEWEST_VALUES:
        return ()
    first, heights = _grid(distribution)
    heaps = _merged(heights, _peaks(heights))
    found = [_mode(first, heights, left, right, distribution.n) for left, right in heaps]
    return tuple(mode for mode in found if mode.mass >= SMALLEST_MASS)


def _grid(distribution: Distribution) -> tuple[int, list[float]]:
    """Index of the first cell, and counts per cell of an eighth of an octave, smoothed over three cells."""
    cells: dict[int, float] = {}
    for low, high, count in zip(distribution.low, distribution.high, distribution.count, strict=True):
        cell = math.floor(math.log2(max(1.0, (low + high) / 2)) * BINS_PER_OCTAVE)
        cells[cell] = cells.get(cell, 0) + count
    first, last = min(cells), max(cells)
    raw = [cells.get(cell, 0.0) for cell in range(first - 1, last + 2)]
    padded = [0.0, *raw, 0.0]
    return first - 1, [(padded[i] + 2 * padded[i + 1] + padded[i + 2]) / 4 for i in range(len(raw))]


def _peaks(heights: Sequence[float]) -> list[int]:
    """Cells higher than the one before and not lower than the one after."""
    return [
        i
        for i, height in enumerate(heights)
        if height > (heights[i - 1] if i else 0) and height >= (heights[i + 1] if i + 1 < len(heights) else 0)
    ]


def _merged(heights: Sequence[float], peaks: Sequence[int]) -> list[tuple[int, int]]:
    """Stretches of cells, one a heap, after peaks without a deep valley between them were joined."""
    kept: list[int] = []
    borders: list[int] = []
    for peak in peaks:
        while kept:
            valley = min(range(kept[-1], peak + 1), key=heights.__getitem__)
            if heights[valley] <= DEEPEST_RATIO * min(heights[kept[-1]], heights[peak]):
                kept.append(peak)
                borders.append(valley)
                break
            if heights[kept[-1]] >= heights[peak]:
                break
            kept.pop()
            if borders:
                borders.pop()
        else:
            kept.append(peak)
    edges = [0, *borders, len(heights)]
    return list(zip(edges, edges[1:], strict=False))


def _mode(first: int, heights: Sequence[float], left: int, right: int, n: int) -> Mode:
    peak = max(range(left, right), key=heights.__getitem__)
    return Mode(2 ** ((first + peak + 0.5) / BINS_PER_OCTAVE), sum(heights[left:right]) / n)
