"""HdrHistogram's percentile table, values in milliseconds: one row per occupied bin, so that no count is lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..model import Distribution, Measurement, Metric
from .counted import whole

NS_PER_MS = 1e6


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """The table; raises `UsageError` where the measurement holds no histogram of single operations."""
    return "".join(f"{line}\n" for line in _lines(whole(measurement)))


def _lines(values: Distribution) -> Iterator[str]:
    yield f"{'Value':>16} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>16}"
    yield ""
    for high, below in zip(values.high, values.cumulative, strict=True):
        shown = min(high, values.maximum) if values.maximum is not None else high
        share = below / values.n
        last = f" {1 / (1 - share):16.2f}" if below < values.n else ""
        yield f"{shown / NS_PER_MS:16.6f} {share:2.12f} {below:10d}{last}"
    most = values.maximum if values.maximum is not None else values.high[-1]
    yield f"#[Mean    = {(values.mean or 0) / NS_PER_MS:12.6f}, StdDeviation   = {_stdev(values) / NS_PER_MS:12.6f}]"
    yield f"#[Max     = {most / NS_PER_MS:12.6f}, Total count    = {values.n:12d}]"
    yield f"#[Buckets = {len(values.high):12d}, SubBuckets     = {0:12d}]"


def _stdev(values: Distribution) -> float:
    """From the middles of the bins around the exact mean, ns."""
    mean = values.mean or 0.0
    rows = zip(values.low, values.high, values.count, strict=True)
    return math.sqrt(math.fsum(((low + high) / 2 - mean) ** 2 * n for low, high, n in rows) / values.n)
