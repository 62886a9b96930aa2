"""wrk2 (github.com/giltene/wrk2): a constant rate over N connections, latency from the intended send time.

Traps: after 10 s and 5 ms per connection of a thread the histogram is thrown away ("calibration"), while
``N requests in T`` goes on counting from the start; ``timeout`` counts observations of a slow connection, whose
request is recorded all the same; the timer ticks in ms, so that sub-millisecond figures are the generator's; the rate
that was asked for is not in the report.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, hdr_table, printed, restate, wrk_report
from .stream import Stream
from .wrk_report import Report, Table

CALIBRATION_NS = 10_000_000_000
PER_CONNECTION_NS = 5_000_000
TIMER_NS = 1_000_000
BIN_RATIO = 1 / 1024
"""HDR with 2048 sub-buckets: three significant digits."""


def sniff(head: bytes, name: str) -> bool:
    return wrk_report.is_report(head) and wrk_report.is_wrk2(head.decode("utf-8", "replace"))


def read(stream: Stream) -> Iterator[Measurement]:
    for where, lines in wrk_report.runs(stream):
        yield _measurement(wrk_report.parse(lines, where), stream)


def _measurement(report: Report, stream: Stream) -> Measurement:
    requests = report.requests or 0
    left_out = _left_out(report)
    errors = {kind: n for kind, n in report.errors.items() if n and kind != "timeout"}
    return Measurement(
        source=Source(tool="wrk2", format="text report", file=stream.name),
        loop="open",
        concurrency=report.connections,
        threads=report.threads,
        rate_achieved_per_s=report.rate,
        duration_requested_ns=report.asked,
        duration_ns=report.duration,
        warmup_ns=left_out,
        operations=report.requests,
        operations_include_errors=errors.get("status", 0) > 0 and sum(errors.values()) <= requests,
        errors=errors,
        latency=_recorded(report, left_out) if requests else None,
        service=_table(report.tables[1], report, left_out, "send") if len(report.tables) > 1 else None,
        bytes_in=report.bytes_in,
        restated=(*wrk_report.restated(report), *_restated(report)),
        beside=wrk_report.beside(report),
        caveats=(*_caveats(report, left_out), *wrk_report.end(report, stream)),
        blind=(*blind.LOAD[1:], blind.SERIES, blind.RATE),
    )


def _left_out(report: Report) -> Figure | None:
    """The stretch at the start that is in the counts but not in the histogram; None where nothing was calibrated."""
    if not report.calibrated:
        return None
    per_thread = (report.connections or 0) // max(1, report.threads or 1)
    return Figure(float(CALIBRATION_NS + PER_CONNECTION_NS * per_thread), 2.0 * TIMER_NS)


def _caveats(report: Report, left_out: Figure | None) -> Iterator[Caveat]:
    if left_out is not None:
        yield Caveat(
            "source.window",
            f"wrk2 throws its histogram away after {left_out.value / 1e9:g} s but counts requests from the start: "
            "latencies are read over the rest of the run",
        )
    if late := report.errors.get("timeout", 0):
        yield Caveat(
            "source.timeouts",
            f"wrk2 found a connection waiting beyond --timeout {late} times; those requests were not given up and are "
            "in the histogram, so they are not counted as errors",
        )
    yield Caveat("source.timer", "wrk2 waits in whole milliseconds: up to 1 ms of each latency may be the generator's")


def _restated(report: Report) -> Iterator[Restated]:
    """The row ``Latency`` is printed from the histogram whose mean, deviation and maximum stand below its spectrum."""
    if not report.tables:
        return
    table, foot = report.tables[0], "the foot of the spectrum"
    yield from restate.same("Avg of Latency", report.mean, "ns", f"Mean at {foot}", table.mean)
    yield from restate.same("Stdev of Latency", report.stdev, "ns", f"StdDeviation at {foot}", table.stdev)
    yield from restate.same("Max of Latency", report.maximum, "ns", f"Max at {foot}", table.maximum)
    for p, figure in table.percentiles:
        if p == 100 and table.spectrum:
            last = Figure(table.spectrum[-1][0] * 1e6, 1_000)
            yield from restate.same("100.000%", figure, "ns", "the last row of the spectrum", last)


def _recorded(report: Report, left_out: Figure | None) -> Latency:
    if report.tables:
        return _table(report.tables[0], report, left_out, "intended")
    return Latency(
        mean=report.mean,
        stdev=report.stdev,
        maximum=report.maximum,
        percentile_method="hdr",
        origin="intended",
        quantum_ns=1_000,
        bin_ratio=BIN_RATIO,
        includes_errors=True,
        window_ns=_window(report, left_out),
    )


def _table(table: Table, report: Report, left_out: Figure | None, origin: str) -> Latency:
    rows = [(edge * 1e6, n) for edge, n in table.spectrum]
    return Latency(
        histogram=hdr_table.distribution(rows, 1_000, report.where) if rows else None,
        count=table.count,
        mean=table.mean or (report.mean if origin == "intended" else None),
        stdev=table.stdev or (report.stdev if origin == "intended" else None),
        maximum=_maximum(table),
        percentiles=printed.ladder(table.percentiles),
        percentile_method="hdr",
        origin="intended" if origin == "intended" else "send",
        quantum_ns=1_000,
        bin_ratio=BIN_RATIO,
        includes_errors=True,
        window_ns=_window(report, left_out),
    )


def _maximum(table: Table) -> Figure | None:
    """``Max`` is the low edge of its bucket, the last row of the table the high one: the truth lies between."""
    if table.maximum is None or not table.spectrum:
        return table.maximum
    low, high = table.maximum.value, table.spectrum[-1][0] * 1e6
    return Figure((low + high) / 2, max(high - low, table.maximum.resolution))


def _window(report: Report, left_out: Figure | None) -> Figure | None:
    if left_out is None or report.duration is None:
        return None
    rest = report.duration.value - left_out.value
    if rest <= 0:
        raise FormatError(f"{report.where}: calibrated after {left_out.value / 1e9:g} s, yet the run was shorter")
    return Figure(rest, report.duration.resolution + left_out.resolution)
