"""What follows from a measurement before any rule looks: populations, windows, means and rates, as ranges.

Nothing here judges. A fact that the source does not give is None, and a rule that needs it is not applicable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..model import Distribution, Figure, Intervals, Latency, Measurement, Run
from ..stats.recent import Recent
from .ranges import Range, is_number

KINDS = ("latency", "service", "response", "delay", "failed")


def own(measurement: Measurement) -> bool:
    """Did our own recorder make it? Then counts must agree exactly, and nothing was rounded on the way."""
    return not measurement.source.foreign


def headline(measurement: Measurement) -> Latency | None:
    """The latency that people read: response time in an open loop, service time in a closed one."""
    if measurement.latency is not None:
        return measurement.latency
    first, second = measurement.response, measurement.service
    if measurement.loop != "open":
        first, second = second, first
    return first if first is not None else second


def latencies(measurement: Measurement) -> tuple[tuple[str, Latency], ...]:
    """Every latency distribution once, by name; those of single runs as ``run 2: service``."""
    return _recent.answer((measurement,), None, lambda: tuple(_latencies(measurement)))


_recent = Recent[tuple[tuple[str, Latency], ...]]()
"""The last answers of `latencies`: a dozen rules ask for those of the same measurement."""


def _latencies(measurement: Measurement) -> Iterator[tuple[str, Latency]]:
    seen: set[int] = set()
    holders: list[tuple[str, Measurement | Run]] = [("", measurement)]
    holders += [(f"run {run.index}: ", run) for run in measurement.runs]
    for prefix, holder in holders:
        for kind in KINDS:
            latency = getattr(holder, kind, None)
            if latency is not None and id(latency) not in seen:
                seen.add(id(latency))
                yield prefix + kind, latency


def parts(run: Run) -> Iterator[tuple[str, Latency]]:
    """Every latency distribution of one run of ours, by name: the generator's lag as well."""
    for kind in ("response", "service", "delay", "failed"):
        latency = getattr(run, kind)
        if latency is not None:
            yield kind, latency
    if run.generator is not None and run.generator.lag is not None:
        yield "lag", run.generator.lag


def size(latency: Latency) -> int | None:
    """Operations that a latency distribution stands for."""
    if latency.histogram is not None:
        return latency.histogram.n * latency.batch
    return None if latency.count is None else latency.count * latency.batch


def values(latency: Latency) -> int | None:
    """Recorded values of a latency distribution: operations, or batches of them."""
    return latency.histogram.n if latency.histogram is not None else latency.count


def errors(measurement: Measurement) -> int:
    """Operations that ended in an error, of every class; 0 where none was told of."""
    return sum(measurement.errors.values()) if measurement.errors else 0


def timeouts(measurement: Measurement) -> int:
    """Errors that are timeouts, by any of the names that tools give them."""
    named = (measurement.errors or {}).items()
    return sum(count for kind, count in named if "timeout" in kind.lower() or "timed out" in kind.lower())


def succeeded(measurement: Measurement) -> int | None:
    """Operations that ended well in the counted window."""
    if measurement.operations is None:
        return None
    return measurement.operations - errors(measurement) * measurement.operations_include_errors


def ended(measurement: Measurement) -> int | None:
    """Operations that ended, well or not; where only errors are told of, those."""
    good = succeeded(measurement)
    if good is None:
        return errors(measurement) or None
    return good + errors(measurement)


def timed(measurement: Measurement, latency: Latency) -> Range | None:
    """How many operations `latency` should stand for, from the counts beside it.

    Our own histograms hold successes and timeouts. Elsewhere `includes_errors` tells; where nobody says, anything
    from the successes to all that ended is right.
    """
    good, every = succeeded(measurement), ended(measurement)
    if good is None or every is None:
        return None
    if own(measurement):
        return Range.exact(good + timeouts(measurement))
    if latency.includes_errors is False:
        return Range.exact(good)
    return Range(good, every)


def window_ns(measurement: Measurement, latency: Latency | None = None) -> Range | None:
    """Length of the stretch that the counts (or `latency`) cover, ns; None where it is not told or not finite."""
    figure = measurement.duration_ns
    if latency is not None and latency.window_ns is not None:
        figure = latency.window_ns
    if figure is not None:
        return Range(max(0.0, figure.low), figure.high) if is_number(figure.value) else None
    rate, done = measurement.rate_achieved_per_s, ended(measurement)
    if rate is None or not done or not is_number(rate.value) or rate.low <= 0:
        return None
    return Range.exact(done * 1e9) / Range.of(rate)


