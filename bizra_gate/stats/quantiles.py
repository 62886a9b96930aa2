"""Intervals of quantiles from order statistics, free of any assumption on the distribution's shape.

The number of values below a quantile q is binomial(n, q). The ranks l = ppf(α/2) and u = ppf(1 − α/2) + 1 therefore
enclose the quantile with probability 1 − α at least, and in a histogram they map to edges of bins. A rank that does
not exist (l = 0 or u > n) leaves that side unbounded: None, never the minimum or maximum.

Source: David & Nagaraja, *Order Statistics*, 7.1; Hahn & Meeker, *Statistical Intervals*, 5.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    return estimates(distribution, (q,), confidence, (n_effective,))[0][1] if distribution.n else (None, None)


def estimates(
    distribution: Distribution, quantiles: Sequence[float], confidence: float, n_effective: Sequence[float | None]
) -> list[tuple[int, Interval]]:
    """`Distribution.quantile` and `quantile_interval` of each of `quantiles`, each with its `n_effective`, all at once.

    `distribution` is not empty.
    """
    ranks: list[int] = []
    bounded: list[tuple[bool, bool]] = []
    for q, effective in zip(quantiles, n_effective, strict=True):
        lower, upper = _enclosing(distribution.n, q, confidence, effective)
        ranks += (distribution.rank(q), lower or 1, upper or 1)
        bounded.append((lower is not None, upper is not None))
    edges, within = distribution.edges_at(ranks), distribution.within
    return [
        (within(middle[1]), (within(low[0]) if has_low else None, within(high[1]) if has_high else None))
        for middle, low, high, (has_low, has_high) in zip(edges[::3], edges[1::3], edges[2::3], bounded, strict=True)
    ]


def _enclosing(n: int, q: float, confidence: float, n_effective: float | None) -> tuple[int | None, int | None]:
    """The 1-based ranks among `n` values between which quantile `q` lies, as `quantile_interval` takes them."""
    size = n if n_effective is None else max(1, min(n, math.floor(n_effective)))
    lower, upper = order_statistic_ranks(size, q, confidence)
    return (
        None if lower is None else (lower - 1) * n // size + 1,
        None if upper is None else min(n, -(-upper * n // size)),
    )


def samples_needed(q: float, confidence: float = 0.95) -> int:
    """Fewest independent values whose two-sided interval of quantile `q` is bounded: p99 needs 368 at 95 %."""
    _require(q, confidence)
    tail = math.log((1 - confidence) / 2)
    n = math.ceil(max(tail / math.log(q), tail / math.log1p(-q)) - 1e-9)
    while None in order_statistic_ranks(n, q, confidence):
        n += 1
    return n


def _require(q: float, confidence: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, got {q}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies strictly between 0 and 1, got {confidence}")
