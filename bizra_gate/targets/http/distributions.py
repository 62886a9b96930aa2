"""Seeded values for request fields: pure functions of (seed, index), the same in every process and every run.

``uniform(a, b)`` · ``normal(mean, sd)`` · ``exponential(mean)`` · ``pareto(shape, scale)`` · ``lognormal(mu, sigma)``
· ``poisson(mean)`` · ``zipf(s, n)``. Every value is the inverse of its distribution function at a hashed uniform, so
value number 1,000,000 costs what the first one costs and workers need not share a generator.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from statistics import NormalDist
from zlib import crc32

from ...errors import UsageError

Quantile = Callable[[float], float]
Sampler = Callable[[int], str]
"""Index of the operation → text of the field."""

_MASK = (1 << 64) - 1
_MAX_TABLE = 1_000_000
_MAX_POISSON_MEAN = 100_000.0
_SPEC = re.compile(r"\s*([a-z]+)\s*\(([^()]*)\)\s*")


def uniform_at(seed: int, index: int) -> float:
    """A uniform in (0, 1), never 0 or 1, from splitmix64 (Steele, Lea, Flood 2014) at position `index`."""
    z = (seed * 0x9E3779B97F4A7C15 + (index + 1) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    z ^= z >> 31
    return ((z >> 12) + 0.5) / (1 << 52)


def sampler(spec: str, name: str, seed: int) -> Sampler:
    """The sampler of field `name`; two fields of one distribution differ. Raises `UsageError` for a bad `spec`."""
    quantile, whole = parse(spec, name)
    own_seed = (seed << 32) ^ crc32(name.encode())
    if whole:
        return lambda index: str(int(quantile(uniform_at(own_seed, index))))
    return lambda index: format(quantile(uniform_at(own_seed, index)), ".9g")


def parse(spec: str, name: str = "field") -> tuple[Quantile, bool]:
    """(quantile function, whether its values are whole numbers) of ``zipf(1.1, 1000)`` and the like."""
    match = _SPEC.fullmatch(spec)
    if match is None or match[1] not in DISTRIBUTIONS:
        raise UsageError(f"field {name!r}: {spec!r} is not a distribution", hint=f"Known: {', '.join(SIGNATURES)}.")
    texts = [text.strip() for text in match[2].split(",")] if match[2].strip() else []
    try:
        return DISTRIBUTIONS[match[1]](*texts)
    except (TypeError, ValueError, OverflowError) as error:
        detail = str(error) if isinstance(error, ValueError) else "wrong number of parameters"
        raise UsageError(f"field {name!r}: {spec!r}: {detail}", hint=f"Write {_signature(match[1])}.") from None


def _uniform(low: str, high: str) -> tuple[Quantile, bool]:
    a, b = _number(low), _number(high)
    if not a <= b:
        raise ValueError(f"the lower bound {low} is above the upper bound {high}")
    if _is_whole(low) and _is_whole(high):
        first, size = int(low), int(high) - int(low) + 1
        return lambda u: first + math.floor(u * size), True
    return lambda u: a + u * (b - a), False


def _normal(mean: str, sd: str) -> tuple[Quantile, bool]:
    return NormalDist(_number(mean), _positive(sd)).inv_cdf, False


def _exponential(mean: str) -> tuple[Quantile, bool]:
    scale = _positive(mean)
    return lambda u: -scale * math.log1p(-u), False


def _pareto(shape: str, scale: str = "1") -> tuple[Quantile, bool]:
    exponent, minimum = -1 / _positive(shape), _positive(scale)
    return lambda u: minimum * (1 - u) ** exponent, False


def _lognormal(mu: str, sigma: str) -> tuple[Quantile, bool]:
    normal = NormalDist(_number(mu), _positive(sigma))
    return lambda u: math.exp(normal.inv_cdf(u)), False


def _poisson(mean: str) -> tuple[Quantile, bool]:
    average = _positive(mean)
    if average > _MAX_POISSON_MEAN:
        raise ValueError(f"a mean above {_MAX_POISSON_MEAN:,.0f} is too wide; use normal({mean}, {average**0.5:g})")
    spread = 12 * math.sqrt(average) + 40
    first, last = max(0, math.floor(average - spread)), math.ceil(average + spread)
    weights = [math.exp(k * math.log(average) - average - math.lgamma(k + 1)) for k in range(first, last + 1)]
    return _table(weights, first), True


def _zipf(exponent: str, size: str) -> tuple[Quantile, bool]:
    s, n = _positive(exponent), int(size)
    if not 1 <= n <= _MAX_TABLE:
        raise ValueError(f"the number of ranks is from 1 to {_MAX_TABLE:,}")
    return _table([rank**-s for rank in range(1, n + 1)], 1), True


def _table(weights: list[float], first: int) -> Quantile:
    cumulative = list(accumulate(weights))
    total, last = cumulative[-1], len(cumulative) - 1
    return lambda u: first + min(last, bisect_left(cumulative, u * total))


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise ValueError(f"{text} is not above zero")
    return value


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def _signature(name: str) -> str:
    return next(signature for signature in SIGNATURES if signature.startswith(name))


DISTRIBUTIONS: dict[str, Callable[..., tuple[Quantile, bool]]] = {
    "uniform": _uniform,
    "normal": _normal,
    "exponential": _exponential,
    "pareto": _pareto,
    "lognormal": _lognormal,
    "poisson": _poisson,
    "zipf": _zipf,
}
SIGNATURES = (
    "uniform(low, high)",
    "normal(mean, sd)",
    "exponential(mean)",
    "pareto(shape, scale)",
    "lognormal(mu, sigma)",
    "poisson(mean)",
    "zipf(exponent, ranks)",
)
