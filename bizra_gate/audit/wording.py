"""Numbers as the messages of findings write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..model import Figure
from ..units import format_quantity
from .ranges import Range

Show = Callable[[float | Figure | Range], str]
NARROW = 0.02
"""A range narrower than this, relative to its size, is written as its middle."""


def time(value: float | Figure | Range) -> str:
    """``1.39 ms``; a range as ``1 ms … 2 ms``."""
    if isinstance(value, Range):
        return _ranged(value, time)
    return format_quantity(value.value if isinstance(value, Figure) else value, "ns")


def rate(value: float | Range) -> str:
    """``64,882/s``."""
    return _ranged(value, rate) if isinstance(value, Range) else format_quantity(value, "1/s")


def count(value: float | Range) -> str:
    """``1,298,362``."""
    if isinstance(value, Range):
        return value.text(count)
    return f"{value:,.0f}"


def number(value: float | Range) -> str:
    """Four significant digits: ``14.6``, ``0.5831``."""
    if isinstance(value, Range):
        return _ranged(value, number)
    return format_quantity(value, "1")


def shown_in(unit: str) -> Show:
    """How figures in base `unit` are written; plain numbers, with commas, where it is empty or no unit of ours."""
    if unit == "ns":
        return time

    def shown(value: float | Figure | Range) -> str:
        if isinstance(value, Range):
            return _ranged(value, shown)
        plain = value.value if isinstance(value, Figure) else value
        return format_quantity(plain, unit) if unit else f"{plain:,.6g}"

    return shown


def _ranged(value: Range, show: Callable[[float], str]) -> str:
    if value.high - value.low <= NARROW * value.high:
        return show(value.middle)
    return value.text(show)


def share(value: float) -> str:
    """A fraction in per cent: ``2.9 %``."""
    return f"{value * 100:.2g} %" if abs(value) < 0.1 else f"{value * 100:.0f} %"


def name_of(p: float) -> str:
    """``p99.9``."""
    return f"p{p:g}"


def listed(items: Sequence[str], most: int = 3) -> str:
    """The first few of `items` and how many more there are."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown
