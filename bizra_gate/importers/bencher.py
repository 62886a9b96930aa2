"""Bencher Metric Format (bencher.dev): benchmark → measure → value with optional bounds.

Traps: the unit is that of the measure, which is defined on a server and not in the file: only ``latency`` (ns),
``throughput`` (operations per second) and ``file-size`` (bytes) have one that is known; what the bounds mean depends
on the adapter that wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import FormatError
from ..model import Measurement, Source
from . import figures, micro
from .document import Node, parse
from .stream import Stream

_NUMBER = rb"(?:-?[0-9][0-9.eE+-]*|null|NaN|-?Infinity)"
_MEMBER = rb'"(?:value|lower_value|upper_value)"\s*:\s*' + _NUMBER
_SNIFF = re.compile(
    rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*'
    + _MEMBER + rb"(?:\s*,\s*" + _MEMBER + rb"){0,2}\s*\}"
)  # fmt: skip
_UNITS = {"latency": "ns", "throughput": "ops/s", "file-size": "B"}
_PERCENTILE = re.compile(r"latency-p(\d{1,2})(?:-(\d{1,4}))?")


def sniff(head: bytes, name: str) -> bool:
    return _SNIFF.match(head) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    benchmarks = list(parse(stream.document(), stream.name).members())
    if not benchmarks:
        raise FormatError(f"{stream.name}: no benchmark in it: nothing was measured")
    for name, measures in benchmarks:
        yield _measurement(name, measures, stream)


def _measurement(name: str, measures: Node, stream: Stream) -> Measurement:
    found = Measurement(
        source=Source("bencher", format="Bencher Metric Format", file=stream.name), name=name, blind=figures.BLIND
    )
    bounded: list[str] = []
    for measure, metric in measures.members():
        value = micro.number(metric["value"])
        if value is None:
            raise metric["value"].wrong("a value")
        percentile = _PERCENTILE.fullmatch(measure)
        unit = "ns" if percentile else _UNITS.get(measure, f"({measure})")
        p = float(f"{percentile[1]}.{percentile[2] or 0}") if percentile else None
        found = figures.add(found, value, unit, p=p)
        if metric["lower_value"] or metric["upper_value"]:
            bounded.append(measure)
    return figures.interval_caveat(found, bounded)
