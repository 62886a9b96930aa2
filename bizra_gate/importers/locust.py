"""Locust: users in a closed loop, waiting as their script says; ``--json``, ``_stats.csv``, ``_stats_history.csv``.

Traps: response times are kept in buckets of whole ms below 100 ms and of two significant digits above, so that a
percentile may exceed the exact maximum; failures are among requests and times; percentiles of the history are those
since the start (unless ``--csv-full-history``); the last ``_stats.csv`` can be older than the run; requests under way
at the end are in nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ..errors import FormatError
from ..model import Caveat, Distribution, Figure, Intervals, Latency, Measurement, Restated, Source
from ..units import NS_PER_S
from . import blind, printed, restate
from .cut import cut_caveats, second
from .document import Node, parse
from .stream import Stream

QUANTUM_NS = 1_000_000
_STATS = b"Type,Name,Request Count,Failure Count,"
_HISTORY = b"Timestamp,User Count,Type,Name,Requests/s,"
_BLIND = (*blind.LOAD, blind.INTENDED, blind.RATE, blind.THINK)
MAX_ROWS = 5_000_000


def sniff(head: bytes, name: str) -> bool:
    if head.startswith((_STATS, _HISTORY)):
        return True
    return head.lstrip()[:1] == b"[" and b'"num_none_requests"' in head and b'"total_response_time"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    if stream.head.startswith(_STATS):
        yield from _read_stats(stream)
    elif stream.head.startswith(_HISTORY):
        yield _read_history(stream)
    else:
        yield from _read_json(stream)


# JSON: one entry per request name


def _read_json(stream: Stream) -> Iterator[Measurement]:
    entries = [_Entry(node) for node in parse(stream.document(), stream.name).elements()]
    if not entries:
        raise FormatError(
            f"{stream.name}: holds an empty list: nothing was measured",
            hint="--json together with --json-file writes one; use --json-file alone",
        )
    if len(entries) > 1:
        yield _json_measurement(_Entry.together(entries), stream)
    for entry in entries:
        part = _json_measurement(entry, stream)
        yield replace(part, think_time=True) if len(entries) > 1 else part


class _Entry:
    """One request name, or all of them together."""

    def __init__(self, node: Node | None) -> None:
        self.name: str | None = None
        self.buckets: dict[int, int] = {}
        if node is None:
            return
        self.name = " ".join(part for key in ("method", "name") if (part := node[key].text())) or None
        start, end, count = node["start_time"].number(), node["last_request_timestamp"].number(), node["num_requests"]
        requests, total = count.count(), node["total_response_time"].number()
        if start is None or end is None or requests is None or total is None:
            raise node.wrong("an entry with num_requests, start_time, last_request_timestamp and total_response_time")
        self.tells_failures = bool(node["num_fail_per_sec"])
        self.untimed = node["num_none_requests"].count() or 0
        requests = max(0, requests - self.untimed)  # those have no time, and are no answers
        self.start, self.end, self.requests, self.total_ms = start, end, requests, total
        self.failures = node["num_failures"].count() or 0
        self.low, self.high = node["min_response_time"].number(), node["max_response_time"].number()
        self.per_second, self.failed_per_second = _seconds(node["num_reqs_per_sec"]), _seconds(node["num_fail_per_sec"])
        for key, n in node["response_times"].counts().items():
            value = printed.number(key, f"{node.where}.response_times").value
            if not 0 <= value < 1e9:
                raise node["response_times"].wrong("buckets in ms")
            self.buckets[round(value)] = self.buckets.get(round(value), 0) + n

    @classmethod
    def together(cls, entries: Sequence[_Entry]) -> _Entry:
        """All entries as one: what all the users did."""
        whole = cls(None)
        whole.start, whole.end = min(e.start for e in entries), max(e.end for e in entries)
        whole.tells_failures = all(e.tells_failures for e in entries)
        whole.untimed = sum(e.untimed for e in entries)
        whole.requests, whole.failures = sum(e.requests for e in entries), sum(e.failures for e in entries)
        whole.total_ms = sum(e.total_ms for e in entries)
        whole.low = min((e.low for e in entries if e.low is not None), default=None)
        whole.high = max((e.high for e in entries if e.high is not None), default=None)
        whole.buckets = _added([e.buckets for e in entries])
        whole.per_second = _added([e.per_second for e in entries])
        whole.failed_per_second = _added([e.failed_per_second for e in entries])
        return whole


def _added(parts: Sequence[dict[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in parts:
        for key, n in part.items():
            found[key] = found.get(key, 0) + n
    return found


def _seconds(node: Node) -> dict[int, int]:
    found = {}
    for key, n in node.counts().items():
        if not key.isdecimal() or len(key) > 12:
            raise node.wrong("counts by second since 1970")
        found[int(key)] = n
    return found


def _json_measurement(entry: _Entry, stream: Stream) -> Measurement:
    return Measurement(
        source=Source(tool="locust", format="JSON", file=stream.name),
        name=entry.name,
        loop="closed",
        duration_ns=Figure((entry.end - entry.start) * 1e9),
        operations=entry.requests,
        operations_include_errors=True,
        errors={"failed": entry.failures} if entry.failures else {},
        latency=_json_latency(entry) if entry.requests else None,
        restated=tuple(_of_buckets(entry)),
        intervals=_intervals(entry),
        blind=(*_BLIND, blind.CONNECTIONS),
    )


def _json_latency(entry: _Entry) -> Latency:
    values = sorted(entry.buckets)
    low, high = (round(v * 1e6) if v is not None and abs(v) < 1e12 else None for v in (entry.low, entry.high))
    histogram = Distribution(
        tuple(max(0, value * QUANTUM_NS - _half_ns(value)) for value in values),
        tuple(value * QUANTUM_NS + _half_ns(value) - 1 for value in values),
        tuple(entry.buckets[value] for value in values),
        low,
        high,
        round(entry.total_ms * 1e6) if abs(entry.total_ms) < 1e12 else None,
    )
    return Latency(
        histogram=histogram if values else None,
        count=entry.requests,
        minimum=None if entry.low is None else Figure(entry.low * 1e6),
        mean=Figure(entry.total_ms / entry.requests * 1e6),
        maximum=None if entry.high is None else Figure(entry.high * 1e6),
        percentile_method="buckets",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )


def _of_buckets(entry: _Entry) -> Iterator[Restated]:
    """Sum and extremes are kept exactly, beside the buckets that every response time is rounded into.

    Requests and failures are counted by the second as well (`locust/stats.py`, StatsEntry.log).
    """
    if entry.per_second:
        done, counted = entry.requests + entry.untimed, sum(entry.per_second.values())
        yield from restate.equal("the sum of num_reqs_per_sec", counted, "num_requests", done)
    if entry.tells_failures:
        counted = sum(entry.failed_per_second.values())
        yield from restate.equal("the sum of num_fail_per_sec", counted, "num_failures", entry.failures)
    values = sorted(entry.buckets)
    if not values:
        return
    held = sum(entry.buckets.values())
    middle = float(sum(value * n for value, n in entry.buckets.items())) * QUANTUM_NS
    hidden = float(sum(_half_ns(value) * n for value, n in entry.buckets.items()))
    formula, total = f"the {held:,} values in its buckets", Figure(entry.total_ms * 1e6)
    yield from restate.between("total_response_time", total, "ns", formula, middle - hidden, middle + hidden)
    for what, exact, value in (("min", entry.low, values[0]), ("max", entry.high, values[-1])):
        if exact is not None:
            own, near, half = Figure(exact * 1e6), value * QUANTUM_NS, _half_ns(value)
            text = f"{what}_response_time"
            yield from restate.between(text, own, "ns", "its buckets", near - half, near + half)


def _half_ns(value_ms: int) -> int:
    """Half the width of the bucket of `value_ms`: Locust rounds to 1 ms below 100, else to two digits."""
    step = 1 if value_ms < 100 else 10 if value_ms < 1_000 else 100 if value_ms < 10_000 else 1_000
    return step * QUANTUM_NS // 2


def _intervals(entry: _Entry) -> Intervals | None:
    """Requests per second of the epoch; seconds without any are zero, not missing.

    The run began somewhere within the first of them, which therefore starts before the window.
    """
    if not entry.per_second:
        return None
    first, last = min(entry.per_second), max(entry.per_second)
    if last - first >= MAX_ROWS:
        return None
    seconds = range(first, last + 1)
    begin = min(entry.start, first + 1.0) if abs(entry.start - first) < MAX_ROWS else float(first)
    failed = tuple(entry.failed_per_second.get(second, 0) for second in seconds)
    return Intervals(
        length_ns=NS_PER_S,
        start_ns=tuple(round((second - begin) * NS_PER_S) for second in seconds),
        count=tuple(max(0, entry.per_second.get(s, 0) - f) for s, f in zip(seconds, failed, strict=True)),
        errors=failed,
    )


# CSV


_TIMES = ("Average Response Time", "Min Response Time", "Max Response Time")
_STATS_COLUMNS = ("Type", "Name", "Request Count", "Failure Count", "Requests/s", *_TIMES)
_HISTORY_COLUMNS = (
    "Timestamp", "User Count", "Name", "Total Request Count", "Total Failure Count", *(f"Total {key}" for key in _TIMES)
)  # fmt: skip


def _rows(stream: Stream, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Rows by column name; raises `FormatError` where one of `columns` is missing or a row is too short or too long."""
    text = (line.decode("utf-8", "replace") + "\n" for line in stream.lines())
    try:
        rows = csv.DictReader(text)
        if missing := [column for column in columns if column not in (rows.fieldnames or ())]:
            raise FormatError(f"{stream.name}: no column {missing[0]!r} in the header")
        for number, row in enumerate(rows, 2):
            if all(key == value for key, value in row.items()):
                raise second(f"{stream.name}: line {number}", "the header")
            if None in row or None in row.values():
                raise FormatError(f"{stream.name}: line {number}: the number of columns differs from the header's")
            yield row
    except csv.Error as error:
        raise FormatError(f"{stream.name}: not readable as CSV: {error}") from None


