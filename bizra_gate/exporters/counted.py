"""The histograms of a measurement, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import UsageError
from ..model import Distribution, Latency, Measurement, Run
from ..stats import histogram
from ..stats.layout import DEFAULT, Layout

KINDS = ("response", "service", "delay")


@dataclass(frozen=True, slots=True)
class Part:
    """One histogram of one run: its kind (``response`` …), the run's number, and the stretch that it covers."""

    kind: str
    run: int
    start_ns: int
    length_ns: int
    values: Distribution


def label(measurement: Measurement) -> str:
    """What dashboards should call it: its name, or else its target, or else the tool that measured."""
    target = measurement.plan.target if measurement.plan is not None else None
    return measurement.name or target or measurement.source.tool


def headline(measurement: Measurement) -> Latency | None:
    """Response time in an open loop, service time in a closed one, or what another tool calls latency."""
    if measurement.latency is not None:
        return measurement.latency
    first, second = measurement.service, measurement.response
    if measurement.loop == "open":
        first, second = second, first
    return first if first is not None else second


def whole(measurement: Measurement) -> Distribution:
    """The counts behind the headline; raises `UsageError` where there are none of single operations."""
    latency = headline(measurement)
    if latency is None or latency.histogram is None or not latency.histogram.n:
        raise UsageError(
            f"{label(measurement)}: keeps no histogram of its latencies, so none can be exported",
            hint="figures and kept values export as csv, pyperf, openmetrics, bencher or github-action-benchmark",
        )
    if latency.batch > 1:
        raise UsageError(
            f"{label(measurement)}: each value is the mean of {latency.batch:,} operations; "
            "in a histogram of latencies it would pass for one",
            hint="means export as csv, pyperf, openmetrics, bencher or github-action-benchmark",
        )
    return latency.histogram


def parts(measurement: Measurement) -> list[Part]:
    """Every histogram of every run, in the order of the runs; raises `UsageError` as `whole` does."""
    counts = whole(measurement)
    found = [part for run, start in _starts(measurement.runs) for part in _of_run(run, start)]
    if found:
        return found
    length = measurement.duration_ns.value if measurement.duration_ns is not None else 0.0
    return [Part("latency", 0, 0, round(length), counts)]


def _starts(runs: tuple[Run, ...]) -> Iterator[tuple[Run, int]]:
    """Each run with the offset at which it begins when the runs are laid end to end."""
    start = 0
    for run in runs:
        yield run, start
        start += run.duration_ns or 0


def _of_run(run: Run, start_ns: int) -> Iterator[Part]:
    for kind in KINDS:
        latency: Latency | None = getattr(run, kind)
        if latency is not None and latency.histogram is not None and latency.histogram.n:
            yield Part(kind, run.index, start_ns, run.duration_ns or 0, latency.histogram)


def as_hdr(values: Distribution) -> tuple[Distribution, Layout]:
    """`values` in bins of an HDR layout: as they are, or by the upper edge of bins that fit into none.

    An upper edge makes nothing look faster than it was; the shift is at most the width of the bin it came from.
    """
    if histogram.is_hdr(values):
        return values, DEFAULT
    layout = DEFAULT if values.high[-1] <= DEFAULT.highest else Layout(1, 2 * values.high[-1], DEFAULT.digits)
    counts: dict[int, int] = {}
    for high, count in zip(values.high, values.count, strict=True):
        index = layout.index(max(0, high))
        counts[index] = counts.get(index, 0) + count
    edges = [layout.edges(index) for index in sorted(counts)]
    low, high_edges = zip(*edges, strict=True)
    return Distribution(low, high_edges, tuple(counts[index] for index in sorted(counts))), layout
