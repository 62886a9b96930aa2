"""Quantiles of the normal and of Student's t distribution, and the t interval of a mean. Pure Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from .beta import beta_regularized

_SQRT2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2.0 * math.pi)


def normal_cdf(z: float) -> float:
    """P(Z ≤ z) of the standard normal distribution."""
    return 0.5 * math.erfc(-z / _SQRT2)


@lru_cache(maxsize=256)
def normal_quantile(p: float) -> float:
    """The z with P(Z ≤ z) = p; raises ValueError unless 0 < p < 1.

    Start: Abramowitz & Stegun 26.2.23 (error below 4.5e-4), then Halley's method on `erfc` to rounding error.
    """
    _require_probability(p)
    if p > 0.5:
        return -normal_quantile(1 - p)
    t = math.sqrt(-2 * math.log(p))
    z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
    for _ in range(3):
        error = (normal_cdf(z) - p) * _SQRT_2PI * math.exp(z * z / 2)
        z -= error / (1 + z * error / 2)
    return z


def t_cdf(t: float, df: float) -> float:
    """P(T ≤ t) with `df` degrees of freedom."""
    square = t * t
    tail = 0.5 * beta_regularized(df / 2, 0.5, df / (df + square), square / (df + square))
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """The t with P(T ≤ t) = p, for df > 0 (whole or not, as Welch's formula gives it).

    Within 1e-9 (relative) of scipy for df ≥ 1; above a million by Fisher's expansion in 1/df.
    Raises ValueError unless 0 < p < 1 and df > 0.
    """
    _require_probability(p)
    if not df > 0:
        raise ValueError(f"degrees of freedom must be above 0, got {df}")
    if p == 0.5:
        return 0.0
    if p > 0.5:
        return -t_quantile(1 - p, df)
    if df > 1e6:
        z = normal_quantile(p)
        return z + z * (z * z + 1) / (4 * df) + z * (5 * z**4 + 16 * z * z + 3) / (96 * df * df)
    return _refine(_bracket(p, df), p, df)


def _bracket(p: float, df: float) -> tuple[float, float]:
    """Two points with the quantile between them; p < ½."""
    low = min(-1.0, 1.5 * normal_quantile(p))
    while t_cdf(low, df) > p:
        low *= 4
    return low, 0.0


def _refine(bracket: tuple[float, float], p: float, df: float) -> float:
    """Newton on log P, which is concave and so does not overshoot; bisection where it leaves the bracket."""
    low, high = bracket
    t = low if df < 3 else max(low, normal_quantile(p))
    for _ in range(200):
        probability = t_cdf(t, df)
        low, high = (t, high) if probability < p else (low, t)
        following = t - probability * math.log(probability / p) / _t_density(t, df)
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - t) <= 4e-15 * abs(t):
            return following
        t = following
    return t


def _t_density(t: float, df: float) -> float:
    log_ratio = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df / 2)
    return math.exp(log_ratio - (df + 1) / 2 * math.log1p(t * t / df)) / _SQRT_2PI


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float | None, float | None]:
    """(mean, low, high) of the expectation behind independent `values`; one value alone has no interval.

    Raises ValueError on no values at all.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = t_quantile(0.5 + confidence / 2, len(values) - 1) * math.sqrt(variance / len(values))
    return mean, mean - half, mean + half


def _require_probability(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"a probability strictly between 0 and 1 is needed, got {p}")
