"""The part of `coherence.time` about our own runs: when each began, and how much CPU time fits into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from ..model import Finding, Measurement, Run
from ..units import NS_PER_S
from . import facts
from .rule import invalid
from .wording import count, time

CODE = "coherence.time"

STAMP_SLACK_NS = 2_000_000_000
"""Stamps are cut to whole seconds, both of them."""
SLEW = 0.001
"""NTP slews the wall clock by 500 ppm at most."""
CPU_SLACK = 1.1
CPU_LATE_NS = 2_000_000_000
"""CPU time is read at the first look past each edge of the window, which is late on a machine that is busy."""


def of_elapsed(measurement: Measurement, instant: Callable[[str | None], datetime | None]) -> list[Finding] | None:
    """Runs begin one after another, within the measurement, and none used more CPU time than the cores have.

    started_{i+1} ≥ started_i + warm-up + window, by the wall clock; CPU time ≤ cores · (window + longest operation).
    """
    if not facts.own(measurement) or not measurement.runs:
        return None
    found = list(_of_cpu(measurement))
    if not stepped(measurement):
        found += _of_starts(measurement, instant)
    return found


def stepped(measurement: Measurement) -> bool:
    """Was the wall clock set meanwhile? Then its stamps tell nothing; `environment.noise` speaks of it."""
    clocks = [measurement.clock, *(run.clock for run in measurement.runs)]
    return any(clock is not None and clock.steps for clock in clocks)


def needed_ns(measurement: Measurement) -> float:
    """What all runs took at least, warm-ups included."""
    return float(sum(map(_length_ns, measurement.runs)))


def _length_ns(run: Run) -> int:
    return (run.warmup_ns or 0) + (run.duration_ns or 0)


def _of_starts(measurement: Measurement, instant: Callable[[str | None], datetime | None]) -> Iterator[Finding]:
    begun = [(run, instant(run.started_at)) for run in measurement.runs]
    if all(at is None for _, at in begun):
        return
    stamps: list[tuple[str, datetime, int]] = []
    first, last = instant(measurement.started_at), instant(measurement.finished_at)
    if first is not None:
        stamps.append((f"the measurement began at {measurement.started_at}", first, 0))
    stamps += [
        (f"run {run.index + 1} began at {run.started_at}", at, _length_ns(run)) for run, at in begun if at is not None
    ]
    if last is not None:
        stamps.append((f"the measurement ended at {measurement.finished_at}", last, 0))
    for (before, earlier, length), (after, later, _) in pairwise(stamps):
        between = (later - earlier).total_seconds() * NS_PER_S
        if between + STAMP_SLACK_NS + SLEW * length < length:
            message = f"{before} and took {time(length)} at least, but {after}."
            yield invalid(CODE, message, f"{time(between)} later", f"≥ {time(length)}")


def _of_cpu(measurement: Measurement) -> Iterator[Finding]:
    cores = measurement.environment.cpu_count if measurement.environment is not None else None
    if not cores:
        return
    for run in measurement.runs:
        if run.cpu_ns is None or run.duration_ns is None:
            continue
        most = cores * (CPU_SLACK * run.duration_ns + _longest_ns(run) + CPU_LATE_NS)
        if run.cpu_ns > most:
            message = (
                f"run {run.index + 1}: {time(run.cpu_ns)} of CPU time in a window of {time(run.duration_ns)}, but "
                f"{count(cores)} cores have {time(most)} at most."
            )
            yield invalid(CODE, message, time(run.cpu_ns), f"≤ {time(most)}")


def _longest_ns(run: Run) -> int:
    """The longest operation, well or not: what a command uses of the cores ends with it, not with the window."""
    held = [part.histogram.maximum for part in (run.service, run.failed) if part is not None and part.histogram]
    return max((longest for longest in held if longest is not None), default=0)
