"""The text report that wrk and wrk2 share, as a table of its parts.

wrk 4.2 `src/wrk.c`, `src/units.c`: two decimals, times in us, ms, s (the next unit from 0.85 of it on), rates in
powers of 1000, bytes in powers of 1024.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Restated
from . import printed, restate
from .cut import cut_caveats, without_end
from .stream import Stream

_RUNNING = re.compile(r"Running (\S+) test @ (\S*)")
_CONNECTIONS = re.compile(r"\s+(\d+) threads and (\d+) connections")
_LATENCY = re.compile(r"\s+Latency\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)%")
_PER_THREAD = re.compile(r"\s+Req/Sec\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)%")
_TOTAL = re.compile(r"\s+(\d+) requests in (\S+), (\S+)B read")
_SOCKET = re.compile(r"\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS = re.compile(r"\s+Non-2xx or 3xx responses: (\d+)")
_PERCENTILE = re.compile(r"\s*(\d+(?:\.\d+)?)%\s+(\S+)\s*")
_RATE = re.compile(r"Requests/sec:\s+(\S+)")
_TRANSFER = re.compile(r"Transfer/sec:\s+(\S+)B")
_SPECTRUM = re.compile(r"\s+(\d+\.\d+)\s+([01]\.\d+)\s+(\d+)\s+(\S+)")
_FOOT = re.compile(r"#\[(Mean|Max)\s*=\s*(\S+), (?:StdDeviation|Total count)\s*=\s*(\S+)\]")

_BOX = "┌─".encode()
"""autocannon begins its report like wrk, and goes on with tables."""
ONLY_WRK2 = re.compile(r"Thread calibration:|HdrHistogram|Detailed Percentile spectrum|Req/Sec\s+-nan\s")
"""wrk too prints ``-nan%`` beside figures of nothing, but in the last cell of a row."""


@dataclass
class Table:
    """One latency distribution of the report."""

    percentiles: list[tuple[float, Figure]] = field(default_factory=list)
    spectrum: list[tuple[float, int]] = field(default_factory=list)
    """(upper edge in ms, cumulative count), as in HdrHistogram's percentile output."""
    mean: Figure | None = None
    stdev: Figure | None = None
    maximum: Figure | None = None
    count: int | None = None


@dataclass
class Report:
    """One run as printed."""

    where: str
    asked: Figure
    threads: int | None = None
    connections: int | None = None
    mean: Figure | None = None
    stdev: Figure | None = None
    maximum: Figure | None = None
    requests: int | None = None
    duration: Figure | None = None
    bytes_in: int | None = None
    shares: dict[str, Figure] = field(default_factory=dict)
    """The column ``+/- Stdev``, by row."""
    per_thread: Latency | None = None
    """Mean, deviation and maximum of ``Req/Sec``: requests a second of one thread, sampled."""
    errors: dict[str, int] = field(default_factory=dict)
    rate: Figure | None = None
    bytes_read: Figure | None = None
    bytes_per_s: Figure | None = None
    calibrated: bool = False
    tables: list[Table] = field(default_factory=list)

    @property
    def socket_errors(self) -> int:
        return sum(n for kind, n in self.errors.items() if kind != "status")


def is_report(head: bytes) -> bool:
    """Does `head` hold a run of wrk or of wrk2?"""
    if b" test @ " not in head or _BOX in head:
        return False
    return re.search(rb"^Running \S+ test @ ", head, re.MULTILINE) is not None


def is_wrk2(text: str) -> bool:
    return ONLY_WRK2.search(text) is not None


