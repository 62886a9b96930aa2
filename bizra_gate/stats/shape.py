"""A series of levels, and how far one stretch of it lies from another: what `steady` judges by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from operator import mul, sub
from statistics import median
from typing import Literal

from .changepoints import pelt

Verdict = Literal["steady", "drift", "change", "unsteady", "short"]

LASTING = 0.1
"""Share of the series that a stretch must last to be a level and not an event."""
HIGHEST_LAG1 = 0.95
_LINE_PENALTY = 8.0
"""A straight line must lower n·log(Σ r²) by this times log n. Half of what a change point has to bring, for one
parameter instead of three; noise that hangs together (20 points, ρ 0.6) looks straight enough for it in one series of
a hundred, and at 6 in three."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two stretches compared: relative difference of their levels, its standard error, and their ratio."""

    difference: float
    error: float
    ratio: float
    inside: bool = False
    """Whether it is a stretch within the series that is compared with what lies before and after it."""

    def exceeds(self, tolerance: float, z: float) -> bool:
        return abs(self.difference) - z * self.error > tolerance


class Shape:
    """A clipped series with median 1 and what can be measured on it; `raw` is the same series unclipped."""

    def __init__(self, values: list[float], raw: list[float]) -> None:
        self.values, self._raw = values, raw
        self.n = len(values)

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        return list(pairwise((0, *pelt(self.values), self.n)))

    @cached_property
    def _residuals(self) -> list[float]:
        """What is left within the segments, or beside a straight line where that explains the series far better.

        Of a ramp PELT makes too few segments, or none, and what a level leaves of it looks like noise that hangs
        together: a drift would hide itself.
        """
        within: list[float] = []
        for start, stop in self.segments:
            level = self.level(start, stop)
            within += [value - level for value in self.values[start:stop]]
        first, last = self._ends_of_line()
        step = (last - first) / self.n
        beside = [value - first - (i + 0.5) * step for i, value in enumerate(self.values)]
        kept, left = (math.fsum([r * r for r in residuals]) for residuals in (within, beside))
        return beside if left * self.n ** (_LINE_PENALTY / self.n) < kept else within

    @cached_property
    def _variance(self) -> float:
        squares = math.fsum([r * r for r in self._residuals])
        return squares / max(1, self.n - len(self.segments)) if squares > 1e-24 * self.n else 0.0

    @cached_property
    def lag1(self) -> float:
        if not self._variance:
            return 0.0
        products = math.fsum([a * b for a, b in pairwise(self._residuals)])
        return products / math.fsum([r * r for r in self._residuals])

    @cached_property
    def wander(self) -> float:
        sums = self._bridge
        reach = max(0.0, *sums) - min(0.0, *sums)
        if self._variance == 0:
            return math.inf if reach > 1e-9 * self.n else 0.0
        return reach / (self._noise(self.lag1) * math.sqrt(self.n))

    def most(self) -> float:
        """No contrast of any kind is larger than this, relative, wherever the change points lie."""
        means = self._means_of_pieces(math.ceil(LASTING * self.n))
        start, stop = self._stretch()
        inside = self.level(start, stop)
        outside = self._level_without(start, stop)
        pairs = ((min(means), max(means)), (inside, outside), self._ends_of_line())
        return max(abs(_contrast(before, after, 0.0, 1.0).difference) for before, after in pairs)

    def holds_within(self, tolerance: float) -> bool:
        """True where even shorter pieces, of which there are fewer lengths, say that `most` is within `tolerance`.

        A stretch that is set against the rest, and what lies before and after it, are no shorter than these.
        """
        means = self._means_of_pieces(max(1, math.ceil(LASTING * self.n) // 3))
        pairs = ((min(means), max(means)), self._ends_of_line())
        return all(abs(_contrast(before, after, 0.0, 1.0).difference) <= tolerance for before, after in pairs)

    def _means_of_pieces(self, least: int) -> list[float]:
        """Lowest and highest means of neighbours, `least` to twice as many, less one.

        The mean of any longer stretch lies between those of the pieces of these lengths that it can be cut into.
        """
        sums = [0.0, *accumulate(self.values)]
        return [
            extreme / size
            for size in range(least, min(2 * least, self.n + 1))
            for extreme in _extremes_of(list(map(sub, sums[size:], sums)))
        ]

    def level(self, start: int, stop: int) -> float:
        return math.fsum(self.values[start:stop]) / (stop - start)

    def _noise(self, rho: float) -> float:
        """Long-run standard deviation √(γ₀ (1 + ρ)/(1 − ρ)): that of a mean of m values is this by √m."""
        rho = min(HIGHEST_LAG1, max(0.0, rho))
        return math.sqrt(self._variance * (1 + rho) / (1 - rho))

    @cached_property
    def _bridge(self) -> list[float]:
        """Cumulated deviations from the mean; entry k is the sum over the first k + 1 values."""
        mean, total, sums = self.level(0, self.n), 0.0, []
        for value in self.values:
            total += value - mean
            sums.append(total)
        return sums

    @property
    def _error(self) -> float:
        """As `_noise`, with ρ corrected for its bias of −(1 + 4ρ)/n: comparisons shall err on the careful side."""
        return self._noise((self.n * self.lag1 + 1) / (self.n - 4))

    def judge(self, critical: float, tolerance: float, z: float) -> tuple[Verdict, Contrast]:
        """The verdict, and the comparison that it rests on (or the largest one, where it is steady)."""
        stretch = self._stretch()
        straight = self._is_straighter(stretch)
        named: list[tuple[Verdict, Contrast | None]] = [
            ("unsteady" if self._turns() else "drift" if straight else "change", self._extremes()),
            ("drift", self._line()) if straight else self._of_stretch(stretch),
        ]
        contrasts = [(verdict, contrast) for verdict, contrast in named if contrast is not None]
        if self.wander > critical:
            for verdict, contrast in contrasts:
                if contrast.exceeds(tolerance, z):
                    return verdict, contrast
        return "steady", max((contrast for _, contrast in contrasts), key=lambda contrast: abs(contrast.difference))

    def _lasting(self) -> list[tuple[int, int]]:
        return [(start, stop) for start, stop in self.segments if stop - start >= LASTING * self.n]

    def _extremes(self) -> Contrast | None:
        """The lowest against the highest of the segments that last, in the order of time."""
        lasting = self._lasting()
        if len(lasting) < 2:
            return None
        lowest = min(lasting, key=lambda segment: self.level(*segment))
        highest = max(lasting, key=lambda segment: self.level(*segment))
        return self._between(*sorted((lowest, highest)))

    def _stretch(self) -> tuple[int, int]:
        """The stretch that lies highest above the rest, or lowest below it: between the ends of the bridge's range.

        At least a tenth of the series long, and at most nine tenths; one that begins or ends less than a tenth from
        an end of the series is taken to begin or end there.
        """
        sums = [0.0, *self._bridge]
        ends = sorted((sums.index(min(sums)), sums.index(max(sums))))
        least = max(1, math.ceil(LASTING * self.n))
        start = 0 if ends[0] < least else min(ends[0], self.n - least)
        stop = self.n if ends[1] > self.n - least else max(ends[1], least)
        if (start, stop) == (0, self.n):
            inner = ends[0] if ends[0] >= self.n - ends[1] else ends[1]
            stop = min(max(inner, least), self.n - least)
        return (start, stop) if stop - start >= least else (start, min(self.n, start + least))

    def _of_stretch(self, stretch: tuple[int, int]) -> tuple[Verdict, Contrast]:
        """The stretch against the rest, in the order of time where it lies at an end."""
        start, stop = stretch
        if start == 0:
            return "change", self._between((0, stop), (stop, self.n))
        if stop == self.n:
            return "change", self._between((0, start), (start, self.n))
        size = stop - start
        inside, outside = self.level(start, stop), self._level_without(start, stop)
        error = self._error * math.sqrt(1 / size + 1 / (self.n - size))
        ratio = _ratio(median(self._raw[:start] + self._raw[stop:]), median(self._raw[start:stop]))
        return "unsteady", replace(_contrast(outside, inside, error, ratio), inside=True)

    def _between(self, first: tuple[int, int], second: tuple[int, int]) -> Contrast:
        before, after = self.level(*first), self.level(*second)
        error = self._error * math.sqrt(1 / (first[1] - first[0]) + 1 / (second[1] - second[0]))
        ratio = _ratio(median(self._raw[slice(*first)]), median(self._raw[slice(*second)]))
        return _contrast(before, after, error, ratio)

    def _level_without(self, start: int, stop: int) -> float:
        """Mean of what lies before `start` and from `stop` on."""
        size = stop - start
        return (self.level(0, self.n) * self.n - self.level(start, stop) * size) / (self.n - size)

    @property
    def _moment(self) -> float:
        """Σ (i − ī)² over the places."""
        return self.n * (self.n * self.n - 1) / 12

    def _ends_of_line(self) -> tuple[float, float]:
        """First and last value of the least-squares line."""
        mean = self.level(0, self.n)
        slope = math.fsum(map(mul, _from_middle(self.n), self.values)) / self._moment
        return mean - slope * self.n / 2, mean + slope * self.n / 2

    def _line(self) -> Contrast:
        """The ends of the least-squares line."""
        error = self._error * self.n / math.sqrt(self._moment)
        before, after = self._ends_of_line()
        return _contrast(before, after, error, _ratio(before, after))

    def _turns(self) -> bool:
        """Whether the levels of the lasting segments go up and down."""
        levels = [self.level(*segment) for segment in self._lasting()]
        steps = [after - before for before, after in pairwise(levels)]
        return any(a * b < 0 for a, b in pairwise(steps))

    def _is_straighter(self, stretch: tuple[int, int]) -> bool:
        """Whether a straight line leaves less than another level over `stretch` does."""
        start, stop = stretch
        inside, outside, mean = self.level(start, stop), self._level_without(start, stop), self.level(0, self.n)
        levels = [inside if start <= i < stop else outside for i in range(self.n)]
        slope = self._line().difference * mean / self.n
        straight = [mean + slope * place for place in _from_middle(self.n)]
        return self._left(straight) < self._left(levels)

    def _left(self, fitted: Sequence[float]) -> float:
        return math.fsum((value - fit) ** 2 for value, fit in zip(self.values, fitted, strict=True))


def _contrast(before: float, after: float, error: float, ratio: float) -> Contrast:
    """Differences relative to the mean of the two levels, so that doubling and halving are alike."""
    centre = max((before + after) / 2, 1e-9)
    return Contrast((after - before) / centre, error / centre, ratio)


def _ratio(before: float, after: float) -> float:
    return max(0.0, after / before) if before > 0 else math.inf


@lru_cache(maxsize=8)
def _from_middle(n: int) -> tuple[float, ...]:
    """How far each of `n` places lies from their middle."""
    return tuple([i - (n - 1) / 2 for i in range(n)])


def _extremes_of(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
