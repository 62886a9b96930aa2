"""h2load (nghttp2): a closed loop over clients × streams, optionally paced; stdout, ``--log-file`` and JSON.

Traps: with ``-D`` the rate is answers over the *configured* duration, so a paced run (``--rps``) always prints its
nominal rate, and a run of 1.01 s one that is 1 % too high; ``finished in`` has the warm-up in it, the counts have not;
neither ``-m`` nor ``--rps`` is printed; latencies are a random sample of at most 1,000,000; requests of a connection
that failed are done and were never started; the log is appended to, run after run, and its percentiles are not
corrected for what a stall kept from being sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .cut import cut_caveats, without_end
from .document import Node, parse_several
from .instants import as_rfc3339
from .samples import Counts, Samples
from .stream import Stream

QUANTUM_NS = 1_000
CAP = 1_000_000
_LOG_ROW = re.compile(rb"(\d{15,17})\t(-?\d{1,3})\t(\d+)")
_SPAWN = re.compile(r"spawning thread #\d+: (\d+) total client\(s\)\.(.*)")
_TIMED = re.compile(r".*Timing-based test with (\S+) of warm-up time and (\S+) of main duration.*")
_FINISHED = re.compile(r"finished in (\S+), (\S+) req/s, (\S+)B/s")
_REQUESTS = re.compile(r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, "
                       r"(\d+) errored, (\d+) timeout")  # fmt: skip
_CODES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_TRAFFIC = re.compile(r"traffic: \S+ \((\d+)\) total(?:, \S+ \((\d+)\) headers .*, \S+ \((\d+)\) data)?.*")
_TWICE = re.compile(r" (\d+(?:\.\d+)?)([KMGT]?)B \((\d+)\) (total|headers|data)")
_OTHER_ROW = re.compile(r"(time for connect|time to 1st byte)\s*:\s+(.*)")
_PER_CLIENT = re.compile(r"req/s\s*:\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s.*")
_ROW = re.compile(r"(?:time for )?request\s*:\s+(.*)")
LATE = 0.02
"""A timed run stops its clients at the end of ``-D`` and is done a moment later: 2 % of it …"""
LATE_NS = 500_000_000
"""… and half a second on a machine that is busy."""
_BLIND = (*blind.LOAD[1:], blind.INTENDED, blind.RATE, blind.THINK)
_STREAMS = (
    "how many streams share a connection (-m) is not said: state clients × streams with --connections (littles_law.*)"
)


def sniff(head: bytes, name: str) -> bool:
    if _is_json(head):
        return True
    lines = head.split(b"\n", 3)[:3]
    if _LOG_ROW.fullmatch(lines[0].rstrip(b"\r")):
        return all(_LOG_ROW.fullmatch(line.rstrip(b"\r")) for line in lines[:-1])
    if b"\nspawning thread #" in head:
        return True
    return b"finished in " in head and re.search(rb"^finished in \S+, \S+ req/s, ", head, re.M) is not None


def _is_json(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and b'"headers_decompressed"' in head and b'"measurements"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    if _is_json(stream.head):
        for node in parse_several(stream.document(), stream.name):
            yield _read_json(node, stream)
    elif _LOG_ROW.match(stream.head):
        yield _read_log(stream)
    else:
        yield from _read_text(stream)


def _read_text(stream: Stream) -> Iterator[Measurement]:
    lines = stream.text_lines()
    ends = [index for index, line in enumerate(lines) if _FINISHED.fullmatch(line.strip())]
    if not ends:
        raise FormatError(f'{stream.name}: no line "finished in …": h2load was broken off or the file was cut')
    begin = 0
    for number, end in enumerate(ends):
        last = ends[number + 1] if number + 1 < len(ends) else len(lines)
        yield _Text(stream.name, lines[begin:end], lines[end:last]).measurement(stream)
        begin = end + 1


class _Text:
    """One run on stdout."""

    def __init__(self, where: str, before: list[str], after: list[str]) -> None:
        self.where = where
        self.clients = 0
        self.protocol = ""
        self.warmup: Figure | None = None
        self.asked: Figure | None = None
        self.counts: tuple[int, ...] = ()
        self.codes: tuple[int, ...] = ()
        self.bytes_in: int | None = None
        self.latency: Latency | None = None
        self.header = ""
        self.ended = False
        self.restated: list[Restated] = []
        self.beside: list[Beside] = []
        self.first: dict[str, Figure] = {}
        """Smallest time for connect and to the 1st byte."""
        self.share: Figure | None = None
        for line in before:
            self._read_before(line)
        first = _FINISHED.fullmatch(after[0].strip())
        assert first is not None
        self.duration = printed.duration(first[1], f"{where}: finished in")
        self.rate = printed.number(first[2], f"{where}: req/s")
        self.bytes_per_s = printed.figure(first[3], f"{where}: B/s", printed.BINARY)
        self.duration = self._without_warmup(self.duration)
        for line in after[1:]:
            self._read_after(line.rstrip())
        if not self.counts:
            raise FormatError(f'{where}: no line "requests: N total, …": the report was cut')

    def _read_before(self, line: str) -> None:
        if match := _SPAWN.match(line):
            if line.startswith("spawning thread #0"):
                self.clients, self.warmup, self.asked = 0, Figure(0.0), None
            self.clients += printed.count(match[1], self.where)
            if timed := _TIMED.fullmatch(match[2]):
                self.warmup = printed.duration(timed[1], f"{self.where}: warm-up")
                self.asked = printed.duration(timed[2], f"{self.where}: main duration")
        elif line.startswith("Application protocol: "):
            self.protocol = line.removeprefix("Application protocol: ").strip()

    def _read_after(self, line: str) -> None:
        if match := _REQUESTS.fullmatch(line):
            self.counts = tuple(printed.count(n, self.where) for n in match.groups())
        elif match := _CODES.fullmatch(line):
            self.codes = tuple(printed.count(n, self.where) for n in match.groups())
        elif match := _TRAFFIC.fullmatch(line):
            self.bytes_in = printed.count(match[1], self.where)
            self._read_sizes(line)
            if match[2] is not None and self.protocol == "http/1.1":  # elsewhere headers may be counted unpacked
                parts = sum(printed.count(n, self.where) for n in match.group(2, 3))
                self.restated += restate.between("headers and data", Figure(float(parts)), "B", "the traffic in total",
                                                 0.0, float(self.bytes_in))  # fmt: skip
        elif line.split()[:2] == ["min", "max"]:
            self.header = line
        elif line.startswith("req/s  "):
            self.ended = True
            self._read_clients(line)
        elif (match := _OTHER_ROW.fullmatch(line)) and self.header.split()[:3] == ["min", "max", "mean"]:
            row = [printed.duration(cell, f"{self.where}: {match[1]}") for cell in match[2].split()[:4]]
            self._add_beside(match[1], "ns", row)
            self.first[match[1]] = row[0]
        elif (match := _ROW.fullmatch(line)) and self.counts and self.counts[2]:
            self.latency = self._row(match[1])

    def _read_clients(self, line: str) -> None:
        """The last row: requests a second of one client."""
        if match := _PER_CLIENT.fullmatch(line):
            self._add_beside("req/s", "1/s", [printed.number(cell, f"{self.where}: req/s") for cell in match.groups()])

    def _of_counts(self) -> Iterator[Restated]:
        """Over HTTP/1.1 each client has one answer under way, whose status is counted before its end."""
        total, _, done, succeeded, failed, errored, _ = self.counts
        yield from restate.at_most("requests done", Figure(float(done)), "", "requests total", Figure(float(total)))
        if not self.codes or not self.clients or self.protocol != "http/1.1" or failed > done:
            return
        rows = (("2xx and 3xx", sum(self.codes[:2]), succeeded, "requests succeeded"),
                ("4xx and 5xx", sum(self.codes[2:]), failed - errored, "requests failed, not errored"))  # fmt: skip
        for what, told, counted, formula in rows:
            low, high = counted - self.clients, counted + self.clients
            yield from restate.between(f"status codes {what}", Figure(float(told)), "", formula, low, high)

    def _add_beside(self, name: str, unit: str, row: list[Figure]) -> None:
        """min, max, mean and sd of one value per client."""
        least, most, mean, stdev = [*row, *[None] * 4][:4]
        self.beside.append(Beside(name, unit, Latency(minimum=least, mean=mean, maximum=most, stdev=stdev)))

    def _read_sizes(self, line: str) -> None:
        """Each size is printed to two decimals of its unit and, beside it, in bytes."""
        for value, unit, exact, what in _TWICE.findall(line):
            stated = printed.figure(value + unit, f"{self.where}: traffic", printed.BINARY)
            total = Figure(float(printed.count(exact, f"{self.where}: traffic")))
            self.restated += restate.same(f"traffic {what}", stated, "B", "the bytes beside it", total)

    def _of_all(self) -> Iterator[Restated]:
        """Bytes a second over the time that h2load divides by; a first byte comes after its connection."""
        if self.bytes_in is not None and self.duration.low > 0:
            spans = [self.duration, *([self.asked] if self.asked is not None and self.asked.low > 0 else [])]
            low, high = (self.bytes_in * 1e9 / edge(span.value for span in spans) for edge in (max, min))
            slack = max(span.resolution / span.value for span in spans) / 2 * high + 1.0
            formula = "the traffic in total over the time"
            yield from restate.between("B/s", self.bytes_per_s, "B/s", formula, low - slack, high + slack)
        least = self.first.get("time for connect"), self.first.get("time to 1st byte")
        formula = "the min of time to 1st byte"
        yield from restate.at_most("min of time for connect", least[0], "ns", formula, least[1])
        yield from self._of_counts()
        if self.latency is not None:
            yield from restate.within_deviation("time for request", self.share, self.latency, self.latency.count or 0)

    def _row(self, cells_text: str) -> Latency:
        names = self.header.replace("+/- sd", "share").split()
        cells = dict(zip(names, cells_text.split(), strict=False))
        found: dict[str, Figure] = {
            key: printed.duration(cells[key], f"{self.where}: request {key}")
            for key in ("min", "max", "mean", "sd", "median", "p95", "p99")
            if key in cells
        }
        if "mean" not in found:
            raise FormatError(
                f"{self.where}: got {cells_text.strip()[:60]!r}; expected min, max, mean and sd of requests"
            )
        if "share" in cells:
            self.share = printed.number(cells["share"].rstrip("%"), f"{self.where}: +/- sd")
        return _figures(found, self.counts[2])

    def _without_warmup(self, finished: Figure) -> Figure:
        """The counted part of ``finished in``, which begins with the first connection."""
        warmup, asked = self.warmup, self.asked
        if warmup is None or asked is None or not warmup.value or finished.high < warmup.low + asked.low:
            return finished
        return Figure(finished.value - warmup.value, finished.resolution + warmup.resolution)

    def _rate(self) -> Figure:
        """The rate over the time that it ran, where it was printed over the time that was asked for."""
        asked, ran = self.asked, self.duration
        if asked is None or asked.value <= 0 or not asked.low <= ran.high <= asked.high * (1 + LATE) + LATE_NS:
            return self.rate
        factor = asked.value / ran.value
        return Figure(self.rate.value * factor, self.rate.resolution * factor)

    def _of_rate(self, read: Figure) -> tuple[Caveat, ...]:
        if self.asked is None or read.value == self.rate.value:
            return ()
        text = (
            f"h2load divides by the {self.asked.value / 1e9:g} s asked for, not by the {self.duration.value / 1e9:g} s "
            f"that it ran: {self.rate.value:,.0f}/s is read as {read.value:,.0f}/s"
        )
        return (Caveat("source.rate", text),)

    def measurement(self, stream: Stream) -> Measurement:
        _, started, done, succeeded, failed, errored, timed_out = self.counts
        pipelined = self.protocol not in ("http/1.1", "")
        rate = self._rate()
        good = restate.between("requests succeeded", Figure(float(succeeded)), "", "done - failed",
                               done - failed - self.clients, done - failed + self.clients)  # fmt: skip
        end = cut_caveats(stream) if self.ended or not done else without_end(stream, "its row of req/s per client")
        return Measurement(
            source=Source(tool="h2load", format="text report", file=stream.name),
            loop="closed",
            concurrency=None if pipelined else self.clients or None,
            duration_requested_ns=self.asked,
            duration_ns=self.duration,
            rate_achieved_per_s=rate,
            warmup_ns=self.warmup,
            operations=done,
            operations_include_errors=failed <= done,
            sent=_sent(started, done, failed, errored),
            errors=_errors(self.codes, failed, errored, timed_out),
            outcomes=_good_codes(self.codes) if self.codes else None,
            outcomes_complete=bool(self.codes) and not pipelined and not failed,
            latency=self.latency,
            bytes_in=self.bytes_in,
            restated=(*(good if failed <= done else ()), *self.restated, *self._of_all()),
            beside=tuple(self.beside),
            caveats=(*self._of_rate(rate), *end),
            blind=(*_BLIND, blind.SERIES, blind.TAIL, *((_STREAMS,) if pipelined else ())),
        )


def _sent(started: int, done: int, failed: int, errored: int) -> int | None:
    """Requests sent; not told where requests of a broken connection failed that were never started."""
    ended = done if failed <= done else done + failed
    return None if started < ended <= started + errored else started


def _good_codes(codes: tuple[int, ...]) -> dict[str, int]:
    return {label: n for label, n in zip(("2xx", "3xx"), codes, strict=False) if n}


def _errors(codes: tuple[int, ...], failed: int, errored: int, timed_out: int) -> dict[str, int]:
    """``failed`` holds the errored, which hold the timeouts; the rest of them are answers with a bad status."""
    status = sum(codes[2:]) if codes else max(0, failed - errored)
    named = {"status": status, "timeout": timed_out, "error": max(0, errored - timed_out)}
    named["failed"] = max(0, failed - sum(named.values()))
    return {kind: n for kind, n in named.items() if n}


def _figures(found: dict[str, Figure], done: int) -> Latency:
    percentiles = [(p, found[key]) for p, key in ((50.0, "median"), (95.0, "p95"), (99.0, "p99")) if key in found]
    return Latency(
        count=min(done, CAP),
        minimum=found.get("min"),
        mean=found.get("mean"),
        maximum=found.get("max"),
        stdev=found.get("sd"),
        percentiles=printed.ladder(percentiles),
        percentile_method="nearest-rank" if percentiles else "unknown",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
        cap=CAP,
    )


def _read_log(stream: Stream) -> Measurement:
    samples = Samples()
    for number, line in enumerate(stream.lines(), 1):
        cells = line.split(b"\t")
        try:
            start_us, status, duration_us = (int(cell) for cell in cells)
            failed = failure.is_failed_status(status)
            samples.add(start_us * 1_000, duration_us * 1_000, failure.label(status), failed=failed)
        except ValueError:
            shown = line[:60].decode("utf-8", "replace")
            raise FormatError(
                f"{stream.name}: line {number}: got {shown!r}; expected start, status, duration"
            ) from None
    if not samples.n:
        raise FormatError(f"{stream.name}: no whole row: nothing was measured")
    base = Measurement(
        source=Source(tool="h2load", format="log file", file=stream.name),
        loop="closed",
        started_at=as_rfc3339(samples.first_start_ns or 0),
        finished_at=as_rfc3339(samples.last_end_ns or 0),
        blind=(*_BLIND, blind.WARMUP, blind.CONNECTIONS, "the log is appended to: two runs in one file look like one"),
    )
    return replace(samples.fill(base, quantum_ns=QUANTUM_NS, origin="send"), caveats=cut_caveats(stream))


def _read_json(node: Node, stream: Stream) -> Measurement:
    measured = node["measurements"]
    requests, codes = measured["requests"], measured["status_codes"]
    done = requests["done"].count()
    duration = measured["duration"].figure(1e9)
    if done is None or duration is None:
        raise measured.wrong("the measurements of h2load with duration and requests")
    failed, errored, timed_out = (requests[key].count() or 0 for key in ("failed", "errored", "timeout"))
    return Measurement(
        source=Source(tool="h2load", format="JSON", file=stream.name),
        loop="closed",
        duration_ns=duration,
        rate_achieved_per_s=measured["request_per_second"].figure(),
        operations=done,
        operations_include_errors=failed <= done,
        sent=_sent(requests["started"].count() or 0, done, failed, errored),
        errors=_errors(
            tuple(codes[key].count() or 0 for key in ("2xx", "3xx", "4xx", "5xx")), failed, errored, timed_out
        ),
        latency=_json_latency(measured["performance"]["request"], done) if done else None,
        bytes_in=measured["traffic"]["total"].count(),
        blind=(*_BLIND, blind.WARMUP, blind.SERIES, blind.CONNECTIONS, _STREAMS),
    )


def _json_latency(request: Node, done: int) -> Latency:
    counts = Counts()
    for element in request["samples"].elements():
        value = element.number()
        if value is None or not -1e9 < value < 1e9:
            raise element.wrong("a latency in seconds")
        counts.add(round(value * 1e9))
    found = {key: figure for key in ("min", "max", "mean", "sd", "median", "p95", "p99")
             if (figure := request[key].figure(1e9)) is not None}  # fmt: skip
    latency = _figures(found, done)
    if not counts.n:
        return latency
    return replace(latency, histogram=counts.distribution(), count=counts.n)
