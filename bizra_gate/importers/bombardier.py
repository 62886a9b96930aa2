"""bombardier ``-o json`` (github.com/codesenberg/bombardier): a closed loop over N connections, optionally paced.

Traps: ``rps.mean`` is a mean of samples that overlap badly with the run's ends (about 1 % off N/T) and is left out;
percentiles are there only with ``-l``; every answer counts as a request, whatever its status.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Latency, Measurement, Source
from . import blind, failure, printed
from .document import Node, parse_several
from .stream import Stream

QUANTUM_NS = 1_000


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
        bytes_in=result["bytesRead"].count(),
        bytes_out=result["bytesWritten"].count(),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED),
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
    percentiles = (
        (float(key), figure)
        for key, value in node["percentiles"].members()
        if key.replace(".", "", 1).isdecimal() and (figure := value.figure(1e3, 1.0)) is not None
    )
    return Latency(
        mean=node["mean"].figure(1e3),
        maximum=node["max"].figure(1e3, 1.0),
        stdev=node["stddev"].figure(1e3),
        percentiles=printed.ladder(percentiles),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )
