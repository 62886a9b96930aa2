"""Is a series in a steady state? Level shifts, drift and growth are not; noise and a stall of a few seconds are.

Two questions must both be answered with yes before a series is called unsteady:

1. *Does it wander by more than its own noise explains?* The range of the cumulated deviations from the mean (Lo's
   modified R/S) against the range of a Brownian bridge: 1.747·σ·√n at 5 %, less a little for short and correlated
   series (`critical_range`). σ² is the long-run variance of an AR(1) process, taken from residuals within the
   segments that PELT finds or beside a straight line, so that neither a change nor a drift passes itself off as
   noise. This holds the false alarms at the nominal level whatever the noise.
2. *Is it worth talking about?* Some comparison of one stretch with another (segments of PELT that last at least a
   tenth of the series; the stretch that lies farthest from the rest; the ends of a straight line, if that fits
   better) differs by more than the tolerance of 5 %, and so does its whole 95 % interval.

Before that the series is clipped at five robust standard deviations from its median, or at 20 % where it is more
regular than that: a stall is one event, not a level. Ratios and levels are told unclipped.

Observed rates of false alarm and of detection: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from ..model import Run
from .dependence import rows_of
from .rates import rate_series, residence_ns
from .shape import HIGHEST_LAG1, Contrast, Shape, Verdict
from .student import normal_quantile

FEWEST = 10
"""Points below which nothing can be said."""
TOLERANCE = 0.05
_CLIP = 5.0
_CLIP_TOLERANCES = 4.0
_MAD_TO_SIGMA = 1.4826
_MOST_POINTS = 120
"""Longer series are averaged in blocks first: a level that lasts a tenth of an hour shows in blocks of 30 s as well."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Points ``start`` to ``stop − 1`` of the series and their median, in its unit."""

    start: int
    stop: int
    level: float


@dataclass(frozen=True, slots=True)
class Steady:
    """What a series does over its length.

    `ratio` is the level at the end (or of the highest segment) over that at the start (or of the lowest); `wander` is
    the test statistic of question 1 and `critical` what it was held against.
    """

    verdict: Verdict
    change_points: tuple[int, ...]
    segments: tuple[Segment, ...]
    ratio: float | None
    message: str
    wander: float | None = None
    critical: float | None = None


