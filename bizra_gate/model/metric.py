"""The names, units and directions of what can be gated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from .quick import quick

Better = Literal["lower", "higher", "neither"]

LATENCY_FAMILIES = ("latency", "service", "response", "delay")
LATENCY_STATISTICS = ("min", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max")


@dataclass(frozen=True, slots=True)
class MetricKind:
    """What a metric's name says before anything is measured."""

    name: str
    unit: str
    """Base unit, a key of `units.DIMENSIONS`."""
    better: Better


@quick
@dataclass(frozen=True, slots=True)
class Metric:
    """A figure with what it rests on. `interval` sides that do not exist are None (unbounded)."""

    name: str
    unit: str
    better: Better
    estimate: float | None
    interval: tuple[float | None, float | None] | None = None
    confidence: float = 0.95
    n: int | None = None
    method: str | None = None
    """How the interval was made, e.g. ``order statistics, effective n 9,120``."""
    process_values: tuple[float, ...] = ()
    """One value per process, for comparisons."""
    resolution: float = 0.0
    """Width of the last digit that another tool printed or recorded, in `unit`; the true figure lies within half of it.
    """
    effective_n: float | None = None
    """Independent values that `n` which hang together are worth; None where they are taken as independent."""


def slack_of(*sides: Metric) -> float:
    """How far the ratio of two `sides` may be off, as a logarithm, because either is known to its last digit only."""
    coarse = [side for side in sides if side.resolution and side.process_values and min(side.process_values) > 0]
    return math.log1p(sum(side.resolution / 2 / min(side.process_values) for side in coarse))


_FIXED = {
    "throughput": MetricKind("throughput", "1/s", "higher"),
    "error_rate": MetricKind("error_rate", "ratio", "lower"),
    "concurrency.mean": MetricKind("concurrency.mean", "1", "neither"),
    "rate.achieved": MetricKind("rate.achieved", "1/s", "higher"),
    "cpu.per_op": MetricKind("cpu.per_op", "ns", "lower"),
    "memory.peak": MetricKind("memory.peak", "B", "lower"),
    "operations": MetricKind("operations", "1", "higher"),
}
_OUTCOME = re.compile(r"outcome\.[A-Za-z0-9_\-./]+\.ratio")
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,4})?)")


def kind_of(name: str) -> MetricKind | None:
    """The kind of benchmark metric `name`, or None where no such metric exists."""
    if name in _FIXED:
        return _FIXED[name]
    family, _, statistic = name.partition(".")
    if family in LATENCY_FAMILIES and (statistic in LATENCY_STATISTICS or percentile_of(statistic) is not None):
        return MetricKind(name, "ns", "lower")
    if _OUTCOME.fullmatch(name):
        return MetricKind(name, "ratio", "neither")
    return None


def percentile_of(statistic: str) -> float | None:
    """``p99.9`` → 99.9; None where `statistic` is not a percentile strictly between 0 and 100."""
    match = _PERCENTILE.fullmatch(statistic)
    if match is None:
        return None
    value = float(match[1])
    return value if 0 < value < 100 else None


def benchmark_metric_names() -> tuple[str, ...]:
    """Every fixed name, for messages and "did you mean"."""
    latencies = tuple(f"{family}.{stat}" for family in LATENCY_FAMILIES for stat in LATENCY_STATISTICS)
    return (*_FIXED, *latencies)
