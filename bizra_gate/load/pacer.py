"""When the operations of an open loop are meant to start: pure functions of the index.

Every pacer is a point process mapped through time. `Points` gives the position of arrival `i` on an axis on which one
arrival is due per unit (regular: ``i``; Poisson: the sum of ``i + 1`` exponential gaps), and an intensity gives the
time by which that many arrivals are due (the inverse of its cumulative rate). Constant, Poisson, staged and ramped
loads are the combinations. Nothing here reads a clock or waits.

Reference for the time change: Çinlar, Introduction to Stochastic Processes, ch. 4.7 (non-stationary Poisson process).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model import OpenLoop, Pacer, Stage

NS_PER_S = 1_000_000_000
NEVER_NS = 2**62
"""Intended time of an arrival that the load never reaches."""
CHUNK = 4096

Floats = NDArray[np.float64]


class Points(Protocol):
    """Positions of arrivals ``low … high − 1`` on the axis of due arrivals."""

    def positions(self, low: int, high: int) -> Floats: ...


class RegularPoints:
    """Arrival ``i`` at position ``i``."""

    def positions(self, low: int, high: int) -> Floats:
        return np.arange(low, high, dtype=np.float64)


class PoissonPoints:
    """Unit-rate Poisson process, seeded; arrival ``i`` depends on the seed and ``i`` alone.

    Gaps come in chunks from a counter-based generator (Philox keyed by the seed, its counter set by the chunk's
    number), so that any chunk can be made again. The sums of the chunks before it are kept: 8 bytes per 4,096
    arrivals.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._bases: list[float] = [0.0]
        self._cached: tuple[int, Floats] = (-1, np.empty(0))

    def positions(self, low: int, high: int) -> Floats:
        parts = []
        for chunk in range(low // CHUNK, -(-high // CHUNK)):
            first = chunk * CHUNK
            parts.append(self._chunk(chunk)[max(low - first, 0) : high - first])
        return np.concatenate(parts) if parts else np.empty(0)

    def _chunk(self, number: int) -> Floats:
        if self._cached[0] != number:
            while len(self._bases) <= number:
                self._bases.append(self._bases[-1] + float(self._gaps(len(self._bases) - 1).sum()))
            self._cached = (number, self._bases[number] + np.cumsum(self._gaps(number)))
        return self._cached[1]

    def _gaps(self, chunk: int) -> Floats:
        generator = np.random.Generator(np.random.Philox(key=self._seed, counter=[0, 0, 0, chunk]))
        return generator.exponential(size=CHUNK)


class Intensity(Protocol):
    """Time, in ns from the start of the load, by which so many arrivals are due."""

    def when_ns(self, positions: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Constant:
    """`per_s` arrivals a second for ever."""

    per_s: float

    def when_ns(self, positions: Floats) -> Floats:
        return positions * NS_PER_S / self.per_s


class Staged:
    """Stretches of constant or linearly changing rate, the last rate held for ever.

    Within a stage from rate a to b over d seconds, ``n(t) = a·t + (b − a)·t²/(2d)`` arrivals are due after t; its
    inverse in the form that does not cancel is ``t = 2n / (a + √(a² + 2n·(b − a)/d))``.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        last = stages[-1].to_per_s
        rows = [(s.duration_ns / NS_PER_S, s.from_per_s, s.to_per_s) for s in stages] + [(math.inf, last, last)]
        self._begins_s = np.concatenate(([0.0], np.cumsum([row[0] for row in rows[:-1]])))
        self._rate = np.array([row[1] for row in rows])
        self._slope = np.array([(b - a) / d for d, a, b in rows])
        due = [(a + b) / 2 * d for d, a, b in rows[:-1]]
        self._due = np.concatenate(([0.0], np.cumsum(due)))

    def when_ns(self, positions: Floats) -> Floats:
        # side="right" skips a stage in which nothing is due: its first and its last position are the same.
        stage = np.clip(np.searchsorted(self._due, positions, side="right") - 1, 0, len(self._rate) - 1)
        n = positions - self._due[stage]
        rate, slope = self._rate[stage], self._slope[stage]
        root = np.sqrt(np.maximum(rate * rate + 2 * n * slope, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            within = np.where(n > 0, 2 * n / (rate + root), 0.0)
            seconds = np.where((rate + root > 0) | (slope > 0), self._begins_s[stage] + within, np.inf)
        return seconds * NS_PER_S


class Schedule:
    """Points through an intensity: the pacer of a whole open loop, or of every `workers`-th arrival of it.

    Worker `worker` takes the arrivals whose index ≡ `worker` modulo `workers`; together the workers send exactly what
    one would.
    """

    def __init__(self, points: Points, intensity: Intensity, worker: int = 0, workers: int = 1) -> None:
        self._points = points
        self._intensity = intensity
        self._worker = worker
        self._workers = workers
        self._cached_from = 0
        self._cached: array[int] = array("q")

    def arrival_ns(self, index: int) -> int:
        at = index - self._cached_from
        if not 0 <= at < len(self._cached):
            self._cached_from = index - index % CHUNK
            self._cached = self.arrivals(self._cached_from, self._cached_from + CHUNK)
            at = index - self._cached_from
        return self._cached[at]

    def arrivals(self, low: int, high: int) -> array[int]:
        """Arrivals `low` … `high` − 1 of this worker, ns."""
        first, last = low * self._workers + self._worker, (high - 1) * self._workers + self._worker + 1
        positions = self._points.positions(first, max(first, last))[:: self._workers]
        times = np.rint(np.minimum(self._intensity.when_ns(positions), float(NEVER_NS))).astype(np.int64)
        found = array("q")
        found.frombytes(times.tobytes())
        return found


def ConstantRate(per_s: float, worker: int = 0, workers: int = 1) -> Schedule:
    """``ConstantRate(per_s=100).arrival_ns(7) == 70_000_000``."""
    return Schedule(RegularPoints(), Constant(per_s), worker, workers)


def Poisson(per_s: float, seed: int = 1, worker: int = 0, workers: int = 1) -> Schedule:
    """Exponential gaps of mean ``1 / per_s``; the same seed gives the same arrivals everywhere."""
    return Schedule(PoissonPoints(seed), Constant(per_s), worker, workers)


def Stages(stages: Sequence[Stage], worker: int = 0, workers: int = 1) -> Schedule:
    """Regular arrivals at a rate that changes stage by stage."""
    return Schedule(RegularPoints(), Staged(stages), worker, workers)


def pacer_for(load: OpenLoop, warmup_ns: int = 0, worker: int = 0, workers: int = 1) -> Pacer:
    """The pacer of one worker's share of `load`.

    Stages describe the counted window: during `warmup_ns` before it the first stage's starting rate holds.
    Raises `UsageError` where the rate is not above zero.
    """
    points: Points = PoissonPoints(load.seed) if load.arrivals == "poisson" else RegularPoints()
    return Schedule(points, _intensity(load, warmup_ns), worker, workers)


def _intensity(load: OpenLoop, warmup_ns: int) -> Intensity:
    if not load.stages:
        if not (load.rate_per_s > 0 and math.isfinite(load.rate_per_s)):
            raise UsageError(f"an open loop needs a rate above zero, got {load.rate_per_s}")
        return Constant(load.rate_per_s)
    bad = [s for s in load.stages if s.duration_ns <= 0 or min(s.from_per_s, s.to_per_s) < 0]
    if bad:
        raise UsageError(f"a stage lasts longer than 0 s and has no negative rate, got {bad[0]}")
    first = load.stages[0].from_per_s
    before = [Stage(warmup_ns, first, first)] if warmup_ns else []
    return Staged((*before, *load.stages))
