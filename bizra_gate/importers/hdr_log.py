"""HdrHistogram interval logs (``.hlog``): one V2 histogram per interval and tag, as many writers make them.

Traps: the unit of the values is not in the file (ns by custom; ``Interval_Max`` is divided by a ratio, 10^6 by custom);
without ``StartTime`` the first stamp is it, and without ``BaseTime`` stamps more than a year before it count from it;
the PyPI package floors ``Interval_Max`` and can write neither start time nor tag. Values beyond the trackable range
were dropped before they came here, and no count of them is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from ..errors import FormatError, UntrustedError
from ..model import Caveat, Distribution, Figure, Intervals, Latency, Measurement, Restated, Source
from ..stats import histogram
from ..stats.layout import Layout
from ..units import NS_PER_S
from . import printed, restate
from .cut import cut_caveats, second
from .instants import as_rfc3339
from .stream import Stream

_LINE = re.compile(
    r"(?:Tag=(?P<tag>[^,\s]+),)?(?P<start>[\d.]+),(?P<length>[\d.]+),(?P<most>[\d.]+),(?P<hdr>HIST\S+)\s*"
)
_SNIFF = re.compile(
    rb'^#\[Histogram log format|^"StartTimestamp","Interval_Length"|^(?:Tag=[^,\s]+,)?[\d.]+,[\d.]+,[\d.]+,HIST', re.M
)
_WORDS = (b"#[Histogram", b"StartTimestamp", b",HIST")
"""One of them is in all that `_SNIFF` finds; looking for words takes a tenth of the time, and few files hold any."""
_HEADER = re.compile(r"#\[(StartTime|BaseTime): ([\d.]+)")
_VERSION = re.compile(r"#\[Histogram log format version ([\d.]+)\]")
_YEAR_S = 365 * 24 * 3600.0
RATIOS = (1e6, 1e3, 1.0, 1e9)
"""What ``Interval_Max`` may have been divided by, the customary ratio first."""
_UNEVEN = 0.1
PILE = 3
_BLIND = (
    "from which moment a latency counts is not said (method.coordinated_omission)",
    "the kind of loop, the number of users and the rate asked for are not said (littles_law.*, method.rate)",
    "errors, and whether they are among the values, are not said (method.errors)",
    "nothing is said of a warm-up (method.warmup)",
    "the generator and the machine are not described (generator.*, environment.*)",
    "values above the trackable range leave no trace (coherence.overflow)",
)


def sniff(head: bytes, name: str) -> bool:
    return any(word in head for word in _WORDS) and _SNIFF.search(head) is not None


@dataclass(frozen=True, slots=True)
class _Row:
    """One interval: what its line says, and what follows from its histogram."""

    start_s: float
    length_s: float
    most: Figure
    n: int
    total_ns: int
    p50_ns: int
    p99_ns: int
    top: tuple[int, int]
    """Edges of the highest bin."""


@dataclass
class _Tag:
    """All intervals of one tag; the bins are added up as they come, so that memory does not grow with the log."""

    rows: list[_Row] = field(default_factory=list)
    counts: dict[Layout, dict[int, int]] = field(default_factory=dict)
    """Layout → low edge → count."""

    def add(self, start_s: float, length_s: float, most: Figure, values: Distribution, layout: Layout) -> None:
        counts = self.counts.setdefault(layout, {})
        for low, count in zip(values.low, values.count, strict=True):
            counts[low] = counts.get(low, 0) + count
        quantiles = [values.quantile(q) or 0 for q in (0.5, 0.99)]
        top = (values.low[-1], values.high[-1]) if values.n else (0, 0)
        total = round((values.mean or 0) * values.n)
        self.rows.append(_Row(start_s, length_s, most, values.n, total, quantiles[0], quantiles[1], top))

    def merged(self) -> Distribution:
        """The sum; bins of different layouts that overlap become one that spans them."""
        every = [
            (*layout.edges(layout.index(low)), count)
            for layout, held in self.counts.items()
            for low, count in held.items()
        ]
        bins: list[tuple[int, int, int]] = []
        for low, high, count in sorted(every):
            if bins and low <= bins[-1][1]:
                before = bins.pop()
                low, high, count = before[0], max(high, before[1]), before[2] + count
            bins.append((low, high, count))
        lows, highs, counted = zip(*bins, strict=True) if bins else ((), (), ())
        return Distribution(lows, highs, counted)


@dataclass
class _Log:
    """What the lines say before anything is derived."""

    version: str | None = None
    start_s: float | None = None
    base_s: float | None = None
    tags: dict[str | None, _Tag] = field(default_factory=dict)
    digits: int = 5
    unit_ns: int = 1

    @property
    def first_s(self) -> float:
        return min(row.start_s for tag in self.tags.values() for row in tag.rows)

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
    for name, tag in log.tags.items():
        yield _measurement(log, name, tag, stream)


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
        if match[1] == "StartTime" and log.start_s is not None:
            raise second(where, "StartTime")
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
        values, layout = histogram.decode_with_layout(match["hdr"])
    except UntrustedError as error:
        raise FormatError(f"{where}: {error.message}") from None
    log.digits, log.unit_ns = min(log.digits, layout.digits), max(log.unit_ns, 1 << layout.unit)
    start, length = (printed.number(match[key], f"{where}: {key}").value for key in ("start", "length"))
    most = printed.number(match["most"], f"{where}: Interval_Max")
    log.tags.setdefault(match["tag"], _Tag()).add(start, length, most, values, layout)


def _measurement(log: _Log, name: str | None, tag: _Tag, stream: Stream) -> Measurement:
    rows = tag.rows
    ratio, floored, odd = _ratio(rows)
    first, last = rows[0].start_s, max(row.start_s + row.length_s for row in rows)
    whole = tag.merged()
    begin = log.epoch_s(first)
    dated = begin > _YEAR_S
    return Measurement(
        source=Source("hdrhistogram", log.version, "interval log", stream.name),
        name=name,
        duration_ns=Figure(round((last - first) * 1e9), 1e6),
        operations=whole.n,
        latency=_latency(log, tag, whole, ratio, floored) if whole.n else None,
        intervals=_intervals(rows),
        started_at=as_rfc3339(round(begin * 1e3) * 10**6) if dated else None,
        finished_at=as_rfc3339(round(log.epoch_s(last) * 1e3) * 10**6) if dated else None,
        restated=tuple(_restated(rows, ratio, floored, odd)),
        caveats=(
            *_caveats(ratio, floored, odd, len(rows)),
            *_unevenness(rows),
            *_clipped(tag, whole),
            *cut_caveats(stream),
        ),
        blind=_BLIND,
    )


def _latency(log: _Log, tag: _Tag, whole: Distribution, ratio: float, floored: bool) -> Latency:
    most = max((row.most for row in tag.rows), key=lambda figure: figure.value)
    top = Figure((most.value + 0.5) * ratio, ratio) if floored else Figure(most.value * ratio, most.resolution * ratio)
    limit = _limit(tag, whole)
    return Latency(
        histogram=whole if limit is None else replace(whole, maximum=limit),
        count=whole.n,
        maximum=top if limit is None else None,
        percentile_method="hdr",
        quantum_ns=float(log.unit_ns),
        bin_ratio=10.0**-log.digits,
    )


def _limit(tag: _Tag, whole: Distribution) -> int | None:
    """The highest trackable value, where values pile up in its bin: they were clipped to it before they were recorded.

    Three are a pile; one that happens to lie there is an operation of that length.
    """
    highest = max(layout.highest for layout in tag.counts)
    return highest if whole.high[-1] >= highest and whole.count[-1] >= PILE else None


def _ratio(rows: list[_Row]) -> tuple[float, bool, int]:
    """(ratio, floored?, rows that do not fit): what most of the column ``Interval_Max`` was divided by."""
    held = [row for row in rows if row.n]
    best = (RATIOS[0], False, len(held) + 1)
    for ratio in RATIOS:
        for floored in (False, True):
            odd = sum(not _fits(row, ratio, floored) for row in held)
            if odd < best[2]:
                best = (ratio, floored, odd)
    return best


def _fits(row: _Row, ratio: float, floored: bool) -> bool:
    low, high = row.top[0] / ratio, row.top[1] / ratio
    if floored:
        return row.most.value.is_integer() and math.floor(low) <= row.most.value <= high
    return row.most.high >= low and row.most.low <= high


def _restated(rows: list[_Row], ratio: float, floored: bool, odd: int) -> Iterator[Restated]:
    """``Interval_Max`` of the rows that do not fit, where most rows show how it is written."""
    held = [row for row in rows if row.n]
    if odd * 2 >= len(held):
        return
    for row in held:
        if not _fits(row, ratio, floored):
            what, formula = f"Interval_Max at {row.start_s:.3f}", "its histogram"
            yield from restate.between(what, row.most, "", formula, row.top[0] / ratio, row.top[1] / ratio)


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


def _clipped(tag: _Tag, whole: Distribution) -> Iterator[Caveat]:
    limit = _limit(tag, whole) if whole.n else None
    if limit is not None:
        text = (
            f"{whole.count[-1]:,} values lie where the histogram ends ({limit / 1e9:g} s): clipped, or larger ones lost"
        )
        yield Caveat("source.clipped", text)


def _intervals(rows: list[_Row]) -> Intervals | None:
    """A series of equal intervals; None where their lengths differ but follow each other without a gap."""
    if _is_uneven(rows):
        return None
    length = median(row.length_s for row in rows)
    origin = rows[0].start_s
    return Intervals(
        length_ns=round(length * NS_PER_S),
        start_ns=tuple(round((row.start_s - origin) * NS_PER_S) for row in rows),
        count=tuple(row.n for row in rows),
        total_ns=tuple(row.total_ns for row in rows),
        maximum_ns=tuple(row.top[1] for row in rows),
        p50_ns=tuple(row.p50_ns for row in rows),
        p99_ns=tuple(row.p99_ns for row in rows),
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
