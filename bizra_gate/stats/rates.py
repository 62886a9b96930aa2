"""Rates of one run: what ended in its window, and how steadily."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..model import Intervals, Latency, Run
from ..units import NS_PER_S
from .dependence import full_rows
from .quantiles import Interval
from .series import batch_means_interval


def is_timeout(kind: str) -> bool:
    """Whether an error of this class is a timeout, by the names that tools give it."""
    return "timeout" in kind.lower() or "timed out" in kind.lower()


def timeouts(errors: Mapping[str, int] | None) -> int:
    """Errors that are timeouts."""
    return sum(count for kind, count in (errors or {}).items() if is_timeout(kind))


def throughput_per_s(run: Run) -> float | None:
    """Successful operations that ended in the window, by the window's length; None where a fact is missing.

    Those of the counted population that ended in the drain are taken off, those that were carried in are added.
    """
    if run.operations is None or not run.duration_ns:
        return None
    ended = run.operations - _drained(run)
    if run.in_flight is not None:
        ended += run.in_flight.carried_in_count
    return ended / run.duration_ns * NS_PER_S


def completed_per_s(run: Run) -> float | None:
    """Operations that ended in the window, well or not, by the window's length."""
    succeeded = throughput_per_s(run)
    if succeeded is None or not run.duration_ns:
        return None
    return succeeded + _errors_inside(run) / run.duration_ns * NS_PER_S


def throughput_interval(run: Run, estimate: float, confidence: float) -> tuple[Interval, str]:
    """Batch means of the counts per interval, laid around `estimate`.

    Where an operation stays for the whole window or longer, what ended in it was carried in and stands in no interval
    of the counted load: a row of zeros would say that nothing varies.
    """
    stay = residence_ns(run)
    if stay is not None and run.duration_ns and stay >= run.duration_ns:
        return (None, None), "operations stay longer than the window"
    series = rate_series(run.intervals, run.duration_ns, stay, run.errors) if run.intervals else []
    if len(series) < 2:
        return (None, None), "a single interval"
    found = batch_means_interval(series, None, confidence)
    if found.low is None or found.high is None:
        return (None, None), "a single batch"
    half = (found.high - found.low) / 2
    text = f"counts of {found.batches} batches, lag-1 {found.lag1:.2f}"
    return (max(0.0, estimate - half), estimate + half), text


def rate_series(
    intervals: Intervals,
    window_ns: float | None,
    residence: float | None = None,
    errors: Mapping[str, int] | None = None,
) -> list[float]:
    """Successful operations per second in each whole interval of the window, after the flow has filled."""
    share = _timeout_share(errors)
    rows = full_rows(intervals, window_ns, residence)
    if not share:
        return [n / intervals.length_ns * NS_PER_S for n in intervals.count[rows.start : rows.stop]]
    return [_successes(intervals, row, share) / intervals.length_ns * NS_PER_S for row in rows]


def residence_ns(run: Run) -> float | None:
    """Mean time that an operation stays, from its headline latency."""
    latency: Latency | None = run.response or run.service
    return latency.histogram.mean if latency is not None and latency.histogram is not None else None


def _drained(run: Run) -> float:
    """Successes that ended after the window."""
    if run.intervals is None or run.duration_ns is None:
        return 0.0
    starts = run.intervals.start_ns
    if not starts or max(starts) < run.duration_ns:
        return 0.0
    share = _timeout_share(run.errors)
    late = [row for row, start in enumerate(starts) if start >= run.duration_ns]
    return math.fsum(_successes(run.intervals, row, share) for row in late)


def _errors_inside(run: Run) -> float:
    if run.intervals is None or not run.intervals.errors or run.duration_ns is None:
        return float(sum((run.errors or {}).values()))
    rows = zip(run.intervals.start_ns, run.intervals.errors, strict=True)
    return float(sum(errors for start, errors in rows if start < run.duration_ns))


def _timeout_share(errors: Mapping[str, int] | None) -> float:
    """Share of the errors that are timeouts: those stand in an interval's count and in its errors."""
    total = sum((errors or {}).values())
    return timeouts(errors) / total if total else 0.0


def _successes(intervals: Intervals, row: int, timeout_share: float) -> float:
    """Successes in one row; exact where all errors are timeouts, or none, else timeouts are spread evenly."""
    failed = intervals.errors[row] if intervals.errors else 0
    return max(0.0, intervals.count[row] - failed * timeout_share)
