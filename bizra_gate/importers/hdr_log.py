"""HdrHistogram interval logs (``.hlog``): one V2 histogram per interval and tag, as many writers make them.

Traps: the unit of the values is not in the file (ns by custom; ``Interval_Max`` is divided by a ratio, 10^6 by custom);
without ``StartTime`` the first stamp is it, and without ``BaseTime`` stamps more than a year before it count from it;
the PyPI package floors ``Interval_Max`` and can write neither start time nor tag. Values beyond the trackable range
were dropped before they came here, and no count of them is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ..errors import FormatError, UntrustedError
from ..model import Caveat, Distribution, Figure, Intervals, Latency, Measurement, Source
from ..stats import histogram
from ..units import NS_PER_S
from . import printed
from .cut import cut_caveats
from .instants import as_rfc3339
from .stream import Stream

_LINE = re.compile(
    r"(?:Tag=(?P<tag>[^,\s]+),)?(?P<start>[\d.]+),(?P<length>[\d.]+),(?P<most>[\d.]+),(?P<hdr>HIST\S+)\s*"
)
_SNIFF = re.compile(
    rb'^#\[Histogram log format|^"StartTimestamp","Interval_Length"|^(?:Tag=[^,\s]+,)?[\d.]+,[\d.]+,[\d.]+,HIST', re.M
)
_HEADER = re.compile(r"#\[(StartTime|BaseTime): ([\d.]+)")
_VERSION = re.compile(r"#\[Histogram log format version ([\d.]+)\]")
_YEAR_S = 365 * 24 * 3600.0
RATIOS = (1e6, 1e3, 1.0, 1e9)
"""What ``Interval_Max`` may have been divided by, the customary ratio first."""
_UNEVEN = 0.1
_BLIND = (
    "from which moment a latency counts is not said (method.coordinated_omission)",
    "the kind of loop, the number of users and the rate asked for are not said (littles_law.*, method.rate)",
    "errors, and whether they are among the values, are not said (method.errors)",
    "nothing is said of a warm-up (method.warmup)",
    "the generator and the machine are not described (generator.*, environment.*)",
    "values above the trackable range leave no trace (coherence.overflow)",
)


def sniff(head: bytes, name: str) -> bool:
    return _SNIFF.search(head) is not None


@dataclass
class _Row:
    """One interval as its line says."""

    start_s: float
    length_s: float
    most: Figure
    values: Distribution


@dataclass
class _Log:
    """What the lines say before anything is derived."""

    version: str | None = None
    start_s: float | None = None
    base_s: float | None = None
    tags: dict[str | None, list[_Row]] = field(default_factory=dict)
    digits: int = 5
    unit_ns: int = 1

    def add(self, tag: str | None, row: _Row) -> None:
        self.tags.setdefault(tag, []).append(row)

    @property
    def first_s(self) -> float:
        return min(row.start_s for rows in self.tags.values() for row in rows)

    def epoch_s(self, stamp: float) -> float:
        """Seconds since 1970 of a stamp, by the rules of HistogramLogReader."""
        start = self.first_s if self.start_s is None else self.start_s
        if self.base_s is not None:
            return stamp + self.base_s
        return stamp + (start if self.first_s < start - _YEAR_S else 0.0)


def read(stream: Stream) -> Iterator[Measurement]:
    log = _parse(stream)
    if not log.tags:
        raise FormatError(f"{stream.name}: a histogram log without an interval: nothing was measured")
    for tag, rows in log.tags.items():
        yield _measurement(log, tag, rows, stream)


def _parse(stream: Stream) -> _Log:
    log = _Log()
    for number, raw in enumerate(stream.lines(), 1):
        line = raw.decode("utf-8", "replace").strip()
        where = f"{stream.name}: line {number}"
        if not line or line.startswith('"StartTimestamp"'):
            continue
        if line.startswith("#"):
            _header(line, log, where)
        else:
            _interval(line, log, where)
    return log


def _header(line: str, log: _Log, where: str) -> None:
    if match := _HEADER.match(line):
        seconds = printed.number(match[2], f"{where}: {match[1]}").value
        if match[1] == "StartTime":
            log.start_s = seconds
        else:
            log.base_s = seconds
    elif match := _VERSION.match(line):
        log.version = match[1]


def _interval(line: str, log: _Log, where: str) -> None:
    match = _LINE.fullmatch(line)
    if match is None:
        raise FormatError(f"{where}: got {line[:60]!r}; expected start,length,max,histogram")
    try:
        values, layout = histogram.decode(match["hdr"]), histogram.layout_of(match["hdr"])
    except UntrustedError as error:
        raise FormatError(f"{where}: {error.message}") from None
    log.digits, log.unit_ns = min(log.digits, layout.digits), max(log.unit_ns, 1 << layout.unit)
    start, length = (printed.number(match[key], f"{where}: {key}").value for key in ("start", "length"))
    log.add(match["tag"], _Row(start, length, printed.number(match["most"], f"{where}: Interval_Max"), values))


def _measurement(log: _Log, tag: str | None, rows: list[_Row], stream: Stream) -> Measurement:
    ratio, floored, odd = _ratio(rows)
    first, last = rows[0].start_s, max(row.start_s + row.length_s for row in rows)
    whole = _merged(row.values for row in rows)
    begin = log.epoch_s(first)
    dated = begin > _YEAR_S
    return Measurement(
        source=Source("hdrhistogram", log.version, "interval log", stream.name),
        name=tag,
        duration_ns=Figure(round((last - first) * 1e9), 1e6),
        operations=whole.n,
        latency=_latency(log, rows, whole, ratio, floored) if whole.n else None,
        intervals=_intervals(rows),
        started_at=as_rfc3339(round(begin * 1e3) * 10**6) if dated else None,
        finished_at=as_rfc3339(round(log.epoch_s(last) * 1e3) * 10**6) if dated else None,
        caveats=(*_caveats(ratio, floored, odd, len(rows)), *_unevenness(rows), *cut_caveats(stream)),
        blind=_BLIND,
    )


def _latency(log: _Log, rows: list[_Row], whole: Distribution, ratio: float, floored: bool) -> Latency:
    most = max((row.most for row in rows), key=lambda figure: figure.value)
    top = Figure((most.value + 0.5) * ratio, ratio) if floored else Figure(most.value * ratio, most.resolution * ratio)
    return Latency(
        histogram=whole,
        count=whole.n,
        maximum=top,
        percentile_method="hdr",
        quantum_ns=float(log.unit_ns),
        bin_ratio=10.0**-log.digits,
    )


def _ratio(rows: list[_Row]) -> tuple[float, bool, int]:
    """(ratio, floored?, rows that do not fit): what most of the column ``Interval_Max`` was divided by."""
    held = [row for row in rows if row.values.n]
    best = (RATIOS[0], False, len(held) + 1)
    for ratio in RATIOS:
        for floored in (False, True):
            odd = sum(not _fits(row, ratio, floored) for row in held)
            if odd < best[2]:
                best = (ratio, floored, odd)
    return best


def _fits(row: _Row, ratio: float, floored: bool) -> bool:
    low, high = row.values.low[-1] / ratio, row.values.high[-1] / ratio
    if floored:
        return low - 1 <= row.most.value <= high
    return row.most.high >= low and row.most.low <= high


def _caveats(ratio: float, floored: bool, odd: int, rows: int) -> Iterator[Caveat]:
    if ratio == RATIOS[0]:
        yield Caveat(
            "source.unit", "the unit is not in the file: values are read as ns (Interval_Max is 1/10^6 of them)"
        )
    else:
        yield Caveat(
            "source.unit",
            f"the unit is not in the file and Interval_Max is 1/{ratio:,.0f} of the values, not the customary 1/10^6; "
            "they are read as ns all the same",
        )
    if floored:
        yield Caveat("source.floored", "Interval_Max is cut to whole numbers by the writer; the histograms tell more")
    if odd:
        yield Caveat("source.maximum", f"Interval_Max of {odd} of {rows} intervals is not that of its histogram")


def _intervals(rows: list[_Row]) -> Intervals | None:
    """A series of equal intervals; None where their lengths differ but follow each other without a gap."""
    if _is_uneven(rows):
        return None
    length = median(row.length_s for row in rows)
    origin = rows[0].start_s
    return Intervals(
        length_ns=round(length * NS_PER_S),
        start_ns=tuple(round((row.start_s - origin) * NS_PER_S) for row in rows),
        count=tuple(row.values.n for row in rows),
        total_ns=tuple(round((row.values.mean or 0) * row.values.n) for row in rows),
        maximum_ns=tuple(row.values.high[-1] if row.values.n else 0 for row in rows),
        p50_ns=tuple(row.values.quantile(0.5) or 0 for row in rows),
        p99_ns=tuple(row.values.quantile(0.99) or 0 for row in rows),
    )


def _is_uneven(rows: list[_Row]) -> bool:
    """Do intervals of different lengths follow each other without a gap?"""
    length = median(row.length_s for row in rows)
    return any(abs(row.length_s - length) > _UNEVEN * length for row in rows[:-1]) and _tiled(rows)


def _unevenness(rows: list[_Row]) -> Iterator[Caveat]:
    if _is_uneven(rows):
        lengths = sorted(row.length_s for row in rows)
        span = f"{lengths[0]:g} to {lengths[-1]:g} s"
        text = f"{len(rows)} intervals of {span}: too uneven for a series, read as one stretch"
        yield Caveat("source.intervals", text)


def _tiled(rows: list[_Row]) -> bool:
    pairs = pairwise(rows)
    return all(abs(one.start_s + one.length_s - two.start_s) <= _UNEVEN * one.length_s for one, two in pairs)


def _merged(parts: Iterator[Distribution]) -> Distribution:
    """The sum; bins of different layouts that overlap become one that spans them."""
    counts: dict[tuple[int, int], int] = {}
    for part in parts:
        for low, high, count in zip(part.low, part.high, part.count, strict=True):
            counts[low, high] = counts.get((low, high), 0) + count
    bins: list[tuple[int, int, int]] = []
    for (low, high), count in sorted(counts.items()):
        if bins and low <= bins[-1][1]:
            before = bins.pop()
            low, high, count = before[0], max(high, before[1]), before[2] + count
        bins.append((low, high, count))
    low_edges, high_edges, counted = zip(*bins, strict=True) if bins else ((), (), ())
    return Distribution(low_edges, high_edges, counted)
