"""`coherence.summary`: a printed figure that the counts beside it do not give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from ..model import Distribution, Figure, Finding, Intervals, Latency, Measurement, Metric, Policy, Printed
from ..units import format_quantity
from . import coherence_columns, coherence_parts, coherence_restated, facts
from .ranges import Range
from .rule import Answer, NotApplicable, invalid
from .wording import Show, count, name_of, shown_in, time

CODE = "coherence.summary"

SIGNIFICANT_DIGITS = 6
"""Our files round the figures of their summary to six significant digits."""
_OPEN = (None, None)


def summary(measurement: Measurement, policy: Policy) -> Answer:
    """Every figure that a file states beside its counts is derived again from the counts and must be the same.

    *Formula.* Our summary: value, interval and n of each metric against `stats.summary.summarize`. Another tool:
    a percentile lies in the bin of its ceil rank or a neighbouring rank's, the mean between the means of the lower
    and the upper edges, min and max in the first and the last bin. Columns of intervals: Σ total = histogram total,
    max of maxima = maximum; N(≤ x) ≥ Σ of the ranks of the highest of p50_i, p99_i, max_i ≤ x, N(≥ x) ≥ Σ of what the
    lowest of them ≥ x leaves from its rank on; each is its interval's largest value or the upper edge of a bin that is
    not empty; Σ total_i lies between what these allow, in the warm-up too. Our histograms: Σ values within the bins;
    response = service + delay; the quantum is that of the clock, over the batch.
    Other tools' figures that follow from others in the same file (a rate and its inverse, statistics beside the values)
    must meet what those allow; a standard deviation that of its histogram or values, over n or n − 1.
    *Tolerance.* Half of the sixth significant digit for ours, half of the last printed digit elsewhere; one rank,
    because tools disagree on ⌈pN⌉, ⌊pN + ½⌋ and interpolation; the bins' own width. Nothing else.
    *Source.* Ceil rank: Hyndman & Fan (1996), definition 1.
    *Example.* Two workers of 500 values each, p99 = 2 ms and 10 ms; their average, 6 ms, is in no bin near rank 990.

    >>> from bizra_gate.model import Source
    >>> both = Distribution.of([10**6] * 490 + [2 * 10**6] * 10 + [9 * 10**6] * 490 + [10**7] * 10)
    >>> merged = Latency(histogram=both, percentiles=((99.0, Figure(6e6)),), percentile_method="ceil-rank")
    >>> [f.observed for f in summary(Measurement(Source("two-workers"), latency=merged), Policy())]
    ['p99 6 ms']

    *Violator.* A summary that was edited after the run: one digit of p99 changed.
    *Neighbour.* The p90 of ten values, where one tool gives the ninth and another the mean of the ninth and tenth.
    """
    findings: list[Finding] = []
    looked = bool(measurement.printed or measurement.restated or coherence_restated.values_of(measurement))
    if measurement.printed:
        findings += _of_printed(measurement)
    findings += [*coherence_restated.of_restated(measurement), *coherence_restated.of_values(measurement)]
    for name, latency in facts.latencies(measurement):
        if latency.histogram is not None and latency.histogram.n and _has_figures(latency):
            looked = True
            findings += _of_figures(name, latency, latency.histogram, time)
            findings += coherence_restated.of_deviation(name, latency, latency.histogram, time)
    for beside in measurement.beside:
        figures, show = beside.figures, shown_in(beside.unit)
        if figures.histogram is not None and figures.histogram.n:
            looked = True
            findings += _of_figures(beside.name, figures, figures.histogram, show)
            findings += coherence_restated.of_deviation(beside.name, figures, figures.histogram, show)
    for name, intervals, holder in facts.all_intervals(measurement):
        histogram = _histogram_of(holder)
        if histogram is not None:
            looked = True
            findings += _of_columns(name, intervals, *histogram, exact=facts.own(measurement))
    findings += coherence_parts.of_parts(measurement)
    if not looked:
        return NotApplicable("either no counts or no figures beside them are given, so nothing can be derived again")
    return findings


def _has_figures(latency: Latency) -> bool:
    named = (latency.mean, latency.minimum, latency.maximum, latency.stdev)
    return bool(latency.percentiles) or any(figure is not None for figure in named)


def _of_printed(measurement: Measurement) -> Iterator[Finding]:
    from ..stats.summary import summarize

    derived = summarize(measurement)
    if _agree(measurement.printed, derived):
        return
    for printed in measurement.printed:
        metric = derived.get(printed.metric)
        if metric is None or metric.estimate is None:
            yield invalid(
                CODE,
                f"{printed.metric} = {_shown(printed.value, printed.unit)} is stated, but the counts do not give it.",
                f"{printed.metric} {_shown(printed.value, printed.unit)}",
                "derived from counts",
            )
        else:
            yield from _compare(printed, metric)


def _agree(printed: Iterable[Printed], derived: Mapping[str, Metric]) -> bool:
    """True where `_compare` would certainly find nothing of any of `printed`; False where it has to look.

    What is not equal at once is held against each other in columns.
    """
    stated, counted = list[float](), list[float]()
    for one in printed:
        metric = derived.get(one.metric)
        if metric is None or metric.estimate is None or one.unit != metric.unit:
            return False
        if one.n not in (None, metric.n) or one.confidence not in (None, metric.confidence):
            return False
        if one.value != metric.estimate:
            stated.append(one.value)
            counted.append(metric.estimate)
        for end, other in zip(one.interval or _OPEN, metric.interval or _OPEN, strict=True):
            if end is None or other is None:
                if end is not other:
                    return False
            elif end != other:
                stated.append(end)
                counted.append(other)
    return not stated or coherence_columns.alike(stated, counted, SIGNIFICANT_DIGITS)


def _compare(printed: Printed, metric: Metric) -> Iterator[Finding]:
    pairs: list[tuple[str, float | None, float | None]] = [("", printed.value, metric.estimate)]
    if printed.interval is not None:
        low, high = metric.interval if metric.interval is not None else (None, None)
        pairs += [(", lower end", printed.interval[0], low), (", upper end", printed.interval[1], high)]
    elif metric.interval is not None and metric.interval != (None, None):
        pairs.append((", interval", None, metric.interval[0] if metric.interval[0] is not None else metric.interval[1]))
    if printed.n is not None:
        pairs.append((", n", printed.n, metric.n))
    if printed.confidence is not None and printed.confidence != metric.confidence:
        yield _differs(printed, ", confidence", f"{printed.confidence:g}", f"{metric.confidence:g}")
    if printed.unit != metric.unit:
        yield _differs(printed, ", unit", printed.unit, metric.unit)
    for what, stated, derived in pairs:
        if not _same(stated, derived):
            yield _differs(printed, what, *_apart(stated, derived, "1" if what == ", n" else printed.unit))


def _differs(printed: Printed, what: str, stated: str, derived: str) -> Finding:
    return invalid(
        CODE,
        f"{printed.metric}{what}: the file states {stated}, its own counts give {derived}.",
        f"{printed.metric}{what} {stated}",
        derived,
    )


def _same(stated: float | None, derived: float | None) -> bool:
    """Equal to half a unit of the sixth significant digit; None equals only None."""
    if stated is None or derived is None:
        return stated is derived
    if stated == derived:
        return True
    if not (math.isfinite(stated) and math.isfinite(derived)):
        return False
    size = max(abs(stated), abs(derived))
    unit = 10.0 ** (math.floor(math.log10(size)) - SIGNIFICANT_DIGITS + 1) if size > 0 else 0.0
    return abs(stated - derived) <= unit * 0.5001


def _apart(stated: float | None, derived: float | None, unit: str) -> tuple[str, str]:
    """Both as people write them, with more digits where the difference would not show."""
    first, second = _shown(stated, unit), _shown(derived, unit)
    if first == second and stated is not None and derived is not None:
        return f"{stated:.9g} {unit}", f"{derived:.9g} {unit}"
    return first, second


def _shown(value: float | None, unit: str) -> str:
    return "no bound" if value is None else format_quantity(value, unit)


def _of_figures(name: str, latency: Latency, histogram: Distribution, show: Show) -> Iterator[Finding]:
    for p, figure in latency.percentiles:
        allowed = _ranks(histogram, p / 100)
        if not _within(figure, allowed, latency.bin_ratio):
            yield _excluded(name, name_of(p), figure, allowed, histogram.n, show)
    if latency.mean is not None:
        allowed = facts.mean_of(histogram)
        if not _within(latency.mean, allowed.widened((latency.quantum_ns or 0.0) / 2), None):
            yield _excluded(name, "mean", latency.mean, allowed, histogram.n, show)
    edges = (("min", latency.minimum, _first(histogram)), ("max", latency.maximum, _last(histogram)))
    for what, extreme, allowed in edges:
        if extreme is not None and not _within(extreme, allowed, latency.bin_ratio):
            yield _excluded(name, what, extreme, allowed, histogram.n, show)


def _ranks(histogram: Distribution, q: float) -> Range:
    """Values from the rank below ⌈q·n⌉ to the rank above it, by the outer edges of their bins."""
    rank = histogram.rank(q)
    low, _ = histogram.edges(histogram.bin_of_rank(max(1, rank - 1)))
    _, high = histogram.edges(histogram.bin_of_rank(min(histogram.n, rank + 1)))
    return Range(low, high)


def _first(histogram: Distribution) -> Range:
    return Range(*histogram.edges(0)) if histogram.minimum is None else Range.exact(histogram.minimum)


def _last(histogram: Distribution) -> Range:
    return Range(*histogram.edges(-1)) if histogram.maximum is None else Range.exact(histogram.maximum)


def _within(figure: Figure, allowed: Range, bin_ratio: float | None) -> bool:
    """Does `figure` lie in `allowed`, to its last digit, its bin and the whole nanoseconds that histograms hold?"""
    if not math.isfinite(figure.value):
        return True
    slack = (bin_ratio or 0.0) * abs(figure.value) + 1.0
    return allowed.low - slack <= figure.high and figure.low <= allowed.high + slack


def _excluded(name: str, what: str, figure: Figure, allowed: Range, n: int, show: Show) -> Finding:
    return invalid(
        CODE,
        f"{name}: {what} is printed as {show(figure)}; the histogram of {count(n)} values puts it at {show(allowed)}.",
        f"{what} {show(figure)}",
        show(allowed),
    )


def _histogram_of(holder: object) -> tuple[Distribution, int] | None:
    """The histogram that a time series must agree with, and operations per value of it."""
    if isinstance(holder, Measurement):
        latency = facts.headline(holder)
    else:
        latency = getattr(holder, "response", None) or getattr(holder, "service", None)
    if latency is None or latency.histogram is None or not latency.histogram.n or latency.window_ns is not None:
        return None
    return latency.histogram, latency.batch


def _of_columns(
    name: str, intervals: Intervals, histogram: Distribution, batch: int, *, exact: bool
) -> Iterator[Finding]:
    if exact and intervals.total_ns and histogram.total_ns is not None:
        total, stated = sum(intervals.total_ns), histogram.total_ns * batch
        if abs(total - stated) > batch / 2:
            yield _column(name, "the latencies of all intervals add up to", total, "the histogram's to", stated)
    if exact and intervals.maximum_ns and histogram.maximum is not None:
        top = max(intervals.maximum_ns)
        if top != histogram.maximum:
            yield _column(name, "the largest interval maximum is", top, "the histogram's", histogram.maximum)


def _column(name: str, what: str, observed: float, other: str, expected: float) -> Finding:
    first, second = _apart(observed, expected, "ns")
    return invalid(CODE, f"{name}{what} {first}, {other} {second}.", first, second)
