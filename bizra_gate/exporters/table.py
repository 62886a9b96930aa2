"""CSV: one row per metric with its interval, in base units."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from ..model import Measurement, Metric

HEADER = ("metric", "unit", "better", "estimate", "low", "high", "confidence", "n", "method")


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """A cell is empty where a side of an interval is open, or where there is no figure: absent is not 0."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for name in sorted(metrics):
        metric = metrics[name]
        low, high = metric.interval or (None, None)
        writer.writerow(
            [name, metric.unit, metric.better, *(_cell(value) for value in (metric.estimate, low, high)),
             _cell(metric.confidence), _cell(metric.n), metric.method or ""]
        )  # fmt: skip
    return out.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)
