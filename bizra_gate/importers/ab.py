"""ApacheBench (httpd's ab): a closed loop over N connections; text report, or ``-g`` gnuplot rows.

Traps: the latency table is in whole milliseconds; ``Time per request (mean)`` is concurrency · T / N by construction
and no evidence of anything; "Failed requests" counts answers whose length differs from the first and leaves out
answers with a bad status; the ``-g`` rows are sorted by time and start in whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, printed, restate
from .cut import cut_caveats, rows_after, without_end
from .samples import Samples
from .stream import Stream

QUANTUM_NS = 1_000_000
FEW = 20
"""Of fewer requests than this the next value after the median, which an odd count takes in, may be the 75 % already."""
_ROWS_HEADER = b"starttime\tseconds\tctime\tdtime\tttime\twait"
_VALUE = re.compile(r"([A-Z][A-Za-z0-9 -]+):\s+(\S+)(.*)")
_FAILED = re.compile(r"\s+\(Connect: (\d+),(?: Receive: (\d+),)? Length: (\d+), Exceptions: (\d+)\)")
_PART_ROW = re.compile(r"(Connect|Processing|Waiting|Total):\s+(\d+)\s+(\d+)\s+(\d+\.\d)\s+(\d+)\s+(\d+)\s*")
_ROW_NAMES = ("min", "mean", "stdev", "median", "max")
_TOTAL_ROW = re.compile(r"Total:\s+(\d+)\s+(\d+)\s+(?:(\d+\.\d+)\s+\d+\s+)?(\d+)\s*")
_PERCENTILE = re.compile(r"\s*(\d{1,2})%\s+(\d+)\s*")
_PER_REQUEST = re.compile(r"Time per request:\s+(\S+) \[ms\] \((mean|mean, across all concurrent requests)\)\s*")
_LONGEST = re.compile(r"\s*100%\s+(\d+) \(longest request\)\s*")
_BLIND = (*blind.LOAD, blind.INTENDED)


def sniff(head: bytes, name: str) -> bool:
    if head.startswith(_ROWS_HEADER):
        return True
    if b"This is ApacheBench" in head:
        return True
    level = b"Concurrency Level:"
    return level in head and re.search(rb"^Concurrency Level: +\d+\r?\nTime taken", head, re.M) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    if stream.head.startswith(_ROWS_HEADER):
        yield _read_rows(stream)
        return
    lines = stream.text_lines()
    starts = [index for index, line in enumerate(lines) if line.startswith("Concurrency Level:")]
    if not starts:
        raise FormatError(f'{stream.name}: ab printed no result (no line "Concurrency Level"): nothing was measured')
    for before, start, end in zip([0, *starts], starts, [*starts[1:], len(lines)], strict=False):
        head = [line for line in lines[before:start] if line.startswith("Document Length:")][-1:]
        yield _read_text([*head, *lines[start:end]], stream)


class _Report:
    """The parts of one text report."""

    def __init__(self, lines: list[str], where: str) -> None:
        self.values: dict[str, tuple[str, str]] = {}
        self.percentiles: list[tuple[float, Figure]] = []
        self.failed = {"connect": 0, "receive": 0, "length": 0, "exceptions": 0}
        self.total: re.Match[str] | None = None
        self.where = where
        self.per_request: dict[str, Figure] = {}
        self.longest: Figure | None = None
        self.rows: dict[str, dict[str, Figure]] = {}
        """The table of connection times, by its first column."""
        for line in lines:
            if match := _FAILED.fullmatch(line):
                parts = (n or "0" for n in match.groups())
                self.failed = {key: printed.count(n, where) for key, n in zip(self.failed, parts, strict=True)}
            elif match := _PERCENTILE.fullmatch(line):
                self.percentiles.append((float(match[1]), printed.number(match[2], f"{where}: {match[1]}%", 1e6)))
            elif match := _PER_REQUEST.fullmatch(line):
                self.per_request[match[2]] = printed.number(match[1], f"{where}: Time per request", 1e6)
            elif match := _LONGEST.fullmatch(line):
                self.longest = printed.number(match[1], f"{where}: 100%", 1e6)
            elif match := _TOTAL_ROW.fullmatch(line):
                self.total = match
                self._add_row(line)
            elif _PART_ROW.fullmatch(line):
                self._add_row(line)
            elif match := _VALUE.fullmatch(line):
                self.values.setdefault(match[1], (match[2], match[3]))

    def _add_row(self, line: str) -> None:
        if match := _PART_ROW.fullmatch(line):
            cells = zip(_ROW_NAMES, match.groups()[1:], strict=True)
            where = f"{self.where}: {match[1]}"
            self.rows[match[1]] = {name: printed.number(cell, where, 1e6) for name, cell in cells}

    def count(self, key: str) -> int | None:
        return printed.count(self.values[key][0], f"{self.where}: {key}") if key in self.values else None

    def figure(self, key: str, factor: float = 1.0) -> Figure | None:
        return printed.number(self.values[key][0], f"{self.where}: {key}", factor) if key in self.values else None

    def needed(self, key: str) -> int:
        found = self.count(key)
        if found is None:
            raise FormatError(f"{self.where}: no line {key!r}: the report was cut")
        return found


def _read_text(lines: list[str], stream: Stream) -> Measurement:
    report = _Report(lines, stream.name)
    done = report.needed("Complete requests")
    errors = _errors(report)
    return Measurement(
        source=Source(tool="ab", format="text report", file=stream.name),
        loop="closed",
        think_time=False,
        concurrency=report.needed("Concurrency Level"),
        rate_achieved_per_s=report.figure("Requests per second"),
        duration_ns=report.figure("Time taken for tests", 1e9),
        operations=done,
        operations_include_errors=sum(errors.values()) <= done,
        errors=errors,
        latency=_latency(report, done) if report.total else None,
        bytes_in=report.count("Total transferred"),
        restated=(*_restated(report, done), *_of_counts(report, done), *_of_rows(report, done)),
        beside=tuple(_beside(report, done)),
        caveats=(*_caveats(report, done), *_end(report, done, stream)),
        blind=(*_BLIND, blind.SERIES, blind.TAIL),
    )


def _errors(report: _Report) -> dict[str, int]:
    named = {
        "connect": report.failed["connect"],
        "receive": report.failed["receive"],
        "exception": report.failed["exceptions"],
        "write": report.count("Write errors") or 0,
        "status": report.count("Non-2xx responses") or 0,
    }
    return {kind: n for kind, n in named.items() if n}


def _restated(report: _Report, done: int) -> Iterator[Restated]:
    """Rate, times per request, transfer rate and the last percentile, from the counts above them."""
    elapsed, transferred = report.figure("Time taken for tests", 1e9), report.count("Total transferred")
    users, requests = Figure(float(report.needed("Concurrency Level"))), Figure(float(done))
    for kind, factor in (("mean", users), ("mean, across all concurrent requests", Figure(1.0))):
        formula = "concurrency times time over requests" if kind == "mean" else "time over requests"
        stated = report.per_request.get(kind)
        yield from restate.quotient(f"Time per request ({kind})", stated, "ns", formula, [factor, elapsed], [requests])
    if elapsed is not None:
        rate, seconds = report.figure("Requests per second"), Figure(elapsed.value / 1e9, elapsed.resolution / 1e9)
        yield from restate.quotient("Requests per second", rate, "1/s", "requests over time", [requests], [seconds])
    if elapsed is not None and transferred:
        formula, total = "Total transferred over the time", Figure(float(transferred))
        yield from restate.quotient(
            "Transfer rate", report.figure("Transfer rate", 1024.0), "B/s", formula, [total], [seconds]
        )
    if report.longest is not None and report.total is not None:
        most = printed.number(report.total[4], f"{report.where}: Total", 1e6)
        yield from restate.between("100%", report.longest, "ns", "the max of Total", most.low, most.high)


def _of_counts(report: _Report, done: int) -> Iterator[Restated]:
    """Counts and sizes that belong together.

    ab calls every answer failed whose length differs from the first (`support/ab.c`, close_connection): where none is,
    all that was read is whole documents, and the part of those that were under way when time was up. Its threads, where
    it has some (2.5), each have a first answer of their own.
    """
    failed = report.count("Failed requests")
    kinds = sum(report.failed.values())
    yield from restate.equal("Failed requests", failed, "the kinds of failures", kinds)
    kept, transferred = report.count("Keep-Alive requests"), report.count("Total transferred")
    formula = "Complete requests"
    yield from restate.at_most("Keep-Alive requests", _exact(kept), "", formula, _exact(done))
    html = report.count("HTML transferred")
    yield from restate.at_most("HTML transferred", _exact(html), "B", "Total transferred", _exact(transferred))
    told = report.values.get("Document Length", ("",))[0]
    if html is None or not told.isdigit() or kinds or report.count("Number of workers") not in (None, 1):
        return
    length, users = printed.count(told, f"{report.where}: Document Length"), report.needed("Concurrency Level")
    formula = "Document Length times Complete requests"
    yield from restate.between("HTML transferred", _exact(html), "B", formula, length * done, length * (done + users))


def _exact(count: int | None) -> Figure | None:
    return None if count is None else Figure(float(count))


def _of_rows(report: _Report, done: int) -> Iterator[Restated]:
    """Connecting and processing make up the total, waiting is part of processing; for every request, hence in order.

    ab cuts the mean to whole µs and rounds each figure to ms; old versions cut each part to ms.
    """
    rows, keys = report.rows, ("min", "mean", "median", "max")
    parts = {name: {key: row[key] for key in keys} for name, row in rows.items()}
    for part, whole in (("Waiting", "Processing"), ("Processing", "Total"), ("Connect", "Total")):
        if part in parts and whole in parts:
            yield from restate.dominated(parts[part], parts[whole], (part, whole), "ns")
    if not {"Connect", "Processing", "Total"} <= set(rows):
        return
    first, second, total = rows["Connect"], rows["Processing"], rows["Total"]
    sums = {key: (first[key].low + second[key].low, first[key].high + second[key].high) for key in keys}
    low, high = sums["mean"]
    formula = "Connect and Processing"
    yield from restate.between("mean of Total", total["mean"], "ns", formula, low - 2_000, high + 2_000)
    apart, together = abs(first["stdev"].value - second["stdev"].value), first["stdev"].high + second["stdev"].high
    formula = "the deviations of Connect and Processing"
    yield from restate.between("stdev of Total", total["stdev"], "ns", formula, apart - 102_000, together + 2_000)
    formula = "Connect and Processing"
    for key, (low, high) in (("min", (sums["min"][0], total["max"].high)), ("max", (0.0, sums["max"][1]))):
        yield from restate.between(f"{key} of Total", total[key], "ns", formula, low, high)
    ranks = dict(report.percentiles)
    above = min((p for p in ranks if p > 50), default=None)
    if 50.0 in ranks and above is not None:
        formula = "the percentages below"
        top = ranks[above] if done >= FEW else total["max"]
        yield from restate.between("median of Total", total["median"], "ns", formula, ranks[50.0].value, top.value)


def _beside(report: _Report, done: int) -> Iterator[Beside]:
    kept = min(done, report.count("Number of requests") or done)
    for name, row in report.rows.items():
        if name != "Total":
            ladder = ((50.0, row["median"]),)
            held = Latency(None, kept, row["min"], row["mean"], row["max"], row["stdev"], ladder, "nearest-rank")
            yield Beside(name, "ns", held)


def _caveats(report: _Report, done: int) -> Iterator[Caveat]:
    if different := report.failed["length"]:
        yield Caveat(
            "source.length",
            f"ab calls {different:,} answers failed because their length differs from the first; they are not counted "
            "as errors here",
        )
    window = report.count("Number of requests")
    if window is not None and window < done:
        yield Caveat(
            "source.window",
            f"this ab keeps {window:,} slots for {done:,} requests and averages the latencies that share one: "
            "its percentiles are those of means",
        )


def _end(report: _Report, done: int, stream: Stream) -> tuple[Caveat, ...]:
    if done < 2 or report.longest is not None:
        return cut_caveats(stream)
    return without_end(stream, "its table of percentiles (which ab -d leaves out)")


def _latency(report: _Report, done: int) -> Latency:
    assert report.total is not None
    minimum, mean, deviation, maximum = report.total.groups()
    where = f"{report.where}: Total"
    return Latency(
        count=done,
        minimum=printed.number(minimum, where, 1e6),
        mean=printed.number(mean, where, 1e6),
        maximum=printed.number(maximum, where, 1e6),
        stdev=printed.number(deviation, where, 1e6) if deviation else None,
        percentiles=printed.ladder(report.percentiles),
        percentile_method="nearest-rank",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )


def _read_rows(stream: Stream) -> Measurement:
    samples, sums, waits = Samples(), restate.Worst("ttime"), restate.Worst("wait")
    header = stream.head.split(b"\n", 1)[0].rstrip(b"\r")
    for number, line in rows_after(header, stream):
        cells = line.split(b"\t")
        try:
            start_s, connect_ms, rest_ms, total_ms, wait_ms = (int(cell) for cell in cells[1:6])
            samples.add(start_s * 10**9, total_ms * 10**6, "answer", failed=False)
            parts_ms = connect_ms + rest_ms
            sums.add(number, total_ms * 1e6, (parts_ms - 1) * 1e6, (parts_ms + 1) * 1e6)
            waits.add(number, wait_ms * 1e6, 0.0, rest_ms * 1e6)
        except (IndexError, ValueError, OverflowError):
            shown = line[:60].decode("utf-8", "replace")
            raise FormatError(f"{stream.name}: line {number}: got {shown!r}; expected six columns of ab -g") from None
    if not samples.n:
        raise FormatError(f"{stream.name}: only a header: nothing was measured")
    base = Measurement(
        source=Source(tool="ab", format="gnuplot rows (-g)", file=stream.name),
        loop="closed",
        think_time=False,
        blind=(*_BLIND, blind.CONNECTIONS, "neither status nor failures are in the rows (method.errors)"),
    )
    full = samples.fill(base, quantum_ns=QUANTUM_NS, origin="send")
    seconds = Figure(full.duration_ns.value, 2e9) if full.duration_ns else None
    note = Caveat("source.seconds", "starts are given in whole seconds: the run may be up to 1 s longer or shorter")
    return replace(full, duration_ns=seconds, errors=None, outcomes=None, outcomes_complete=False,
                   intervals=None,
                   restated=(*sums.restated("ctime and dtime beside it"), *waits.restated("dtime beside it")),
                   caveats=(note, *cut_caveats(stream)))  # fmt: skip
