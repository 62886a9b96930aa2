"""Measurements whose every operation was a process of its own (hyperfine): each time is the value of a process.

A process of one operation has a mean, which is its time, and a rate. It has no percentile of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, repeat

from ..model import Distribution, Latency, Measurement, Metric
from ..units import NS_PER_S

MOST = 100_000
"""Beyond this many processes none is set apart: nobody started so many, and a file can say that it was any number."""


def of_processes(whole: Measurement, headline: Latency | None, metrics: Iterable[Metric]) -> Iterator[Metric]:
    """`metrics` of `whole`, those that a single operation has with one value for each process."""
    times = _times(whole, headline)
    failed = sum((whole.errors or {}).values())
    values: dict[str, Callable[[], list[float]]] = {
        "latency.mean": lambda: times,
        "throughput": lambda: [] if failed else [NS_PER_S / time for time in times if time],
        "error_rate": lambda: [1.0] * failed + [0.0] * (len(times) - failed),
    }
    for metric in metrics:
        own = values[metric.name]() if times and metric.name in values and not metric.process_values else []
        yield replace(metric, process_values=tuple(own)) if own else metric


def _times(whole: Measurement, headline: Latency | None) -> list[float]:
    """The time of each process in ns; empty where they are not known one by one."""
    counted = headline.histogram if headline is not None and whole.process_each else None
    if counted is None or counted.n > MOST or not _exact(counted):
        return []
    return [float(time) for time in chain.from_iterable(map(repeat, counted.low, counted.count))]


def _exact(counted: Distribution) -> bool:
    return counted.low == counted.high
