"""Bencher Metric Format: benchmark → measure → value with the ends of its interval.

``latency`` is the mean in ns and ``throughput`` operations per second, the units that Bencher gives those names;
percentiles are measures of their own, ``latency-p99``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ..errors import UsageError
from ..model import Measurement, Metric
from .counted import label

_FIXED = {"latency.mean": "latency", "throughput": "throughput", "error_rate": "error-rate", "memory.peak": "memory",
          "cpu.per_op": "cpu"}  # fmt: skip


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """The document; raises `UsageError` where there is no metric."""
    measures = dict(_measures(metrics))
    if not measures:
        raise UsageError(f"{label(measurement)}: has no metric to export")
    return json.dumps({label(measurement): measures}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _measures(metrics: Mapping[str, Metric]) -> Iterator[tuple[str, dict[str, float]]]:
    for name in sorted(metrics):
        metric, measure = metrics[name], _measure(name)
        if measure is None or metric.estimate is None:
            continue
        low, high = metric.interval or (None, None)
        sides = {"lower_value": low, "upper_value": high}
        yield measure, {"value": metric.estimate} | {key: side for key, side in sides.items() if side is not None}


def _measure(name: str) -> str | None:
    """``latency.p99.9`` → ``latency-p99-9``."""
    family, _, statistic = name.partition(".")
    if family == "latency" and statistic.startswith("p"):
        return f"latency-{statistic.replace('.', '-')}"
    return _FIXED.get(name)