def steady_state(series: Sequence[float], confidence: float = 0.95, tolerance: float = TOLERANCE) -> Steady:
    """Judge a series of equal intervals (per-second means or counts), none of it warm-up.

    `tolerance` is the relative difference that does not matter. Values that are not finite raise ValueError; fewer
    than 10 points, or a median of zero, give ``short``.
    """
    if not all(map(math.isfinite, series)):
        raise ValueError("a steady state needs finite values")
    if len(series) < FEWEST:
        return _short(f"{len(series)} intervals are too few to tell: {FEWEST} are needed")
    middle = median(series)
    if middle <= 0:
        return _short("the series is zero for half of its length: there is no level to be steady at")
    step = -(-len(series) // _MOST_POINTS)
    relative = [value / middle for value in series]
    shape = Shape(_blocks(_clipped(relative, tolerance), step), _blocks(relative, step))
    critical = critical_range(shape.n, shape.lag1, confidence)
    verdict, contrast = shape.judge(critical, tolerance, normal_quantile(0.5 + confidence / 2))
    edges = [(start * step, min(stop * step, len(series))) for start, stop in shape.segments]
    segments = tuple(Segment(start, stop, median(series[start:stop])) for start, stop in edges)
    changes = tuple(segment.start for segment in segments[1:])
    message = _message(verdict, contrast, segments)
    return Steady(verdict, changes, segments, contrast.ratio, message, shape.wander, critical)


def is_level(series: Sequence[float], tolerance: float = TOLERANCE) -> bool:
    """True where no comparison that `steady_state` could make exceeds `tolerance`, whatever the change points.

    It says "steady" then; this is told at a tenth of the cost. False says nothing.
    """
    if len(series) < FEWEST or not all(map(math.isfinite, series)) or (middle := median(series)) <= 0:
        return False
    relative = _clipped([value / middle for value in series], tolerance)
    shape = Shape(_blocks(relative, -(-len(series) // _MOST_POINTS)), [])
    return shape.holds_within(tolerance) or shape.most() <= tolerance


def steady_run(run: Run, confidence: float = 0.95) -> tuple[tuple[str, Steady], ...]:
    """Judge one run's ``mean latency`` and ``throughput`` per interval, as a family at `confidence` (Bonferroni).

    Empty without intervals. The drain, a last part of an interval and the rows in which the flow still fills are left
    out. In an open loop throughput follows the plan's own rate: stages and ramps in it are not the target's doing.
    """
    if run.intervals is None:
        return ()
    residence = residence_ns(run)
    level = (1 + confidence) / 2
    means = rows_of(run.intervals, run.duration_ns, residence).mean_ns
    counts = rate_series(run.intervals, run.duration_ns, residence, run.errors)
    named = (("mean latency", means), ("throughput", counts))
    return tuple((name, steady_state(series, level)) for name, series in named if series)


def _clipped(values: Sequence[float], tolerance: float) -> list[float]:
    """`values` (median 1) within five robust standard deviations of 1, or four tolerances where that is more."""
    least = _CLIP_TOLERANCES * tolerance
    if 1 - least <= min(values) and max(values) <= 1 + least:
        return list(values)  # as most steady series: the deviation need not even be known
    sigma = _MAD_TO_SIGMA * median([abs(value - 1) for value in values])
    reach = max(_CLIP * sigma, least)
    return [min(max(value, 1 - reach), 1 + reach) for value in values]


def _blocks(values: list[float], size: int) -> list[float]:
    """Means of `size` neighbours each; a last block may be shorter."""
    if size == 1:
        return values
    return [math.fsum(values[i : i + size]) / len(values[i : i + size]) for i in range(0, len(values), size)]


@lru_cache(maxsize=32)
def bridge_range_quantile(p: float) -> float:
    """The x with P(max B − min B ≤ x) = p for a Brownian bridge B (Kuiper 1960): 1.747 at 95 %."""
    low, high = 0.3, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        tail = 2 * sum((4 * j * j * middle**2 - 1) * math.exp(-2 * j * j * middle**2) for j in range(1, 60))
        low, high = (middle, high) if 1 - tail < p else (low, middle)
    return (low + high) / 2


def critical_range(n: int, lag1: float, confidence: float) -> float:
    """What `wander` is held against for a series of `n` points with lag-1 correlation `lag1` of its residuals.

    The range of n sums falls short of that of a bridge, more so when they hang together, and the estimate of σ² does
    the rest. The correction is fitted to 5 % on simulated AR(1) series (n 20 to 240, ρ 0 to 0.8); see
    benchmarks/false_alarms.py for what it leaves.
    """
    rho = min(HIGHEST_LAG1, max(0.0, lag1))
    root = math.sqrt(max(n, 20))
    shortfall = (1.02 + 0.6 * rho + 1.8 * rho * rho + 0.6 / root) / root
    return bridge_range_quantile(confidence) * (1 - shortfall)


def _short(message: str) -> Steady:
    return Steady("short", (), (), None, message)


def _message(verdict: Verdict, contrast: Contrast, segments: Sequence[Segment]) -> str:
    if verdict == "steady":
        return "the level holds: no lasting difference beyond 5 %"
    way = "rises" if contrast.difference > 0 else "falls"
    by = "from nothing" if math.isinf(contrast.ratio) else f"to {contrast.ratio:.2f} times what it was"
    if verdict == "drift":
        return f"the level {way} {by} over the length of the series"
    if verdict == "change":
        return f"the level {way} {by}, and stays there"
    if contrast.inside:
        above = "above" if contrast.difference > 0 else "below"
        far = "" if math.isinf(contrast.ratio) else f", at {contrast.ratio:.2f} times its level"
        return f"the level comes and goes: a stretch within the series lies {above} the rest{far}"
    apart = max(contrast.ratio, 1 / contrast.ratio) if contrast.ratio else math.inf
    far = "" if math.isinf(apart) else f", the highest at {apart:.2f} times the lowest"
    return f"the level goes up and down between {len(segments)} stretches{far}"
