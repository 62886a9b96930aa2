"""Figures as tools print them, with the width of their last digit: ``1.39ms`` is 1,390,000 ns to 10,000 ns.

Only a point is read as the decimal mark. ``1,39ms`` comes from a localised printer and is refused with a hint, for
``1,390`` would be read as one thing in one country and as another in the next.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ..errors import FormatError
from ..model import Figure

NS = {
    "ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
}  # fmt: skip
"""Unit of time as printed → nanoseconds."""
METRIC = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
BINARY = {"B": 1.0, "KB": 2.0**10, "MB": 2.0**20, "GB": 2.0**30, "TB": 2.0**40, "": 1.0, "K": 2.0**10, "M": 2.0**20,
          "G": 2.0**30, "T": 2.0**40}  # fmt: skip

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-zµμ]*)\s*")
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")
_MAX_DIGITS = 400


def figure(text: str, where: str, units: dict[str, float]) -> Figure:
    """`text` as a figure in base units; raises `FormatError` where it is no number with one of `units`."""
    match = _QUANTITY.fullmatch(text) if len(text) < _MAX_DIGITS else None
    factor = units.get(match[2]) if match else None
    if match is None or factor is None:
        raise wrong(text, where)
    value = float(match[1]) * factor
    if not math.isfinite(value):
        raise wrong(text, where)
    return Figure(value, last_digit(match[1]) * factor)


def duration(text: str, where: str) -> Figure:
    """``1.39ms`` as a figure in ns."""
    return figure(text, where, NS)


def number(text: str, where: str, factor: float = 1.0) -> Figure:
    """A bare number times `factor`, e.g. ``0.0210`` seconds with a factor of 1e9."""
    return figure(text, where, {"": factor})


def count(text: str, where: str) -> int:
    """A whole number without sign."""
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit()) or len(stripped) > 15:
        raise wrong(text, where, "a count")
    return int(stripped)


def go_duration(text: str, where: str) -> Figure:
    """A Go duration, ``1m5.25s`` or ``12.69ms``, in ns; its resolution is that of the last part."""
    parts = list(_GO_PART.finditer(text.strip()))
    if not parts or "".join(part[0] for part in parts) != text.strip():
        raise wrong(text, where, "a duration such as 12.69ms")
    value = sum(float(part[1]) * NS[part[2]] for part in parts)
    return Figure(value, last_digit(parts[-1][1]) * NS[parts[-1][2]])


def ladder(pairs: Iterable[tuple[float, Figure]]) -> tuple[tuple[float, Figure], ...]:
    """Percentiles strictly between 0 and 100 in ascending order, each once (the first that was printed)."""
    found: dict[float, Figure] = {}
    for p, value in pairs:
        if 0 < p < 100:
            found.setdefault(p, value)
    return tuple((p, found[p]) for p in sorted(found))


def last_digit(number_text: str) -> float:
    """The weight of the last digit of a decimal number: 0.01 for ``1.39``, 1 for ``7``, 0.1 for ``1.2e0``."""
    mantissa, _, exponent = number_text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"1e{int(exponent or 0) - decimals}")


def wrong(text: str, where: str, expected: str = "a number with a known unit") -> FormatError:
    """The error for `text` that stands where a figure should; says so where it looks like a localised number."""
    shown = text.strip() if len(text) < 60 else text.strip()[:57] + "…"
    if re.search(r"\d,\d", text):
        hint = "decimal commas are not read: run the tool again with LC_ALL=C"
        return FormatError(f"{where}: got {shown!r}; expected {expected}", hint=hint)
    return FormatError(f"{where}: got {shown!r}; expected {expected}")
