"""Metrics of tools that keep values (ns per operation, several a process) instead of operations.

Each value is the mean of a batch, so they support min, mean and median, and no tail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..model import Metric, Run
from .processes import joined
from .quantiles import Interval, order_statistic_ranks
from .series import batch_means_interval

_TEXT = "batch means (values per operation as the tool kept them)"


def metrics_of(runs: Sequence[Run], confidence: float) -> list[Metric]:
    """``latency.min``, ``.mean`` and ``.p50`` of the values of `runs`.

    Nothing where one of them is not a number: a mean that leaves it out would hide it.
    """
    processes = [run.values for run in runs if run.values]
    ordered = sorted(value for process in processes for value in process)
    if not ordered or not all(map(math.isfinite, ordered)):
        return []
    n = len(ordered)
    return [
        Metric("latency.min", "ns", "lower", ordered[0], None, confidence, n, _TEXT),
        _mean(processes, n, confidence),
        _median(processes, ordered, confidence),
    ]


def throughput_of(runs: Sequence[Run], estimate: float, n: int | None, confidence: float) -> Metric:
    """A benchmark's loop does nothing but its operation, so its rate is as uncertain as its mean time, upside down."""
    mean = next((metric for metric in metrics_of(runs, confidence) if metric.name == "latency.mean"), None)
    if mean is None or not mean.estimate:
        method = "no interval: values without a mean"
        return Metric("throughput", "1/s", "higher", estimate, None, confidence, n, method)
    low, high = mean.interval or (None, None)
    product = estimate * mean.estimate
    interval = (product / high if high else None, product / low if low else None)
    values = tuple(product / value for value in mean.process_values if value)
    return Metric("throughput", "1/s", "higher", estimate, interval, confidence, n, "as latency.mean", values)


def _mean(processes: Sequence[Sequence[float]], n: int, confidence: float) -> Metric:
    """Mean of the means of processes; of a single process, batch means over its values in their order."""
    means = [math.fsum(process) / len(process) for process in processes]
    estimate = math.fsum(means) / len(means)
    interval: Interval
    if len(means) > 1:
        interval = joined((estimate, estimate), estimate, means, confidence)
        method = f"Student's t over {len(means)} processes"
    else:
        found = batch_means_interval(processes[0], None, confidence)
        interval = (None if found.low is None else max(0.0, found.low), found.high)
        method = f"one process: {found.batches} batches of its values, lag-1 {found.lag1:.2f}"
    return Metric("latency.mean", "ns", "lower", estimate, interval, confidence, n, f"{_TEXT}; {method}", tuple(means))


def _median(processes: Sequence[Sequence[float]], ordered: Sequence[float], confidence: float) -> Metric:
    """Ceil-rank median of all values."""
    lower, upper = order_statistic_ranks(len(ordered), 0.5, confidence)
    within = (None if lower is None else ordered[lower - 1], None if upper is None else ordered[upper - 1])
    medians = [sorted(process)[(len(process) - 1) // 2] for process in processes]
    median = ordered[(len(ordered) - 1) // 2]
    interval = joined(within, median, medians, confidence)
    method = f"{_TEXT}; order statistics"
    return Metric("latency.p50", "ns", "lower", median, interval, confidence, len(ordered), method, tuple(medians))