def operations_of(measurement: Measurement, latency: Latency) -> Range | None:
    """Operations behind the mean of `latency`: those of its own window, or those that the run counted."""
    counted = size(latency)
    if latency.window_ns is not None or measurement.operations is None or (own(measurement) and counted is not None):
        return None if counted is None else Range.exact(counted)
    return timed(measurement, latency)


def mean_ns(latency: Latency) -> Range | None:
    """The mean as printed, or else from the histogram; its range has the source's quantum in it."""
    if latency.mean is not None:
        if not is_number(latency.mean.value):
            return None
        return Range.of(latency.mean).widened(0.0)
    histogram = latency.histogram
    if histogram is None or histogram.mean is None:
        return None
    return mean_of(histogram).widened((latency.quantum_ns or 0.0) / 2 / latency.batch)


def mean_of(histogram: Distribution) -> Range:
    """Mean of a non-empty histogram: exact where the sum was kept, else between the lower and the upper edges."""
    if histogram.total_ns is not None:
        return Range.exact(histogram.total_ns / histogram.n)
    low, high = histogram.edge_sums
    return Range(low / histogram.n, high / histogram.n)


def stdev_ns(latency: Latency) -> float | None:
    """Standard deviation as printed, or from the middles of the bins."""
    if latency.stdev is not None:
        return latency.stdev.value if is_number(latency.stdev.value) else None
    variance = latency.histogram.variance if latency.histogram is not None else None
    return None if variance is None else math.sqrt(variance)


def maximum_ns(latency: Latency) -> Range | None:
    """The largest value recorded, as printed or as counted."""
    if latency.maximum is not None:
        return Range.of(latency.maximum) if is_number(latency.maximum.value) else None
    histogram = latency.histogram
    if histogram is None or not histogram.n:
        return None
    if histogram.maximum is not None:
        return Range.exact(histogram.maximum)
    return Range(*histogram.edges(-1))


def percentile(latency: Latency, p: float) -> Figure | None:
    """Percentile `p` as printed, or from the histogram with the width of its bin as resolution."""
    for name, figure in latency.percentiles:
        if abs(name - p) < 1e-9:
            return figure if is_number(figure.value) else None
    histogram = latency.histogram
    if histogram is None or not histogram.n:
        return None
    index = histogram.bin_of_rank(histogram.rank(p / 100))
    low, high = histogram.edges(index)
    return Figure(histogram.quantile(p / 100) or 0, high - low)


def residual_ns(latency: Latency, mean: float) -> float:
    """E[W²]/E[W]: mean length of the operation that is under way at a given moment, ns.

    It is longer than the mean, because long operations cover more of the time (the inspection paradox). Without a
    standard deviation that of the exponential distribution is assumed, which gives twice the mean.
    """
    stdev = stdev_ns(latency)
    if mean <= 0:
        return 0.0
    return 2 * mean if stdev is None else (mean * mean + stdev * stdev) / mean


def all_intervals(measurement: Measurement) -> Iterator[tuple[str, Intervals, Run | Measurement]]:
    """Every time series with the run (or the measurement) that it belongs to, by name."""
    if measurement.intervals is not None:
        yield "", measurement.intervals, measurement
    for run in measurement.runs:
        if run.intervals is not None and run.intervals is not measurement.intervals:
            yield f"run {run.index}: ", run.intervals, run


def in_process(measurement: Measurement) -> bool:
    """Is the target called from within the generator's own process, or started by it, rather than asked over a wire?"""
    if measurement.loop == "batch":
        return True
    return measurement.plan is not None and measurement.plan.target.startswith(("py:", "cmd:"))


def whole_rows(intervals: Intervals, duration_ns: float | None) -> range:
    """Indexes of the rows that lie wholly in the counted window.

    A part of a row may come first (a tool that counts by the second of the clock), a part and the drain last.
    """
    begin = sum(1 for start in intervals.start_ns if start < 0)
    if duration_ns is None:
        return range(begin, len(intervals.start_ns))
    return range(begin, sum(1 for start in intervals.start_ns if start + intervals.length_ns <= duration_ns))
