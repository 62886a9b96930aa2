"""nanobench (github.com/martinus/nanobench), ``templates::json()``: epochs of iterations in one process.

Traps: ``elapsed`` is seconds per iteration, although it stands beside ``iterations`` as if it were their sum (that is
``totalTime``); an iteration may process a batch of units, by which only the printed table divides; an epoch lasts about
a thousand quanta of the clock, so a whole benchmark may be over in 12 ms; ``warmup`` counts iterations, not time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, ClockFacts, Figure, Latency, Measurement, Source
from . import blind, micro
from .document import Node, parse
from .stream import Stream

_BLIND = (
    blind.ENVIRONMENT,
    "one process only: what the next one would show goes unseen (method.runs)",
    "no empty control: what the loop itself costs is in each value (control.empty)",
    "performance counters are not read",
)


def sniff(head: bytes, name: str) -> bool:
    return b'"results"' in head and b'"clockResolution"' in head and b'"median(elapsed)"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    results = list(parse(stream.document(), stream.name)["results"].elements())
    if not results:
        raise FormatError(f"{stream.name}: nanobench wrote no result into it: nothing was measured")
    for result in results:
        yield _measurement(result, stream)


def _measurement(result: Node, stream: Stream) -> Measurement:
    resolution, median = result["clockResolution"].number(), micro.number(result["median(elapsed)"])
    base = Measurement(
        source=Source("nanobench", format="JSON template", file=stream.name),
        name="/".join(text for key in ("title", "name") if (text := result[key].text())) or None,
        loop="batch",
        clock=None if resolution is None else ClockFacts(resolution_ns=resolution * 1e9),
        warmup_ns=Figure(0.0) if result["warmup"].number() == 0 else None,
        caveats=tuple(_caveats(result)),
        blind=_BLIND if result["warmup"].number() == 0 else (blind.WARMUP, *_BLIND),
    )
    figures = Latency(percentiles=micro.quartiles(0, (50.0, micro.figure(median, 1e9))), percentile_method="linear")
    readings = tuple(_reading(row) for row in result["measurements"].elements())
    if not readings:
        note = Caveat("source.data", "the epochs are not in the file: only their median")
        return replace(base, latency=figures, caveats=(*base.caveats, note))
    return micro.of_processes(base, [micro.Process(readings)], figures)


def _reading(row: Node) -> micro.Reading:
    elapsed = micro.number(row["elapsed"])
    if elapsed is None:
        raise row["elapsed"].wrong("seconds per iteration")
    return micro.Reading(elapsed * 1e9, micro.operations(row["iterations"]))


def _caveats(result: Node) -> Iterator[Caveat]:
    batch, unit = result["batch"].number(), result["unit"].text() or "op"
    if batch is not None and batch != 1:
        yield Caveat(
            "source.batch", f"an iteration is {batch:g} {unit}: times are per iteration here, per {unit} in its table"
        )
