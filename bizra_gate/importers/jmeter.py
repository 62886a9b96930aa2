"""JMeter's JTL, CSV or XML: one row per sample, users (threads) with whatever timers the plan has.

Traps: whole milliseconds; rows of a Transaction Controller repeat the time of the samples in it; sub-samples of a
sample (redirects, embedded resources) are in its time; the time stamp is the start of the sample unless
``sampleresult.timestamp.start`` was switched off. XML is read with entities and document types refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from xml.parsers import expat

from ..errors import FormatError
from ..model import Caveat, Measurement, Source
from . import blind
from .cut import cut_caveats, second
from .instants import as_rfc3339
from .samples import Samples, bounded
from .stream import Stream

QUANTUM_NS = 1_000_000
_NEEDED = ("timeStamp", "elapsed", "success")
_TRANSACTION = "Number of samples in transaction"
_SAMPLES = ("sample", "httpSample")
_HINT = "write JTL with jmeter.save.saveservice.timestamp_format=ms and print_field_names=true"


def sniff(head: bytes, name: str) -> bool:
    first = head.split(b"\n", 1)[0]
    if b"timeStamp" in first and b"elapsed" in first:
        return True
    return b"<testResults" in head[:4096]


def read(stream: Stream) -> Iterator[Measurement]:
    log = _Log(stream.name)
    if b"<testResults" in stream.head[:4096]:
        _read_xml(stream, log)
        yield log.measurement(stream, "JTL (XML)")
    else:
        _read_csv(stream, log)
        yield log.measurement(stream, "JTL (CSV)")


class _Log:
    """What the samples add up to."""

    def __init__(self, name: str) -> None:
        self.file = name
        self.samples = Samples()
        self.labels: set[str] = set()
        self.transactions = 0
        self.users = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.broken_off = False

    def add(self, row: dict[str, str], where: str) -> None:
        """One sample by the column names of the CSV."""
        if row.get("responseMessage", "").startswith(_TRANSACTION):
            self.transactions += 1
            return
        try:
            start_ms, elapsed_ms = int(row["timeStamp"]), int(row["elapsed"])
            failed = {"true": False, "false": True}[row["success"].lower()]
            label = row.get("responseCode") or ("failed" if failed else "ok")
            kind = f"status {label}" if failed and label.isdecimal() else ("failed" if failed else label)
            self.samples.add(start_ms * 10**6, elapsed_ms * 10**6, kind[:40], failed=failed)
            self.users = max(self.users, bounded(row.get("allThreads") or 0))
            self.bytes_in += bounded(row.get("bytes") or 0)
            self.bytes_out += bounded(row.get("sentBytes") or 0)
        except (ValueError, KeyError):
            shown = ", ".join(f"{key} {row.get(key, '')[:20]!r}" for key in _NEEDED)
            raise FormatError(f"{where}: got {shown}; expected ms, ms and true or false", hint=_HINT) from None
        if len(self.labels) < 1000:
            self.labels.add(row.get("label", ""))

    def measurement(self, stream: Stream, form: str) -> Measurement:
        if not self.samples.n:
            raise FormatError(f"{self.file}: no whole sample: nothing was measured")
        base = Measurement(
            source=Source(tool="jmeter", format=form, file=self.file),
            loop="closed",
            concurrency=self.users or None,
            bytes_in=self.bytes_in or None,
            bytes_out=self.bytes_out or None,
            started_at=as_rfc3339(self.samples.first_start_ns or 0),
            finished_at=as_rfc3339(self.samples.last_end_ns or 0),
            blind=(*blind.LOAD, blind.INTENDED, blind.RATE, blind.THINK),
        )
        full = self.samples.fill(base, quantum_ns=QUANTUM_NS, origin="send")
        return replace(full, caveats=(*self._caveats(), *cut_caveats(stream)))

    def _caveats(self) -> Iterator[Caveat]:
        if self.transactions:
            yield Caveat("source.transactions", f"{self.transactions:,} rows of transactions repeat others; left out")
        if len(self.labels) > 1:
            yield Caveat("source.mixed", f"{len(self.labels)} kinds of request are read together")
        if self.broken_off:
            yield Caveat("source.cut", "the XML ends before its last tag: the file was cut, or JMeter was stopped")


def _read_csv(stream: Stream, log: _Log) -> None:
    first = stream.head.split(b"\n", 1)[0].decode("utf-8", "replace")
    delimiter = next((mark for mark in ",;\t|" if f"timeStamp{mark}" in first or f"{mark}timeStamp" in first), ",")
    text = (line.decode("utf-8", "replace") + "\n" for line in stream.lines())
    rows = csv.reader(text, delimiter=delimiter)
    try:
        header = next(rows, [])
        if missing := [key for key in _NEEDED if key not in header]:
            raise FormatError(f"{stream.name}: no column {missing[0]!r} in the header", hint=_HINT)
        for row in rows:
            if not row:
                continue
            where = f"{stream.name}: line {rows.line_num}"
            if row == header:
                raise second(where, "the header")
            if len(row) != len(header):
                raise FormatError(f"{where}: got {len(row)} columns; expected the {len(header)} of the header")
            log.add(dict(zip(header, row, strict=True)), where)
    except csv.Error as error:
        raise FormatError(f"{stream.name}: line {rows.line_num}: not readable as CSV: {error}") from None


_XML_NAMES = {"ts": "timeStamp", "t": "elapsed", "s": "success", "lb": "label", "rc": "responseCode",
              "rm": "responseMessage", "by": "bytes", "sby": "sentBytes", "na": "allThreads"}  # fmt: skip


def _read_xml(stream: Stream, log: _Log) -> None:
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> None:
        raise FormatError(f"{stream.name}: declares a document type or an entity; JMeter writes none")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == 1 and tag in _SAMPLES:
            row = {_XML_NAMES[key]: value for key, value in attributes.items() if key in _XML_NAMES}
            log.add(row, f"{stream.name}: line {parser.CurrentLineNumber}")
        depth += 1

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        for block in stream.blocks():
            parser.Parse(block, False)
        parser.Parse(stream.unfinished, True)
    except LookupError as error:
        raise FormatError(f"{stream.name}: not readable as XML: {error}") from None
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]:
            raise second(f"{stream.name}: line {error.lineno}", "a document") from None
        if error.code not in (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
                              expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN]):  # fmt: skip
            raise FormatError(f"{stream.name}: not readable as XML: {error}") from None
        log.broken_off = True
