"""k6's streams of points, NDJSON (``--out json``) and CSV (``--out csv``), folded as they pass.

Both are one row per metric and sample, a dozen rows per request. Rows of metrics that are not needed are told by
their first bytes and never parsed, which is what makes a gigabyte a matter of seconds.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Figure, Measurement, Source
from . import blind, failure
from .cut import cut_caveats, rows_after, second
from .instants import as_rfc3339, rfc3339_ns
from .samples import Samples
from .stream import Stream

_POINT = re.compile(rb'\{"metric":"[^"]*","type":"Point","data":\{"time":"([^"]*)","value":([-+0-9.eE]+),"tags":\{(.*)')
_STATUS = re.compile(rb'"status":"(\d{1,3})"')
_EXPECTED = re.compile(rb'"expected_response":"(true|false)"')
MAX_VALUE = 1e12
_NS_PER_UNIT = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
"""Digits of a CSV timestamp → its unit in ns (``K6_CSV_TIME_FORMAT``)."""


class Points:
    """What the points of one run add up to."""

    def __init__(self) -> None:
        self.samples = Samples()
        self.iterations = 0
        self.iteration_ns = 0
        self.first_iteration_ns: int | None = None
        self.last_iteration_ns: int | None = None
        self.dropped = 0
        self.failed = 0
        self.failed_seen = 0
        self.vus: Counter[int] = Counter()
        self.vus_max = 0
        self.bytes: Counter[str] = Counter()
        self.defined: set[str] = set()
        """Metrics that were defined; k6 defines each once."""
        self.handlers: dict[str, Callable[[int, float, bool, str], None]] = {
            "http_req_duration": self._request,
            "iteration_duration": self._iteration,
            "http_req_failed": self._failed,
            "dropped_iterations": self._dropped,
            "vus": self._vus,
            "vus_max": self._vus_max,
            "data_received": lambda _t, value, _f, _l: self.bytes.update(received=round(value)),
            "data_sent": lambda _t, value, _f, _l: self.bytes.update(sent=round(value)),
        }

    def _request(self, end_ns: int, value_ms: float, failed: bool, label: str) -> None:
        latency_ns = round(value_ms * 1e6)
        self.samples.add(end_ns - latency_ns, latency_ns, label, failed=failed)

    def _iteration(self, end_ns: int, value_ms: float, _failed: bool, _label: str) -> None:
        length_ns = round(value_ms * 1e6)
        self.iterations += 1
        self.iteration_ns += length_ns
        start_ns = end_ns - length_ns
        self.first_iteration_ns = min(start_ns, self.first_iteration_ns or start_ns)
        self.last_iteration_ns = max(end_ns, self.last_iteration_ns or end_ns)

    def _failed(self, _end_ns: int, value: float, _failed: bool, _label: str) -> None:
        self.failed_seen += 1
        self.failed += value != 0

    def _dropped(self, _end_ns: int, value: float, _failed: bool, _label: str) -> None:
        self.dropped += round(value)

    def _vus(self, _end_ns: int, value: float, _failed: bool, _label: str) -> None:
        self.vus[round(value)] += 1

    def _vus_max(self, _end_ns: int, value: float, _failed: bool, _label: str) -> None:
        self.vus_max = max(self.vus_max, round(value))


def read_json(stream: Stream) -> Points:
    """All points of an NDJSON file; raises `FormatError` with the line that cannot be read."""
    points = Points()
    handlers = {name.encode(): handle for name, handle in points.handlers.items()}
    number = 0
    for block in stream.blocks():
        for line in block.split(b"\n")[:-1]:
            number += 1
            if line.startswith(b'{"metric":"') and line.rstrip().endswith(b"}}"):
                handle = handlers.get(line[11 : line.find(b'"', 11)])
                if handle is not None:
                    _json_point(line, handle, f"{stream.name}: line {number}", points)
            elif line.strip():
                _json_slowly(line, points, f"{stream.name}: line {number}")
    _json_rest(stream, points, number + 1)
    return points


def _json_rest(stream: Stream, points: Points, number: int) -> None:
    """A last line without an end counts where it is a whole object."""
    line = stream.unfinished
    if line.strip():
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return
        stream.unfinished = b""
        _json_slowly(line, points, f"{stream.name}: line {number}")


def _json_point(line: bytes, handle: Callable[[int, float, bool, str], None], where: str, points: Points) -> None:
    match = _POINT.match(line)
    if match is None:
        _json_slowly(line, points, where)
        return
    status, expected = _STATUS.search(match[3]), _EXPECTED.search(match[3])
    code = int(status[1]) if status else None
    failed = expected[1] == b"false" if expected else code is not None and failure.is_failed_status(code)
    try:
        handle(rfc3339_ns(match[1].decode(), where), _value(match[2]), failed, _label(code, failed))
    except (ValueError, OverflowError):
        raise _wrong(line, where) from None


def _json_slowly(line: bytes, points: Points, where: str) -> None:
    """A line whose keys stand in another order, or a definition of a metric."""
    try:
        row = json.loads(line)
        if row["type"] == "Metric":
            _define(points, str(row["data"]["name"]), where)
            return
        handle = points.handlers.get(row["metric"])
        data = row["data"]
        tags = data.get("tags") or {}
        code = int(tags["status"]) if "status" in tags else None
        failed = code is not None and failure.is_failed_status(code)
        if "expected_response" in tags:
            failed = tags["expected_response"] == "false"
        if handle is not None:
            handle(rfc3339_ns(data["time"], where), _value(data["value"]), failed, _label(code, failed))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _wrong(line, where) from None


def _define(points: Points, name: str, where: str) -> None:
    if name in points.defined:
        raise second(where, f"the definition of {name[:60]}")
    points.defined.add(name)


def _value(text: str | bytes | float) -> float:
    """A value of a point; raises `ValueError` beyond 10^12 (31 years of ms, a terabyte in one row)."""
    value = float(text)
    if not abs(value) <= MAX_VALUE:
        raise ValueError("a value out of all range")
    return value


def _label(code: int | None, failed: bool) -> str:
    if failed:
        return f"status {code}" if code else "error"
    return str(code) if code is not None else "ok"


def _wrong(line: bytes, where: str) -> FormatError:
    shown = line[:60].decode("utf-8", "replace")
    return FormatError(f"{where}: got {shown!r}; expected a point or a metric of k6")


def read_csv(stream: Stream) -> tuple[Points, float]:
    """(points, width of a time stamp in ns) of a CSV file; rows of metrics that are not needed are skipped."""
    points = Points()
    first = stream.head.lstrip().split(b"\n", 1)[0].rstrip(b"\r")
    header = next(csv.reader([first.decode("utf-8", "replace")]), [])
    columns = {name: index for index, name in enumerate(header)}
    wanted = {name.encode(): handle for name, handle in points.handlers.items()}
    quantum_ns = 1.0
    for number, line in rows_after(first, stream):
        comma = line.find(b",")
        handle = wanted.get(line[:comma])
        if handle is None:
            if comma < 0 and line.strip():
                raise _wrong(line, f"{stream.name}: line {number}")
            continue
        quantum_ns = max(quantum_ns, _csv_point(line, columns, handle, f"{stream.name}: line {number}"))
    return points, quantum_ns


def _csv_point(
    line: bytes, columns: dict[str, int], handle: Callable[[int, float, bool, str], None], where: str
) -> float:
    text = line.decode("utf-8", "replace")
    try:
        cells = next(csv.reader([text])) if '"' in text else text.split(",")
        if len(cells) != len(columns):
            raise ValueError("columns")
        status = cells[columns["status"]] if "status" in columns else ""
        expected = cells[columns["expected_response"]] if "expected_response" in columns else ""
        code = int(status) if status else None
        failed = expected == "false" if expected else code is not None and failure.is_failed_status(code)
        stamp, width = _csv_time(cells[1], where)
        handle(stamp, _value(cells[2]), failed, _label(code, failed))
    except (ValueError, OverflowError, IndexError, StopIteration, csv.Error):
        raise _wrong(line, where) from None
    return width


def _csv_time(text: str, where: str) -> tuple[int, float]:
    """(ns since 1970, width of the stamp): unix s, ms, µs or ns by its digits, or RFC 3339."""
    if text.isdecimal() and len(text) in _NS_PER_UNIT:
        unit = _NS_PER_UNIT[len(text)]
        return int(text) * unit, float(unit)
    fraction = len(text.partition(".")[2].rstrip("Z")) if "." in text else 0
    return rfc3339_ns(text, where), 1.0 if fraction else 1e9


def measurement(points: Points, form: str, stamp_ns: float, stream: Stream) -> Measurement:
    """The measurement that the points of a run describe; raises `FormatError` without any request."""
    samples = points.samples
    if not samples.n:
        raise FormatError(
            f"{stream.name}: holds no http_req_duration: only HTTP requests are read",
            hint="the points of other protocols (grpc_req_duration, ws_*) have no importer yet"
            if points.iterations
            else "",
        )
    base = Measurement(
        source=Source(tool="k6", format=form, file=stream.name),
        bytes_in=points.bytes["received"] or None,
        bytes_out=points.bytes["sent"] or None,
        started_at=as_rfc3339(samples.first_start_ns or 0),
        finished_at=as_rfc3339(samples.last_end_ns or 0),
        blind=(*blind.LOAD, blind.INTENDED, blind.RATE),
    )
    full = samples.fill(base, quantum_ns=1.0, origin="after-acquire")
    return replace(
        full,
        duration_ns=_duration(points, stamp_ns),
        intervals=full.intervals if stamp_ns < 1e9 else None,
        caveats=(*_caveats(points, stamp_ns), *cut_caveats(stream)),
    )


def _duration(points: Points, stamp_ns: float) -> Figure | None:
    """From the start of the first iteration (or request) to the end of the last."""
    samples = points.samples
    starts = [ns for ns in (samples.first_start_ns, points.first_iteration_ns) if ns is not None]
    ends = [ns for ns in (samples.last_end_ns, points.last_iteration_ns) if ns is not None]
    if not starts or not ends:
        return None
    return Figure(float(max(ends) - min(starts)), 2 * stamp_ns if stamp_ns > 1 else 1.0)


def _caveats(points: Points, stamp_ns: float) -> Iterator[Caveat]:
    if stamp_ns >= 1e9:
        yield Caveat("source.seconds", "ends are given in whole seconds: the run may be up to 1 s longer or shorter")
    told, counted = points.failed, points.samples.failed.n
    if points.failed_seen and told != counted:
        yield Caveat(
            "source.failed",
            f"http_req_failed says {told:,} failed, by status it is {counted:,}; the status is believed",
        )
