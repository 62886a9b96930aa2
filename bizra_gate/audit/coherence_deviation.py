"""The part of `coherence.order` that is about the standard deviation: what mean, extremes and percentiles allow it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ..model import Figure, Finding, Latency
from . import facts
from .ranges import Range, is_number
from .rule import invalid
from .wording import Show

CODE = "coherence.order"


def of_deviation(name: str, latency: Latency, n: int | None, rank: float, show: Show) -> Iterator[Finding]:
    """σ between what the extremes and percentiles need and what they leave room for; `show` writes its figures.

    A share p_b − p_a of all values lies in [p_a, p_b], p_0 = min and p_1 = max. *Below.* Each is at least as far from
    the mean as its interval: σ² ≥ Σ (p_b − p_a)·dist(mean, [a, b])²; the two extremes alone give
    σ² ≥ ((max − mean)² + (mean − min)²)/n. *Above.* x² is convex, so that an interval whose values have the mean μ adds
    (a + b)·μ − a·b to E[x²] at most; which μ the mean leaves room for is told by filling the widest intervals last to
    first, for a + b grows. With min and max alone that is (max − mean)·(mean − min) (Bhatia & Davis 2000); times
    n/(n − 1) for a sample.
    """
    stdev, mean = latency.stdev, facts.mean_ns(latency)
    if stdev is None or mean is None or not is_number(stdev.value):
        return
    slack = (latency.bin_ratio or 0.0) * max(stdev.value, mean.high) + (latency.quantum_ns or 0.0) / 2
    extremes = replace(latency, percentiles=())  # of few values, whose ranks may be off by much, these alone say more
    least = _needed(latency, mean, n, rank)
    most = min(_room(latency, mean, n, rank), _room(extremes, mean, n, 0.0))
    if stdev.high + slack < least:
        yield _finding(
            name, stdev, mean, f"≥ {show(least)}", "its percentiles and extremes are further apart than that", show
        )
    elif stdev.low - slack > most:
        why = "between its percentiles and extremes there is no room"
        yield _finding(name, stdev, mean, f"≤ {show(most)}", why, show)


def _intervals(latency: Latency, top: float) -> list[tuple[float, float, float]]:
    """(share, lowest, highest) of the values between neighbouring percentiles, up to `top`, ns."""
    ratio = 1 + (latency.bin_ratio or 0.0)
    low = latency.minimum.low if latency.minimum is not None and is_number(latency.minimum.value) else 0.0
    rows, begin, floor = [], 0.0, max(0.0, low)
    for p, figure in latency.percentiles:
        rows.append((p / 100 - begin, min(floor, figure.high * ratio), figure.high * ratio))
        begin, floor = p / 100, max(0.0, figure.low / ratio)
    rows.append((1 - begin, min(floor, top), top))
    return rows


def _room(latency: Latency, mean: Range, n: int | None, rank: float) -> float:
    """The largest deviation that is possible, ns."""
    known = [figure.value for _, figure in latency.percentiles]
    if latency.maximum is None or not all(map(is_number, [latency.maximum.value, *known])):
        return math.inf
    top = latency.maximum.high * (1 + (latency.bin_ratio or 0.0))
    rows = _intervals(latency, top)
    sample = max(2, n or 2)
    means = [min(top, mean.low + (mean.high - mean.low) * step / 4) for step in range(5)]
    most = max(_most_square(rows, middle, rank, top) for middle in means) * sample / (sample - 1)
    return math.sqrt(max(0.0, most)) * top


def _most_square(rows: list[tuple[float, float, float]], mean: float, rank: float, unit: float) -> float:
    """The largest variance of values with `mean` and a given share in each of `rows`, in units of `unit`²."""
    if unit <= 0:
        return 0.0
    around = [(share, (low - mean) / unit, (high - mean) / unit) for share, low, high in rows]
    left = -math.fsum(share * low for share, low, _ in around)
    square = math.fsum(share * low * low for share, low, _ in around)
    for share, low, high in reversed(around):
        taken = min(max(0.0, left), share * (high - low))
        square, left = square + taken * (low + high), left - taken
    # a value that is on the other side of a percentile is at most d from the mean: d² itself, and what others move by
    # to keep the mean, a distance of d at a slope of 2·d
    strays = [max(abs(below[1]), abs(above[2])) for below, above in pairwise(around)]
    return square + 3 * rank * math.fsum(d * d for d in strays)


def _needed(latency: Latency, mean: Range, n: int | None, rank: float) -> float:
    """The smallest deviation that is possible, ns."""
    rows = _intervals(latency, math.inf)
    parts = [
        math.sqrt(max(0.0, share - 2 * rank)) * max(0.0, low - mean.high, mean.low - high)
        for share, low, high in rows
        if is_number(low)
    ]
    least = math.hypot(*parts)
    if n and not latency.corrected:  # where samples were filled in, nobody knows how many there are
        ends = [
            max(0.0, distance)
            for figure, distance in (
                (latency.maximum, latency.maximum.low - mean.high if latency.maximum else 0.0),
                (latency.minimum, mean.low - latency.minimum.high if latency.minimum else 0.0),
            )
            if figure is not None and is_number(figure.value)
        ]
        least = max(least, math.hypot(*ends) / math.sqrt(n))
    return least


def _finding(name: str, stdev: Figure, mean: Range, expected: str, why: str, show: Show) -> Finding:
    message = f"{name}: a deviation of {show(stdev)} around a mean of {show(mean)} must be {expected}: {why}."
    return invalid(CODE, message, f"stdev {show(stdev)}", expected)
