"""The part of `coherence.order` that is about the standard deviation: what mean, extremes and percentiles allow it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..model import Figure, Finding, Latency
from . import facts
from .ranges import Range, is_number
from .rule import invalid
from .wording import time

CODE = "coherence.order"


def of_deviation(name: str, latency: Latency, n: int | None, rank: float) -> Iterator[Finding]:
    """σ between what the extremes and percentiles need and what they leave room for.

    *Above.* σ² ≤ (max − mean)·(mean − min), times n/(n − 1) for a sample (Bhatia & Davis 2000).
    *Below.* A share 1 − p of all values is at or above the percentile p, hence σ² ≥ (1 − p)·(p-value − mean)², and
    likewise below the mean; the two extremes alone give σ² ≥ ((max − mean)² + (mean − min)²)/n.
    """
    stdev, mean = latency.stdev, facts.mean_ns(latency)
    if stdev is None or mean is None or not is_number(stdev.value):
        return
    slack = (latency.bin_ratio or 0.0) * max(stdev.value, mean.high) + (latency.quantum_ns or 0.0) / 2
    least, most = _needed(latency, mean, n, rank), _room(latency, mean, n)
    if stdev.high + slack < least:
        yield _finding(
            name, stdev, mean, f"≥ {time(least)}", "its percentiles and extremes are further apart than that"
        )
    elif stdev.low - slack > most:
        yield _finding(name, stdev, mean, f"≤ {time(most)}", "between its least and its largest value there is no room")


def _room(latency: Latency, mean: Range, n: int | None) -> float:
    if latency.maximum is None or not is_number(latency.maximum.value):
        return math.inf
    low = latency.minimum.low if latency.minimum is not None and is_number(latency.minimum.value) else 0.0
    high = latency.maximum.high * (1 + (latency.bin_ratio or 0.0))
    middle = min(max((low + high) / 2, mean.low), mean.high)
    sample = max(2, n or 2)
    return math.sqrt(max(0.0, (high - middle) * (middle - max(0.0, low))) * sample / (sample - 1))


def _needed(latency: Latency, mean: Range, n: int | None, rank: float) -> float:
    square = 0.0
    for p, figure in latency.percentiles:
        if is_number(figure.value):
            above, below = max(0.0, figure.low - mean.high), max(0.0, mean.low - figure.high)
            square = max(square, (1 - p / 100 - rank) * above * above, (p / 100 - rank) * below * below)
    if n and not latency.corrected:  # where samples were filled in, nobody knows how many there are
        ends = [
            max(0.0, distance)
            for figure, distance in (
                (latency.maximum, latency.maximum.low - mean.high if latency.maximum else 0.0),
                (latency.minimum, mean.low - latency.minimum.high if latency.minimum else 0.0),
            )
            if figure is not None and is_number(figure.value)
        ]
        square = max(square, math.fsum(end * end for end in ends) / n)
    return math.sqrt(square)


def _finding(name: str, stdev: Figure, mean: Range, expected: str, why: str) -> Finding:
    message = f"{name}: a deviation of {time(stdev)} around a mean of {time(mean)} must be {expected}: {why}."
    return invalid(CODE, message, f"stdev {time(stdev)}", expected)
