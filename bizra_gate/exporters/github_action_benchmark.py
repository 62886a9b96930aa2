"""github-action-benchmark's custom JSON: points with name, unit and value.

One file has one direction, given in the workflow: this one is for ``customSmallerIsBetter`` (times, errors), the other
for ``customBiggerIsBetter`` (rates). ``range`` is half the width of the interval.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UsageError
from ..model import Measurement, Metric
from ..model.metric import Better
from .counted import label

_UNITS = {"1/s": "ops/s", "1": "operations"}
_LEFT_OUT = ("operations",)
"""More operations in the same file of numbers would read as an improvement."""


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """Points of which less is better; raises `UsageError` where there is none."""
    return _document(measurement, metrics, "lower")


def render_bigger(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """Points of which more is better; raises `UsageError` where there is none."""
    return _document(measurement, metrics, "higher")


def _document(measurement: Measurement, metrics: Mapping[str, Metric], better: Better) -> str:
    name = label(measurement)
    points = list(_points(name, metrics, better))
    if not points:
        raise UsageError(f"{name}: has no metric of which {'less' if better == 'lower' else 'more'} is better")
    return json.dumps(points, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _points(name: str, metrics: Mapping[str, Metric], better: Better) -> Iterator[dict[str, Any]]:
    for key in sorted(metrics):
        metric = metrics[key]
        family = key.partition(".")[0]
        if metric.better != better or metric.estimate is None or key in _LEFT_OUT or family in ("service", "response"):
            continue
        point: dict[str, Any] = {
            "name": f"{name} {key}",
            "unit": _UNITS.get(metric.unit, metric.unit),
            "value": metric.estimate,
        }
        low, high = metric.interval or (None, None)
        if low is not None and high is not None:
            point["range"] = f"± {max(metric.estimate - low, high - metric.estimate):.6g}"
        notes = [f"n = {metric.n:,}" if metric.n is not None else "", metric.method or ""]
        point["extra"] = "\n".join(note for note in notes if note)
        yield point
