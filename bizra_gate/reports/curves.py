"""The points that plots draw, for the terminal and for HTML alike: percentile curve, series, histogram, concurrency."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from ..model import CheckReport, Intervals, Latency, Measurement, Run
from ..model.metric import percentile_of
from ..stats.merge import from_runs
from ..stats.summary import summarize
from ..units import NS_PER_S, UnitError, parse

_LIMIT = re.compile(r"^\s*(<=|<|>=|>)\s*(.+)$")
_STEPS_PER_NINE = 16
TOLD = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999)
"""Percentiles that tables name."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """One point of a percentile curve, ns; a side of the interval that does not exist is None."""

    p: float
    """In (0, 100)."""
    value_ns: float
    low_ns: float | None = None
    high_ns: float | None = None

    @property
    def nines(self) -> float:
        """−log10(1 − p/100): 1 at p90, 2 at p99, so that every nine has the same room."""
        return -math.log10(1 - self.p / 100)


@dataclass(frozen=True, slots=True)
class Series:
    """One run over time. Times are seconds from the start of the counted window; warm-up lies before 0."""

    run: int
    start_s: tuple[float, ...]
    rate_per_s: tuple[float, ...]
    mean_ns: tuple[float | None, ...]
    p99_ns: tuple[float | None, ...]
    in_flight: tuple[float, ...]
    """Mean number in flight as the driver integrated it; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Share of all values between two edges in ns."""

    low_ns: float
    high_ns: float
    share: float


@dataclass(frozen=True, slots=True)
class LimitMark:
    """A limit of a gate on one percentile or on a rate, in base units."""

    metric: str
    operator: str
    bound: float
    text: str
    p: float | None = None


def percentiles(measurement: Measurement, confidence: float = 0.95) -> dict[str, tuple[Percentile, ...]]:
    """The curve of each family (latency, service, response, delay) with the intervals of `stats.summary`.

    It ends at the last percentile that one value supports; without counts it is what the tool printed.
    """
    latency = from_runs(measurement).latency
    counts = None if latency is None else latency.histogram
    metrics = summarize(measurement, confidence, () if counts is None or not counts.n else _grid(counts.n))
    found: dict[str, list[Percentile]] = {}
    for metric in metrics.values():
        family, _, statistic = metric.name.partition(".")
        p = percentile_of(statistic)
        if p is not None and metric.estimate is not None and p <= (100.0 if counts is None else _last(counts.n)):
            found.setdefault(family, []).append(Percentile(p, metric.estimate, *(metric.interval or (None, None))))
    return {family: tuple(sorted(points, key=lambda point: point.p)) for family, points in found.items()}


def _grid(n: int) -> list[float]:
    """Percentiles at even steps of nines up to the last one, and those that people name."""
    last = -math.log10(1 - _last(n) / 100)
    steps = math.ceil(last * _STEPS_PER_NINE)
    even = [float(f"{(1 - 10 ** -(last * step / steps)) * 100:.6g}") for step in range(1, steps + 1)]
    return sorted({p for p in (*even, *TOLD) if 0 < p <= _last(n)})


def _last(n: int) -> float:
    """100 · (1 − 1/n), at most p99.9999: a name of a metric has four decimals."""
    return min(99.9999, float(f"{(1 - 1 / max(n, 2)) * 100:.6g}"))


def histogram(latency: Latency | None, bins: int = 60) -> tuple[Bin, ...]:
    """At most `bins` bins of equal ratio; empty without counts or where every value is zero."""
    counts = None if latency is None else latency.histogram
    if counts is None or not counts.n or counts.high[-1] <= 0:
        return ()
    low, high = max(1.0, float(counts.low[0])), max(2.0, float(counts.high[-1]) + 1)
    ratio = (high / low) ** (1 / bins)
    edges = [low * ratio**at for at in range(1, bins + 1)]
    shares = [0] * bins
    for first, last, count in zip(counts.low, counts.high, counts.count, strict=True):
        shares[min(bins - 1, bisect_left(edges, math.sqrt(max(1, first) * max(1, last))))] += count
    return tuple(Bin(edge / ratio, edge, share / counts.n) for edge, share in zip(edges, shares, strict=True))


def series(measurement: Measurement) -> tuple[Series, ...]:
    """One series for each run that kept intervals, warm-up first; for none, the measurement's own intervals."""
    runs = [run for run in measurement.runs if run.intervals is not None]
    if runs:
        return tuple(_of_run(run, measurement) for run in runs)
    if measurement.intervals is None:
        return ()
    end_ns = None if measurement.duration_ns is None else measurement.duration_ns.value
    return (_series(0, (), _rows(measurement.intervals, 0, end_ns)),)


@dataclass(frozen=True, slots=True)
class _Row:
    start_s: float
    length_s: float
    count: int
    total_ns: int | None
    p99_ns: int | None
    in_flight_ns: int | None


def _of_run(run: Run, measurement: Measurement) -> Series:
    duration = run.duration_ns
    if duration is None and measurement.duration_ns is not None:
        duration = round(measurement.duration_ns.value)
    warm = run.warmup_intervals
    before: tuple[_Row, ...] = ()
    if warm is not None and warm.start_ns:
        shift = 0 if warm.start_ns[0] < 0 else -(warm.start_ns[-1] + warm.length_ns)
        before = _rows(warm, shift, 0)
    rows = () if run.intervals is None else _rows(run.intervals, 0, duration)
    return _series(run.index, before, rows)


def _rows(said: Intervals, shift_ns: int, end_ns: float | None) -> tuple[_Row, ...]:
    """Rows that begin before `end_ns`: the drain after the window is no load and would look like a fall in rate."""
    rows = []
    for at, start in enumerate(said.start_ns):
        begin = start + shift_ns
        if end_ns is not None and begin >= end_ns:
            continue
        length = said.length_ns if end_ns is None else min(said.length_ns, end_ns - begin)
        rows.append(
            _Row(
                begin / NS_PER_S, length / NS_PER_S, said.count[at],
                _at(said.total_ns, at), _at(said.p99_ns, at), _at(said.in_flight_ns, at),
            )
        )  # fmt: skip
    return tuple(rows)


def _at(column: tuple[int, ...], index: int) -> int | None:
    return column[index] if index < len(column) else None


def _series(run: int, before: Iterable[_Row], rows: Iterable[_Row]) -> Series:
    every = [*before, *rows]
    flight = [row for row in every if row.in_flight_ns is not None]
    whole = flight if len(flight) == len(every) else []
    return Series(
        run,
        tuple(row.start_s for row in every),
        tuple(row.count / row.length_s for row in every),
        tuple(row.total_ns / row.count if row.count and row.total_ns is not None else None for row in every),
        tuple(row.p99_ns if row.count else None for row in every),
        tuple((row.in_flight_ns or 0) / (row.length_s * NS_PER_S) for row in whole),
    )


def limits(checks: Iterable[CheckReport]) -> tuple[LimitMark, ...]:
    """The limits that can be drawn: an absolute bound on a percentile or on the throughput."""
    return tuple(mark for check in checks if (mark := _limit(check)) is not None)


def _limit(check: CheckReport) -> LimitMark | None:
    found = _LIMIT.match(check.limit)
    family, _, statistic = check.metric.partition(".")
    p = percentile_of(statistic)
    if found is None or not (check.metric == "throughput" or (family == "latency" and p is not None)):
        return None
    try:
        return LimitMark(check.metric, found[1], parse(found[2], check.unit), check.limit, p)
    except (UnitError, KeyError):
        return None
