"""The regularised incomplete beta function, which the binomial and Student's t distribution are made of.

Pure Python, because `verify` must not wait for scipy. The factor before the continued fraction uses Loader's saddle
point form (C. Loader, *Fast and accurate computation of binomial probabilities*, 2000), so that nothing cancels at
parameters of a billion, where differences of `lgamma` would have lost six digits.
"""

from __future__ import annotations

import math

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_TINY = 1e-300
_EPSILON = 1e-15


def beta_regularized(a: float, b: float, x: float, complement: float | None = None) -> float:
    """I_x(a, b) for a, b > 0 and x in [0, 1]; relative error about 1e-13.

    Give `complement` = 1 − x where it is known better than subtraction would make it.
    """
    y = 1.0 - x if complement is None else complement
    if x <= 0.0:
        return 0.0
    if y <= 0.0:
        return 1.0
    if x < (a + 1) / (a + b + 2):
        return min(1.0, _factor(a, b, x, y) / a * _continued_fraction(a, b, x))
    return max(0.0, 1.0 - _factor(b, a, y, x) / b * _continued_fraction(b, a, y))


def _factor(a: float, b: float, x: float, y: float) -> float:
    """x^a y^b / B(a, b) with y = 1 − x."""
    n = a + b
    log_value = _stirling_error(n) - _stirling_error(a) - _stirling_error(b) - _deviance(a, n * x) - _deviance(b, n * y)
    return math.exp(log_value) * math.sqrt(a * b / (2 * math.pi * n))


def _stirling_error(x: float) -> float:
    """log Γ(x + 1) − log(√(2πx) (x/e)^x), the error of Stirling's formula."""
    if x < 16:
        return math.lgamma(x + 1) - (x + 0.5) * math.log(x) + x - _HALF_LOG_2PI
    square = x * x
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / x


def _deviance(x: float, mean: float) -> float:
    """x·log(x/mean) + mean − x, without cancellation where x is near `mean`."""
    difference = x - mean
    if abs(difference) >= 0.1 * (x + mean):
        return x * math.log(x / mean) - difference
    v = difference / (x + mean)
    total, term = difference * v, 2 * x * v
    for j in range(1, 60):
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            break
        total = following
    return total


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of DLMF 8.17.22; it converges in about √max(a, b) steps."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 1000 + 20 * math.isqrt(int(max(a, b)) + 1)):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for coefficient in (even, odd):
            d = 1.0 + coefficient * d
            c = 1.0 + coefficient / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            step *= d * c
        value *= step
        if abs(step - 1.0) < _EPSILON:
            return value
    return value
