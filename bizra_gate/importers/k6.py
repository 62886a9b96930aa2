"""k6 (grafana/k6): virtual users that iterate a script; points (NDJSON, CSV) and three kinds of summary.

Traps: in ``--summary-export`` a threshold that says ``true`` has *failed*; ``passes`` of ``http_req_failed`` counts the
requests that failed; ``http_req_duration`` starts once a connection was had; the machine-readable summary has no rate
and no count of trends; there are no intended start times, arrivals that found no user are only ``dropped_iterations``.
The executor is not in any output: whether users paused or idled is worked out from the length of their iterations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from ..model.measurement import Loop
from . import blind, k6_points, printed, restate
from .document import Node, parse
from .stream import Stream

PAUSE = 0.05
"""Users who spend more than this share of an iteration outside of requests are taken to pause."""
IDLE = 0.1
"""Users who are outside of iterations for more than this share of the time are taken to idle between arrivals."""
_CSV_HEADER = b"metric_name,timestamp,metric_value"
_PERCENTILE = re.compile(r"p\(?(\d{1,2}(?:\.\d+)?)\)?")
_MS = 1e6
_PARTS = ("http_req_sending", "http_req_waiting", "http_req_receiving")
_OF_REQUESTS = ("http_req_duration", *_PARTS, "http_req_blocked", "http_req_connecting", "http_req_tls_handshaking")
"""Trends that get one value of every request."""
_EXPECTED = "http_req_duration{expected_response:true}"


def sniff(head: bytes, name: str) -> bool:
    start = head.lstrip()
    if _is_points(start):
        return True
    if start.startswith(_CSV_HEADER):
        return True
    if start[:1] != b"{":
        return False
    summary = b'"root_group"' in head or b'"testRunDurationMs"' in head or b'"k6_version"' in head
    return summary or (
        b'"metrics"' in head and re.search(rb'"(http_req_\w+|iteration_duration|vus_max)"', head) is not None
    )


def _is_points(start: bytes) -> bool:
    """Is the first line one point or one metric? (Other tools reorder keys and put spaces between them.)"""
    first = start.split(b"\n", 1)[0]
    return first[:1] == b"{" and b'"data"' in first and re.search(rb'"type":\s?"(Metric|Point)"', first) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    start = stream.head.lstrip()
    if _is_points(start):
        points = k6_points.read_json(stream)
        yield _with_users(k6_points.measurement(points, "NDJSON", 1.0, stream), _of_points(points))
    elif start.startswith(_CSV_HEADER):
        points, stamp_ns = k6_points.read_csv(stream)
        yield _with_users(k6_points.measurement(points, "CSV", stamp_ns, stream), _of_points(points))
    else:
        yield _read_summary(parse(stream.document(), stream.name), stream)


@dataclass(frozen=True)
class Users:
    """What is known of the virtual users and their iterations."""

    most: int | None
    mean: float | None
    iterations: int
    iteration_ns: float
    """Sum of the lengths of all iterations."""
    dropped: int
    request_ns: float
    """Sum of the times of all requests."""
    requests: int


def _of_points(points: k6_points.Points) -> Users:
    seen = sum(points.vus.values())
    mean = sum(users * n for users, n in points.vus.items()) / seen if seen else None
    most = max(points.vus, default=0) or points.vus_max or None
    spent = points.samples.ok.total_ns + points.samples.failed.total_ns
    return Users(most, mean, points.iterations, points.iteration_ns, points.dropped, spent, points.samples.n)


def _with_users(measurement: Measurement, users: Users) -> Measurement:
    """`measurement` with loop, pauses, users and the rate that was asked for, as far as these can be worked out."""
    duration = measurement.duration_ns
    overlap = users.iterations > 0 and users.request_ns > users.iteration_ns * (1 + PAUSE)
    caveats = list(measurement.caveats)
    if overlap:
        caveats.append(
            Caveat(
                "source.batch", "requests overlap within iterations (http.batch): users do not bound those in flight"
            )
        )
    asked = None
    if users.dropped and duration and duration.value > 0 and users.iterations:
        share = users.requests / users.iterations
        rate = (users.iterations + users.dropped) * share / (duration.value / 1e9)
        asked = Figure(rate, 0.04 * rate)
        caveats.append(
            Caveat(
                "source.dropped",
                f"{users.dropped:,} iterations were due and found no free user; with the {users.iterations:,} that "
                f"ran, {rate:.4g} requests a second were asked for",
            )
        )
    return replace(
        measurement,
        loop=_loop(users, duration),
        think_time=_think(users, overlap),
        concurrency=None if overlap else users.most,
        rate_requested_per_s=asked,
        caveats=tuple(caveats),
    )


def _loop(users: Users, duration: Figure | None) -> Loop | None:
    """closed where users iterate without a gap; paced-closed where they wait for arrivals."""
    if users.dropped:
        return "paced-closed"
    if not users.iterations or not users.most or duration is None or duration.value <= 0:
        return "closed"
    busy = users.iteration_ns / max(duration.low, duration.value / 2)
    return "closed" if busy >= (users.mean or users.most) * (1 - IDLE) else "paced-closed"


def _think(users: Users, overlap: bool) -> bool | None:
    if not users.iterations or users.iteration_ns <= 0 or overlap:
        return None
    return users.request_ns < users.iteration_ns * (1 - PAUSE)


# summaries


def _read_summary(node: Node, stream: Stream) -> Measurement:
    form, metrics, duration_ns = _shape(node)
    count = _value(metrics, "http_reqs", "count").count()
    if count is None:
        raise node["metrics"].wrong("a summary of k6 with http_reqs: only HTTP requests are read")
    rate = _value(metrics, "http_reqs", "rate").figure()
    if duration_ns is None and rate is not None and rate.value > 0:
        duration_ns = Figure(count / rate.value * 1e9)
    failed = _failed(metrics)
    trend = metrics.get("http_req_duration")
    latency = _latency(trend) if trend is not None and count else None
    full = Measurement(
        source=Source(tool="k6", version=node["metadata"]["k6_version"].text(), format=form, file=stream.name),
        rate_achieved_per_s=rate,
        duration_ns=duration_ns,
        operations=count,
        operations_include_errors=True,
        errors=None if failed is None else ({"failed": failed} if failed else {}),
        latency=latency,
        bytes_in=_value(metrics, "data_received", "count").count(),
        bytes_out=_value(metrics, "data_sent", "count").count(),
        restated=(*_restated(metrics, count, duration_ns), *_of_parts(metrics, count), *_of_gauges(metrics)),
        beside=tuple(_beside(metrics, count)),
        caveats=tuple(_caveats(node["metrics"], form, rate)),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED, blind.RATE),
    )
    return _with_users(full, _users(metrics, count, latency))


def _restated(metrics: dict[str, Node], requests: int, duration: Figure | None) -> Iterator[Restated]:
    """Every counter's rate is its count over one and the same time; a rate's share that of its samples."""
    if duration is not None and duration.value > 0:
        seconds = Figure(duration.value / 1e9, duration.resolution / 1e9)
        for name, values in metrics.items():
            total, rate = values["count"].value, values["rate"].value
            if name != "http_reqs" and _is_number(total) and _is_number(rate):
                formula = "its count over the time of http_reqs"
                stated, over = values["rate"].figure(), values["count"].figure()
                yield from restate.quotient(f"{name}.rate", stated, "1/s", formula, [over], [seconds])
    failed, others = _failed(metrics), _value(metrics, "http_req_failed", "fails").count()
    if failed is not None and others is not None:
        stated = Figure(float(failed + others))
        yield from restate.between("passes and fails of http_req_failed", stated, "", "http_reqs", 0.0, float(requests))
    for name, values in metrics.items():
        passes, fails = values["passes"].count(), values["fails"].count()
        if passes is not None and fails is not None and passes + fails:
            share, formula = passes / (passes + fails), "passes over passes and fails"
            for key in ("rate", "value"):
                yield from restate.between(f"{name}.{key}", values[key].figure(), "", formula, share, share)


def _of_parts(metrics: dict[str, Node], requests: int) -> Iterator[Restated]:
    """Sending, waiting and receiving make up ``http_req_duration`` of each request (`lib/netext/httpext/tracer.go`).

    Hence their averages add up, and no figure of a part is above the same one of the whole.
    """
    for name, values in metrics.items():
        if name in _OF_REQUESTS and values["count"].value is not None:
            yield from restate.equal(f"{name}.count", values["count"].number(), "http_reqs", requests)
    matches, total = (_value(metrics, "http_req_failed", key).count() for key in ("matches", "total"))
    yield from restate.at_most("http_req_failed.total", _whole(total), "", "http_reqs", _whole(requests))
    if matches is not None and total:
        share, formula = matches / total, "matches over total"
        stated = _value(metrics, "http_req_failed", "rate").figure()
        yield from restate.between("http_req_failed.rate", stated, "", formula, share, share)
    whole = _row(metrics, "http_req_duration")
    parts = {name: _row(metrics, name) for name in _PARTS if name in metrics}
    for name, row in parts.items():
        yield from restate.dominated(row, whole, (name, "http_req_duration"), "ns")
    averages = [row["avg"].value for row in parts.values() if "avg" in row]
    if len(averages) == len(_PARTS):
        spent, formula = math.fsum(averages), "those of sending, waiting and receiving"
        low, high = spent - 1.0, spent + 1.0
        yield from restate.between("avg of http_req_duration", whole.get("avg"), "ns", formula, low, high)
    good = _row(metrics, _EXPECTED)
    failed = _failed(metrics)
    for key, figure in good.items() if failed == 0 else ():
        yield from restate.same(f"{key} of {_EXPECTED}", figure, "ns", "http_req_duration: none failed", whole.get(key))


def _whole(count: int | None) -> Figure | None:
    return None if count is None else Figure(float(count))


def _of_gauges(metrics: dict[str, Node]) -> Iterator[Restated]:
    for name in ("vus", "vus_max"):
        if name in metrics:
            row = [(key, metrics[name][key].figure()) for key in ("min", "value", "max")]
            yield from restate.ascending(name, row, "")
    most = _value(metrics, "vus", "max").figure()
    yield from restate.at_most("max of vus", most, "", "the max of vus_max", _value(metrics, "vus_max", "max").figure())


def _row(metrics: dict[str, Node], name: str) -> dict[str, Figure]:
    """The figures of a trend of times, by name, ns."""
    if name not in metrics:
        return {}
    keys = [
        key for key, _ in metrics[name].members() if key in ("avg", "min", "med", "max") or _PERCENTILE.fullmatch(key)
    ]
    return {key: figure for key in keys if (figure := metrics[name][key].figure(_MS)) is not None}


def _beside(metrics: dict[str, Node], requests: int) -> Iterator[Beside]:
    """Every other trend; those of requests have a value for each of them."""
    for name, values in metrics.items():
        if name != "http_req_duration" and all(_is_number(values[key].value) for key in ("avg", "min", "max")):
            time = name.startswith(("http_req_", "iteration_duration", "group_duration"))
            count = requests if name in _OF_REQUESTS else values["count"].count()
            held = replace(_latency(values), count=count or None)
            if time:
                yield Beside(name, "ns", held)
            else:
                yield Beside(name, "", _scaled(held, 1 / _MS))


def _scaled(latency: Latency, factor: float) -> Latency:
    """The figures of a trend that holds no times, in its own unit."""

    def own(figure: Figure | None) -> Figure | None:
        return None if figure is None else Figure(figure.value * factor)

    percentiles = tuple((p, Figure(figure.value * factor)) for p, figure in latency.percentiles)
    return replace(latency, minimum=own(latency.minimum), mean=own(latency.mean), maximum=own(latency.maximum),
                   percentiles=percentiles)  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shape(node: Node) -> tuple[str, dict[str, Node], Figure | None]:
    """(form, metric → its values, duration) of any of the three summaries."""
    if node["results"]:
        found = {row["name"].text() or "": row["values"] for row in node["results"]["metrics"].elements()}
        return "machine-readable summary", found, node["config"]["duration"].figure(1e9)
    metrics = dict(node["metrics"].members())
    if node["state"] or any(metric["values"] for metric in metrics.values()):
        values = {name: metric["values"] for name, metric in metrics.items()}
        return "handleSummary", values, node["state"]["testRunDurationMs"].figure(_MS)
    return "summary export", metrics, None


def _value(metrics: dict[str, Node], name: str, key: str) -> Node:
    return metrics[name][key] if name in metrics else Node(None, name)


def _failed(metrics: dict[str, Node]) -> int | None:
    """Requests that failed: ``passes`` of a rate are the samples that were true, and true means failed."""
    for key in ("passes", "matches"):
        if (count := _value(metrics, "http_req_failed", key).count()) is not None:
            return count
    return None


def _latency(trend: Node) -> Latency:
    percentiles = [
        (float(match[1]), figure)
        for key, value in trend.members()
        if (match := _PERCENTILE.fullmatch(key)) and (figure := value.figure(_MS)) is not None
    ]
    if (median := trend["med"].figure(_MS)) is not None:
        percentiles.append((50.0, median))
    return Latency(
        count=trend["count"].count(),
        minimum=trend["min"].figure(_MS),
        mean=trend["avg"].figure(_MS),
        maximum=trend["max"].figure(_MS),
        percentiles=printed.ladder(percentiles),
        percentile_method="linear",
        origin="after-acquire",
        quantum_ns=1.0,
        includes_errors=True,
    )


def _users(metrics: dict[str, Node], requests: int, latency: Latency | None) -> Users:
    iterations = _value(metrics, "iterations", "count").count() or 0
    mean_ms = _value(metrics, "iteration_duration", "avg").number() or 0.0
    spent = latency.mean.value * requests if latency and latency.mean else 0.0
    most = _value(metrics, "vus", "max").count() or _value(metrics, "vus_max", "max").count() or None
    dropped = _value(metrics, "dropped_iterations", "count").count() or 0
    return Users(most, None, iterations, mean_ms * _MS * iterations, dropped, spent, requests)


def _caveats(metrics: Node, form: str, rate: Figure | None) -> Iterator[Caveat]:
    failed, total = _thresholds(metrics, form)
    if failed:
        reading = " (true means failed in this format)" if form == "summary export" else ""
        yield Caveat(
            "source.thresholds", f"{len(failed)} of {total} thresholds of the run failed{reading}: {failed[0]}"
        )
    if form == "machine-readable summary" and rate is None:
        yield Caveat("source.rate", "this summary has no rates: they are read as counts over the configured duration")


def _thresholds(metrics: Node, form: str) -> tuple[list[str], int]:
    """(thresholds that failed, number of all); the machine-readable summary has none."""
    failed, total = [], 0
    for name, metric in metrics.members():
        for rule, node in metric["thresholds"].members():
            total += 1
            if (node.value is True) if form == "summary export" else (node["ok"].value is False):
                failed.append(f"{name}: {rule}")
    return failed, total
