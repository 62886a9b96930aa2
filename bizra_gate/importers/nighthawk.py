"""Nighthawk ``--output-format json`` (envoyproxy/nighthawk): a paced generator, closed unless ``--open-loop``.

Traps: 64-bit counts are strings and durations carry an ``s`` (protobuf's JSON); a percentile of 0 is left out;
``requestsPerSecond`` and ``connections`` are per worker; latency starts when the request is handed to a connection,
so the wait for one is in ``queue_to_connect`` and what could not be sent at all is only ``pool_overflow``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, hdr_table, printed, restate
from .document import Node, parse_several
from .stream import Stream

BIN_RATIO = 1 / 1024
_TOGETHER = "benchmark_http_client.request_to_response"


def sniff(head: bytes, name: str) -> bool:
    return b'"benchmark_http_client.' in head and b'"statistics"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        results = {row["name"].text(): row for row in node["results"].elements()}
        found = results.get("global") or next(iter(results.values()), None)
        if found is None:
            raise FormatError(f"{stream.name}: Nighthawk wrote no result: nothing was measured")
        yield _measurement(node, found, stream)


def _measurement(node: Node, result: Node, stream: Stream) -> Measurement:
    options = node["options"]
    counters = {row["name"].text() or "": row["value"].count() or 0 for row in result["counters"].elements()}
    outcomes, errors = _results(counters)
    done = sum(outcomes.values()) + sum(errors.values())
    workers = _workers(options)
    rate = options["requestsPerSecond"].number()
    connections = options["connections"].count()
    return Measurement(
        source=Source(tool="nighthawk", version=_version(node), format="JSON", file=stream.name),
        loop="open" if options["openLoop"].value is True else "paced-closed",
        concurrency=connections * workers if connections and workers else None,
        threads=workers,
        rate_requested_per_s=Figure(rate * workers) if rate and workers else None,
        duration_requested_ns=_seconds(options["duration"]),
        duration_ns=_seconds(result["execution_duration"]),
        operations=done,
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        latency=_latency(result) if done else None,
        restated=tuple(_restated(result)),
        beside=tuple(_beside(result)),
        started_at=result["execution_start"].text(),
        caveats=tuple(_caveats(counters)),
        blind=(*blind.LOAD, blind.SERIES, blind.INTENDED),
    )


def _workers(options: Node) -> int | None:
    """``concurrency`` is text: a number of workers, or ``auto``, which is one per core and not told."""
    text = options["concurrency"].text()
    if text is None:
        return 1
    return int(text) if text.isdecimal() and 0 < int(text) < 10_000 else None


def _version(node: Node) -> str | None:
    number = node["version"]["version"]
    parts = [number[key].count() or 0 for key in ("major_number", "minor_number", "patch")]
    return ".".join(str(part) for part in parts) if number else None


def _results(counters: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    outcomes = {code: n for code in ("1xx", "2xx", "3xx") if (n := counters.get(f"benchmark.http_{code}", 0))}
    named = {
        "status 4xx": "benchmark.http_4xx", "status 5xx": "benchmark.http_5xx", "status other": "benchmark.http_xxx",
        "reset": "benchmark.stream_resets", "connection": "benchmark.pool_connection_failure",
    }  # fmt: skip
    return outcomes, {kind: n for kind, key in named.items() if (n := counters.get(key, 0))}


def _caveats(counters: dict[str, int]) -> Iterator[Caveat]:
    if held := counters.get("benchmark.pool_overflow", 0):
        yield Caveat("source.overflow", f"{held:,} requests were due and found no free connection; they were not sent")


def _restated(result: Node) -> Iterator[Restated]:
    """So many values are at or below a percentile as its share of all says, or more where values are alike."""
    for statistic in result["statistics"].elements():
        total, name = statistic["count"].count(), statistic["id"].text() or ""
        for row in statistic["percentiles"].elements():
            n, share = row["count"].count(), row["percentile"].number() or 0.0
            if total and n is not None:
                what, least = f"count at p{share * 100:g} of {name}", max(0.0, share * total - 1.0)
                yield from restate.between(what, Figure(float(n)), "", "its share of all", least, float(total))


def _beside(result: Node) -> Iterator[Beside]:
    """Other times: the wait for a connection, the sequencer's."""
    headline = _headline(result)
    for row in result["statistics"].elements():
        other = headline is None or row.value is not headline.value
        if other and row["mean"].text() is not None and row["count"].count():
            yield Beside(row["id"].text() or "statistics", "ns", _figures(row))


def _headline(result: Node) -> Node | None:
    """All answers where Nighthawk tells them together, else those of status 2xx."""
    found = {row["id"].text(): row for row in result["statistics"].elements()}
    return found.get(_TOGETHER) or found.get("benchmark_http_client.latency_2xx")


def _latency(result: Node) -> Latency | None:
    node = _headline(result)
    if node is None or not node["count"].count():
        return None
    return replace(_figures(node), origin="after-acquire", includes_errors=node["id"].text() == _TOGETHER)


def _figures(node: Node) -> Latency:
    rows = [_row(row) for row in node["percentiles"].elements()]
    table = [(figure.value, n) for _, figure, n in rows]
    return Latency(
        histogram=hdr_table.distribution(table, 1, node.where) if table and table[-1][1] else None,
        count=node["count"].count(),
        minimum=_seconds(node["min"]),
        mean=_seconds(node["mean"]),
        maximum=_seconds(node["max"]),
        stdev=_seconds(node["pstdev"]),
        percentiles=printed.ladder((p * 100, figure) for p, figure, _ in rows),
        percentile_method="hdr",
        quantum_ns=1.0,
        bin_ratio=BIN_RATIO,
    )


def _row(row: Node) -> tuple[float, Figure, int]:
    figure, n = _seconds(row["duration"]), row["count"].count()
    if figure is None or n is None:
        raise row.wrong("a percentile with duration and count")
    return row["percentile"].number() or 0.0, figure, n


def _seconds(node: Node) -> Figure | None:
    """``0.010981294s`` → ns; protobuf writes 0, 3, 6 or 9 decimals, so a short form is exact too."""
    text = node.text()
    if text is None:
        return None
    return Figure(printed.go_duration(text, node.where).value)