def runs(stream: Stream) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each run in the file (output is often appended)."""
    blocks: list[list[str]] = []
    for line in stream.text_lines():
        if _RUNNING.match(line):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    if not blocks:
        raise FormatError(f'{stream.name}: holds no run of wrk (no line "Running … test @ …"): nothing was measured')
    for number, lines in enumerate(blocks, 1):
        yield (stream.name if len(blocks) == 1 else f"{stream.name}, run {number}"), lines


def parse(lines: list[str], where: str) -> Report:
    """The parts of one run; raises `FormatError` where it has no total line, the mark of a run that ended."""
    first = _RUNNING.match(lines[0])
    assert first is not None
    report = Report(where, printed.duration(first[1], f"{where}: test time"))
    for line in lines[1:]:
        _read_line(line, report)
    if report.requests is None or report.duration is None:
        raise FormatError(f'{where}: no line "N requests in T": the run was broken off or the file was cut')
    return report


def _read_line(line: str, report: Report) -> None:
    where = report.where
    if match := _CONNECTIONS.fullmatch(line):
        report.threads, report.connections = printed.count(match[1], where), printed.count(match[2], where)
    elif match := _LATENCY.fullmatch(line):
        cells = [printed.duration(cell, f"{where}: Latency") for cell in match.group(1, 2, 3)]
        report.mean, report.stdev, report.maximum = cells
        _read_share("Latency", match[4], report)
    elif (match := _PER_THREAD.fullmatch(line)) and "nan" not in line:
        cells = [printed.figure(cell, f"{where}: Req/Sec", printed.METRIC) for cell in match.group(1, 2, 3)]
        report.per_thread = Latency(mean=cells[0], stdev=cells[1], maximum=cells[2])
        _read_share("Req/Sec", match[4], report)
    elif line.lstrip().startswith("Thread calibration:"):
        report.calibrated = True
    elif line.lstrip().startswith("Latency Distribution"):
        report.tables.append(Table())
    elif report.tables and _read_table(line, report.tables[-1], where):
        pass
    elif match := _TOTAL.fullmatch(line):
        report.requests = printed.count(match[1], f"{where}: requests")
        report.duration = printed.duration(match[2], f"{where}: run time")
        report.bytes_read = printed.figure(match[3], f"{where}: bytes read", printed.BINARY)
        report.bytes_in = round(report.bytes_read.value)
    elif match := _SOCKET.fullmatch(line):
        for kind, n in zip(("connect", "read", "write", "timeout"), match.groups(), strict=True):
            report.errors[kind] = printed.count(n, where)
    elif match := _STATUS.fullmatch(line):
        report.errors["status"] = printed.count(match[1], where)
    elif match := _RATE.fullmatch(line):
        report.rate = printed.number(match[1], f"{where}: Requests/sec")
    elif match := _TRANSFER.fullmatch(line):
        report.bytes_per_s = printed.figure(match[1], f"{where}: Transfer/sec", printed.BINARY)


def _read_share(row: str, cell: str, report: Report) -> None:
    if cell.lstrip("-") != "nan":
        report.shares[row] = printed.number(cell, f"{report.where}: +/- Stdev of {row}")


def _read_table(line: str, table: Table, where: str) -> bool:
    if match := _PERCENTILE.fullmatch(line):
        table.percentiles.append((float(match[1]), printed.duration(match[2], f"{where}: {match[1]}%")))
    elif match := _SPECTRUM.fullmatch(line):
        table.spectrum.append((float(match[1]), printed.count(match[3], f"{where}: percentile spectrum")))
    elif match := _FOOT.fullmatch(line):
        first = printed.number(match[2], f"{where}: {match[1]}", 1e6)
        if match[1] == "Mean":
            table.mean, table.stdev = first, printed.number(match[3], f"{where}: StdDeviation", 1e6)
        else:
            table.maximum, table.count = first, printed.count(match[3], f"{where}: Total count")
    else:
        return False
    return True


def restated(report: Report) -> tuple[Restated, ...]:
    """``Transfer/sec`` is the bytes over the time, ``Requests/sec`` the requests; no share is above 100 %."""
    if report.duration is None:
        return ()
    seconds = Figure(report.duration.value / 1e9, report.duration.resolution / 1e9)
    found = [*restate.quotient("Transfer/sec", report.bytes_per_s, "B/s", "bytes read over the run time",
                               [report.bytes_read], [seconds])]  # fmt: skip
    done = Figure(float(report.requests or 0))
    found += restate.quotient("Requests/sec", report.rate, "1/s", "requests over the run time", [done], [seconds])
    for row, share in report.shares.items():
        found += restate.within_deviation(row, share)
    return tuple(found)


def beside(report: Report) -> tuple[Beside, ...]:
    """What each thread did in a second; how often that was looked at is not told."""
    return () if report.per_thread is None else (Beside("Req/Sec", "1/s", report.per_thread),)


def end(report: Report, stream: Stream) -> tuple[Caveat, ...]:
    """What to say where `report` has no ``Transfer/sec``, its last line."""
    return cut_caveats(stream) if report.bytes_per_s is not None else without_end(stream, "its line Transfer/sec")
