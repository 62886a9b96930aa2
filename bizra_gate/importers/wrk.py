"""wrk 4.x (github.com/wg/wrk): a closed loop over N connections, one text report per run.

Traps: answers slower than ``--timeout`` (2 s) are requests and in no latency, only in ``timeout``; `stats_correct`
back-fills every sample longer than twice the mean cycle with samples that nobody sent, so that mean and percentiles of
a run with stalls describe more requests than there were. Neither can be undone from the report; Little's law shows
both.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import FormatError
from ..model import Caveat, Latency, Measurement, Restated, Source
from . import blind, printed, restate, wrk_report
from .stream import Stream

_REFUSED = b"unable to connect to "
_CORRECTED = Caveat(
    "source.backfill",
    "wrk adds samples that nobody sent for every answer slower than twice the mean cycle (stats_correct)",
)


def sniff(head: bytes, name: str) -> bool:
    if head.startswith(_REFUSED):
        return True
    return wrk_report.is_report(head) and not wrk_report.is_wrk2(head.decode("utf-8", "replace"))


def read(stream: Stream) -> Iterator[Measurement]:
    if stream.head.startswith(_REFUSED):
        said = stream.text_lines() or [stream.unfinished.decode("utf-8", "replace")]
        raise FormatError(f"{stream.name}: wrk was {said[0][:80]!r}: nothing was measured")
    for where, lines in wrk_report.runs(stream):
        if wrk_report.is_wrk2("\n".join(lines)):
            raise FormatError(f"{where}: is a run of wrk2, not of wrk: split the file, or read it with --from wrk2")
        yield _measurement(wrk_report.parse(lines, where), stream)


def _measurement(report: wrk_report.Report, stream: Stream) -> Measurement:
    requests = report.requests or 0
    answered = report.errors.get("status", 0) + report.errors.get("timeout", 0)
    inside = answered > 0 and sum(report.errors.values()) <= requests
    nothing_timed = report.errors.get("timeout", 0) >= requests
    return Measurement(
        source=Source(tool="wrk", format="text report", file=stream.name),
        loop="closed",
        think_time=False,
        concurrency=report.connections,
        threads=report.threads,
        rate_achieved_per_s=report.rate,
        duration_requested_ns=report.asked,
        duration_ns=report.duration,
        operations=report.requests,
        operations_include_errors=inside,
        errors={kind: n for kind, n in report.errors.items() if n},
        latency=None if nothing_timed else _latency(report),
        bytes_in=report.bytes_in,
        restated=(*wrk_report.restated(report), *_restated(report, requests)),
        beside=wrk_report.beside(report),
        caveats=(_CORRECTED, *wrk_report.end(report, stream)),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED),
    )


def _restated(report: wrk_report.Report, requests: int) -> Iterator[Restated]:
    """wrk sleeps for the time asked for and then stops its threads."""
    yield from restate.run_time(report.duration, report.asked, report.maximum)
    share = report.shares.get("Latency")
    yield from restate.within_deviation("Latency", share, _latency(report), requests)


def _latency(report: wrk_report.Report) -> Latency:
    table = report.tables[-1] if report.tables else wrk_report.Table()
    return Latency(
        mean=report.mean,
        stdev=report.stdev,
        maximum=report.maximum,
        percentiles=printed.ladder(table.percentiles),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=1_000,
        includes_errors=True,
        dropped=report.errors.get("timeout", 0),
        corrected=True,
    )
