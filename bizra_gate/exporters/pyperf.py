"""pyperf's JSON, version 1.0: a run is a process, its values are seconds per operation.

Where a tool kept values, those; where it kept single operations, the mean of each process, for that is what pyperf
compares. ``loops`` is how many operations a value spanned.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UsageError
from ..model import Latency, Measurement, Metric, Run
from .counted import headline, label


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """The document; raises `UsageError` where no mean time of an operation is known, or it is not above zero."""
    runs = list(_runs(measurement, metrics))
    if not runs:
        raise UsageError(f"{label(measurement)}: has no time per operation, so there is no value for pyperf")
    if any(not value > 0 for run in runs for value in run["values"]):
        raise UsageError(f"{label(measurement)}: an operation of no time at all; pyperf takes times above zero only")
    latency = headline(measurement)
    metadata: dict[str, Any] = {"name": label(measurement), "unit": "second", "loops": _loops(latency)}
    metadata |= {key: text for key, text in _environment(measurement) if text}
    document = {"version": "1.0", "metadata": metadata, "benchmarks": [{"runs": runs}]}
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _loops(latency: Latency | None) -> int:
    return latency.batch if latency is not None else 1


def _runs(measurement: Measurement, metrics: Mapping[str, Metric]) -> Iterator[dict[str, Any]]:
    for run in measurement.runs:
        values = [value / 1e9 for value in run.values] or _mean_of(run, measurement.loop == "open")
        if values and all(map(math.isfinite, values)):
            yield {"values": values, "metadata": {"duration": run.duration_ns / 1e9} if run.duration_ns else {}}
    mean = metrics.get("latency.mean")
    if not any(run.values or run.service or run.response for run in measurement.runs) and mean is not None:
        yield {"values": [(mean.estimate or 0.0) / 1e9]}


def _mean_of(run: Run, is_open: bool) -> list[float]:
    latency = (run.response or run.service) if is_open else (run.service or run.response)
    mean = latency.histogram.mean if latency is not None and latency.histogram is not None else None
    return [] if mean is None else [mean / 1e9]


def _environment(measurement: Measurement) -> Iterator[tuple[str, str | None]]:
    """What pyperf calls by its own names, and who measured."""
    source, environment = measurement.source, measurement.environment
    yield "measured_by", " ".join(part for part in (source.tool, source.version) if part)
    if environment is not None:
        yield "cpu_model_name", environment.cpu_model
        yield "python_version", environment.python
        yield "python_implementation", environment.implementation
        yield "platform", environment.system
