"""oha (github.com/hatoo/oha): a closed loop, optionally paced; JSON (``--output-format json``) and CSV.

Traps: any answer is a success, a 503 too; requests in flight at the deadline are counted in ``requestsPerSec`` though
they never ended; the time of requests that timed out is in no latency; nothing tells whether ``-q`` or
``--latency-correction`` was used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
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
        restated=tuple(_restated(node)),
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
    percentiles = (
        (float(key[1:]), figure)
        for key, value in table.members()
        if key.startswith("p") and key[1:].replace(".", "", 1).isdecimal() and (figure := value.figure(1e9)) is not None
    )
    return Latency(
        count=sum(node["responseTimeHistogram"].counts().values()) or None,
        minimum=summary["fastest"].figure(1e9),
        mean=mean,
        maximum=summary["slowest"].figure(1e9),
        percentiles=printed.ladder(percentiles),
        percentile_method="nearest-rank",
        quantum_ns=1.0,
        origin="send",
        includes_errors=includes_errors,
    )


def _restated(node: Node) -> Iterator[Restated]:
    """Percentiles against the histogram; and the figures that oha 1.15 prints again under ``metrics``, to 1 µs."""
    summary, again = node["summary"], node["metrics"]
    latency = _latency(node, includes_errors=True)
    bins = sorted(
        (float(edge), n.count() or 0) for edge, n in node["responseTimeHistogram"].members() if _decimal(edge)
    )
    if latency is not None and len(bins) > 2:
        edges, width = [edge * 1e9 for edge, _ in bins], (bins[1][0] - bins[0][0]) * 1e9
        yield from restate.in_buckets(latency.percentiles, edges, [n for _, n in bins], width)
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
    return text.replace(".", "", 1).isdecimal()


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
