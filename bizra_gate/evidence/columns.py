"""Interval columns as the file holds them: what a rule gives is not spelled out row by row.

Two minutes of seconds are 120 starts that anybody can count and 120 errors of zero, in every run of every artifact
that people review. A column of one repeated number is written as that number, and starts that tile the window from
zero are left out.
"""

from __future__ import annotations

from typing import Any

from ..errors import UntrustedError
from ..model import Intervals

Json = Any

COLUMNS = ("errors", "total_ns", "maximum_ns", "p50_ns", "p99_ns", "in_flight_ns")
"""May be one number for all rows. `count` never is: its length is that of the others."""


def packed(value: Intervals, document: dict[str, Json]) -> dict[str, Json]:
    """`document`, the columns of `value` in full, without what a rule gives."""
    result = dict(document)
    if value.count and value.start_ns == _tiled(len(value.count), value.length_ns):
        del result["start_ns"]
    for name in COLUMNS:
        column = getattr(value, name)
        if len(column) > 1 and len(column) == len(value.count) and len(set(column)) == 1:
            result[name] = column[0]
    return result


def unpacked(document: Json, where: str) -> Json:
    """`document` with its columns in full; what is not an object with a `count` array is left for the decoder."""
    if not isinstance(document, dict) or not isinstance(document.get("count"), list):
        return document
    rows, length = len(document["count"]), document.get("length_ns")
    result = dict(document)
    if "start_ns" not in document and type(length) is int:
        result["start_ns"] = list(_tiled(rows, length))
    for name in COLUMNS:
        item = document.get(name)
        if type(item) is int:
            if not rows:
                raise UntrustedError(f"{where}.{name}: got {item} for no rows, expected no member", code="malformed")
            result[name] = [item] * rows
    return result


def _tiled(rows: int, length_ns: int) -> tuple[int, ...]:
    return tuple(range(0, rows * length_ns, length_ns)) if length_ns else (0,) * rows
