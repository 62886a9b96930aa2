"""`coherence.order`: figures of one distribution that cannot stand beside each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from operator import gt

from ..model import (
    Beside,
    ClockFacts,
    Controls,
    Figure,
    Finding,
    Generator,
    Intervals,
    Latency,
    Measurement,
    Policy,
)
from . import facts
from .coherence_deviation import of_deviation
from .ranges import Range
from .rule import Answer, NotApplicable, invalid
from .wording import Show, name_of, shown_in, time

CODE = "coherence.order"

RANK_SLACK: dict[str, float] = {"tdigest": 0.01, "ddsketch": 0.0, "unknown": 0.002}
"""How far a percentile's rank may be off, as a share of all values, beyond one rank: t-digest(100) is within
q·(1 − q)·4/100 ≤ 1 %; a method that nobody named gets 0.2 %."""


def order(measurement: Measurement, policy: Policy) -> Answer:
    """Figures are finite and not negative; min ≤ p_a ≤ p_b ≤ max for a < b; the mean lies where its percentiles put it.

    *Formula.* Besides min ≤ mean ≤ max (ns): at least a share p_b − p_a of all values is ≥ p_a and ≤ p_b, hence
    Σ p_i·(q_{i+1} − q_i) ≤ mean ≤ Σ p_{i+1}·(q_{i+1} − q_i), with p_0 = min at q = 0 and the max at q = 1; and
    (1 − q)·(p − mean)² ≤ σ² ≤ (max − mean)·(mean − min). The same of the other distributions of a tool's file (rates by
    second, parts of the response time, sizes), each in its unit.
    *Tolerance.* Rounding keeps order, so figures with the same last digit are compared as they stand; others may be
    off by half a last digit each, and by a bin of the histogram that they come from. The bounds of the mean allow
    one rank (max/n), and the rank error of a sketch. There is no percentage.
    *Source.* Definition of a quantile; Markov's inequality is its special case (mean ≥ p50 / 2).
    *Example.* autocannon keeps whole ms: min 1 ms above p50 0 ms.

    >>> from bizra_gate.model import Source
    >>> ms = lambda v: Figure(v * 1e6, 1e6)
    >>> quiet = Latency(count=57_992, minimum=ms(1), percentiles=((50.0, ms(0)), (99.0, ms(0))), maximum=ms(9))
    >>> [f.observed for f in order(Measurement(Source("autocannon"), latency=quiet), Policy())]
    ['min 1 ms, p50 0 ns']

    *Violator.* fortio with one bucket up to 1 ms: p50 0.507 ms interpolated, exact mean 0.13 ms < 0.507 / 2.
    *Neighbour.* Locust rounds percentiles to two digits: a "100 %" of 5,000 ms above an exact max of 4,995 ms.
    """
    checked = [(name, latency) for name, latency in facts.latencies(measurement) if _has_figures(latency)]
    loose = list(_not_finite(measurement))
    series = list(facts.all_intervals(measurement))
    if not checked and not loose and not series and not measurement.beside:
        return NotApplicable("no figures of a latency distribution are given, so there is no order to check")
    findings = [*loose]
    for name, latency in checked:
        findings += _of_latency(name, latency, facts.values(latency) or measurement.operations, time)
    for beside in measurement.beside:
        findings += _of_beside(beside)
    series += [(f"run {run.index}: warm-up, ", run.warmup_intervals, run) for run in measurement.runs
               if run.warmup_intervals is not None]  # fmt: skip
    for name, intervals, _ in series:
        findings += _of_intervals(name, intervals)
    return findings


def _of_beside(beside: Beside) -> Iterable[Finding]:
    """Where a tool does not tell how many values there are, nothing follows from percentiles but their order."""
    show, figures = shown_in(beside.unit), beside.figures
    n = facts.values(figures)
    if n is not None:
        return _of_latency(beside.name, figures, n, show)
    rows = [(name, figure) for name, figure in _figures(figures)[:3] if name in ("min", "mean", "max")]
    steps = [*pairwise(_ladder(figures)), *pairwise(rows)]
    findings = [_step(beside.name, *step, show) for step in steps if _above(step[0][1], step[1][1], figures.bin_ratio)]
    return findings or list(of_deviation(beside.name, replace(figures, percentiles=()), None, 0.0, show))


def _has_figures(latency: Latency) -> bool:
    return bool(_figures(latency)) or latency.histogram is not None


def _figures(latency: Latency) -> list[tuple[str, Figure]]:
    named = [("min", latency.minimum), ("mean", latency.mean), ("max", latency.maximum), ("stdev", latency.stdev)]
    figures = [(name, figure) for name, figure in named if figure is not None]
    return figures + [(name_of(p), figure) for p, figure in latency.percentiles]


def _not_finite(measurement: Measurement) -> Iterator[Finding]:
    """NaN, infinite and negative figures, wherever they stand."""
    plain = (
        ("rate", measurement.rate_achieved_per_s),
        ("requested rate", measurement.rate_requested_per_s),
        ("duration", measurement.duration_ns),
        ("warm-up", measurement.warmup_ns),
    )
    figures = [(name, figure.value) for name, figure in plain if figure is not None]
    figures += [
        (f"{name} {what}", f.value) for name, part in facts.latencies(measurement) for what, f in _figures(part)
    ]
    figures += [(f"{one.name} {what}", f.value) for one in measurement.beside for what, f in _figures(one.figures)]
    figures += [(printed.metric, printed.value) for printed in measurement.printed]
    figures += [(f"run {run.index} value", value) for run in measurement.runs for value in run.values]
    figures += [(name, float(count)) for name, count in _counts(measurement)]
    figures += _of_own(measurement)
    values = [value for _, value in figures]
    if all(map(math.isfinite, values)) and min(values, default=0.0) >= 0:
        return
    for name, value in figures:
        if not math.isfinite(value):
            yield invalid(
                CODE, f"{name} is {value}: that is no measured value.", f"{name} = {value}", "a finite number"
            )
        elif value < 0:
            yield invalid(CODE, f"{name} is below zero.", f"{name} = {value:g}", "≥ 0")


def _of_own(measurement: Measurement) -> Iterator[tuple[str, float]]:
    """What stands beside the latencies of our own runs. A drift may be negative, and idle CPU time is rounded."""
    for run in measurement.runs if facts.own(measurement) else ():
        for noun in (run.controls, run.clock, run.generator):
            for name in _PLAIN.get(type(noun), ()):
                value = getattr(noun, name)
                if value is not None:
                    yield f"run {run.index + 1}: {name}", float(value)
        for name, part in facts.parts(run):
            yield from ((f"run {run.index + 1}: {name} {what}", float(getattr(part, what) or 0)) for what in _QUANTA)


_PLAIN: dict[type, tuple[str, ...]] = {
    Controls: ("operation_ns", "empty_ns", "empty_spread_ns", "twice_ns", "leftover_threads", "leftover_processes",
               "validated", "rejected", "distinct_results"),
    ClockFacts: ("resolution_ns", "overhead_ns", "steps"),
    Generator: ("gc_pause_ns", "gc_collections", "other_cpu_fraction", "major_faults"),
}  # fmt: skip
_QUANTA = ("bin_ratio", "quantum_ns")


def _counts(measurement: Measurement) -> Iterator[tuple[str, int]]:
    if measurement.operations is not None:
        yield "the number of operations", measurement.operations
    for table in (measurement.errors, measurement.outcomes):
        yield from ((f"the count of {label}", count) for label, count in (table or {}).items())
    for name, latency in facts.latencies(measurement):
        if latency.histogram is not None:
            if latency.histogram.columns is None:  # columns are read from a format that has nothing below zero
                yield f"{name}: the count of a bin", min(latency.histogram.count, default=0)
            yield f"{name}: the smallest value", latency.histogram.edges(0)[0] if latency.histogram.bins else 0


def _of_latency(name: str, latency: Latency, n: int | None, show: Show) -> Iterable[Finding]:
    ladder = _ladder(latency)
    if any(not math.isfinite(figure.value) for _, figure in ladder):
        return []
    steps = pairwise(ladder)
    findings = [_step(name, *step, show) for step in steps if _above(step[0][1], step[1][1], latency.bin_ratio)]
    if findings:
        return findings
    rank = _rank_slack(latency, n)
    return [*_of_mean(name, latency, ladder, n, show), *of_deviation(name, latency, n, rank, show)]


def _ladder(latency: Latency) -> list[tuple[str, Figure]]:
    """min, percentiles by p, max: each must not be above the next."""
    low = [("min", latency.minimum)] if latency.minimum is not None else []
    high = [("max", latency.maximum)] if latency.maximum is not None else []
    middle = [(name_of(p), figure) for p, figure in sorted(latency.percentiles, key=lambda pair: pair[0])]
    return [*low, *middle, *high]


def _above(below: Figure, above: Figure, bin_ratio: float | None) -> bool:
    """Is `below` certainly above `above`?"""
    if below.resolution == above.resolution and not bin_ratio:
        return below.value > above.value
    slack = (bin_ratio or 0.0) * max(abs(below.value), abs(above.value))
    return below.low - slack > above.high


def _step(name: str, below: tuple[str, Figure], above: tuple[str, Figure], show: Show) -> Finding:
    (lower, first), (upper, second) = below, above
    return invalid(
        CODE,
        f"{name}: {lower} = {show(first)} is above {upper} = {show(second)}: one of them is not what it is called.",
        f"{lower} {show(first)}, {upper} {show(second)}",
        f"{lower} ≤ {upper}",
    )


def _of_mean(
    name: str, latency: Latency, ladder: list[tuple[str, Figure]], n: int | None, show: Show
) -> Iterator[Finding]:
    mean = latency.mean
    if mean is None or not math.isfinite(mean.value) or not ladder:
        return
    bounds = _bounds_of_mean(latency, n)
    slack = (latency.bin_ratio or 0.0) * mean.value
    if mean.high + slack < bounds.low or mean.low - slack > bounds.high:
        said = ", ".join(f"{what} {show(figure)}" for what, figure in ladder)
        yield invalid(
            CODE,
            f"{name}: a mean of {show(mean)} cannot belong to {said}: they allow {show(bounds)}.",
            f"mean {show(mean)}",
            show(bounds),
        )


def _rank_slack(latency: Latency, n: int | None) -> float:
    """How far the share of values at or below a percentile may be off."""
    return RANK_SLACK.get(latency.percentile_method, 0.0) + (1 / n if n else 0.01)


def _bounds_of_mean(latency: Latency, n: int | None) -> Range:
    """The least and the greatest mean that min, percentiles and max allow, ns."""
    points = [(0.0, latency.minimum or Figure(0.0))]
    points += [(p / 100, figure) for p, figure in sorted(latency.percentiles, key=lambda pair: pair[0])]
    rank = _rank_slack(latency, n)
    shares = [upper[0] - lower[0] for lower, upper in zip(points, [*points[1:], (1.0, points[-1][1])], strict=True)]
    low = math.fsum(figure.low * part for (_, figure), part in zip(points, shares, strict=True))
    top = latency.maximum
    if top is None:
        return Range(max(0.0, low - rank * points[-1][1].high), math.inf)
    uppers = [figure for _, figure in points[1:]] + [top]
    high = math.fsum(figure.high * part for figure, part in zip(uppers, shares, strict=True))
    return Range(max(0.0, low - rank * points[-1][1].high), high + rank * top.high)


def _of_intervals(name: str, intervals: Intervals) -> Iterator[Finding]:
    """Within each interval p50 ≤ p99 ≤ maximum, all columns from one histogram."""
    columns = [("p50", intervals.p50_ns), ("p99", intervals.p99_ns), ("max", intervals.maximum_ns)]
    known = [(what, column) for what, column in columns if column]
    for (lower, first), (upper, second) in pairwise(known):
        if not any(map(gt, first, second)):
            continue
        for row, (below, above) in enumerate(zip(first, second, strict=False)):
            if below > above:
                yield invalid(
                    CODE,
                    f"{name}interval {row}: {lower} = {time(below)} is above {upper} = {time(above)}.",
                    f"{lower} {time(below)}, {upper} {time(above)}",
                    f"{lower} ≤ {upper}",
                )
                break
