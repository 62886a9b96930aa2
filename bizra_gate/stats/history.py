"""Where a metric changed over the artifacts of one gate: advisory, for the trend plot.

Points are few (tens), come from separate sessions, and follow no known distribution. So the best split is compared
with the best splits of the same points in shuffled order (a permutation test, exact at its nominal level), and both
parts are looked at again. This is E-divisive's scheme (Matteson & James 2014) with the difference of mean logarithms.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from statistics import median

SHUFFLES = 399
LEAST = 3
"""Fewest points on each side of a change: one odd session is no change."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class Shift:
    """From point `index` on (counted from 0) the level is another one."""

    index: int
    before: float
    after: float
    ratio: float | None
    """`after` / `before`, None where `before` is zero."""
    p_value: float


def change_points(values: Sequence[float], level: float = 0.05) -> tuple[Shift, ...]:
    """Lasting changes in `values`, oldest first, each significant at `level`; empty for fewer than 6 points.

    On logarithms where all values are above zero, so that a ratio counts alike at any level. Deterministic. Raises
    ValueError on values that are not finite.
    """
    if not all(map(math.isfinite, values)):
        raise ValueError("a history needs finite values")
    series = [math.log(value) for value in values] if values and min(values) > 0 else list(values)
    found = sorted(_split(series, 0, level, random.Random(_SEED)))
    edges = [0, *(index for index, _ in found), len(values)]
    shifts = []
    for (index, p_value), start, stop in zip(found, edges, edges[2:], strict=False):
        before, after = median(values[start:index]), median(values[index:stop])
        shifts.append(Shift(index, before, after, after / before if before else None, p_value))
    return tuple(shifts)


def _split(series: Sequence[float], offset: int, level: float, generator: random.Random) -> list[tuple[int, float]]:
    """(place, p value) of every significant split of `series`, places counted from `offset`."""
    if len(series) < 2 * LEAST:
        return []
    place, height = _best(series)
    p_value = _p_value(series, height, level, generator)
    if p_value > level:
        return []
    left = _split(series[:place], offset, level, generator)
    right = _split(series[place:], offset + place, level, generator)
    return [*left, (offset + place, p_value), *right]


def _best(series: Sequence[float]) -> tuple[int, float]:
    """The split with the largest difference of means in units of its standard error, and that (up to a factor)."""
    heights = _heights(_centred(series), _scales(len(series)))
    height = max(heights)
    return LEAST + heights.index(height), height


def _centred(series: Sequence[float]) -> list[float]:
    mean = math.fsum(series) / len(series)
    return [value - mean for value in series]


def _scales(n: int) -> list[float]:
    """Of every split of `n` values: what the sum of the first part is divided by, on a series with mean 0."""
    return [math.sqrt(k * (n - k)) for k in range(LEAST, n - LEAST + 1)]


def _heights(centred: Sequence[float], scales: Sequence[float]) -> list[float]:
    sums = islice(accumulate(centred), LEAST - 1, None)
    return [abs(total) / scale for total, scale in zip(sums, scales, strict=False)]


def _p_value(series: Sequence[float], height: float, level: float, generator: random.Random) -> float:
    """Share of orders whose best split is as good, this one included; stops once it cannot be significant any more."""
    shuffled, scales = _centred(series), _scales(len(series))
    as_good, slack = 1, height * (1 - 1e-9)
    for done in range(1, SHUFFLES + 1):
        _shuffle(shuffled, generator.getrandbits)
        as_good += max(_heights(shuffled, scales)) >= slack
        if as_good > level * (SHUFFLES + 1):
            return as_good / (done + 1)
    return as_good / (SHUFFLES + 1)


def _shuffle(values: list[float], bits: Callable[[int], int]) -> None:
    """The order that `random.shuffle` gives, at half its cost: it makes two calls for each value."""
    for last in range(len(values) - 1, 0, -1):
        length = (last + 1).bit_length()
        place = bits(length)
        while place > last:
            place = bits(length)
        values[last], values[place] = values[place], values[last]
