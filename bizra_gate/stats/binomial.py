"""Quantiles of the binomial distribution, exact for counts from one to a billion, in microseconds.

A Cornish–Fisher expansion says where the quantile lies; the exact distribution function decides whenever the
expansion comes so near to a whole number that its own error could tip it, and always where the spread is small.
"""

from __future__ import annotations

import math
from functools import lru_cache

from .beta import beta_regularized
from .student import normal_quantile

_SMALL_SPREAD = 4.0
"""Below this standard deviation (in counts) the expansion is only a first guess."""


def cdf(k: int, n: int, q: float) -> float:
    """P(X ≤ k) of a binomial count with `n` trials of probability `q`: I_{1−q}(n − k, k + 1)."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return beta_regularized(n - k, k + 1, 1 - q, q)


@lru_cache(maxsize=4096)
def ppf(p: float, n: int, q: float) -> int:
    """The smallest k with P(X ≤ k) ≥ p, for 0 < p < 1, 0 < q < 1 and n ≥ 1."""
    spread = math.sqrt(n * q * (1 - q))
    place = _cornish_fisher(p, n, q) - 0.5
    if spread >= _SMALL_SPREAD and abs(place - round(place)) > _expansion_error(spread, n):
        return min(n, max(0, math.ceil(place)))
    return _search(p, n, q, min(n, max(0, round(place))))


def _expansion_error(spread: float, n: int) -> float:
    """A bound on the expansion's error: a test holds it against the exact function, with a margin of ten."""
    return 8.0 / spread**3 + 1e-13 * n


def _search(p: float, n: int, q: float, k: int) -> int:
    """Walk from `k` to the quantile; the slack keeps ties where arithmetic would put them."""
    target = p * (1 - 1e-13)
    if cdf(k, n, q) >= target:
        while k > 0 and cdf(k - 1, n, q) >= target:
            k -= 1
        return k
    while cdf(k, n, q) < target:
        k += 1
    return k


def _cornish_fisher(p: float, n: int, q: float) -> float:
    """x with P(X ≤ x − ½) ≈ p, to third order, with Sheppard's corrections for a lattice (Kolassa, McCullagh 1990)."""
    z = normal_quantile(p)
    base = n * q * (1 - q)
    variance = max(base - 1 / 12, base / 2)
    sigma = math.sqrt(variance)
    skew = base * (1 - 2 * q) / sigma**3
    kurtosis = (base * (1 - 6 * q * (1 - q)) + 1 / 120) / variance**2
    fifth = base * (1 - 2 * q) * (1 - 12 * q * (1 - q)) / sigma**5
    z2 = z * z
    standard = (
        z
        + skew * (z2 - 1) / 6
        + kurtosis * z * (z2 - 3) / 24
        - skew**2 * z * (2 * z2 - 5) / 36
        + fifth * (z2 * z2 - 6 * z2 + 3) / 120
        - skew * kurtosis * (z2 * z2 - 5 * z2 + 2) / 24
        + skew**3 * (12 * z2 * z2 - 53 * z2 + 17) / 324
    )
    return n * q + sigma * standard
