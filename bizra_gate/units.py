"""Units at the border: text with a unit in, base units inside, text for people out.

Inside, time is nanoseconds, rates are per second, sizes are bytes and ratios are plain fractions. A number without
its unit is refused wherever its meaning depends on one: ``120`` is neither 120 s nor 120 ms.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, Overflow

NS_PER_S = 1_000_000_000

_TIME = {
    "ns": Decimal(1),
    "us": Decimal(10) ** 3,
    "µs": Decimal(10) ** 3,
    "μs": Decimal(10) ** 3,
    "ms": Decimal(10) ** 6,
    "s": Decimal(10) ** 9,
    "m": Decimal(60) * 10**9,
    "min": Decimal(60) * 10**9,
    "h": Decimal(3600) * 10**9,
    "d": Decimal(86400) * 10**9,
}
_RATE = {"/s": Decimal(1), "k/s": Decimal(10) ** 3, "M/s": Decimal(10) ** 6, "G/s": Decimal(10) ** 9,
         "/min": Decimal(1) / 60, "/h": Decimal(1) / 3600}  # fmt: skip
_SIZE = {"B": Decimal(1), "kB": Decimal(10) ** 3, "MB": Decimal(10) ** 6, "GB": Decimal(10) ** 9,
         "KiB": Decimal(2) ** 10, "MiB": Decimal(2) ** 20, "GiB": Decimal(2) ** 30}  # fmt: skip
_RATIO = {"%": Decimal(1) / 100, "ppm": Decimal(1) / 10**6, "": Decimal(1)}
_COUNT = {"": Decimal(1), "k": Decimal(10) ** 3, "M": Decimal(10) ** 6}

DIMENSIONS: dict[str, dict[str, Decimal]] = {
    "ns": _TIME,
    "1/s": _RATE,
    "B": _SIZE,
    "ratio": _RATIO,
    "1": _COUNT,
}
"""Base unit → spelling → factor to the base unit."""

EXAMPLES = {"ns": "250 ms", "1/s": "300k/s", "B": "64 MiB", "ratio": "0.5 %", "1": "64"}
NOUNS = {"ns": "a time", "1/s": "a rate", "B": "a size", "ratio": "a ratio", "1": "a count"}

_QUANTITY = re.compile(r"\s*([+-]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(.*?)\s*")


class UnitError(ValueError):
    """Text that is not a quantity of the asked dimension; the message says what was got and what to write."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the base unit that it is counted in."""

    value: float
    unit: str


def parse(text: str, unit: str) -> float:
    """Read `text` as a quantity of base `unit` (a key of `DIMENSIONS`) and return it in that unit.

    Raises `UnitError` where the unit is absent, unknown, or of another dimension.
    """
    number, suffix = _split(text)
    table = DIMENSIONS[unit]
    factor = table.get(suffix.replace("ops/s", "/s").replace("req/s", "/s").replace(" ", ""))
    if factor is None or (suffix == "" and unit not in ("ratio", "1")):
        raise UnitError(f"{text!r} is not {NOUNS[unit]}: write it with a unit, for example {EXAMPLES[unit]!r}")
    try:
        value = float(number * factor)
    except Overflow:  # an exponent beyond what decimals hold
        value = math.inf
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not finite")
    return value


def parse_duration_ns(text: str) -> int:
    """Read a duration such as ``1.5ms``, ``120s`` or ``2m`` and return whole nanoseconds, at least zero."""
    value = parse(text, "ns")
    if value < 0:
        raise UnitError(f"{text!r} is negative; a duration is at least 0 s")
    return round(value)


def parse_rate_per_s(text: str) -> float:
    """Read a rate such as ``1000/s`` or ``300k/s`` and return operations per second, above zero."""
    value = parse(text, "1/s")
    if value <= 0:
        raise UnitError(f"{text!r} is not above zero")
    return value


def parse_ratio(text: str) -> float:
    """Read a ratio such as ``0.3 %`` or ``0.003`` and return it as a fraction."""
    return parse(text, "ratio")


def unit_of(text: str) -> str | None:
    """The base unit that the suffix of `text` belongs to, or None where it has none or an unknown one."""
    try:
        suffix = _split(text)[1].replace("ops/s", "/s").replace("req/s", "/s").replace(" ", "")
    except UnitError:
        return None
    return next((base for base, table in DIMENSIONS.items() if suffix and suffix in table), None)


def _split(text: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"{text!r} is not a number with a unit")
    try:
        return Decimal(match[1].replace("_", "")), match[2]
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only decimals
        raise UnitError(f"{text!r} is not a number") from error


def format_quantity(value: float | None, unit: str) -> str:
    """`value` in base `unit` as a person would write it, four significant digits; ``—`` for None (not measured)."""
    if value is None:
        return "—"
    if not math.isfinite(value):
        return "∞" if value > 0 else ("−∞" if value < 0 else "NaN")
    if unit == "ns":
        return format_time(value)
    if unit == "1/s":
        return format_rate(value)
    if unit == "B":
        return _scaled(value, (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0)))
    if unit == "ratio":
        percent = value * 100  # a signed file may say 1e308
        return f"{_digits(percent)} %" if math.isfinite(percent) else f"{value:.4g} × 100 %"
    return f"{value:,.0f}" if value == int(value) else _digits(value)


def format_time(value_ns: float) -> str:
    """Nanoseconds as ``850 ns``, ``12.3 µs``, ``1.204 ms``, ``4.8 s`` or ``2 min 30 s``."""
    if abs(value_ns) >= 120 * NS_PER_S:
        whole = round(value_ns / NS_PER_S)
        if abs(value_ns) >= 48 * 3600 * NS_PER_S:
            return f"{_digits(value_ns / NS_PER_S / 86400)} d"
        minutes, seconds = divmod(whole, 60)
        return f"{minutes} min" + (f" {seconds} s" if seconds else "")
    return _scaled(value_ns, (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)))


def format_rate(value_per_s: float) -> str:
    """Operations per second with a thousands separator: ``523,793/s``, ``12.5/s``."""
    if abs(value_per_s) >= 1000:
        return f"{value_per_s:,.0f}/s"
    return f"{_digits(value_per_s)}/s"


def _scaled(value: float, steps: tuple[tuple[str, float], ...]) -> str:
    for suffix, factor in steps:
        if abs(value) >= factor * 0.99995:
            return f"{_digits(value / factor)} {suffix}"
    suffix, factor = steps[-1]
    return f"{_digits(value / factor)} {suffix}"


def _digits(value: float) -> str:
    """Four significant digits, no exponent for everyday sizes, no trailing zeros."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= 6 or exponent < -6:
        return f"{value:.4g}"
    decimals = max(0, 3 - exponent)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
