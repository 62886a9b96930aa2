"""hey (github.com/rakyll/hey): a closed loop, optionally paced with ``-q``; text report, or one CSV row per answer.

Traps: seconds with four decimals, so that the quantum of every figure is 0.1 ms; beyond 1,000,000 answers the
percentiles and status counts are those of the first million, while the average is the sum of *all* latencies over
one million; neither ``-c`` nor ``-q`` is printed, nor is the number of requests; failed requests leave no row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .cut import cut_caveats, rows_after
from .samples import Samples
from .stream import Stream

QUANTUM_NS = 100_000
CAP = 1_000_000
_CSV_HEADER = b"response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"
_BLIND = (*blind.LOAD, blind.INTENDED, blind.RATE, blind.THINK, blind.CONNECTIONS)

_SUMMARY = re.compile(r"\s+(Total|Slowest|Fastest|Average|Requests/sec):\s+(\S+)(?: secs)?")
_BYTES = re.compile(r"\s+Total data:\s+(\d+) bytes")
_BUCKET = re.compile(r"\s+(\d+\.\d+) \[(\d+)\]\s*\|■*")
_SIZE = re.compile(r"\s+Size/request:\s+(\d+) bytes")
_DETAIL = re.compile(r"\s+(DNS-lookup|req write|resp wait|resp read):\s+(\d\S*) secs, (\d\S*) secs, (\d\S*) secs")
"""Not DNS+dialup: version 0.1.4 prints the fastest and slowest of whole requests there."""
_PERCENTILE = re.compile(r"\s+(\d+(?:\.\d+)?)%+ in (\S+) secs")
_COUNTED = re.compile(r"\s+\[(\d+)\]\t(.*)")


def sniff(head: bytes, name: str) -> bool:
    if head.startswith(_CSV_HEADER):
        return True
    return b"Summary:" in head and re.search(rb"^Summary:\r?\n  Total:\t[^\n]* secs", head, re.MULTILINE) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    if stream.head.startswith(_CSV_HEADER):
        yield _read_csv(stream)
        return
    lines = stream.text_lines()
    starts = [index for index, line in enumerate(lines) if line.startswith("Summary:")]
    if not starts:
        raise FormatError(f'{stream.name}: holds no report of hey (no line "Summary:")')
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _read_text(lines[start:end], stream)


class _Report:
    """The parts of one text report."""

    def __init__(self, lines: list[str], where: str) -> None:
        self.figures: dict[str, Figure] = {}
        self.percentiles: list[tuple[float, Figure]] = []
        self.statuses: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.recorded = 0
        self.buckets: list[int] = []
        self.marks: list[Figure] = []
        self.size: int | None = None
        self.details: dict[str, tuple[Figure, Figure, Figure]] = {}
        self.bytes_in: int | None = None
        in_errors = False
        for line in lines:
            in_errors = in_errors or line.startswith("Error distribution:")
            self._read_line(line, where, in_errors)
        missing = [key for key in ("Total", "Requests/sec") if key not in self.figures]
        if missing:
            raise FormatError(f'{where}: no line {missing[0]!r} under "Summary:": the report was cut')
        if not self.statuses and not self.errors and self.figures["Requests/sec"].value:
            raise FormatError(f"{where}: no row of status codes or errors, which end a report: it was cut")

    def _read_line(self, line: str, where: str, in_errors: bool) -> None:
        if match := _COUNTED.fullmatch(line):
            n = printed.count(match[1], where)
            if in_errors:
                kind = failure.classify(match[2])
                self.errors[kind] = self.errors.get(kind, 0) + n
            else:
                self.statuses[match[1]] = printed.count(match[2].removesuffix(" responses"), f"{where}: status codes")
        elif match := _SUMMARY.fullmatch(line):
            if match[2] != "NaN":
                factor = 1.0 if match[1] == "Requests/sec" else 1e9
                self.figures.setdefault(match[1], printed.number(match[2], f"{where}: {match[1]}", factor))
        elif match := _PERCENTILE.fullmatch(line):
            self.percentiles.append((float(match[1]), printed.number(match[2], f"{where}: {match[1]}%", 1e9)))
        elif match := _BUCKET.fullmatch(line):
            self.marks.append(printed.number(match[1], f"{where}: histogram", 1e9))
            self.buckets.append(printed.count(match[2], f"{where}: histogram"))
            self.recorded += self.buckets[-1]
        elif match := _BYTES.fullmatch(line):
            self.bytes_in = printed.count(match[1], where)
        elif match := _SIZE.fullmatch(line):
            self.size = printed.count(match[1], f"{where}: Size/request")
        elif match := _DETAIL.fullmatch(line):
            mean, low, high = (printed.number(cell, f"{where}: {match[1]}", 1e9) for cell in match.groups()[1:])
            self.details[match[1]] = low, mean, high


def _read_text(lines: list[str], stream: Stream) -> Measurement:
    report = _Report(lines, stream.name)
    outcomes, errors = failure.split_statuses(report.statuses)
    for kind, n in report.errors.items():
        errors[kind] = errors.get(kind, 0) + n
    counted = sum(outcomes.values()) + sum(errors.values())
    total = _total(report, counted)
    mean, caveats = _mean(report, total)
    return Measurement(
        source=Source(tool="hey", format="text report", file=stream.name),
        loop="closed",
        rate_achieved_per_s=report.figures["Requests/sec"],
        duration_ns=report.figures["Total"],
        operations=total,
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        outcomes_complete=True,
        latency=_latency(report, mean, total) if report.recorded else None,
        bytes_in=report.bytes_in,
        restated=tuple(_restated(report)),
        caveats=(*caveats, *cut_caveats(stream)),
        blind=(*_BLIND, blind.SERIES, blind.TAIL),
    )


def _restated(report: _Report) -> Iterator[Restated]:
    """Percentiles against the histogram: bucket i ends at fastest + i · (slowest - fastest) / (buckets - 1).

    The size of a request is that of all data over the latencies kept, cut to whole bytes (`requester/report.go`).
    """
    fastest, slowest = report.figures.get("Fastest"), report.figures.get("Slowest")
    if report.recorded and report.bytes_in is not None:
        size = report.bytes_in // report.recorded
        yield from restate.equal("Size/request", report.size, "Total data over the latencies of the histogram", size)
    for name, row in report.details.items() if report.recorded < CAP else ():
        yield from restate.ascending(name, list(zip(("fastest", "average", "slowest"), row, strict=True)), "ns")
    if fastest is None or slowest is None or len(report.buckets) < 2:
        return
    step = (slowest.value - fastest.value) / (len(report.buckets) - 1)
    edges = [fastest.value + index * step for index in range(len(report.buckets))]
    slack = (fastest.resolution + slowest.resolution) / 4 + 1.0
    for mark, edge in zip(report.marks, edges, strict=True):
        formula = "fastest and slowest in equal steps"
        yield from restate.between("edge of the histogram", mark, "ns", formula, edge - slack, edge + slack)
    mean = report.figures.get("Average") if report.recorded < CAP else None
    yield from restate.in_buckets(report.percentiles, edges, report.buckets, QUANTUM_NS / 2, mean)


def _total(report: _Report, counted: int) -> int:
    """All requests: rate times time, or what was counted where that agrees within the rounding of the two."""
    rate, time = report.figures["Requests/sec"], report.figures["Total"]
    product = rate.value * time.value / 1e9
    slack = (rate.value * time.resolution + rate.resolution * time.value) / 2e9 + 1
    return counted if abs(counted - product) <= slack else round(product)


def _mean(report: _Report, total: int) -> tuple[Figure | None, tuple[Caveat, ...]]:
    """The average, set right where it is the sum of all latencies divided by one million."""
    mean = report.figures.get("Average")
    if mean is None or report.recorded < CAP or total <= report.recorded:
        return mean, ()
    share = report.recorded / total
    note = Caveat(
        "source.average",
        f"hey divides the sum of all {total:,} latencies by {report.recorded:,}: the printed average "
        f"{mean.value / 1e6:g} ms is read as {mean.value * share / 1e6:.4g} ms",
    )
    return Figure(mean.value * share, mean.resolution * share), (note,)


def _latency(report: _Report, mean: Figure | None, total: int) -> Latency:
    answered = total - sum(report.errors.values())
    return Latency(
        count=report.recorded,
        minimum=report.figures.get("Fastest"),
        mean=mean,
        maximum=report.figures.get("Slowest"),
        percentiles=printed.ladder(report.percentiles),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=any(failure.is_failed_status(int(code)) for code in report.statuses),
        dropped=max(0, answered - report.recorded) if report.recorded >= CAP else 0,
        cap=CAP,
    )


def _read_csv(stream: Stream) -> Measurement:
    samples, worst = Samples(), restate.Worst("response-time")
    for number, line in rows_after(_CSV_HEADER, stream):
        if line.strip():
            _add_row(line, f"{stream.name}: line {number}", samples, worst, number)
    if not samples.n:
        raise FormatError(f"{stream.name}: only a header: hey writes no row for a failed request; nothing was measured")
    base = Measurement(
        source=Source(tool="hey", format="CSV", file=stream.name),
        loop="closed",
        blind=(*_BLIND, "failed requests leave no row: the error rate is not known (method.errors)"),
    )
    full = samples.fill(base, quantum_ns=QUANTUM_NS, origin="send")
    return replace(
        full,
        errors=full.errors or None,
        latency=replace(full.latency, cap=CAP) if full.latency else None,
        restated=tuple(worst.restated("the parts beside it")),
        caveats=cut_caveats(stream),
    )


def _add_row(line: bytes, where: str, samples: Samples, worst: restate.Worst, number: int) -> None:
    """Count one answer.

    Connecting, writing, waiting and reading follow each other within the response time. Where an answer began before
    the request was written (or no first byte was seen), hey counts a part from its own start: that row is let pass.
    """
    cells = line.split(b",")
    if len(cells) != 8:
        raise FormatError(f"{where}: got {len(cells)} columns; expected the 8 of hey's CSV")
    try:
        latency, status, offset = float(cells[0]), int(cells[6]), float(cells[7])
        samples.add(
            round(offset * 1e9), round(latency * 1e9), failure.label(status), failed=failure.is_failed_status(status)
        )
        parts = [float(cells[column]) for column in (1, 3, 4, 5)]
        if max(parts[2:]) < offset:
            worst.add(number, latency * 1e9, sum(parts) * 1e9 - 2.5 * QUANTUM_NS, math.inf)
    except (ValueError, OverflowError):
        raise FormatError(f"{where}: got {line[:60].decode('utf-8', 'replace')!r}; expected eight numbers") from None
