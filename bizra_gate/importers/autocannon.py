"""autocannon ``-j`` (github.com/mcollina/autocannon): a closed loop, optionally paced with ``-R``.

Traps: latencies are cut to whole milliseconds, so that 0.9 ms counts as 0 (while ``min`` is 1) and the mean is up to
1 ms low; with ``-R`` every slow answer is back-filled with one sample per millisecond (`totalCount` then exceeds
`requests.total`); the limiter sends the quota of a second in one burst and counts it as ``sent`` when it is due, so
that is not read; ``duration`` is longer than the sampled seconds that the rate covers; ``samples`` are added up over
the workers (``-w``); ``requests`` and ``throughput`` are those of a sample, a second long unless ``--sampleInt`` says
otherwise; with a warm-up (``-W``) its result is printed first, as if it were a run of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, printed, restate
from .document import Node, parse_several
from .instants import rfc3339_ns
from .stream import Stream

QUANTUM_NS = 1_000_000
BIN_RATIO = 1 / 1024
"""HDR with three significant digits, for what is counted by sample."""
EARLY = 0.002
"""A timer of Node.js counts in whole milliseconds and may be that much early; 2 ms of a second."""
_TABLE = re.compile(r"^(Running .+ test @ .*|\d+ connections.*)\n[^{]*^┌─", re.M)
_CORNER = "┌─".encode()
_PERCENTILES = {
    "p0_001": 0.001, "p0_01": 0.01, "p0_1": 0.1, "p1": 1.0, "p2_5": 2.5, "p10": 10.0, "p25": 25.0, "p50": 50.0,
    "p75": 75.0, "p90": 90.0, "p97_5": 97.5, "p99": 99.0, "p99_9": 99.9, "p99_99": 99.99, "p99_999": 99.999,
}  # fmt: skip


def sniff(head: bytes, name: str) -> bool:
    if _CORNER in head and _TABLE.search(head.decode("utf-8", "replace")):
        return True
    return all(key in head for key in (b'"sampleInt"', b'"pipelining"', b'"non2xx"'))


def read(stream: Stream) -> Iterator[Measurement]:
    if _TABLE.search(stream.head.decode("utf-8", "replace")):
        raise FormatError(f"{stream.name}: is autocannon's table, rounded for people; run it with -j and keep the JSON")
    nodes = list(parse_several(stream.document(), stream.name))
    warmups = [node["warmup"].value for node in nodes if node["warmup"]]
    runs = [node for node in nodes if node.value not in warmups]
    for node in runs:
        yield _measurement(node, stream, alone=len(runs) == 1)


def _measurement(node: Node, stream: Stream, *, alone: bool) -> Measurement:
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
        rate_achieved_per_s=node["requests"]["average"].figure(1e3 / _sample_ms(node), 0.01),
        duration_ns=_sampled(node) or node["duration"].figure(1e9, 0.01),
        warmup_ns=node["warmup"]["duration"].figure(1e9, 0.01),
        operations=total,
        operations_include_errors=errors.get("status", 0) > 0 and sum(errors.values()) <= total,
        errors=errors,
        outcomes=_outcomes(node),
        latency=_latency(node["latency"], recorded, total) if recorded else None,
        bytes_in=node["throughput"]["total"].count(),
        restated=(*_restated(node, alone), *_of_totals(node, total)),
        beside=tuple(_beside(node)),
        started_at=node["start"].text(),
        finished_at=node["finish"].text(),
        caveats=tuple(caveats),
        blind=(*blind.LOAD, blind.SERIES, blind.INTENDED, blind.RATE, blind.THINK),
    )


def _restated(node: Node, alone: bool) -> Iterator[Restated]:
    """Means are stated under two names, and the status classes are the sums of the codes.

    With ``-f`` one run follows the other and the codes, not the classes, are counted on (`lib/run.js`).
    """
    for what in ("latency", "requests", "throughput"):
        mean, average = node[what]["mean"].figure(1.0, 0.01), node[what]["average"].figure(1.0, 0.01)
        yield from restate.same(f"{what}.mean", mean, "", f"{what}.average", average)
    codes = [(code, value["count"].count() or 0) for code, value in node["statusCodeStats"].members()]
    for label in ("2xx", "3xx", "4xx", "5xx") if codes else ():
        total = float(sum(n for code, n in codes if code[:1] == label[0]))
        low = total if alone else 0.0
        yield from restate.between(label, node[label].figure(1.0, 1.0), "", "the sum of its codes", low, total)


def _of_totals(node: Node, total: int) -> Iterator[Restated]:
    """Classes of answers, bytes and samples that belong together."""
    classes = {f"{digit}xx": node[f"{digit}xx"].count() or 0 for digit in range(1, 6)}
    answered = Figure(float(sum(classes.values())))
    bad = sum(n for label, n in classes.items() if label != "2xx")
    yield from restate.equal("non2xx", node["non2xx"].count(), "the classes beside 2xx", bad)
    if node["2xx"]:
        yield from restate.same("1xx to 5xx", answered, "", "requests.total", Figure(float(total)))
    counted = Figure(float(total))
    yield from restate.at_most("requests.total", counted, "", "requests.sent", node["requests"]["sent"].figure())
    timeouts, errors = node["timeouts"].figure(), node["errors"].figure()
    yield from restate.at_most("timeouts", timeouts, "", "errors", errors)
    yield from _of_time(node)
    samples, one = _samples(node), Figure(1.0)
    mean, carried = node["throughput"]["average"].number(), node["throughput"]["total"].figure()
    if samples and mean is not None and carried is not None:
        widened = Figure(mean, 2 * BIN_RATIO * mean + 0.02)
        over = [widened, Figure(float(samples))]
        formula = "throughput.average times samples"
        yield from restate.quotient("throughput.total", carried, "B", formula, over, [one])


def _of_time(node: Node) -> Iterator[Restated]:
    """``duration`` lies between the two stamps, which are taken with it, and is not shorter than its samples."""
    duration, sampled = node["duration"].figure(1e9, 0.01), _sampled(node)
    start, finish = node["start"].text(), node["finish"].text()
    if start is not None and finish is not None and start.endswith("Z") and finish.endswith("Z"):
        apart = rfc3339_ns(finish, node["finish"].where) - rfc3339_ns(start, node["start"].where)
        yield from restate.between("duration", duration, "ns", "finish - start", apart - 5e6, apart + 5e6)
    if duration is not None and sampled is not None:
        least = sampled.low * (1 - EARLY)
        formula = "samples times sampleInt"
        yield from restate.between("duration", duration, "ns", formula, least, max(least, duration.high))


def _beside(node: Node) -> Iterator[Beside]:
    """Requests and bytes by sample. ``min`` is the smallest that is not 0, so that percentiles may be below it."""
    for what, unit in (("requests", ""), ("throughput", "B")):
        row = node[what]
        percentiles = printed.ladder(
            (p, figure) for key, p in _PERCENTILES.items() if (figure := row[key].figure(1.0, 1.0)) is not None
        )
        empty = any(figure.value == 0 for _, figure in percentiles)
        held = Latency(
            count=_samples(node),
            minimum=None if empty else row["min"].figure(1.0, 1.0),
            mean=row["average"].figure(1.0, 0.02),
            maximum=row["max"].figure(1.0, 1.0),
            stdev=row["stddev"].figure(1.0, 0.02),
            percentiles=percentiles,
            percentile_method="hdr",
            bin_ratio=BIN_RATIO,
        )
        yield Beside(what, unit, held)


def _sample_ms(node: Node) -> float:
    return node["sampleInt"].number() or 1e3


def _samples(node: Node) -> int | None:
    """Samples taken; None with several workers, of whom one may be a sample ahead (`lib/manager.js`)."""
    return node["samples"].count() or None if (node["workers"].count() or 1) < 2 else None


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
