"""github-action-benchmark (github.com/benchmark-action): the custom JSON that it takes, and its dashboard's data.js.

Traps: a point is a name, a value and a unit; which direction is better is in the workflow file, and for some tools it
is wrong there (ops/s of JMH as better when lower); ``range`` is a spread for one tool, per cent for the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Measurement, Source
from . import figures, micro
from .document import Node, parse
from .instants import as_rfc3339
from .stream import Stream

_CUSTOM = re.compile(rb'\s*\[\s*\{(?=[^{}]*"name"\s*:)(?=[^{}]*"unit"\s*:)(?=[^{}]*"value"\s*:)')
_DATA = re.compile(rb"\s*window\.BENCHMARK_DATA\s*=\s*")
_DIRECTION = {"customBiggerIsBetter": True, "customSmallerIsBetter": False}


def sniff(head: bytes, name: str) -> bool:
    return _CUSTOM.match(head) is not None or _DATA.match(head) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    data = stream.document()
    prefix = _DATA.match(data)
    if prefix is None:
        yield from _points(parse(data, stream.name), stream, None, "custom JSON")
        return
    document = parse(data[prefix.end() :].rstrip().rstrip(b";"), stream.name)
    for suite, entries in document["entries"].members():
        yield from _latest(suite, list(entries.elements()), stream)


def _latest(suite: str, entries: list[Node], stream: Stream) -> Iterator[Measurement]:
    """The last commit of a suite; those before it are another program."""
    if not entries:
        return
    entry, date = entries[-1], entries[-1]["date"].count()
    better = _DIRECTION.get(entry["tool"].text() or "")
    for point in _points(entry["benches"], stream, better, "dashboard data"):
        named = replace(
            point, name=f"{suite}/{point.name}", finished_at=None if date is None else as_rfc3339(date * 10**6)
        )
        text = f"{len(entries) - 1} earlier commits of the dashboard are left out"
        yield figures.with_caveat(named, "source.history", text) if len(entries) > 1 else named


def _points(node: Node, stream: Stream, better: bool | None, form: str) -> Iterator[Measurement]:
    points = list(node.elements())
    if not points:
        raise FormatError(f"{node.where}: no benchmark in it: nothing was measured")
    for point in points:
        value, unit = micro.number(point["value"]), point["unit"].text()
        if value is None or unit is None:
            raise point.wrong("a point with name, unit and value")
        base = Measurement(
            source=Source("github-action-benchmark", format=form, file=stream.name),
            name=point["name"].text(),
            blind=figures.BLIND,
        )
        read_point = figures.add(base, value, unit, better=better)
        yield figures.interval_caveat(read_point, ["the value"] if point["range"] else [])
