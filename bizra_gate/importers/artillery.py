"""Artillery ``--output`` JSON: virtual users that arrive at a rate, each doing its scenario.

Traps: smallest and largest response time are whole milliseconds; percentiles come from a sketch of 1 % relative
error; ``http.response_time`` ends at the first byte; the target rate is in the script, not in the report; users that
could not be started count as ``vusers.skipped`` and are in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
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
        yield _measurement(node["aggregate"], list(node["intermediate"].elements()), stream)


def _measurement(node: Node, periods: list[Node], stream: Stream) -> Measurement:
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
        restated=(*_of_counters(counters, periods), *_of_summaries(node), *_of_stamps(node, first, last)),
        beside=tuple(_beside(node["summaries"])),
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


def _of_counters(counters: dict[str, int], periods: list[Node]) -> Iterator[Restated]:
    """Counters of the whole are the sums of those of its periods; users end at most once, an answer has one status."""
    if periods:
        parts = [period["counters"].counts() for period in periods]
        for key, n in counters.items():
            yield from restate.equal(key, n, "the sum of its periods", sum(part.get(key, 0) for part in parts))
    ended = counters.get("vusers.completed", 0) + counters.get("vusers.failed", 0)
    created = counters.get("vusers.created")
    if created is not None:
        most = Figure(float(created))
        yield from restate.at_most("vusers.completed and failed", Figure(float(ended)), "", "vusers.created", most)
    codes = sum(n for key, n in counters.items() if key.startswith("http.codes."))
    yield from restate.equal("http.responses", counters.get("http.responses"), "the sum of http.codes", codes)


def _of_summaries(node: Node) -> Iterator[Restated]:
    """The median is p50, and all summaries stand in the file again as ``histograms``."""
    for name, row in node["summaries"].members():
        yield from restate.equal(f"median of {name}", row["median"].number(), "its p50", row["p50"].number())
        again = node["histograms"][name]
        for key, cell in row.members():
            yield from restate.equal(f"{key} of histograms {name}", again[key].number(), "summaries", cell.number())


def _of_stamps(node: Node, first: int, last: int) -> Iterator[Restated]:
    for key, edge in (("first", first), ("last", last)):
        seen = [n for part in ("Counter", "Histogram") if (n := node[f"{key}{part}At"].count()) is not None]
        if seen:
            known = min(seen) if key == "first" else max(seen)
            formula = f"the {key} counter or histogram"
            yield from restate.equal(f"{key}MetricAt, ms since it", edge - known, formula, 0.0)


def _beside(summaries: Node) -> Iterator[Beside]:
    for name, row in summaries.members():
        if name != "http.response_time" and (held := _latency(row)) is not None:
            yield Beside(name, "ns", held)


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
