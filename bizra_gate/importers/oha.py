"""oha (github.com/hatoo/oha): a closed loop, optionally paced; JSON (``--output-format json``) and CSV.

Traps: any answer is a success, a 503 too; requests in flight at the deadline are counted in ``requestsPerSec`` though
they never ended; the time of requests that timed out is in no latency; nothing tells whether ``-q`` or
``--latency-correction`` was used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .cut import cut_caveats, rows_after
from .document import Node, parse_several
from .samples import Samples
from .stream import Stream

_CSV_HEADER = b"request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status"
_ABORTED = "aborted due to deadline"
_BLIND = (*blind.LOAD, blind.INTENDED, blind.RATE, blind.CONNECTIONS)


def sniff(head: bytes, name: str) -> bool:
    return head.startswith(_CSV_HEADER) or all(
        key in head for key in (b'"successRate"', b'"requestsPerSec"', b'"responseTimeHistogram"')
    )


def read(stream: Stream) -> Iterator[Measurement]:
    if stream.head.startswith(_CSV_HEADER):
        yield _read_csv(stream)
        return
    for node in parse_several(stream.document(), stream.name):
        yield _read_json(node, stream)


def _read_json(node: Node, stream: Stream) -> Measurement:
    summary = node["summary"]
    duration = summary["total"].figure(1e9)
    if duration is None:
        raise summary["total"].wrong("the length of the run in seconds")
    statuses = node["statusCodeDistribution"].counts()
    outcomes, errors = failure.split_statuses(statuses)
    failures = node["errorDistribution"].counts()
    aborted = failures.pop(_ABORTED, 0)
    for message, n in failures.items():
        kind = failure.classify(message)
        errors[kind] = errors.get(kind, 0) + n
    rate = summary["requestsPerSec"].figure()
    return Measurement(
        source=Source(tool="oha", format="JSON", file=stream.name),
        loop="closed",
        think_time=False,
        rate_achieved_per_s=_without(rate, aborted, duration),
        duration_ns=duration,
        operations=sum(outcomes.values()) + sum(errors.values()),
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        outcomes_complete=True,
        latency=_latency(node, any(failure.is_failed_status(int(code)) for code in statuses if code.isdecimal())),
        bytes_in=summary["totalData"].count(),
        restated=(*_restated(node), *_of_totals(node), *_of_histograms(node)),
        beside=tuple(_beside(node)),
        caveats=_caveats(aborted),
        blind=(*_BLIND, blind.SERIES, "whether --latency-correction was on is not said (method.coordinated_omission)"),
    )


def _without(rate: Figure | None, aborted: int, duration: Figure) -> Figure | None:
    """The printed rate without the requests that were in flight when time was up."""
    if rate is None or not aborted or duration.value <= 0:
        return rate
    return replace(rate, value=rate.value - aborted / (duration.value / 1e9))


def _caveats(aborted: int) -> tuple[Caveat, ...]:
    if not aborted:
        return ()
    return (
        Caveat(
            "source.aborted",
            f"{aborted:,} requests were in flight when time was up; oha's rate counts them, here they are left out",
        ),
    )


def _latency(node: Node, includes_errors: bool) -> Latency | None:
    summary, table = node["summary"], node["latencyPercentiles"]
    mean = summary["average"].figure(1e9)
    if mean is None:
        return None
    return Latency(
        count=sum(node["responseTimeHistogram"].counts().values()) or None,
        minimum=summary["fastest"].figure(1e9),
        mean=mean,
        maximum=summary["slowest"].figure(1e9),
        percentiles=_percentiles(table, 1e9),
        percentile_method="nearest-rank",
        quantum_ns=1.0,
        origin="send",
        includes_errors=includes_errors,
    )


def _percentiles(table: Node, factor: float) -> tuple[tuple[float, Figure], ...]:
    return printed.ladder(
        (float(key[1:]), figure)
        for key, value in table.members()
        if key.startswith("p") and _decimal(key[1:]) and (figure := value.figure(factor)) is not None
    )


def _of_totals(node: Node) -> Iterator[Restated]:
    """Sizes and rate from their totals (`src/printer.rs`, `src/result_data.rs`); the rate counts all that was begun."""
    summary, one = node["summary"], Figure(1.0)
    answered = sum(node["statusCodeDistribution"].counts().values())
    begun = answered + sum(node["errorDistribution"].counts().values())
    carried, time = summary["totalData"].count(), summary["total"].figure()
    if carried is not None and answered:
        formula = "totalData over the answers, in whole bytes"
        each = summary["sizePerRequest"].figure()
        yield from restate.between("sizePerRequest", each, "B", formula, carried // answered, carried / answered)
    if time is None or time.value <= 0:
        return
    rate, speed = summary["requestsPerSec"].figure(), summary["sizePerSec"].figure()
    formula = "answers and errors over total"
    yield from restate.quotient("requestsPerSec", rate, "1/s", formula, [Figure(float(begun)), one], [time])
    if carried is not None:
        formula = "totalData over total"
        yield from restate.quotient("sizePerSec", speed, "B/s", formula, [Figure(float(carried))], [time])
    success, again = summary["successRate"].number(), node["metrics"]["success_rate"].number()
    yield from restate.equal("metrics success_rate", again, "the summary", success)


def _of_histograms(node: Node) -> Iterator[Restated]:
    """Both histograms have eleven edges in equal steps from the fastest to the slowest (`src/histogram.rs`).

    A first byte comes before the end; where every answer has one, that holds for every figure of the two.
    """
    summary, first = node["summary"], node["details"]["firstByte"]
    answered = sum(node["statusCodeDistribution"].counts().values())
    rows = (("responseTimeHistogram", summary), ("firstByteHistogram", first))
    for name, ends in rows:
        yield from _edges(name, node[name], ends["fastest"].figure(1e9), ends["slowest"].figure(1e9))
        if (held := _bins(node[name])) and len(held) > 2:
            total = float(sum(n for _, n in held))
            yield from restate.at_most(f"the sum of {name}", Figure(total), "", "all answers", Figure(float(answered)))
    bins = _bins(node["firstByteHistogram"])
    if len(bins) > 2:
        edges, counts = [edge.value for edge, _ in bins], [n for _, n in bins]
        percentiles = _percentiles(node["firstBytePercentiles"], 1e9)
        mean = first["average"].figure(1e9)
        yield from restate.in_buckets(percentiles, edges, counts, edges[1] - edges[0], mean)
        if sum(counts) == answered:
            yield from restate.dominated(_row(first, node["firstBytePercentiles"]),
                                         _row(summary, node["latencyPercentiles"]),
                                         ("firstByte", "response times"), "ns")  # fmt: skip


def _row(ends: Node, table: Node) -> dict[str, Figure | None]:
    named = {key: ends[key].figure(1e9) for key in ("average", "fastest", "slowest")}
    return {**named, **{f"p{p:g}": figure for p, figure in _percentiles(table, 1e9)}}


def _edges(name: str, histogram: Node, fastest: Figure | None, slowest: Figure | None) -> Iterator[Restated]:
    bins = _bins(histogram)
    if fastest is None or slowest is None or len(bins) < 3:
        return
    step = (slowest.value - fastest.value) / (len(bins) - 1)
    for index, (edge, _) in enumerate(bins):
        place = fastest.value + index * step
        formula = "fastest and slowest in equal steps"
        yield from restate.between(f"an edge of {name}", edge, "ns", formula, place, place)


def _bins(histogram: Node) -> list[tuple[Figure, int]]:
    """(edge in ns, count), ascending; edges are keys, printed in full or with some decimals."""
    rows = [
        (printed.number(key, histogram.where, 1e9), n.count() or 0) for key, n in histogram.members() if _decimal(key)
    ]
    return sorted(rows, key=lambda row: row[0].value)


def _beside(node: Node) -> Iterator[Beside]:
    """Parts of the response time, and requests a second in moments of 10 ms; how many there were is not told."""
    details, rps = node["details"], node["rps"]
    for name in ("DNSDialup", "DNSLookup", "firstByte"):
        row = details[name]
        ladder = _percentiles(node["firstBytePercentiles"], 1e9) if name == "firstByte" else ()
        least, mean, most = (row[key].figure(1e9) for key in ("fastest", "average", "slowest"))
        count = sum(n for _, n in _bins(node["firstByteHistogram"])) if ladder else 0
        held = Latency(count=count or None, minimum=least, mean=mean, maximum=most, percentiles=ladder)
        yield Beside(name, "ns", replace(held, percentile_method="nearest-rank"))
    least, mean, most, stdev = (rps[key].figure() for key in ("min", "mean", "max", "stddev"))
    yield Beside("rps", "1/s", Latency(None, None, least, mean, most, stdev, _percentiles(rps["percentiles"], 1.0)))


def _restated(node: Node) -> Iterator[Restated]:
    """Percentiles against the histogram; and the figures that oha 1.15 prints again under ``metrics``, to 1 µs."""
    summary, again = node["summary"], node["metrics"]
    latency = _latency(node, includes_errors=True)
    bins = _bins(node["responseTimeHistogram"])
    if latency is not None and len(bins) > 2:
        edges, width = [edge.value for edge, _ in bins], bins[1][0].value - bins[0][0].value
        yield from restate.in_buckets(latency.percentiles, edges, [n for _, n in bins], width, latency.mean)
    answered, failed = node["statusCodeDistribution"].counts(), node["errorDistribution"].counts()
    failed.pop(_ABORTED, None)
    if ended := sum(answered.values()) + sum(failed.values()):
        share = sum(answered.values()) / ended
        stated = summary["successRate"].figure()
        yield from restate.between("successRate", stated, "", "answers over answers and errors", share, share)
    times, table = again["latency_ms"], node["latencyPercentiles"]
    pairs = [("requests_per_sec", again["requests_per_sec"].figure(), summary["requestsPerSec"].figure(), "1/s")]
    named = {"min": summary["fastest"], "mean": summary["average"], "max": summary["slowest"]}
    named |= {key: table[key] for key in ("p50", "p95", "p99")}
    pairs += [(key, times[key].figure(1e6, 0.002), own.figure(1e9), "ns") for key, own in named.items()]
    for key, stated, other, unit in pairs:
        if other is not None:
            yield from restate.between(f"metrics {key}", stated, unit, "the summary", other.value, other.value)


def _decimal(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).replace("e-", "", 1).isdecimal()


def _read_csv(stream: Stream) -> Measurement:
    samples = Samples()
    header = stream.head.split(b"\n", 1)[0].rstrip(b"\r")
    for number, line in rows_after(header, stream):
        cells = line.split(b",")
        try:
            if len(cells) != len(header.split(b",")):
                raise ValueError("columns")
            start, duration, status = float(cells[0]), float(cells[4]), int(cells[6])
            samples.add(
                round(start * 1e9),
                round(duration * 1e9),
                failure.label(status),
                failed=failure.is_failed_status(status),
            )
        except (IndexError, ValueError, OverflowError):
            shown = line[:60].decode("utf-8", "replace")
            raise FormatError(f"{stream.name}: line {number}: got {shown!r}; expected seven numbers of oha") from None
    if not samples.n:
        raise FormatError(f"{stream.name}: only a header: nothing was measured")
    base = Measurement(
        source=Source(tool="oha", format="CSV", file=stream.name),
        loop="closed",
        think_time=False,
        blind=(*_BLIND, "requests without an answer leave no row: the error rate is not known (method.errors)"),
    )
    full = samples.fill(base, quantum_ns=1.0, origin="send")
    return replace(full, errors=full.errors or None, caveats=cut_caveats(stream))
