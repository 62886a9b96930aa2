"""Several runs (fresh processes) of one plan as one measurement.

Histograms of one layout add exactly; percentiles and rates of single runs are never averaged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..model import ClockFacts, Distribution, Figure, Generator, InFlight, Intervals, Latency, Measurement, Run
from .recent import Recent

_sums = Recent[Distribution](16)
"""The last sums, by what they are sums of. Reading, auditing, summarising and drawing an artifact each merge its runs:
five distributions of every target, each time the very same ones."""
_whole = Recent[Measurement]()
"""What was made here last, and would come out the same once more."""


def distributions(parts: Iterable[Distribution]) -> Distribution:
    """The sum of distributions whose bins come from one layout (or are exact values)."""
    held = tuple([part for part in parts if part.n])
    return held[0] if len(held) == 1 else _sums.answer(held, None, lambda: _sum(held))


def _sum(parts: Sequence[Distribution]) -> Distribution:
    counts: dict[tuple[int, int], int] = {}
    for part in parts:
        for edges, count in zip(zip(part.low, part.high, strict=True), part.count, strict=True):
            counts[edges] = counts.get(edges, 0) + count
    bins = sorted(counts)
    return Distribution(
        tuple([low for low, _ in bins]),
        tuple([high for _, high in bins]),
        tuple([counts[edges] for edges in bins]),
        _fold(min, [part.minimum for part in parts]),
        _fold(max, [part.maximum for part in parts]),
        _fold(sum, [part.total_ns for part in parts]),
    )


def _fold(how: Callable[[list[int]], int], values: list[int | None]) -> int | None:
    """`how` over `values`, or None as soon as one of them is unknown."""
    known = [value for value in values if value is not None]
    return how(known) if known and len(known) == len(values) else None


def latencies(parts: Iterable[Latency | None]) -> Latency | None:
    """One latency of several runs; None unless every run has it with its histogram."""
    known = [part for part in parts if part is not None]
    if not known or any(part.histogram is None for part in known):
        return None
    if len(known) == 1:
        return known[0]
    merged = distributions(part.histogram for part in known if part.histogram is not None)
    dropped = [part.dropped for part in known if part.dropped is not None]
    quanta = [part.quantum_ns for part in known if part.quantum_ns is not None]
    return dataclasses.replace(
        known[0],
        histogram=merged,
        count=merged.n,
        dropped=sum(dropped) if dropped else None,
        quantum_ns=max(quanta) if quanta else None,
    )


def counts(parts: Iterable[Mapping[str, int] | None]) -> dict[str, int] | None:
    """Counts by label added up; None where no run has any."""
    known = [part for part in parts if part is not None]
    total: dict[str, int] = {}
    for part in known:
        for label, count in part.items():
            total[label] = total.get(label, 0) + count
    return total if known else None


def from_runs(measurement: Measurement, **stated: Any) -> Measurement:
    """`measurement` with every figure that its runs determine set from them, and with what is `stated` beside them.

    The intervals of a single run are the measurement's; those of several stay with their runs, because time does
    not go on from one process to the next.
    """
    if not stated:
        return _whole.answer((measurement,), None, lambda: _from_runs(measurement))
    return _from_runs(measurement, **stated)


def _from_runs(measurement: Measurement, **stated: Any) -> Measurement:
    runs = measurement.runs
    if not _determines(runs):
        return dataclasses.replace(measurement, **stated) if stated else measurement
    service, response = latencies(r.service for r in runs), latencies(r.response for r in runs)
    headline = response if measurement.loop == "open" and response is not None else (service or response)
    lengths = [run.duration_ns for run in runs if run.duration_ns is not None]
    warmups = [run.warmup_ns for run in runs if run.warmup_ns is not None]
    ended = [run.operations for run in runs if run.operations is not None]
    whole = dataclasses.replace(
        measurement,
        duration_ns=Figure(sum(lengths)) if len(lengths) == len(runs) else measurement.duration_ns,
        warmup_ns=Figure(min(warmups)) if len(warmups) == len(runs) else measurement.warmup_ns,
        operations=sum(ended) if len(ended) == len(runs) else measurement.operations,
        errors=counts(run.errors for run in runs),
        outcomes=counts(run.outcomes for run in runs),
        latency=headline,
        service=service,
        response=response,
        delay=latencies(run.delay for run in runs),
        failed=latencies(run.failed for run in runs),
        intervals=runs[0].intervals if len(runs) == 1 else None,
        in_flight=_in_flight(runs),
        clock=runs[0].clock if len(runs) == 1 else _worst_clock(runs),
        controls=runs[0].controls if len(runs) == 1 else next((r.controls for r in runs if r.controls), None),
        generator=_generator(runs),
        bytes_in=_fold(sum, [run.bytes_in for run in runs]),
        bytes_out=_fold(sum, [run.bytes_out for run in runs]),
        **stated,
    )
    _whole.note((whole,), None, whole)
    return whole


def _determines(runs: tuple[Run, ...]) -> bool:
    """Runs of a foreign tool may hold values only; nothing follows from those."""
    return any(run.response is not None or run.service is not None for run in runs)


def _in_flight(runs: tuple[Run, ...]) -> InFlight | None:
    parts = [run.in_flight for run in runs]
    known = [part for part in parts if part is not None]
    if len(known) != len(runs):
        return None
    return InFlight(
        window_ns=sum(p.window_ns for p in known),
        integral_ns=sum(p.integral_ns for p in known),
        carried_in_count=sum(p.carried_in_count for p in known),
        carried_in_ns=sum(p.carried_in_ns for p in known),
        carried_out_ns=sum(p.carried_out_ns for p in known),
        maximum=_fold(max, [p.maximum for p in known]),
        unfinished=sum(p.unfinished for p in known),
    )


def _worst_clock(runs: tuple[Run, ...]) -> ClockFacts | None:
    clocks = [run.clock for run in runs if run.clock is not None]
    if not clocks:
        return None
    return max(clocks, key=lambda clock: clock.resolution_ns or 0)


def _generator(runs: tuple[Run, ...]) -> Generator | None:
    known = [run.generator for run in runs if run.generator is not None]
    if not known:
        return None
    if len(known) == 1:
        return known[0]
    steals = [g.steal_fraction for g in known if g.steal_fraction is not None]
    others = [g.other_cpu_fraction for g in known if g.other_cpu_fraction is not None]
    return Generator(
        workers=known[0].workers,
        cpu_fraction=tuple(share for g in known for share in g.cpu_fraction),
        lag=latencies(g.lag for g in known),
        gc_pause_ns=_fold(sum, [g.gc_pause_ns for g in known]),
        gc_collections=_fold(sum, [g.gc_collections for g in known]),
        steal_fraction=max(steals) if steals else None,
        other_cpu_fraction=max(others) if others else None,
        major_faults=_fold(sum, [g.major_faults for g in known]),
    )


_NOTHING_DERIVED: dict[str, Any] = dict.fromkeys(
    ("operations", "errors", "outcomes", "latency", "service", "response", "delay", "failed", "intervals", "in_flight",
     "clock", "controls", "generator", "bytes_in", "bytes_out", "duration_ns", "warmup_ns")
)  # fmt: skip


def without_derived(measurement: Measurement) -> Measurement:
    """The inverse of `from_runs` for writing: what the runs determine is left out."""
    if not _determines(measurement.runs):
        return measurement
    return dataclasses.replace(measurement, **_NOTHING_DERIVED)


def per_run_intervals(measurement: Measurement) -> tuple[Intervals, ...]:
    """The per-second series of every run that has one."""
    return tuple(run.intervals for run in measurement.runs if run.intervals is not None)
