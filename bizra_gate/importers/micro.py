"""Readings of micro-benchmarks: a clock read around a batch of operations, several times, in one or more processes.

A tool that keeps its readings gives each process its `Run.values` (ns per operation); how many operations a reading
spanned is `Latency.batch`, so that the audit can hold the raw reading against the clock. Where that number varies the
smallest stands for all, because the shortest reading is the one that the clock knows least. Figures that the tool
printed stay as printed; where it printed none, mean and median follow from its values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..model import Distribution, Figure, Latency, Measurement, Run
from .document import Node

NOT_FINITE = {"nan": math.nan, "+nan": math.nan, "-nan": math.nan, "inf": math.inf, "+inf": math.inf,
              "-inf": -math.inf, "infinity": math.inf, "+infinity": math.inf, "-infinity": -math.inf}  # fmt: skip
"""How tools spell what JSON cannot hold."""
MOST = 1e18
"""No reading is larger, in whatever unit: 10^18 ns are 30 years."""
MOST_OPERATIONS = 2**53 - 1
QUARTILE_VALUES = 13
"""Values that a two-sided 95 % interval of p75 needs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the clock: ns per operation, and how many operations it spanned."""

    per_operation_ns: float
    operations: int = 1

    @property
    def raw_ns(self) -> float:
        return self.per_operation_ns * self.operations


@dataclass(frozen=True, slots=True)
class Process:
    """All counted readings of one process, and what was said of it."""

    readings: tuple[Reading, ...]
    warmup_ns: float | None = None
    peak_memory_bytes: int | None = None
    started_at: str | None = None


def number(node: Node) -> float | None:
    """A number that may be NaN or infinite, written bare or as a string; None where it is absent.

    A reading that is no number must not pass for one that was never taken.
    """
    if isinstance(node.value, str):
        if node.value.lower() in NOT_FINITE:
            return NOT_FINITE[node.value.lower()]
        raise node.wrong("a number")
    if isinstance(node.value, float) and not math.isfinite(node.value):
        return node.value
    found = node.number()
    if found is not None and abs(found) > MOST:
        raise node.wrong("a number of sane size")
    return found


def figure(value: float | None, factor: float = 1.0, quantum: float = 0.0) -> Figure | None:
    """`value` times `factor`, known to `quantum` times `factor`; None where it is absent or no finite number."""
    if value is None or not math.isfinite(value * factor):
        return None
    return Figure(value * factor, quantum * factor)


def of_processes(base: Measurement, processes: Sequence[Process], printed: Latency | None = None) -> Measurement:
    """`base` with the runs, counts, measured time and latency that `processes` (not empty) give.

    `printed` holds the figures that the tool gave itself, per operation in ns.
    """
    readings = [reading for process in processes for reading in process.readings]
    warmups = [process.warmup_ns for process in processes if process.warmup_ns is not None]
    return replace(
        base,
        loop="batch",
        operations=sum(reading.operations for reading in readings),
        duration_ns=figure(_total_ns(readings)),
        warmup_ns=figure(min(warmups)) if len(warmups) == len(processes) else base.warmup_ns,
        latency=latency(readings, printed),
        runs=tuple(_run(index, process) for index, process in enumerate(processes)),
    )


def _run(index: int, process: Process) -> Run:
    total, warmup = figure(_total_ns(process.readings)), figure(process.warmup_ns)
    return Run(
        index,
        duration_ns=None if total is None else round(total.value),
        warmup_ns=None if warmup is None else round(warmup.value),
        operations=sum(reading.operations for reading in process.readings),
        peak_memory_bytes=process.peak_memory_bytes,
        values=tuple(reading.per_operation_ns for reading in process.readings),
        started_at=process.started_at,
    )


def latency(readings: Sequence[Reading], printed: Latency | None = None) -> Latency:
    """Mean, median and extremes per operation, as printed or from the readings; `count` where all span the same."""
    told = printed or Latency()
    values = sorted(reading.per_operation_ns for reading in readings)
    batch = min(reading.operations for reading in readings)
    even = all(reading.operations == batch for reading in readings)
    known = all(map(math.isfinite, values))
    return replace(
        told,
        count=len(readings) if even else None,
        batch=max(1, batch),
        minimum=told.minimum or (figure(values[0]) if known else None),
        maximum=told.maximum or (figure(values[-1]) if known else None),
        mean=told.mean or (figure(math.fsum(values) / len(values)) if known else None),
        percentiles=told.percentiles or (quartiles(len(values), (50.0, figure(_median(values)))) if known else ()),
        percentile_method=told.percentile_method if told.percentiles else "linear",
    )


def of_operations(base: Measurement, times_ns: Sequence[float], printed: Latency) -> Measurement:
    """`base` with single operations that were timed one by one in one process, or each as a process of its own."""
    whole = all(math.isfinite(time) and time >= 0 for time in times_ns)
    if not whole:
        return of_processes(base, [Process(tuple(Reading(time) for time in times_ns))], printed)
    return replace(
        base,
        loop="batch",
        operations=len(times_ns),
        duration_ns=figure(math.fsum(times_ns)),
        latency=replace(printed, histogram=Distribution.of(round(time) for time in times_ns), count=len(times_ns)),
    )


def quartiles(n: int, *printed: tuple[float, Figure | None]) -> tuple[tuple[float, Figure], ...]:
    """Percentiles of `n` values as a tool printed them, up to p75; beyond the median where 13 values carry them.

    Batch means say nothing of the tail of operations, and a p75 of ten values has no interval: nobody claims it.
    """
    told = [(p, found) for p, found in printed if found is not None and p <= 75]
    return tuple(sorted((p, found) for p, found in told if p == 50 or n >= QUARTILE_VALUES))


def operations(node: Node) -> int:
    """How many operations a reading spanned: a whole number above zero, also where it is written as 53.0."""
    found = node.count()
    if not found:
        raise node.wrong("a number of operations above zero")
    return found


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _total_ns(readings: Sequence[Reading]) -> float:
    """Σ of the raw readings; not a number as soon as one of them is none."""
    raw = [reading.raw_ns for reading in readings]
    return math.fsum(raw) if all(map(math.isfinite, raw)) else math.nan
