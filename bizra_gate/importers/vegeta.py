"""vegeta (github.com/tsenart/vegeta): an open loop at a rate; JSON lines, CSV, JSON and text reports, hdrplot.

Traps: ``rate`` is N over the N-1 gaps between first and last send; ``throughput`` divides by the attack *and* the wait
for the last answer; status 0 means that nothing was sent; percentiles come from a t-digest; the TotalCount column of
hdrplot is q · N, made up; ``-max-workers`` turns the open loop into a closed one without a word in the output.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, printed, restate
from .cut import cut_caveats
from .document import Node, parse_several
from .instants import as_rfc3339, rfc3339_ns
from .samples import Samples, bounded
from .stream import Stream

_PLOT = re.compile(rb"Value\(ms\)\s+Percentile\s+TotalCount\s+1/\(1-Percentile\)")
_PLOT_ROW = re.compile(r"\s*(\S+)\s+([01](?:\.\d+)?)\s+(\d+)\s+(\S+)\s*")
_CSV_ROW = re.compile(rb"\d{18,19},\d{1,3},\d+,\d+,\d+,")
_FIRST = re.compile(rb'"seq":0[,}]|,0,[A-Z]+,')
"""The first request of an attack, in JSON or CSV."""
_TEXT = re.compile(rb"^Requests\s+\[total, rate(?:, throughput)?\]", re.M)
_TEXT_ROW = re.compile(r"([A-Z][A-Za-z ]+?)\s+\[([^\]]+)\]\s+(.*)")
_CODE = re.compile(r"(\d+):(\d+)")
_NEEDED = (("Requests", "total"), ("Duration", "attack"), ("Latencies", "mean"), ("Status Codes", "code:count"))
_QUANTILES = {"50th": 50.0, "90th": 90.0, "95th": 95.0, "99th": 99.0}
_BLIND = (*blind.LOAD, blind.RATE, "whether -max-workers bounds the senders is not said: state it with --connections")


def sniff(head: bytes, name: str) -> bool:
    start = head.lstrip()
    if start.startswith(b'{"attack":') and b'"latency":' in head:
        return True
    if all(key in head for key in (b'"latencies"', b'"bytes_in"', b'"status_codes"')):
        return True
    if any(pattern.match(head) for pattern in (_PLOT, _CSV_ROW)):
        return True
    return b"[total, rate" in head and _TEXT.search(head) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    head = stream.head
    if head.lstrip().startswith(b'{"attack":'):
        yield _read_rows(stream, _json_row, "JSON lines")
    elif _CSV_ROW.match(head):
        yield _read_rows(stream, _csv_row, "CSV")
    elif _PLOT.match(head):
        yield _read_plot(stream)
    elif _TEXT.search(head):
        yield from _read_text(stream)
    else:
        for node in parse_several(stream.document(), stream.name):
            yield _read_report(node, stream)


# reports


def _read_report(node: Node, stream: Stream) -> Measurement:
    requests, latencies = node["requests"].count(), node["latencies"]
    duration, wait = node["duration"].number(), node["wait"].number() or 0.0
    if requests is None or duration is None:
        raise node.wrong("a report of vegeta with requests and duration")
    span, rate = _window(requests, duration, wait, 0.0)
    outcomes, errors = failure.split_statuses(node["status_codes"].counts())
    percentiles = [(p, figure) for key, p in _QUANTILES.items() if (figure := latencies[key].figure()) is not None]
    total = latencies["total"].number()
    latency = Latency(
        count=requests,
        minimum=latencies["min"].figure(),
        mean=Figure(total / requests) if total is not None and requests else latencies["mean"].figure(1.0, 1.0),
        maximum=latencies["max"].figure(),
        percentiles=printed.ladder(percentiles),
        percentile_method="tdigest",
        origin="send",
        quantum_ns=1.0,
        includes_errors=True,
    )
    return Measurement(
        source=Source(tool="vegeta", format="JSON report", file=stream.name),
        loop="open",
        rate_achieved_per_s=rate,
        duration_ns=span,
        operations=requests,
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        outcomes_complete=True,
        latency=latency if requests else None,
        bytes_in=node["bytes_in"]["total"].count(),
        bytes_out=node["bytes_out"]["total"].count(),
        restated=tuple(_restated(node, requests, duration, wait)),
        started_at=node["earliest"].text(),
        finished_at=node["end"].text(),
        caveats=_rate_caveat(node["rate"].number(), rate),
        blind=(*_BLIND, blind.SERIES, blind.TAIL),
    )


def _window(requests: int, attack_ns: float, wait_ns: float, resolution: float) -> tuple[Figure, Figure | None]:
    """(T, rate): N requests lie N-1 gaps apart, so the window of N whole gaps is attack · N / (N-1)."""
    if requests < 2 or attack_ns <= 0:
        return Figure(attack_ns + wait_ns, resolution), None
    share = requests / (requests - 1)
    rate = (requests - 1) / attack_ns * 1e9
    return Figure(attack_ns * share, resolution * share), Figure(rate, rate * resolution / attack_ns)


def _rate_caveat(told: float | None, rate: Figure | None) -> tuple[Caveat, ...]:
    if told is None or rate is None or told == 0:
        return ()
    text = f"vegeta divides N requests by the N-1 gaps between them: its {told:.6g}/s is read as {rate.value:.6g}/s"
    return (Caveat("source.rate", text),)


def _read_text(stream: Stream) -> Iterator[Measurement]:
    """One report after another; each begins with its ``Requests`` row."""
    reports: list[dict[str, dict[str, str]]] = []
    for line in stream.text_lines():
        match = _TEXT_ROW.fullmatch(line.rstrip())
        if match is None:
            continue
        if match[1] == "Requests":
            reports.append({})
        if not reports:
            continue
        values = [match[3]] if match[1] == "Status Codes" else match[3].split(",")
        reports[-1][match[1]] = dict(zip((key.strip() for key in match[2].split(",")), values, strict=False))
    for report in reports:
        yield _text_measurement(report, stream)


def _text_measurement(report: dict[str, dict[str, str]], stream: Stream) -> Measurement:
    where = stream.name
    for row, key in (
        ("Requests", "total"),
        ("Duration", "attack"),
        ("Latencies", "mean"),
        ("Status Codes", "code:count"),
    ):
        if key not in report.get(row, {}):
            raise FormatError(f"{where}: no {key!r} in a row {row!r}: the report was cut")
    requests = printed.count(report["Requests"]["total"], f"{where}: Requests")
    attack = _rounded(report["Duration"]["attack"], f"{where}: Duration")
    wait = _rounded(report["Duration"].get("wait", "0s"), f"{where}: Duration")
    span, rate = _window(requests, attack.value, wait.value, attack.resolution)
    codes = {code: int(n) for code, n in _CODE.findall(report["Status Codes"]["code:count"]) if len(n) < 16}
    outcomes, errors = failure.split_statuses(codes)
    times = {key: _rounded(text, f"{where}: Latencies") for key, text in report["Latencies"].items()}
    told = printed.number(report["Requests"]["rate"], f"{where}: rate").value if "rate" in report["Requests"] else None
    bytes_in = report.get("Bytes In", {}).get("total")
    return Measurement(
        source=Source(tool="vegeta", format="text report", file=where),
        loop="open",
        rate_achieved_per_s=rate,
        duration_ns=span,
        operations=requests,
        operations_include_errors=True,
        errors=errors,
        outcomes=outcomes,
        outcomes_complete=True,
        latency=_text_latency(times, requests) if requests else None,
        bytes_in=None if bytes_in is None else printed.count(bytes_in, f"{where}: Bytes In"),
        restated=tuple(_restated_text(report, requests, _served(codes), attack, wait, where)),
        caveats=(*_rate_caveat(told, rate), *cut_caveats(stream)),
        blind=(*_BLIND, blind.SERIES, blind.TAIL),
    )


def _served(codes: Mapping[str, int]) -> int:
    """What vegeta calls success: a status from 200 to 399."""
    return sum(n for code, n in codes.items() if 200 <= int(code) < 400)


def _restated(node: Node, requests: int, attack_ns: float, wait_ns: float) -> Iterator[Restated]:
    """Rate, throughput, success and means of the JSON report, from its counts and times."""
    done, latencies = Figure(float(requests)), node["latencies"]
    if not requests:
        return
    served = Figure(float(_served(node["status_codes"].counts())))
    attack = Figure(attack_ns / 1e9)
    yield from restate.quotient("rate", node["rate"].figure(), "1/s", "requests over duration", [done], [attack])
    yield from _throughput(node["throughput"].figure(), served, attack, Figure((attack_ns + wait_ns) / 1e9))
    yield from restate.quotient("success", node["success"].figure(), "", "2xx and 3xx over requests", [served], [done])
    yield from _of_stamps(node, attack_ns, wait_ns)
    for key in ("bytes_in", "bytes_out"):
        carried, each = node[key]["total"].figure(), node[key]["mean"].figure()
        yield from restate.quotient(f"{key}.mean", each, "B", f"{key}.total over requests", [carried], [done])
    total, mean = latencies["total"].figure(), latencies["mean"].figure(1.0, 2.0)
    yield from restate.quotient("latencies.mean", mean, "ns", "latencies.total over requests", [total], [done])


def _of_stamps(node: Node, attack_ns: float, wait_ns: float) -> Iterator[Restated]:
    """``duration`` lies between the first and the last send, ``wait`` after it (`lib/metrics.go`)."""
    stamps = [node[key].text() for key in ("earliest", "latest", "end")]
    if all(text is not None and not text.startswith("0001-") for text in stamps):
        first, last, end = (rfc3339_ns(text or "", node.where) for text in stamps)
        for what, stated, formula, apart in (
            ("duration", attack_ns, "latest - earliest", last - first),
            ("wait", wait_ns, "end - latest", end - last),
        ):
            yield from restate.between(what, Figure(stated), "ns", formula, apart - 1.0, apart + 1.0)


def _restated_text(
    report: Mapping[str, Mapping[str, str]], requests: int, served: int, attack: Figure, wait: Figure, where: str
) -> Iterator[Restated]:
    done, told = Figure(float(requests)), report["Requests"]
    seconds = Figure(attack.value / 1e9, attack.resolution / 1e9)
    whole = Figure((attack.value + wait.value) / 1e9, (attack.resolution + wait.resolution) / 1e9)
    if "rate" in told:
        stated = printed.number(told["rate"], f"{where}: rate")
        yield from restate.quotient("rate", stated, "1/s", "requests over duration", [done], [seconds])
    if "throughput" in told:
        stated = printed.number(told["throughput"], f"{where}: throughput")
        yield from _throughput(stated, Figure(float(served)), seconds, whole)
    total = report["Duration"].get("total")
    if total is not None:
        stated, both = _rounded(total, f"{where}: Duration"), Figure(whole.value * 1e9, whole.resolution * 1e9)
        yield from restate.same("total of Duration", stated, "ns", "attack and wait", both)
    for row in ("Bytes In", "Bytes Out"):
        if (cells := report.get(row)) is not None and {"total", "mean"} <= set(cells):
            carried = Figure(float(printed.count(cells["total"], f"{where}: {row}")))
            each = printed.number(cells["mean"], f"{where}: {row}")
            yield from restate.quotient(f"mean of {row}", each, "B", "its total over requests", [carried], [done])
    if (share := report.get("Success", {}).get("ratio")) is not None and requests:
        stated = printed.number(share.strip().removesuffix("%"), f"{where}: Success", 0.01)
        yield from restate.quotient("success", stated, "", "2xx and 3xx over requests", [Figure(float(served))], [done])


def _throughput(stated: Figure | None, served: Figure, attack: Figure, whole: Figure) -> Iterator[Restated]:
    """Successes over attack and wait; over the attack alone in old versions."""
    if attack.low > 0 and whole.low > 0:
        low, high = served.value / whole.high, served.value / attack.low
        yield from restate.between("throughput", stated, "1/s", "2xx and 3xx over attack and wait", low, high)


def _text_latency(times: dict[str, Figure], requests: int) -> Latency:
    return Latency(
        count=requests,
        minimum=times.get("min"),
        mean=times["mean"],
        maximum=times.get("max"),
        percentiles=printed.ladder((float(key), figure) for key, figure in times.items() if key.isdecimal()),
        percentile_method="tdigest",
        origin="send",
        quantum_ns=1.0,
        includes_errors=True,
    )


def _rounded(text: str, where: str) -> Figure:
    """A duration that vegeta rounded to a thousandth of its unit, then printed without trailing zeros."""
    figure = printed.go_duration(text.strip(), where)
    unit = max((ns for ns in (1.0, 1e3, 1e6, 1e9) if ns <= max(1.0, figure.value)), default=1.0)
    return Figure(figure.value, max(unit / 1000, 1.0) if figure.value else 1.0)


def _read_plot(stream: Stream) -> Measurement:
    """Values by percentile; the counts beside them are made up, but the last one is the number of requests."""
    percentiles: list[tuple[float, Figure]] = []
    total, maximum = 0, None
    for number, line in enumerate(stream.text_lines()[1:], 2):
        if not line.strip():
            continue
        match = _PLOT_ROW.fullmatch(line)
        where = f"{stream.name}: line {number}"
        if match is None:
            raise FormatError(f"{where}: got {line[:60]!r}; expected value, percentile, count and 1/(1-percentile)")
        quantile = float(match[2])
        maximum = printed.number(match[1], where, 1e6)
        total = max(total, printed.count(match[3], where))
        if 0 < quantile < 1:
            percentiles.append((quantile * 100, maximum))
    known = [(p, figure) for p, figure in percentiles if total * (100 - p) >= 100]
    if not known or maximum is None:
        raise FormatError(f"{stream.name}: no row that {total} requests can fill: nothing was measured")
    note = Caveat(
        "source.plot",
        f"hdrplot makes its counts up as q · N; only rows that {total:,} requests can fill are read",
    )
    return Measurement(
        source=Source(tool="vegeta", format="hdrplot", file=stream.name),
        loop="open",
        latency=Latency(count=total, maximum=maximum, percentiles=printed.ladder(known), percentile_method="tdigest",
                        origin="send", quantum_ns=1_000, includes_errors=True),
        caveats=(note, *cut_caveats(stream)),
        blind=(*_BLIND, blind.SERIES, "a plot has no duration, rate, status or errors (littles_law.*, method.errors)"),
    )  # fmt: skip


# one row per request

_Row = tuple[int, int, int, str, int, int]
"""start ns, latency ns, status, error, bytes in, bytes out."""
_RowReader = Callable[[bytes, str], _Row]


def _read_rows(stream: Stream, parse_row: _RowReader, form: str) -> Measurement:
    samples = Samples()
    bytes_in = bytes_out = attacks = 0
    for number, line in enumerate(_whole_rows(stream, form), 1):
        if not line.strip():
            continue
        where = f"{stream.name}: line {number}"
        start, latency, code, error, taken, given = parse_row(line, where)
        failed = failure.is_failed_status(code) or bool(error)
        kind = failure.label(code, error) if code < 100 or code >= 400 or not error else failure.classify(error)
        try:
            samples.add(start, latency, kind, failed=failed)
        except ValueError as problem:
            raise FormatError(f"{where}: {problem}") from None
        bytes_in, bytes_out = bytes_in + taken, bytes_out + given
        attacks += _FIRST.search(line) is not None
    if not samples.n:
        raise FormatError(f"{stream.name}: no whole row: nothing was measured")
    base = Measurement(
        source=Source(tool="vegeta", format=form, file=stream.name),
        loop="open",
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        started_at=as_rfc3339(samples.first_start_ns or 0),
        finished_at=as_rfc3339(samples.last_end_ns or 0),
        blind=_BLIND,
    )
    full = samples.fill(base, quantum_ns=1.0, origin="send")
    return replace(full, caveats=(*_together(attacks), *cut_caveats(stream)))


def _together(attacks: int) -> tuple[Caveat, ...]:
    if attacks < 2:
        return ()
    return (Caveat("source.mixed", f"{attacks} attacks are read together: {attacks} rows have the sequence number 0"),)


def _whole_rows(stream: Stream, form: str) -> Iterator[bytes]:
    """The rows; a last JSON object without a line end is whole if it can be read."""
    yield from stream.lines()
    if form == "JSON lines" and stream.unfinished.strip():
        try:
            json.loads(stream.unfinished)
        except (ValueError, RecursionError):
            return
        rest, stream.unfinished = stream.unfinished, b""
        yield rest


def _json_row(line: bytes, where: str) -> _Row:
    try:
        row = json.loads(line)
        code, latency = int(row["code"]), int(row["latency"])
        taken, given = bounded(row.get("bytes_in", 0)), bounded(row.get("bytes_out", 0))
        return rfc3339_ns(row["timestamp"], where), latency, code, str(row.get("error") or ""), taken, given
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        shown = line[:60].decode("utf-8", "replace")
        raise FormatError(f"{where}: got {shown!r}; expected a result of vegeta encode") from None


def _csv_row(line: bytes, where: str) -> _Row:
    """time, code, latency, bytes out, bytes in, error, …: numbers first, so that quotes can only follow."""
    cells = line.split(b",", 6)
    try:
        start, code, latency, given, taken = (int(cell) for cell in cells[:5])
        if line.count(b",") < 8:
            raise ValueError("too few columns")
        return start, latency, code, cells[5].decode("utf-8", "replace"), bounded(taken), bounded(given)
    except (ValueError, IndexError):
        shown = line[:60].decode("utf-8", "replace")
        raise FormatError(f"{where}: got {shown!r}; expected a row of vegeta encode -to csv") from None
