"""Hyperfoil's run JSON (github.com/Hyperfoil/Hyperfoil, schema v3): phases of sessions, one record per metric.

Traps: all times are ns; histograms have two significant digits (1 %); the wait for a free connection is
``blockedTime`` and in no response time; the kind of phase (constant rate or constant users) is not in the file. The
number of sessions over time is, which gives Little's law something measured to be held against.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import FormatError
from ..model import Caveat, Distribution, Figure, Intervals, Latency, Measurement, Restated, Source
from . import blind, printed, restate
from .document import Node, parse_several
from .instants import as_rfc3339
from .stream import Stream

BIN_RATIO = 1 / 128
"""HDR with two significant digits: 256 sub-buckets, half of them in use from the second octave on."""
_OUTSIDE = {"timeout": "requestTimeouts", "connection": "connectionErrors", "internal": "internalErrors"}


def sniff(head: bytes, name: str) -> bool:
    return b"http://hyperfoil.io/run-schema" in head


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        records = list(node["stats"].elements())
        counted = [record for record in records if record["isWarmup"].value is not True]
        if not counted:
            raise FormatError(f"{stream.name}: Hyperfoil recorded no phase that is not a warm-up: nothing was measured")
        warmup = _warmup(records)
        for record in counted:
            yield _measurement(record, node, warmup, stream)


def _warmup(records: list[Node]) -> Figure:
    spans = {
        (record["total"]["start"].count() or 0, record["total"]["end"].count() or 0)
        for record in records
        if record["isWarmup"].value is True
    }
    return Figure(float(sum(end - start for start, end in spans)) * 1e6, 1e6)


def _measurement(record: Node, node: Node, warmup: Figure, stream: Stream) -> Measurement:
    total = record["total"]
    summary = total["summary"]
    requests, start, end = summary["requestCount"].count(), total["start"].count(), total["end"].count()
    if requests is None or start is None or end is None:
        raise total.wrong("a total with start, end and requestCount")
    outcomes, errors = _results(summary)
    return Measurement(
        source=Source(tool="hyperfoil", version=node["version"].text(), format="run JSON", file=stream.name),
        name="/".join(part for key in ("phase", "metric") if (part := record[key].text())) or None,
        concurrency=total["maxSessions"].count(),
        duration_ns=Figure(float(end - start) * 1e6, 1e6),
        warmup_ns=warmup,
        operations=requests,
        operations_include_errors=sum(errors.values()) <= requests,
        errors=errors,
        outcomes=outcomes,
        latency=_latency(summary, record["histogram"]) if summary["responseCount"].count() else None,
        intervals=_intervals(record["series"], start),
        restated=tuple(_restated(record)),
        started_at=as_rfc3339(start * 10**6),
        finished_at=as_rfc3339(end * 10**6),
        caveats=tuple(_caveats(summary, node)),
        blind=(*blind.LOAD[1:], blind.INTENDED, blind.RATE, "whether the loop was open or closed is not said"),
    )


def _restated(record: Node) -> Iterator[Restated]:
    """Both histograms count their rows up, and hold every response; sessions have a least and a most."""
    total = record["total"]
    answered = total["summary"]["responseCount"].count()
    for name in ("percentiles", "linear"):
        seen, rows = 0, list(record["histogram"][name].elements())
        for row in rows:
            seen += row["count"].count() or 0
            yield from restate.equal(f"totalCount of {name}", row["totalCount"].count(), "the counts up to it", seen)
        if rows:
            yield from restate.equal(f"the counts of {name}", seen, "responseCount", answered)
    yield from _of_series(total["summary"], list(record["series"].elements()))
    least, most = total["minSessions"].figure(), total["maxSessions"].figure()
    yield from restate.at_most("minSessions", least, "", "maxSessions", most)


def _of_series(summary: Node, rows: list[Node]) -> Iterator[Restated]:
    """No second has more than the whole, nor have all of them together; none is quicker or slower than its extremes."""
    for key in ("requestCount", "responseCount", "invalid", *_OUTSIDE.values()):
        parts = Figure(float(sum(row[key].count() or 0 for row in rows)))
        yield from restate.at_most(f"{key} of the series", parts, "", f"{key} of all", summary[key].figure())
    known = [row for row in rows if row["responseCount"].count()]
    least = min((figure.value for row in known if (figure := row["minResponseTime"].figure())), default=None)
    most = max((figure.value for row in known if (figure := row["maxResponseTime"].figure())), default=None)
    if least is not None and most is not None:
        whole = summary["minResponseTime"].figure(), summary["maxResponseTime"].figure()
        yield from restate.at_most("minResponseTime", whole[0], "ns", "that of the series", Figure(least))
        yield from restate.at_most("maxResponseTime of the series", Figure(most), "ns", "that of all", whole[1])


def _results(summary: Node) -> tuple[dict[str, int], dict[str, int]]:
    """(outcomes, errors). Answers of 4xx and 5xx are ``invalid`` by default, so only the rest of those is added."""
    http = summary["extensions"]["http"]
    outcomes = {key[7:]: n for key in ("status_2xx", "status_3xx", "status_other") if (n := http[key].count())}
    errors = {f"status {key[7:]}": n for key in ("status_4xx", "status_5xx") if (n := http[key].count())}
    invalid = (summary["invalid"].count() or 0) - sum(errors.values())
    if invalid > 0:
        errors["invalid"] = invalid
    errors.update({kind: n for kind, key in _OUTSIDE.items() if (n := summary[key].count())})
    return outcomes, errors


def _caveats(summary: Node, node: Node) -> Iterator[Caveat]:
    if blocked := summary["blockedTime"].number():
        yield Caveat(
            "source.blocked",
            f"requests waited {blocked / 1e9:.4g} s in all for a free connection; that is in no response time",
        )
    if node["info"]["cancelled"].value is True:
        yield Caveat("source.ended", "the run was cancelled before its end")


def _latency(summary: Node, histogram: Node) -> Latency:
    percentiles = (
        (float(key), figure)
        for key, value in summary["percentileResponseTime"].members()
        if key.replace(".", "", 1).isdecimal() and (figure := value.figure()) is not None
    )
    return Latency(
        histogram=_distribution(histogram["percentiles"], summary),
        count=summary["responseCount"].count(),
        minimum=summary["minResponseTime"].figure(),
        mean=summary["meanResponseTime"].figure(1.0, 1.0),
        maximum=summary["maxResponseTime"].figure(),
        stdev=summary["stdDevResponseTime"].figure(1.0, 1.0),
        percentiles=printed.ladder(percentiles),
        percentile_method="hdr",
        origin="send",
        quantum_ns=1.0,
        bin_ratio=BIN_RATIO,
        includes_errors=True,
    )


def _distribution(rows: Node, summary: Node) -> Distribution | None:
    """The rows ``from … to`` of the percentile histogram; the first begins at the smallest response time."""
    edges: list[tuple[int, int, int]] = []
    smallest = summary["minResponseTime"].number() or 0.0
    for row in rows.elements():
        low, high, count = row["from"].number(), row["to"].number(), row["count"].count()
        if low is None or high is None or count is None or not 0 <= low <= high < 1e18:
            raise row.wrong("a bin with from, to and count")
        first = edges[-1][1] + 1 if edges else round(min(max(low, smallest), high))
        if round(high) < first:
            raise row.wrong("bins in ascending order")
        if count:
            edges.append((first, round(high), count))
    if not edges:
        return None
    low_edges, high_edges, counts = zip(*edges, strict=True)
    return Distribution(low_edges, high_edges, counts)


def _intervals(series: Node, start_ms: int) -> Intervals | None:
    """One row per second of the series; None where its rows do not follow one another."""
    rows = list(series.elements())
    starts = [row["startTime"].count() for row in rows]
    if not rows or any(start is None for start in starts):
        return None
    offsets = [start - start_ms for start in starts if start is not None]
    step = offsets[1] - offsets[0] if len(offsets) > 1 else 1000
    if step <= 0 or offsets != [index * step for index in range(len(offsets))]:
        return None
    counts = [row["responseCount"].count() or 0 for row in rows]
    means = [row["meanResponseTime"].number() or 0.0 for row in rows]
    return Intervals(
        length_ns=step * 10**6,
        start_ns=tuple(offset * 10**6 for offset in offsets),
        count=tuple(counts),
        errors=tuple(sum(_results(row)[1].values()) for row in rows),
        total_ns=tuple(round(mean * n) for mean, n in zip(means, counts, strict=True)),
        maximum_ns=tuple(round(row["maxResponseTime"].number() or 0) for row in rows),
    )
