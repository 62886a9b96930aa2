"""Ratios of counts: hit ratio, error rate, validity."""

from __future__ import annotations

import math

from .student import normal_quantile


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of the ratio behind `successes` of `n` (E. B. Wilson, 1927).

    Zero successes give an upper bound above zero, and all of them a lower bound below one; (0, 1) where n is 0.
    Fractions are welcome: an effective n smaller than the count, with successes scaled along, widens the interval.
    Raises ValueError unless 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie within 0 and n = {n}, got {successes}")
    if n == 0:
        return 0.0, 1.0
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
    ratio = successes / n
    centre = (ratio + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (ratio * (1 - ratio) + z2 / (4 * n)) / n) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return min(low, ratio), max(high, ratio)
