"""autocannon ``-j`` (github.com/mcollina/autocannon): a closed loop, optionally paced with ``-R``.

Traps: latencies are cut to whole milliseconds, so that 0.9 ms counts as 0 (while ``min`` is 1) and the mean is up to
1 ms low; with ``-R`` every slow answer is back-filled with one sample per millisecond (`totalCount` then exceeds
`requests.total`); the limiter sends the quota of a second in one burst and counts it as ``sent`` when it is due, so
that is not read; ``duration`` is longer than the sampled seconds that the rate covers; ``samples`` are added up over
the workers (``-w``); with a warm-up (``-W``) its result is printed first, as if it were a run of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, printed, restate
from .document import Node, parse_several
from .stream import Stream

QUANTUM_NS = 1_000_000
_TABLE = re.compile(r"^(Running .+ test @ .*|\d+ connections.*)\n[^{]*^┌─", re.M)
_PERCENTILES = {
    "p0_001": 0.001, "p0_01": 0.01, "p0_1": 0.1, "p1": 1.0, "p2_5": 2.5, "p10": 10.0, "p25": 25.0, "p50": 50.0,
    "p75": 75.0, "p90": 90.0, "p97_5": 97.5, "p99": 99.0, "p99_9": 99.9, "p99_99": 99.99, "p99_999": 99.999,
}  # fmt: skip


def sniff(head: bytes, name: str) -> bool:
    if _TABLE.search(head.decode("utf-8", "replace")):
        return True
    return all(key in head for key in (b'"sampleInt"', b'"pipelining"', b'"non2xx"'))


def read(stream: Stream) -> Iterator[Measurement]:
    if _TABLE.search(stream.head.decode("utf-8", "replace")):
        raise FormatError(f"{stream.name}: is autocannon's table, rounded for people; run it with -j and keep the JSON")
    nodes = list(parse_several(stream.document(), stream.name))
    warmups = [node["warmup"].value for node in nodes if node["warmup"]]
    for node in nodes:
        if node.value not in warmups:
            yield _measurement(node, stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    total = node["requests"]["total"].count()
    connections = node["connections"].count()
    if total is None or connections is None:
        raise node.wrong("a result of autocannon with connections and requests.total")
    recorded = node["latency"]["totalCount"].count()
    errors = _errors(node)
    caveats = [_window(node)] if _sampled(node) else []
    if recorded is not None and recorded > total:
        caveats.append(
            Caveat(
                "source.backfill", f"autocannon recorded {recorded:,} latencies for {total:,} requests: it adds samples"
            )
        )
    return Measurement(
        source=Source(tool="autocannon", format="JSON", file=stream.name),
        loop="closed",
        concurrency=connections * (node["pipelining"].count() or 1),
        rate_achieved_per_s=node["requests"]["average"].figure(1.0, 0.01),
        duration_ns=_sampled(node) or node["duration"].figure(1e9, 0.01),
        warmup_ns=node["warmup"]["duration"].figure(1e9, 0.01),
        operations=total,
        operations_include_errors=errors.get("status", 0) > 0 and sum(errors.values()) <= total,
        errors=errors,
        outcomes=_outcomes(node),
        latency=_latency(node["latency"], recorded, total) if recorded else None,
        bytes_in=node["throughput"]["total"].count(),
        restated=tuple(_restated(node)),
        started_at=node["start"].text(),
        finished_at=node["finish"].text(),
        caveats=tuple(caveats),
        blind=(*blind.LOAD, blind.SERIES, blind.INTENDED, blind.RATE, blind.THINK),
    )


def _restated(node: Node) -> Iterator[Restated]:
    """Means are stated under two names, and the status classes are the sums of the codes."""
    for what in ("latency", "requests", "throughput"):
        mean, average = node[what]["mean"].figure(1.0, 0.01), node[what]["average"].figure(1.0, 0.01)
        yield from restate.same(f"{what}.mean", mean, "", f"{what}.average", average)
    codes = [(code, value["count"].count() or 0) for code, value in node["statusCodeStats"].members()]
    for label in ("2xx", "3xx", "4xx", "5xx") if codes else ():
        total = float(sum(n for code, n in codes if code[:1] == label[0]))
        yield from restate.between(label, node[label].figure(1.0, 1.0), "", "the sum of its codes", total, total)


def _sampled(node: Node) -> Figure | None:
    """The seconds that requests were counted in: samples of one worker times sampling interval."""
    samples, interval_ms = node["samples"].count(), node["sampleInt"].number()
    workers = max(1, node["workers"].count() or 1)
    return Figure(samples / workers * interval_ms * 1e6, 2e7) if samples and interval_ms else None


def _window(node: Node) -> Caveat:
    samples, whole = _sampled(node), node["duration"].number()
    seconds = samples.value / 1e9 if samples else 0.0
    return Caveat(
        "source.window",
        f"requests were counted in {seconds:g} s of samples; the duration of {whole} s has start and end in it as well",
    )


def _errors(node: Node) -> dict[str, int]:
    errors, timeouts = node["errors"].count() or 0, node["timeouts"].count() or 0
    named = {
        "timeout": timeouts,
        "error": max(0, errors - timeouts),
        "status": sum(node[key].count() or 0 for key in ("4xx", "5xx")),
        "mismatch": node["mismatches"].count() or 0,
    }
    return {kind: n for kind, n in named.items() if n}


def _outcomes(node: Node) -> dict[str, int] | None:
    codes = {code: n for code, value in node["statusCodeStats"].members() if (n := value["count"].count())}
    return {code: n for code, n in codes.items() if code[:1] in "123"} or None


def _latency(node: Node, recorded: int, total: int) -> Latency:
    percentiles = [(p, figure) for key, p in _PERCENTILES.items() if (figure := node[key].figure(1e6, 1.0)) is not None]
    return Latency(
        count=recorded,
        minimum=node["min"].figure(1e6, 1.0),
        mean=node["average"].figure(1e6, 2.0),
        maximum=node["max"].figure(1e6, 1.0),
        stdev=node["stddev"].figure(1e6, 0.01),
        percentiles=printed.ladder(percentiles),
        percentile_method="hdr",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
        corrected=recorded > total,
    )