def _read_stats(stream: Stream) -> Iterator[Measurement]:
    rows = list(_rows(stream, _STATS_COLUMNS))
    caveats = cut_caveats(stream)
    named = [row for row in rows if row["Name"] != "Aggregated"]
    whole = [row for row in rows if row["Name"] == "Aggregated"]
    chosen = whole + named if len(named) > 1 else (named or whole)
    if not chosen:
        raise FormatError(f"{stream.name}: only a header: nothing was measured")
    again = tuple(_of_rows(named, whole, stream.name))
    for row in chosen:
        measurement = replace(_stats_measurement(row, stream), restated=(*again, *_of_row(row, stream.name)))
        part = len(named) > 1 and row["Name"] != "Aggregated"
        yield replace(measurement, think_time=True if part else None, caveats=measurement.caveats + caveats)


def _of_rows(named: list[dict[str, str]], whole: list[dict[str, str]], where: str) -> Iterator[Restated]:
    """``Aggregated`` is all rows together; every rate is over one and the same time (`locust/stats.py`, total_rps)."""
    if len(whole) != 1 or not named:
        return
    for key in ("Request Count", "Failure Count"):
        total = sum(_cell_count(row, key, where) for row in named)
        yield from restate.equal(f"{key} of Aggregated", _cell_count(whole[0], key, where), "the rows above it", total)
    timed = [row for row in named if _figure(row, _TIMES[2], where).value > 0]  # others have a min of 0 and no time
    for key, edge in ((_TIMES[1], min), (_TIMES[2], max)) if timed else ():
        own, held = _figure(whole[0], key, where).value, [_figure(row, key, where).value for row in timed]
        yield from restate.equal(f"{key} of Aggregated", own, "the rows above it", edge(held))
    done, rate = _cell_count(whole[0], "Request Count", where), _figure(whole[0], "Requests/s", where)
    for row in named if rate.low > 0 else ():
        over, name = [Figure(float(_cell_count(row, "Request Count", where))), rate], row["Name"]
        stated, formula = _figure(row, "Requests/s", where), "its count over the time of Aggregated"
        yield from restate.quotient(f"Requests/s of {name}", stated, "1/s", formula, over, [Figure(float(done))])


