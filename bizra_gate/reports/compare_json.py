"""`compare` as `bizra-gate/compare/v1`, in the manner of the other reports: null is not measured or unbounded."""

from __future__ import annotations

from typing import Any

from ..model import Metric
from .inputs import ComparedMetric, ComparedPair, Comparison
from .json import interval, number, text

SCHEMA = "bizra-gate/compare/v1"


def render(compared: Comparison) -> str:
    """The comparison as JSON text."""
    return text(
        {
            "schema": SCHEMA,
            "verdict": compared.verdict,
            "base": compared.base,
            "head": compared.head,
            "margin": number(compared.margin),
            "confidence": number(compared.confidence),
            "signatures": compared.signatures or None,
            "notes": list(compared.notes),
            "pairs": [_pair(pair) for pair in compared.pairs],
        }
    )


def _pair(pair: ComparedPair) -> dict[str, Any]:
    return {
        "name": pair.name,
        "base_audit": None if pair.base_audit is None else pair.base_audit.verdict,
        "head_audit": None if pair.head_audit is None else pair.head_audit.verdict,
        "notes": list(pair.notes),
        "metrics": [_row(row) for row in pair.rows],
    }


def _row(row: ComparedMetric) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "unit": row.unit,
        "verdict": row.verdict,
        "ratio": number(row.ratio),
        "interval": None if row.ratio is None else interval((row.low, row.high)),
        "base": _side(row.base, row.base_runs),
        "head": _side(row.head, row.head_runs),
        "needed_runs": row.needed_runs,
        "reason": row.reason,
    }


def _side(metric: Metric | None, runs: int | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    return {"estimate": number(metric.estimate), "interval": interval(metric.interval), "n": metric.n, "runs": runs}
