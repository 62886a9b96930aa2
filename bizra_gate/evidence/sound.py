"""What must hold among the members of one noun before anybody calculates with it.

A signature says who wrote the numbers, not that they fit together. What an honest recorder could never write, and what
would make a later sum run out of bounds, is refused where it is read; what is merely unbelievable is left to the audit.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..errors import UntrustedError
from ..model import InFlight, Intervals, Latency, Measurement, Run

MAX_RUNS = 1000
"""As many processes as a plan may ask for."""
MAX_ROWS = 1_000_000
"""Eleven days of seconds."""


def _intervals(value: Intervals, where: str) -> None:
    """Every column is as long as the first, or empty."""
    rows = len(value.start_ns)
    if rows > MAX_ROWS:
        raise _refuse(where, f"{rows:,} intervals", f"at most {MAX_ROWS:,}")
    if value.length_ns <= 0:
        raise _refuse(f"{where}.length_ns", str(value.length_ns), "a length above zero")
    for name in _names(Intervals):
        column = getattr(value, name)
        if not isinstance(column, tuple):
            continue
        if len(column) != rows and (column or name == "count"):
            raise _refuse(f"{where}.{name}", f"{len(column)} values", f"{rows}, one for each interval")
        if min(column, default=0) < 0 and name != "start_ns":
            raise _refuse(f"{where}.{name}", str(min(column)), "values of at least 0")


def _latency(value: Latency, where: str) -> None:
    _counts(value, where)
    if value.batch < 1:
        raise _refuse(f"{where}.batch", str(value.batch), "at least 1")
    ranks = [p for p, _ in value.percentiles]
    if any(not 0 <= p <= 100 for p in ranks):
        raise _refuse(f"{where}.percentiles", str(ranks)[:60], "percentiles from 0 to 100")


def _measurement(value: Measurement, where: str) -> None:
    if len(value.runs) > MAX_RUNS:
        raise _refuse(f"{where}.runs", f"{len(value.runs):,} runs", f"at most {MAX_RUNS:,}")
    _counts(value, where)


def _counts(value: Any, where: str) -> None:
    """Whatever was counted, nothing was counted below zero."""
    for name in _counting(typing.cast("typing.Hashable", type(value))):
        member = getattr(value, name)
        if isinstance(member, int):
            if member < 0:
                raise _refuse(f"{where}.{name}", str(member), "at least 0")
        elif type(member) is dict:  # as mappings are decoded
            for label, count in member.items():
                if isinstance(count, int) and count < 0:
                    raise _refuse(f"{where}.{name}.{label}", str(count), "at least 0")


@cache
def _counting(kind: Any) -> tuple[str, ...]:
    """The members of a noun that can hold whole numbers: as such, or by label."""
    hints = typing.get_type_hints(kind)
    plain = {name: {hint, *typing.get_args(hint)} for name, hint in hints.items()}
    return tuple(
        name for name, kinds in plain.items() if int in kinds or any(typing.get_origin(one) is Mapping for one in kinds)
    )


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _refuse(where: str, got: str, expected: str) -> UntrustedError:
    return UntrustedError(f"{where}: got {got}, expected {expected}", code="malformed")


CHECKS: dict[type[Any], Callable[[Any, str], None]] = {
    InFlight: _counts,
    Intervals: _intervals,
    Latency: _latency,
    Measurement: _measurement,
    Run: _counts,
}
"""Noun → what it must satisfy after its members were decoded; raises `UntrustedError`."""
