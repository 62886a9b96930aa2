"""The part of coherence that holds our own records against the plan in the same file: what was asked was done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..model import ClosedLoop, Figure, Finding, Intervals, Load, Measurement, Plan, Run
from . import facts
from .ranges import Range
from .rule import invalid
from .wording import count, rate, time

TIME, COUNT = "coherence.time", "coherence.count"

ROUNDING = 1e-9
"""Of a mean over stages, in binary fractions."""
WINDOW_SLACK = 0.001
"""A window opens at a fold after its warm-up; it is as long as was asked, to a reading of the clock."""


def of_times(measurement: Measurement) -> list[Finding] | None:
    """Every run's window is as long as the plan asks, and its warm-up at least as long; None without a plan."""
    if not _planned(measurement):
        return None
    return [finding for run in measurement.runs for finding in _of_run(measurement, run)]


def _of_run(measurement: Measurement, run: Run) -> Iterator[Finding]:
    plan = measurement.plan
    assert plan is not None
    asked, warmup = plan.duration_ns, plan.warmup.at_least_ns
    if run.duration_ns is not None and abs(run.duration_ns - asked) > WINDOW_SLACK * asked:
        counted = f"{time(run.duration_ns)} counted"
        message = f"run {run.index + 1}: {counted}, but the plan in the same file asks for {time(asked)}."
        yield invalid(TIME, message, counted, time(asked))
    if run.warmup_ns is not None and run.warmup_ns < warmup * (1 - WINDOW_SLACK):
        warmed = f"{time(run.warmup_ns)} of warm-up"
        message = f"run {run.index + 1}: {warmed}, but the plan in the same file asks for {time(warmup)}."
        yield invalid(TIME, message, warmed, f"≥ {time(warmup)}")
    longest = _longest_warmup_ns(plan) * (1 + WINDOW_SLACK)
    if run.warmup_ns is not None and run.warmup_ns > longest:
        warmed = f"{time(run.warmup_ns)} of warm-up"
        message = f"run {run.index + 1}: {warmed}, but the plan in the same file ends it after {time(longest)}."
        yield invalid(TIME, message, warmed, f"≤ {time(longest)}")
    if run.warmup_intervals is not None and run.warmup_ns is not None:
        yield from _of_warmup(run, run.warmup_intervals, run.warmup_ns)


def _longest_warmup_ns(plan: Plan) -> int:
    warmup = plan.warmup
    return max(warmup.at_least_ns, (warmup.at_most_ns or 0) if warmup.until_steady else 0)


def _of_warmup(run: Run, series: Intervals, warmup_ns: int) -> Iterator[Finding]:
    """Its rows are as long as those of the window and tile it; the first may be cut short, for the grid is laid out
    from the window."""
    starts, length = series.start_ns, series.length_ns
    if run.intervals is not None and length != run.intervals.length_ns:
        told, other = time(length), time(run.intervals.length_ns)
        message = f"run {run.index + 1}: intervals of {told} in the warm-up and of {other} in the window."
        yield invalid(TIME, message, told, other)
        return
    steps = [second - first for first, second in pairwise((*starts, warmup_ns))] if starts else []
    if starts and (starts[0] != 0 or not 0 < steps[0] <= length or any(step != length for step in steps[1:])):
        message = (
            f"run {run.index + 1}: {len(starts)} intervals of {time(length)} from {time(starts[0])} on do not tile a "
            f"warm-up of {time(warmup_ns)}."
        )
        yield invalid(TIME, message, f"{len(starts)} intervals of {time(length)}", time(warmup_ns))


def of_counts(measurement: Measurement) -> list[Finding] | None:
    """Runs, workers and users are those of the plan, what was sent is what ended, and the number in flight adds up."""
    if not _planned(measurement):
        return None
    plan, generator = measurement.plan, measurement.generator
    assert plan is not None
    rows = [("runs", len(measurement.runs), plan.runs)]
    if generator is not None and generator.workers is not None:
        rows.append(("workers", generator.workers, plan.workers))
    if isinstance(plan.load, ClosedLoop) and measurement.concurrency is not None:
        rows.append(("users", measurement.concurrency, plan.load.concurrency))
    if measurement.duration_requested_ns is not None:
        rows.append(("ns requested", round(measurement.duration_requested_ns.value), plan.duration_ns * plan.runs))
    ended = facts.ended(measurement)
    if measurement.sent is not None and ended is not None:
        unfinished = measurement.in_flight.unfinished if measurement.in_flight else 0
        rows.append(("operations sent", measurement.sent, ended + unfinished))
    found = [_differs(*row) for row in rows if row[1] != row[2]]
    found += _of_rate(measurement.rate_requested_per_s, plan.load)
    return found + [finding for run in measurement.runs for finding in _of_area(run)]


def _of_rate(asked: Figure | None, load: Load) -> Iterator[Finding]:
    """The rate asked for is the plan's, or between the lowest and the highest of its stages."""
    if asked is None or isinstance(load, ClosedLoop):
        return
    ends = [end for stage in load.stages for end in (stage.from_per_s, stage.to_per_s)] or [load.rate_per_s]
    if not min(ends) * (1 - ROUNDING) <= asked.value <= max(ends) * (1 + ROUNDING):
        told, planned = rate(asked.value), rate(Range(min(ends), max(ends)))
        message = f"{told} were asked for, but the plan in the same file asks for {planned}."
        yield invalid(COUNT, message, told, planned)


def _differs(what: str, told: int, asked: int) -> Finding:
    source = "ended" if what == "operations sent" else "in the plan"
    message = f"{count(told)} {what}, but {count(asked)} {source}, in the same file."
    return invalid(COUNT, message, f"{count(told)} {what}", f"{count(asked)} {source}")


def _of_area(run: Run) -> Iterator[Finding]:
    """The integral of the number in flight is the sum of its rows; what follows the window is not part of it."""
    series, whole = run.intervals, run.in_flight
    if series is None or whole is None or not series.in_flight_ns or run.duration_ns is None:
        return
    rows = zip(series.start_ns, series.in_flight_ns, strict=True)
    total = sum(area for start, area in rows if start < run.duration_ns)
    if total != whole.integral_ns:
        message = (
            f"run {run.index + 1}: the number in flight adds up to {time(total)} over the intervals and to "
            f"{time(whole.integral_ns)} over the run."
        )
        yield invalid(COUNT, message, f"Σ of intervals {count(total)} ns", f"{count(whole.integral_ns)} ns")


def _planned(measurement: Measurement) -> bool:
    return facts.own(measurement) and measurement.plan is not None and bool(measurement.runs)