def _of_row(row: dict[str, str], where: str) -> Iterator[Restated]:
    """Failures and requests a second are over the same time; the median is the 50 %, or one rank below it."""
    done, failed = (Figure(float(_cell_count(row, key, where))) for key in ("Request Count", "Failure Count"))
    if "Failures/s" in row and done.value:
        stated, rate = _figure(row, "Failures/s", where), _figure(row, "Requests/s", where)
        formula = "Requests/s by the counts"
        yield from restate.quotient("Failures/s", stated, "1/s", formula, [rate, failed], [done])
    half, median = row.get("50%", ""), row.get("Median Response Time", "")
    if half.replace(".", "", 1).isdecimal() and median.replace(".", "", 1).isdecimal():
        top = float(half) * 1e6
        most = Figure(top, 2.0 * _half_ns(round(min(float(half), 1e9))))
        yield from restate.at_most("Median Response Time", Figure(float(median) * 1e6), "ns", "the 50 %", most)


def _figure(row: dict[str, str], key: str, where: str) -> Figure:
    return printed.number(row[key], f"{where}: {key}")


def _stats_measurement(row: dict[str, str], stream: Stream) -> Measurement:
    where = f"{stream.name}: {row['Name']}"
    requests, failures = _cell_count(row, "Request Count", where), _cell_count(row, "Failure Count", where)
    rate = printed.number(row["Requests/s"], f"{where}: Requests/s")
    note = Caveat("source.stale", "Locust writes this file now and then: the last one can be older than the run")
    aggregated = row["Name"] == "Aggregated"
    return Measurement(
        source=Source(tool="locust", format="stats CSV", file=stream.name),
        name=None if aggregated else " ".join(part for part in (row["Type"], row["Name"]) if part),
        loop="closed",
        rate_achieved_per_s=replace(rate, resolution=0.0),
        duration_ns=Figure(requests / rate.value * 1e9) if rate.value > 0 else None,
        operations=requests,
        operations_include_errors=True,
        errors={"failed": failures} if failures else {},
        latency=_csv_latency(row, "", requests, where, percentiles=True) if requests else None,
        caveats=(note,),
        blind=(
            *_BLIND,
            blind.SERIES,
            blind.CONNECTIONS,
            "the run time is only known as count over rate (coherence.time)",
        ),
    )


