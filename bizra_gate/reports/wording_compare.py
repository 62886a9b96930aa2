"""The words of `compare` in every format."""

from __future__ import annotations

from collections import Counter

from ..model import Metric
from .inputs import WORST_COMPARE, ComparedMetric, Comparison
from .wording import known, quantity

COMPARE_WORDS = {"better": "better", "worse": "worse", "same": "same", "undecided": "can't tell"}


def compared(comparison: Comparison) -> str:
    """``head.json against base.json: 1 worse, 1 same``."""
    counts = Counter(row.verdict for pair in comparison.pairs for row in pair.rows)
    said = ", ".join(f"{counts[verdict]} {COMPARE_WORDS[verdict]}" for verdict in WORST_COMPARE if counts[verdict])
    gone = f"{', ' if said else ''}{len(comparison.gone)} gone" if comparison.gone else ""
    return f"{comparison.head} against {comparison.base}: {f'{said}{gone}' or 'nothing to compare'}"


def margin(comparison: Comparison) -> str:
    """What counts as the same, and how sure a verdict is."""
    return (
        f"up to {quantity(comparison.margin, 'ratio')} worse counts as the same · "
        f"intervals at {comparison.confidence * 100:g} % · base and head are means over their processes, n of them"
    )


def compared_cell(metric: Metric | None) -> str:
    """The estimate with the half-width of its interval: ``1.1 ms ±2%``."""
    if metric is None or metric.estimate is None:
        return "—"
    said = quantity(metric.estimate, metric.unit)
    if metric.interval is None or None in metric.interval or not metric.estimate:
        return said
    low, high = (side or 0.0 for side in metric.interval)
    return f"{said} ±{abs(high - low) / 2 / abs(metric.estimate) * 100:.0f}%"


def ratio(row: ComparedMetric) -> str:
    """``+20% [+15, +26]``: the change of head against base."""
    if row.ratio is None:
        return "—"
    sides = (row.low, row.ratio, row.high)
    digits = 0 if len({_change(side, 0) for side in sides}) == len(sides) else 1
    low, middle, high = (_change(side, digits) if known(side) else "unbounded" for side in sides)
    return f"{middle}% [{low}, {high}]"


def _change(value: float | None, digits: int) -> str:
    """The change in per cent; below 10 with a digit after the point, above with `digits`."""
    percent = ((value or 0.0) - 1) * 100
    return f"{percent:+.{digits}f}" if abs(percent) >= 10 else f"{percent:+.1f}"


def processes(row: ComparedMetric) -> str:
    """``10+10``: processes of base and head."""
    return f"{row.base_runs or '—'}+{row.head_runs or '—'}"


def compare_reason(row: ComparedMetric) -> str:
    """Why, and how many more processes would decide it."""
    n = row.needed_runs if row.verdict == "undecided" else None
    more = f"about {n} more run{'s' * (n != 1)} of each would decide it" if n else ""
    return "; ".join(part for part in (row.reason, more) if part)
