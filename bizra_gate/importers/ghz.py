"""ghz ``-O json`` (github.com/bojand/ghz): gRPC calls by N workers, as fast as they can or at ``--rps``.

Traps: ``average`` counts failed calls while fastest, slowest and the percentiles leave them out (unless
``--count-errors``), so the mean can lie below the minimum; at most 1,000,000 calls are kept in ``details``;
``--skipFirst`` takes calls out of the count but not their time out of ``total``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .document import Node, parse_several
from .samples import Counts
from .stream import Stream

CAP = 1_000_000
_GOOD = "OK"


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"endReason"', b'"fastest"', b'"statusCodeDistribution"'))


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        yield _measurement(node, stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    count, total = node["count"].count(), node["total"].figure()
    if count is None or total is None:
        raise node.wrong("a report of ghz with count and total")
    options = node["options"]
    codes = node["statusCodeDistribution"].counts()
    errors = {f"status {code}": n for code, n in codes.items() if code != _GOOD}
    good, failed = _details(node)
    rate = options["rps"].figure() if options["rps"].number() else None
    paced = rate is not None or options["load-schedule"].text() not in (None, "const")
    return Measurement(
        source=Source(tool="ghz", format="JSON", file=stream.name),
        name=node["name"].text() or None,
        loop="open" if options["async"].value is True else ("paced-closed" if paced else "closed"),
        think_time=None if paced else False,
        concurrency=None if options["async"].value is True else options["concurrency"].count(),
        rate_requested_per_s=rate,
        rate_achieved_per_s=node["rps"].figure(),
        duration_ns=total,
        operations=count,
        operations_include_errors=True,
        errors=errors,
        outcomes={code: n for code, n in codes.items() if code == _GOOD},
        outcomes_complete=bool(codes),
        latency=_latency(node, good, bool(errors)) if codes.get(_GOOD) or good.n else None,
        failed=failed.latency(quantum_ns=1.0, origin="send") if failed.n else None,
        restated=tuple(_restated(node, count, total)),
        started_at=node["date"].text(),
        caveats=tuple(_caveats(node, bool(errors))),
        blind=(*blind.LOAD, blind.SERIES, blind.INTENDED),
    )


def _details(node: Node) -> tuple[Counts, Counts]:
    """Latencies of the calls listed, good and failed."""
    good, failed = Counts(), Counts()
    for row in node["details"].elements():
        latency = row["latency"].number()
        if latency is None or abs(latency) > 1e18:
            raise row.wrong("a call with its latency in ns")
        bad = bool(row["error"].text()) or row["status"].text() not in (_GOOD, None)
        (failed if bad else good).add(round(latency))
    return good, failed


def _restated(node: Node, count: int, total: Figure) -> Iterator[Restated]:
    """Rate from count and time; a histogram in equal steps from the fastest to the slowest (`runner/reporter.go`)."""
    rate, seconds = node["rps"].figure(), Figure(total.value / 1e9)
    if rate is not None and rate.value:  # 0 where not one call was kept
        yield from restate.quotient("rps", rate, "1/s", "count over total", [Figure(float(count))], [seconds])
    rows = list(node["histogram"].elements())
    counts, marks = [row["count"].count() or 0 for row in rows], [row["mark"].figure(1e9) for row in rows]
    fastest, slowest, held = node["fastest"].figure(), node["slowest"].figure(), sum(counts)
    if len(rows) < 2 or fastest is None or slowest is None or not held:
        return
    good = node["statusCodeDistribution"].counts().get(_GOOD, 0)
    most = Figure(float(count if _counts_errors(node) else good))
    yield from restate.at_most("the sum of the histogram", Figure(float(held)), "", "the calls that it holds", most)
    step = (slowest.value - fastest.value) / (len(rows) - 1)
    edges = [fastest.value + index * step for index in range(len(rows))]
    for mark, edge in zip(marks, edges, strict=True):
        formula = "fastest and slowest in equal steps"
        yield from restate.between("mark of the histogram", mark, "ns", formula, edge - 2.0, edge + 2.0)
    for row, n in zip(rows, counts, strict=True):
        yield from restate.equal("frequency", row["frequency"].number(), "its count over all", n / held)
    yield from restate.in_buckets(_percentiles(node), edges, counts, 2.0)


def _percentiles(node: Node) -> tuple[tuple[float, Figure], ...]:
    return printed.ladder(
        (p, figure)
        for row in node["latencyDistribution"].elements()
        if (p := row["percentage"].number()) is not None and (figure := row["latency"].figure()) is not None
    )


def _counts_errors(node: Node) -> bool:
    return node["options"]["count-errors"].value is True


def _caveats(node: Node, failures: bool) -> Iterator[Caveat]:
    if failures and not _counts_errors(node):
        yield Caveat(
            "source.average",
            "ghz averages over failed calls too, while its percentiles leave them out: the printed average is not read",
        )
    if (reason := node["endReason"].text()) not in (None, "normal"):
        yield Caveat("source.ended", f"the run ended early: {failure.classify(reason or '')} ({reason})")
    if skipped := node["options"]["skipFirst"].count():
        yield Caveat("source.skipped", f"the first {skipped:,} calls are left out of the counts but not of the time")


def _latency(node: Node, good: Counts, failures: bool) -> Latency:
    mixed = failures and not _counts_errors(node)
    latency = Latency(
        count=node["count"].count() if not mixed else None,
        minimum=node["fastest"].figure(),
        mean=None if mixed else node["average"].figure(),
        maximum=node["slowest"].figure(),
        percentiles=_percentiles(node),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=1.0,
        includes_errors=failures and not mixed,
        cap=CAP,
    )
    if not good.n or (failures and not mixed):
        return latency
    mean = Figure(good.total_ns / good.n) if mixed else latency.mean
    return replace(latency, histogram=good.distribution(), count=good.n, mean=mean)
