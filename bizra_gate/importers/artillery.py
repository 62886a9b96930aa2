"""Artillery ``--output`` JSON: virtual users that arrive at a rate, each doing its scenario.

Traps: smallest and largest response time are whole milliseconds; percentiles come from a sketch of 1 % relative
error; ``http.response_time`` ends at the first byte; the target rate is in the script, not in the report; users that
could not be started count as ``vusers.skipped`` and are in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Caveat, Figure, Latency, Measurement, Source
from . import blind, failure, printed
from .document import Node, parse_several
from .instants import as_rfc3339
from .stream import Stream

QUANTUM_NS = 1_000_000
SKETCH_RATIO = 0.02
"""A DDSketch of 1 % relative accuracy: a value lies within 1 % of what is told, on either side."""
_PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


def sniff(head: bytes, name: str) -> bool:
    return b'"aggregate"' in head and b'"vusers.created' in head


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        yield _measurement(node["aggregate"], stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    counters = node["counters"].counts()
    requests = counters.get("http.requests")
    first, last = node["firstMetricAt"].count(), node["lastMetricAt"].count()
    if requests is None or first is None or last is None:
        raise node.wrong("an aggregate with http.requests and the times of its first and last metric")
    outcomes, errors = _results(counters)
    rate = node["rates"]["http.request_rate"].figure(1.0, 1.0)
    return Measurement(
        source=Source(tool="artillery", format="JSON", file=stream.name),
        loop="open",
        rate_achieved_per_s=rate,
        duration_ns=Figure(float(last - first) * 1e6, 2e6),
        operations=sum(outcomes.values()) + sum(errors.values()),
        operations_include_errors=True,
        sent=requests,
        errors=errors,
        outcomes=outcomes,
        latency=_latency(node["summaries"]["http.response_time"]),
        bytes_in=counters.get("http.downloaded_bytes"),
        started_at=as_rfc3339(first * 10**6),
        finished_at=as_rfc3339(last * 10**6),
        caveats=tuple(_caveats(counters)),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.RATE, blind.INTENDED),
    )


def _results(counters: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """(outcomes, errors): ``http.codes.NNN`` by status, ``errors.NAME`` by class."""
    codes = {key.removeprefix("http.codes."): n for key, n in counters.items() if key.startswith("http.codes.")}
    outcomes, errors = failure.split_statuses(codes)
    for key, n in counters.items():
        if key.startswith("errors."):
            kind = failure.classify(key.removeprefix("errors."))
            errors[kind] = errors.get(kind, 0) + n
    return outcomes, errors


def _caveats(counters: dict[str, int]) -> Iterator[Caveat]:
    yield Caveat("source.first_byte", "Artillery's response time ends at the first byte of the answer")
    if skipped := counters.get("vusers.skipped"):
        yield Caveat("source.skipped", f"{skipped:,} virtual users were due and never started")


def _latency(node: Node) -> Latency | None:
    count = node["count"].count()
    if not count:
        return None
    percentiles = [(p, figure) for key, p in _PERCENTILES.items() if (figure := node[key].figure(1e6, 0.1)) is not None]
    return Latency(
        count=count,
        minimum=node["min"].figure(1e6, 1.0),
        mean=node["mean"].figure(1e6, 0.1),
        maximum=node["max"].figure(1e6, 1.0),
        percentiles=printed.ladder(percentiles),
        percentile_method="ddsketch",
        origin="send",
        quantum_ns=QUANTUM_NS,
        bin_ratio=SKETCH_RATIO,
        includes_errors=True,
    )
