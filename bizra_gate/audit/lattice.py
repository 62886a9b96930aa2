"""The step that recorded values really move in, found from the values themselves.

A file may say "nanoseconds" and hold nothing but whole milliseconds. If every occupied bin holds a multiple of a step
that is far wider than the bins, chance is no explanation: n bins of width w all meet a lattice of step s with
probability (w/s)^n at most.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import sub

from ..model import Distribution
from ..stats import arrays

STEPS_NS = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 15_625_000, 100_000_000, 1_000_000_000)
"""Steps that clocks and printers have: powers of ten, and the 64 Hz tick."""
_LOG_CHANCE = math.log(1e-9)
"""What chance would do less often than this, it did not do."""
Bin = tuple[int, int, int]
"""Lowest and highest value, and the step that is asked about."""


def step_ns(histogram: Distribution) -> int:
    """The widest step whose multiples all values are, or 1.

    >>> step_ns(Distribution.of([k * 1_000_000 for k in range(3, 40)]))
    1000000
    >>> step_ns(Distribution.of([k * 999_983 for k in range(3, 40)]))
    1
    """
    steps = _met_by_first(histogram)
    if not steps:
        return 1
    # bins no narrower than the step meet every lattice of it and prove nothing: in an HDR histogram, whose bins
    # only get wider, just the first ones are asked
    asked = arrays.narrower(histogram, steps) or _narrower(histogram, steps)
    widest, missed = 1, list[int]()
    for step, stop in zip(steps, asked, strict=True):
        if not stop or 0 in map(step.__mod__, missed):  # what meets no multiple of 10 meets none of 100
            continue
        chance = _log_chance((low, high, step) for low, high in islice(histogram.pairs(), stop))
        if chance is None:
            missed.append(step)
        elif chance < _LOG_CHANCE:
            widest = step
    return widest


def _met_by_first(histogram: Distribution) -> list[int]:
    """Steps that the first bin proves something about and meets a multiple of: mostly none, and the rest is saved."""
    if not histogram.bins:
        return []
    low, high = histogram.edges(0)
    met = [step for step in STEPS_NS if high // step * step >= low]
    if arrays.columns_of(histogram) is None:
        return met
    return [step for step in met if step > high - low + 1]  # bins that were read in columns only get wider


def _narrower(histogram: Distribution, steps: Sequence[int]) -> list[int]:
    """For each step the number of first bins that are narrower; all bins where they do not get wider and wider."""
    spans = list(map(sub, histogram.high, histogram.low))
    if spans != sorted(spans):
        return [len(spans)] * len(steps)
    return [bisect_left(spans, step - 1) for step in steps]


def digits(histogram: Distribution) -> int | None:
    """Significant digits that all values were rounded to (1 or 2), or None.

    >>> digits(Distribution.of([10**e * m for e in (6, 7) for m in range(10, 99, 7)]))
    2
    """
    lowest, first = histogram.edges(0) if histogram.bins else (0, 0)
    for count in (1, 2):
        place = _place(first, count)
        if first // place * place < lowest:
            continue  # already the first bin holds no such number, as in nearly all histograms
        chance = _log_chance((low, high, _place(high, count)) for low, high in histogram.pairs())
        if chance is not None and chance < _LOG_CHANCE:
            return count
    return None


def _place(value: int, count: int) -> int:
    """The weight of digit `count` of `value`: 100 for 1,234 and two digits."""
    return 10 ** max(0, len(str(value)) - count) if value > 0 else 1


def _log_chance(bins: Iterable[Bin]) -> float | None:
    """Logarithm of the probability that chance makes every bin hold a multiple of its step; None where one holds none.

    At most that: see above.
    """
    log_chance = 0.0
    for low, high, step in bins:
        if high // step * step < low:
            return None
        log_chance += min(0.0, math.log((high - low + 1) / step))
    return log_chance
