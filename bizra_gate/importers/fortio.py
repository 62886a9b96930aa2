"""fortio (github.com/fortio/fortio): N threads, as fast as they can or paced; JSON of ``fortio load``.

Traps: percentiles are interpolated inside buckets whose width is set by ``-r`` (1 ms unless told), so that everything
below 1 ms is one bucket; count, sum, average, smallest and largest are exact. A paced run waits for slow answers and
then catches up; how far its threads fell behind is printed but not in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model import Beside, Distribution, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .document import Node, parse_several
from .stream import Stream

GOOD = ("OK", "ok", "SERVING")
_STEPS = (
    *range(12), 12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 120, 140, 160, 180, 200, 250, 300, 350,
    400, 450, 500, 600, 700, 800, 900, 1000, 2000, 3000, 4000, 5000, 7500, 10000, 20000, 30000, 40000, 50000, 75000,
    100000,
)  # fmt: skip
"""Bucket edges in units of ``-r`` (fortio `stats/stats.go`)."""
_HISTOGRAMS = ("DurationHistogram", "ErrorsDurationHistogram", "ConnectionStats", "Sizes", "HeaderSizes")
_RESOLUTIONS_NS = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"RunType"', b'"RequestedQPS"', b'"DurationHistogram"'))


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        yield _measurement(node, stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    histogram = node["DurationHistogram"]
    count = histogram["Count"].count()
    if count is None:
        raise histogram["Count"].wrong("the number of calls")
    outcomes, errors = _codes(node)
    asked = node["RequestedQPS"].text() or ""
    rate = None if asked in ("max", "") else printed.number(asked, f"{stream.name}: RequestedQPS")
    failed = node["ErrorsDurationHistogram"]
    return Measurement(
        source=Source(tool="fortio", version=node["Version"].text(), format="JSON", file=stream.name),
        name=node["Labels"].text() or None,
        loop="closed" if asked == "max" else "paced-closed",
        think_time=False if asked == "max" else None,
        concurrency=node["NumThreads"].count(),
        threads=node["NumThreads"].count(),
        rate_requested_per_s=rate,
        rate_achieved_per_s=node["ActualQPS"].figure(),
        duration_requested_ns=_asked_duration(node),
        duration_ns=node["ActualDuration"].figure(),
        operations=count,
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        outcomes_complete=bool(node["RetCodes"]),
        latency=_latency(histogram) if count else None,
        failed=_latency(failed) if failed["Count"].count() else None,
        restated=tuple(_restated(node, count)),
        beside=tuple(_beside(node)),
        started_at=node["StartTime"].text(),
        blind=(*blind.LOAD, blind.SERIES, blind.INTENDED),
    )


def _codes(node: Node) -> tuple[dict[str, int], dict[str, int]]:
    outcomes, errors = failure.split_statuses(node["RetCodes"].counts())
    for code in [code for code in outcomes if not code.isdecimal() and code not in GOOD]:
        kind = failure.classify(code)
        errors[kind] = errors.get(kind, 0) + outcomes.pop(code)
    if "not sent" in errors:
        errors["socket"] = errors.pop("not sent")
    return outcomes, errors


def _asked_duration(node: Node) -> Figure | None:
    """``100ms``, or None for ``exactly N calls`` and for a run that was interrupted."""
    text = node["RequestedDuration"].text() or ""
    plain = text.split(",")[0]
    if not plain or plain.startswith("exactly") or not plain[0].isdigit():
        return None
    return printed.go_duration(plain, f"{node.where}: RequestedDuration")


def _restated(node: Node, count: int) -> Iterator[Restated]:
    """Rate from count and time; a size for each call; sockets by thread; and each histogram in itself."""
    rate, time = node["ActualQPS"].figure(), node["ActualDuration"].figure(1e-9)
    if time is not None:
        formula = "calls over ActualDuration"
        yield from restate.quotient("ActualQPS", rate, "1/s", formula, [Figure(float(count))], [time])
    answers = sum(node["RetCodes"].counts().values()) if node["RetCodes"] else None
    for name in ("Sizes", "HeaderSizes"):
        yield from restate.equal(f"{name}.Count", node[name]["Count"].count(), "the sum of RetCodes", answers)
    sockets = [n for row in node["Sockets"].elements() if (n := row.count()) is not None]
    if sockets:
        total = node["SocketCount"].count()
        yield from restate.equal("SocketCount", total, "the sum of Sockets", sum(sockets))
        yield from restate.equal(
            "ConnectionStats.Count", node["ConnectionStats"]["Count"].count(), "SocketCount", total
        )
        yield from restate.equal("NumThreads", node["NumThreads"].count(), "the entries of Sockets", len(sockets))
    for name in _HISTOGRAMS:
        yield from _of_histogram(name, node[name])


def _of_histogram(name: str, histogram: Node) -> Iterator[Restated]:
    """Rows from ``Min`` to ``Max``, each with the share up to it, and the mean that is sum over count (`stats.go`)."""
    count, total = histogram["Count"].count(), histogram["Sum"].figure()
    rows = list(histogram["Data"].elements())
    if not count or not rows:
        return
    if total is not None and total.value > 0:
        mean, over = histogram["Avg"].figure(), Figure(float(count))
        yield from restate.quotient(f"{name}.Avg", mean, "", "Sum over Count", [total], [over])
    for what, edge, end in (("Start", rows[0]["Start"], "Min"), ("End", rows[-1]["End"], "Max")):
        text = f"{what} of {name}.Data"
        yield from restate.equal(text, edge.number(), end, histogram[end].number())
    yield from _of_percentiles(name, histogram, rows, count)
    seen = 0
    for row in rows:
        seen += row["Count"].count() or 0
        yield from restate.equal(
            f"Percent of {name}.Data", row["Percent"].number(), "the counts up to it", 100 * seen / count
        )


def _of_percentiles(name: str, histogram: Node, rows: list[Node], count: int) -> Iterator[Restated]:
    """Percentiles are interpolated in their row, by its share of all; the first row begins at one value of it."""
    steps = [(row["Start"].number() or 0.0, row["End"].number() or 0.0, row["Percent"].number() or 0.0) for row in rows]
    for row in histogram["Percentiles"].elements():
        p, value = row["Percentile"].number(), row["Value"].number()
        at = next((index for index, step in enumerate(steps) if p is not None and p <= step[2]), None)
        if p is None or value is None or at is None or p >= 100 or p <= 100 / count:
            continue
        start, end, share = steps[at]
        before = steps[at - 1][2] if at else 100 / count
        if share > before:
            place = start + (p - before) / (share - before) * (end - start)
            high = place if at else start + p / share * (end - start)  # older versions leave that one value out
            yield from restate.between(f"p{p:g} of {name}", Figure(value), "", "its rows", place, high)


def _beside(node: Node) -> Iterator[Beside]:
    """Percentiles are left out: in a bucket as wide as ``-r`` they are made up."""
    for name, unit, factor in (("ConnectionStats", "ns", 1e9), ("Sizes", "B", 1.0), ("HeaderSizes", "B", 1.0)):
        if node[name]["Count"].count():
            yield Beside(name, unit, replace(_latency(node[name], factor), percentiles=()))


def _latency(histogram: Node, factor: float = 1e9) -> Latency:
    percentiles = [
        (p, value)
        for row in histogram["Percentiles"].elements()
        if (p := row["Percentile"].number()) is not None and (value := row["Value"].figure(factor)) is not None
    ]
    buckets = _buckets(histogram, factor)
    return Latency(
        histogram=_distribution(buckets, histogram, factor),
        count=histogram["Count"].count(),
        minimum=histogram["Min"].figure(factor),
        mean=histogram["Avg"].figure(factor),
        maximum=histogram["Max"].figure(factor),
        stdev=histogram["StdDev"].figure(factor),
        percentiles=printed.ladder(percentiles),
        percentile_method="buckets",
        origin="send",
        quantum_ns=_resolution(buckets),
        bin_ratio=max(((high - low) / high for low, high, _ in buckets if high > 0), default=None),
        includes_errors=True,
    )


def _buckets(histogram: Node, factor: float) -> list[tuple[float, float, int]]:
    """(start, end, count) in base units, ascending; raises where they overlap."""
    found: list[tuple[float, float, int]] = []
    for row in histogram["Data"].elements():
        start, end, count = row["Start"].number(), row["End"].number(), row["Count"].count()
        if start is None or end is None or count is None or not -1e9 < start <= end < 1e9:
            raise row.wrong("a bucket with Start, End and Count")
        if found and start * factor < found[-1][1] - 1:
            raise row.wrong("buckets in ascending order")
        if count:
            found.append((start * factor, end * factor, count))
    return found


def _distribution(buckets: list[tuple[float, float, int]], histogram: Node, factor: float) -> Distribution | None:
    if not buckets:
        return None
    total, low, high = (histogram[key].number() for key in ("Sum", "Min", "Max"))
    edges: list[tuple[int, int]] = []
    for start, end, _ in buckets:
        first = round(start) + 1 if edges and round(start) <= edges[-1][1] else round(start)
        edges.append((min(first, round(end)), round(end)))
    return Distribution(
        tuple(start for start, _ in edges),
        tuple(end for _, end in edges),
        tuple(count for _, _, count in buckets),
        None if low is None else round(low * factor),
        None if high is None else round(high * factor),
        None if total is None or abs(total) > 1e12 else round(total * factor),
    )


def _resolution(buckets: list[tuple[float, float, int]]) -> float | None:
    """The finest ``-r`` that these buckets can come from: with a finer one a wide bucket would be split."""
    return next((step for step in _RESOLUTIONS_NS if buckets and _fits(buckets, step)), None)


def _fits(buckets: list[tuple[float, float, int]], step_ns: float) -> bool:
    """Is each bucket one cell of the grid? The first begins at the run's minimum, the last ends at its maximum."""
    grid = [edge * step_ns for edge in _STEPS]
    slack = step_ns * 1e-6

    def on_grid(edge: float) -> bool:
        return any(abs(edge - step) <= slack for step in grid)

    if not all(on_grid(start) for start, _, _ in buckets[1:]) or not all(on_grid(end) for _, end, _ in buckets[:-1]):
        return False
    return not any(start + slack < step < end - slack for start, end, _ in buckets for step in grid)
