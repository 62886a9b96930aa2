"""The part of `coherence.summary` about our own runs: what stands beside the bins, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Distribution, Finding, Latency, Measurement, Run
from . import coherence_columns, facts
from .coherence_rows import of_rows
from .ranges import Range
from .rule import invalid
from .wording import time

CODE = "coherence.summary"

SAME = 1e-6
"""A quantum is written as a binary fraction."""


def of_parts(measurement: Measurement) -> Iterator[Finding]:
    """Sums, quanta and rows of every run; nothing of another tool's record."""
    if not facts.own(measurement):
        return
    for run in measurement.runs:
        name = f"run {run.index + 1}: "
        for kind, part in facts.parts(run):
            if kind != "service" or run.response is None:  # else it is held against response and delay, exactly
                yield from _of_sum(name + kind, part, failed=kind == "failed")
            yield from _of_quantum(name + kind, part, run)
        yield from _of_response(name, run)
        yield from _of_series(name, run)


def _of_sum(name: str, part: Latency, *, failed: bool) -> Iterator[Finding]:
    held = part.histogram
    if held is None or held.total_ns is None or not held.n or (failed and part.batch > 1):
        return  # failures were once kept one by one in a record of batches, and their sum divided
    allowed = sum_of(held).widened(held.n / 2 + 1 if part.batch > 1 else 0.0)
    if not allowed.low <= held.total_ns <= allowed.high:
        message = f"{name}: the bins hold values of {time(allowed)} in all, but {time(held.total_ns)} are stated."
        yield invalid(CODE, message, f"Σ {time(held.total_ns)}", time(allowed))


def sum_of(held: Distribution) -> Range:
    """What the values of a histogram that is not empty can add up to, with its extremes where they are known."""
    lowest, highest = held.edges(0), held.edges(-1)
    first = lowest[0] if held.minimum is None else held.minimum
    last = highest[1] if held.maximum is None else held.maximum
    if held.bins == 1:
        one = (first if held.maximum is None else last, last if held.minimum is None else first)
        return Range((held.n - 1) * first + one[0], (held.n - 1) * last + one[1])
    low, high = held.edge_sums
    low += (first - lowest[0]) * held.held(0)
    high -= (highest[1] - last) * held.held(-1)
    if held.maximum is not None:
        low += held.maximum - highest[0]
    if held.minimum is not None:
        high -= lowest[1] - held.minimum
    return Range(low, high)


def _of_quantum(name: str, part: Latency, run: Run) -> Iterator[Finding]:
    resolution = run.clock.resolution_ns if run.clock is not None else None
    if resolution is None or part.quantum_ns is None:
        return
    if abs(part.quantum_ns * part.batch - resolution) > SAME * abs(resolution):
        told, clock = f"{part.quantum_ns:g} ns", f"{resolution / part.batch:g} ns"
        message = f"{name}: a quantum of {told} is stated, but the clock of the run resolves {clock} a value."
        yield invalid(CODE, message, f"quantum {told}", clock)


def _of_response(name: str, run: Run) -> Iterator[Finding]:
    """Response time is delay and service time, operation by operation, and so are their sums."""
    sums = [_total(part) for part in (run.response, run.service, run.delay)]
    if None in sums:
        return
    response, service, delay = (part or 0 for part in sums)
    if response != service + delay:
        message = (
            f"{name}response times add up to {response:,} ns, but service times and delays to {service + delay:,} ns."
        )
        yield invalid(CODE, message, f"Σ response {response:,} ns", f"{service + delay:,} ns")


def _total(part: Latency | None) -> int | None:
    """None where a value is missing from the sum, or where each stands for several."""
    if part is None or part.histogram is None or part.dropped or part.batch > 1:
        return None
    return part.histogram.total_ns


def _of_series(name: str, run: Run) -> Iterator[Finding]:
    latency = run.response if run.response is not None else run.service
    if latency is None:
        return
    whole = latency.histogram if latency.histogram is not None and latency.histogram.n else None
    if coherence_columns.fit(run.intervals, latency.batch, whole, run.warmup_intervals):
        return
    if run.intervals is not None:
        yield from of_rows(name, run.intervals, latency.batch, whole)
    if run.warmup_intervals is not None:
        yield from of_rows(f"{name}warm-up, ", run.warmup_intervals, latency.batch, None)
