"""OpenMetrics text (openmetrics.io, 1.0): a gauge per metric with its interval, and the latencies as a histogram.

Times are in seconds, as the format asks. A bucket counts the values that certainly lie at or below its edge: a bin
that straddles the edge counts to the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import UsageError
from ..model import Distribution, Measurement, Metric
from .counted import headline, label

PREFIX = "bizra_gate"
_UNITS: dict[str, tuple[str, float]] = {
    "ns": ("seconds", 1e-9), "B": ("bytes", 1.0), "ratio": ("ratio", 1.0), "1/s": ("per_second", 1.0), "1": ("", 1.0),
}  # fmt: skip
_STEPS = (1, 2, 5)


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """The exposition; raises `UsageError` where there is no metric."""
    if not metrics:
        raise UsageError(f"{label(measurement)}: has no metric to export")
    return "".join(f"{line}\n" for line in (*_info(measurement), *_gauges(measurement, metrics),
                                            *_histogram(measurement), "# EOF"))  # fmt: skip


def _labels(**pairs: str) -> str:
    escaped = {
        key: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\r", " ")
        for key, value in pairs.items()
    }
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped.items()) + "}"


def _info(measurement: Measurement) -> Iterator[str]:
    source = measurement.source
    yield f"# TYPE {PREFIX}_measurement info"
    yield f"# HELP {PREFIX}_measurement Who measured what."
    labels = _labels(benchmark=label(measurement), tool=source.tool, version=source.version or "")
    yield f"{PREFIX}_measurement_info{labels} 1"


def _gauges(measurement: Measurement, metrics: Mapping[str, Metric]) -> Iterator[str]:
    """One family per metric, its samples labelled ``estimate``, ``low`` and ``high``; open sides are left out."""
    for name in sorted(metrics):
        metric = metrics[name]
        unit, factor = _UNITS.get(metric.unit, ("", 1.0))
        low, high = metric.interval or (None, None)
        samples = [("estimate", metric.estimate), ("low", low), ("high", high)]
        family = _family(name, unit)
        yield f"# TYPE {family} gauge"
        if unit:
            yield f"# UNIT {family} {unit}"
        yield f"# HELP {family} {name}, interval at {metric.confidence:g}."
        for bound, value in samples:
            if value is not None:
                yield f"{family}{_labels(benchmark=label(measurement), bound=bound)} {_number(value * factor)}"


def _family(name: str, unit: str) -> str:
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", f"{PREFIX}_{name}")
    return plain if not unit or plain.endswith(f"_{unit}") else f"{plain}_{unit}"


def _histogram(measurement: Measurement) -> Iterator[str]:
    latency = headline(measurement)
    if latency is None or latency.histogram is None or not latency.histogram.n or latency.batch > 1:
        return
    values, family, name = latency.histogram, f"{PREFIX}_latencies_seconds", label(measurement)
    yield f"# TYPE {family} histogram"
    yield f"# UNIT {family} seconds"
    yield f"# HELP {family} Latencies of single operations."
    for edge_ns in _edges(values):
        below = sum(count for high, count in zip(values.high, values.count, strict=True) if high <= edge_ns)
        yield f"{family}_bucket{_labels(benchmark=name, le=_number(edge_ns / 1e9))} {below}"
    yield f"{family}_bucket{_labels(benchmark=name, le='+Inf')} {values.n}"
    yield f"{family}_count{_labels(benchmark=name)} {values.n}"
    yield f"{family}_sum{_labels(benchmark=name)} {_number((values.mean or 0.0) * values.n / 1e9)}"


def _edges(values: Distribution) -> list[int]:
    """1, 2, 5, 10 … ns from below the smallest value to above the largest."""
    most, least = values.high[-1], max(1, values.low[0])
    grid = [step * 10**power for power in range(len(str(most)) + 1) for step in _STEPS]
    first = max((edge for edge in grid if edge <= least), default=grid[0])
    last = min(edge for edge in grid if edge >= most)
    return [edge for edge in grid if first <= edge <= last]


def _number(value: float) -> str:
    return repr(float(value))