def _csv_latency(row: dict[str, str], prefix: str, requests: int, where: str, *, percentiles: bool) -> Latency:
    def exact(key: str) -> Figure:
        return Figure(printed.number(row[f"{prefix}{key} Response Time"], f"{where}: {key} Response Time", 1e6).value)

    return Latency(
        count=requests,
        minimum=exact("Min"),
        mean=exact("Average"),
        maximum=exact("Max"),
        percentiles=printed.ladder(_csv_percentiles(row, where)) if percentiles else (),
        percentile_method="buckets",
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )


def _csv_percentiles(row: dict[str, str], where: str) -> Iterator[tuple[float, Figure]]:
    for key, text in row.items():
        if key.endswith("%") and key != "100%" and text not in ("N/A", ""):
            value = printed.number(text, f"{where}: {key}").value
            yield (
                printed.number(key[:-1], f"{where}: header").value,
                Figure(value * 1e6, 2.0 * _half_ns(round(min(value, 1e9)))),
            )


def _cell_count(row: dict[str, str], key: str, where: str) -> int:
    return printed.count(row[key], f"{where}: {key}")


def _read_history(stream: Stream) -> Measurement:
    rows: list[dict[str, str]] = []
    full = False
    for row in _rows(stream, _HISTORY_COLUMNS):
        full = full or row["Name"] != "Aggregated"
        if row["Name"] == "Aggregated":
            rows.append(row)
    if not rows:
        raise FormatError(f"{stream.name}: no row for all requests together (Aggregated): nothing was measured")
    where, last = stream.name, rows[-1]
    requests = _cell_count(last, "Total Request Count", where)
    failures = _cell_count(last, "Total Failure Count", where)
    stamps = [printed.count(row["Timestamp"], f"{where}: Timestamp") for row in rows]
    users = max(printed.count(row["User Count"], f"{where}: User Count") for row in rows)
    return Measurement(
        source=Source(tool="locust", format="history CSV", file=stream.name),
        loop="closed",
        concurrency=users or None,
        duration_ns=Figure(float(stamps[-1] - stamps[0]) * 1e9, 2e9),
        operations=requests,
        operations_include_errors=True,
        errors={"failed": failures} if failures else {},
        latency=_csv_latency(last, "Total ", requests, where, percentiles=not full) if requests else None,
        intervals=_history_intervals(rows, stamps, where),
        caveats=(
            Caveat(
                "source.cumulative", "percentiles in this file are those since the start of the run, not of the row"
            ),
            *cut_caveats(stream),
        ),
        blind=_BLIND,
    )


def _history_intervals(rows: list[dict[str, str]], stamps: list[int], where: str) -> Intervals | None:
    """Differences between neighbouring rows, where these are one second apart."""
    if len(rows) < 2 or any(after - before != 1 for before, after in pairwise(stamps)):
        return None
    total = [_cell_count(row, "Total Request Count", where) for row in rows]
    failed = [_cell_count(row, "Total Failure Count", where) for row in rows]
    errors = [after - before for before, after in pairwise(failed)]
    counts = [after - before for before, after in pairwise(total)]
    if min(counts) < 0 or min(errors) < 0:
        return None
    return Intervals(
        length_ns=NS_PER_S,
        start_ns=tuple(index * NS_PER_S for index in range(len(counts))),
        count=tuple(max(0, n - bad) for n, bad in zip(counts, errors, strict=True)),
        errors=tuple(errors),
    )
