"""Interval arithmetic on positive quantities, so that tolerances follow from what was printed.

A figure printed as ``51.15us`` lies in [51.145, 51.155] µs; a rate computed from it lies in the range that both ends
give. A rule compares ranges and accuses only where no value inside them could be true.

>>> rate, mean = Range(64881.665, 64881.675), Range(51.145e-6, 51.155e-6)
>>> (rate * mean).text(lambda x: f"{x:.3f}")
'3.318 … 3.319'
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..model import Figure
from ..model.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Range:
    """All values from `low` to `high`, both inclusive."""

    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Range:
        return cls(value, value)

    @classmethod
    def of(cls, figure: Figure) -> Range:
        """The values that print as `figure`: half its resolution to either side."""
        return cls(figure.low, figure.high)

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def __mul__(self, other: Range) -> Range:
        return Range(self.low * other.low, self.high * other.high)

    def __truediv__(self, other: Range) -> Range:
        """Quotient of positive ranges; a divisor that reaches zero leaves the upper end infinite."""
        return Range(_ratio(self.low, other.high), _ratio(self.high, other.low))

    def widened(self, absolute: float) -> Range:
        """Both ends moved outwards, the lower one not below zero."""
        return Range(max(0.0, self.low - absolute), self.high + absolute)

    def text(self, show: Callable[[float], str]) -> str:
        """``7.99`` or, where the ends differ when shown, ``7.98 … 8.01``."""
        low, high = show(self.low), show(self.high)
        return low if low == high else f"{low} … {high}"


def _ratio(numerator: float, denominator: float) -> float:
    if denominator > 0:
        return numerator / denominator
    return math.inf if numerator > 0 else 0.0


def is_number(value: float | None) -> bool:
    """Is `value` there and finite?"""
    return value is not None and math.isfinite(value)
