"""Intervals of quantiles from order statistics, free of any assumption on the distribution's shape.

The number of values below a quantile q is binomial(n, q). The ranks l = ppf(α/2) and u = ppf(1 − α/2) + 1 therefore
enclose the quantile with probability 1 − α at least, and in a histogram they map to edges of bins. A rank that does
not exist (l = 0 or u > n) leaves that side unbounded: None, never the minimum or maximum.

Source: David & Nagaraja, *Order Statistics*, 7.1; Hahn & Meeker, *Statistical Intervals*, 5.2.
"""

from __future__ import annotations

import math
from functools import lru_cache

from ..model import Distribution
from .binomial import ppf

Interval = tuple[float | None, float | None]


@lru_cache(maxsize=4096)
def order_statistic_ranks(n: int, q: float, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """1-based ranks (l, u) that enclose quantile `q` of `n` independent values; None where no such rank exists.

    Raises ValueError unless 0 < q < 1 and 0 < confidence < 1.
    """
    _require(q, confidence)
    if n < 1:
        return None, None
    tail = (1 - confidence) / 2
    lower = ppf(tail, n, q)
    upper = ppf(1 - tail, n, q) + 1
    return (lower if lower >= 1 else None), (upper if upper <= n else None)


def quantile_interval(
    distribution: Distribution, q: float, confidence: float = 0.95, n_effective: float | None = None
) -> Interval:
    """Interval of quantile `q` in ns; a side that the sample is too small for is None.

    Values that hang together say less than independent ones. With `n_effective` < n the ranks are those of a sample
    of that size (rounded down), each stretched over the n / n_effective values that it stands for, outwards: the
    interval grows by √(n / n_effective), and a side is None as soon as `n_effective` values would not have bounded it.
    """
    n = distribution.n
    if n == 0:
        return None, None
    size = n if n_effective is None else max(1, min(n, math.floor(n_effective)))
    lower, upper = order_statistic_ranks(size, q, confidence)
    low = None if lower is None else _low_edge(distribution, (lower - 1) * n // size + 1)
    high = None if upper is None else _high_edge(distribution, min(n, -(-upper * n // size)))
    return low, high


def samples_needed(q: float, confidence: float = 0.95) -> int:
    """Fewest independent values whose two-sided interval of quantile `q` is bounded: p99 needs 368 at 95 %."""
    _require(q, confidence)
    tail = math.log((1 - confidence) / 2)
    n = math.ceil(max(tail / math.log(q), tail / math.log1p(-q)) - 1e-9)
    while None in order_statistic_ranks(n, q, confidence):
        n += 1
    return n


def _low_edge(distribution: Distribution, rank: int) -> int:
    edge = distribution.edges(distribution.bin_of_rank(rank))[0]
    return edge if distribution.minimum is None else max(edge, distribution.minimum)


def _high_edge(distribution: Distribution, rank: int) -> int:
    edge = distribution.edges(distribution.bin_of_rank(rank))[1]
    return edge if distribution.maximum is None else min(edge, distribution.maximum)


def _require(q: float, confidence: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, got {q}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies strictly between 0 and 1, got {confidence}")
