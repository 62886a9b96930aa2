"""An interval against a limit: does it surely meet it, surely violate it, or can nobody tell?

The unfavourable end decides a pass, the favourable end a failure. A side that does not exist (None) is unbounded:
no limit is surely met on that side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bizra_gate.model import Limit
from bizra_gate.model.quick import quick

Outcome = Literal["meets", "violates", "open"]


@quick
@dataclass(frozen=True, slots=True)
class Span:
    """A closed interval in base units; None where a side is unbounded."""

    low: float | None
    high: float | None

    @classmethod
    def exact(cls, value: float) -> Span:
        return cls(value, value)

    @property
    def bounded(self) -> bool:
        return self.low is not None and self.high is not None

    def holding(self, value: float) -> Span:
        """This span, widened where rounding left `value` just outside it."""
        low = None if self.low is None else min(self.low, value)
        high = None if self.high is None else max(self.high, value)
        return Span(low, high)

    def times(self, factor: float) -> Span:
        """Both ends times a factor above zero."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Span(low, high)


def span_of(estimate: float, interval: tuple[float | None, float | None] | None) -> Span | None:
    """The span of a metric, None where it is no interval at all: a NaN side, or ends in the wrong order.

    An infinite side is an unbounded one.
    """
    if not math.isfinite(estimate):
        return None
    if interval is None:
        return Span.exact(estimate)
    low, high = interval
    if any(side is not None and math.isnan(side) for side in interval):
        return None
    low = None if low is not None and math.isinf(low) else low
    high = None if high is not None and math.isinf(high) else high
    if low is not None and high is not None and low > high:
        return None
    return Span(low, high).holding(estimate)


def weigh(limit: Limit, span: Span, bound: Span) -> Outcome:
    """`span` against `limit`, whose bound is itself a span where it comes from another measurement.

    For ``in`` the two bounds of the limit are used and `bound` is ignored.
    """
    if limit.operator == "in":
        return _within(span, limit.bound, limit.upper)
    if limit.operator == "==":
        return _equal(span, bound)
    if limit.operator in ("<=", "<"):
        return _below(span, bound, strict=limit.operator == "<")
    return _below(_mirrored(span), _mirrored(bound), strict=limit.operator == ">")


def _below(span: Span, bound: Span, *, strict: bool) -> Outcome:
    """Surely below: the whole span below the lowest that the bound can be. Surely not: above the highest."""
    top, floor = span.high, bound.low
    if top is not None and floor is not None and (top < floor or (top == floor and not strict)):
        return "meets"
    bottom, ceiling = span.low, bound.high
    if bottom is not None and ceiling is not None and (bottom > ceiling or (bottom == ceiling and strict)):
        return "violates"
    return "open"


def _mirrored(span: Span) -> Span:
    return Span(
        None if span.high is None else -span.high,
        None if span.low is None else -span.low,
    )


def _within(span: Span, low: float | None, high: float | None) -> Outcome:
    if low is None or high is None:
        return "open"
    if span.low is not None and span.high is not None and low <= span.low and span.high <= high:
        return "meets"
    outside = (span.low is not None and span.low > high) or (span.high is not None and span.high < low)
    return "violates" if outside else "open"


def _equal(span: Span, bound: Span) -> Outcome:
    if bound.low is None or bound.low != bound.high:
        return "open"
    if span.low == span.high == bound.low:
        return "meets"
    inside = (span.low is None or span.low <= bound.low) and (span.high is None or bound.low <= span.high)
    return "open" if inside else "violates"
