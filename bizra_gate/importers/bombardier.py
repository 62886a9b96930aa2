"""bombardier ``-o json`` (github.com/codesenberg/bombardier): a closed loop over N connections, optionally paced.

Traps: ``rps.mean`` is a mean of samples that overlap badly with the run's ends (about 1 % off N/T) and is left out;
percentiles are there only with ``-l``; every answer counts as a request, whatever its status; ``latency.stddev`` adds
each different value up once but divides by all of them (`internal/test_info.go`), so it is too small and left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..model import Beside, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .document import Node, parse_several
from .stream import Stream

QUANTUM_NS = 1_000
LATE_S = 0.1


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"numberOfConnections"', b'"testType"'))


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        yield _measurement(node, stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    spec, result = node["spec"], node["result"]
    duration = result["timeTakenSeconds"].figure(1e9)
    if duration is None:
        raise result["timeTakenSeconds"].wrong("the length of the run in seconds")
    outcomes = {key: n for key in ("req1xx", "req2xx", "req3xx") if (n := result[key].count())}
    errors = _errors(result)
    rate = spec["rate"].figure()
    done = sum(outcomes.values()) + sum(errors.values())
    return Measurement(
        source=Source(tool="bombardier", format="JSON", file=stream.name),
        loop="paced-closed" if rate else "closed",
        think_time=None if rate else False,
        concurrency=spec["numberOfConnections"].count(),
        rate_requested_per_s=rate,
        duration_requested_ns=spec["testDurationSeconds"].figure(1e9),
        duration_ns=duration,
        operations=done,
        operations_include_errors=True,
        errors=errors,
        outcomes={key.removeprefix("req"): n for key, n in outcomes.items()},
        outcomes_complete=True,
        latency=_latency(result["latency"]) if done else None,
        restated=tuple(_restated(spec, result, duration, done)),
        beside=tuple(_beside(result["rps"])) if done else (),
        bytes_in=result["bytesRead"].count(),
        bytes_out=result["bytesWritten"].count(),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED),
    )


def _restated(spec: Node, result: Node, duration: Figure, done: int) -> Iterator[Restated]:
    """The time that was asked for; the largest rate of a moment is at least the mean one; a deviation has its room.

    The last moment ends when all workers have, some ms after the time was taken.
    """
    latency, longest = result["latency"], result["latency"]["max"].figure(1e3, 1.0)
    if spec["testType"].text() == "timed":
        yield from restate.run_time(duration, spec["testDurationSeconds"].figure(1e9), longest)
    most, floor = result["rps"]["max"].figure(), done / (duration.high / 1e9 + LATE_S)
    if most is not None:
        yield from restate.between("rps.max", most, "1/s", "requests over time", floor, max(floor, most.value))
    mean, stdev = latency["mean"].figure(1e3), latency["stddev"].figure(1e3)
    if mean is not None and longest is not None and 0 <= mean.value <= longest.high:
        room = math.sqrt(mean.value * (longest.high - mean.value))
        least = max(0.0, longest.low - mean.value) / math.sqrt(done) if done > 2 else 0.0
        yield from restate.between("latency.stddev", stdev, "ns", "its mean and max", least, room + QUANTUM_NS)


def _beside(rps: Node) -> Iterator[Beside]:
    """Requests a second in moments of 10 ms; how many there were is not told."""
    held = Latency(
        mean=rps["mean"].figure(),
        maximum=rps["max"].figure(),
        stdev=rps["stddev"].figure(),
        percentiles=_percentiles(rps["percentiles"], 1.0, 1e-6),
    )
    yield Beside("rps", "1/s", held)


def _percentiles(node: Node, factor: float, quantum: float) -> tuple[tuple[float, Figure], ...]:
    return printed.ladder(
        (float(key), figure)
        for key, value in node.members()
        if key.replace(".", "", 1).isdecimal() and (figure := value.figure(factor, quantum)) is not None
    )


def _errors(result: Node) -> dict[str, int]:
    """Answers of 4xx and 5xx, and ``others``: requests without an answer, by class where they are described."""
    errors = {f"status {key[3:]}": n for key in ("req4xx", "req5xx") if (n := result[key].count())}
    others = result["others"].count() or 0
    for row in result["errors"].elements():
        n = min(row["count"].count() or 0, others)
        kind = failure.classify(row["description"].text() or "")
        if n:
            errors[kind] = errors.get(kind, 0) + n
            others -= n
    if others:
        errors["other"] = others
    return errors


def _latency(node: Node) -> Latency:
    return Latency(
        mean=node["mean"].figure(1e3),
        maximum=node["max"].figure(1e3, 1.0),
        percentiles=_percentiles(node["percentiles"], 1e3, 1.0),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )
