"""`history` as `bizra-gate/history/v1`: every version, whether it counts, and where the level changed."""

from __future__ import annotations

from typing import Any

from .json import interval, number, text
from .trend import History, Trend, TrendPoint, TrendShift, advice

SCHEMA = "bizra-gate/history/v1"


def render(history: History) -> str:
    """The history as JSON text; null is not measured or unbounded."""
    return text(
        {
            "schema": SCHEMA,
            "gate": history.gate,
            "file": history.file,
            "notes": list(history.notes),
            "trends": [_trend(trend) for trend in history.trends],
        }
    )


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "metric": trend.metric,
        "unit": trend.unit,
        "better": trend.better,
        "artifact": trend.artifact,
        "points": [_point(point) for point in trend.points],
        "changes": [_shift(shift) for shift in trend.shifts],
        "advice": advice(trend),
    }


def _point(point: TrendPoint) -> dict[str, Any]:
    return {
        "commit": point.commit,
        "finished_at": point.finished_at,
        "estimate": number(point.estimate),
        "interval": interval(point.interval),
        "n": point.n,
        "used": point.left_out is None,
        "left_out": point.left_out,
    }


def _shift(shift: TrendShift) -> dict[str, Any]:
    return {
        "commit": shift.point.commit,
        "finished_at": shift.point.finished_at,
        "direction": shift.direction,
        "before": number(shift.before),
        "after": number(shift.after),
        "ratio": number(shift.ratio),
        "p_value": number(shift.p_value),
    }
