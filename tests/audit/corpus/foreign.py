"""What another tool would have printed of simulated operations: a few rounded figures, and the gaps of that tool."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import mul

from bizra_gate.model import Caveat, Distribution, Figure, Intervals, Latency, Measurement, Run, Source
from bizra_gate.model.measurement import LatencyOrigin, Loop, PercentileMethod

from .simulate import MS, S, Train

Round = Callable[[float], Figure]


def to(quantum: float) -> Round:
    """Rounded to whole quanta, as a file with fixed decimals does."""
    return lambda value: Figure(round(value / quantum) * quantum, quantum)


def exact(value: float) -> Figure:
    return Figure(value)


def digits(count: int) -> Round:
    """Rounded to `count` significant digits, as wrk and h2load print."""

    def rounded(value: float) -> Figure:
        place = 10.0 ** (math.floor(math.log10(value)) - count + 1) if value > 0 else 1.0
        return Figure(round(value / place) * place, place)

    return rounded


def latencies(trains: Sequence[Train], *, response: bool = False) -> list[int]:
    if response:
        return sorted([value for t in trains for value in [t.response] * t.repeat])
    return sorted([value for t in trains for value in [(t.end - t.start) // t.repeat] * t.repeat])


def nearest(values: Sequence[int], p: float) -> float:
    return values[max(0, math.ceil(p / 100 * len(values)) - 1)]


def linear(values: Sequence[int], p: float) -> float:
    """Interpolated between neighbouring ranks, as k6 and numpy do."""
    place = p / 100 * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def figures(
    values: Sequence[int],
    shown: Round,
    *,
    percentiles: Sequence[float] = (50, 75, 90, 99),
    method: PercentileMethod = "nearest-rank",
    rank: Callable[[Sequence[int], float], float] = nearest,
    quantum: float | None = None,
    origin: LatencyOrigin | None = "send",
    stdev: bool = True,
    minimum: bool = True,
    mean: Round | None = None,
    includes_errors: bool | None = False,
) -> Latency:
    """The figures of sorted `values`, each as `shown` (the mean as `mean`, where the tool keeps it finer)."""
    average = math.fsum(values) / len(values)
    apart = [v - average for v in values]
    spread = math.sqrt(math.fsum(map(mul, apart, apart)) / len(values))
    return Latency(
        count=len(values),
        minimum=shown(values[0]) if minimum else None,
        mean=(mean or shown)(average),
        maximum=shown(values[-1]),
        stdev=shown(spread) if stdev else None,
        percentiles=tuple((float(p), shown(rank(values, p))) for p in percentiles),
        percentile_method=method,
        origin=origin,
        quantum_ns=quantum,
        includes_errors=includes_errors,
    )


def tool(
    name: str,
    trains: Sequence[Train],
    window: int,
    latency: Latency,
    *,
    loop: Loop = "closed",
    concurrency: int | None = None,
    think_time: bool | None = False,
    requested: float | None = None,
    duration: Round = to(10 * MS),
    rate: Round = to(0.01),
    caveats: tuple[Caveat, ...] = (),
) -> Measurement:
    """A load generator's report on what ended in its window."""
    good = sum(t.repeat for t in trains if t.error is None)
    errors: dict[str, int] = {}
    for train in trains:
        if train.error is not None:
            errors[train.error] = errors.get(train.error, 0) + 1
    return Measurement(
        source=Source(name),
        loop=loop,
        think_time=think_time,
        concurrency=concurrency,
        rate_requested_per_s=None if requested is None else Figure(requested),
        rate_achieved_per_s=rate((good + sum(errors.values())) * S / window),
        duration_ns=duration(window),
        operations=good + sum(errors.values()),
        operations_include_errors=True,
        errors=errors,
        latency=latency,
        caveats=caveats,
    )


def ended(trains: Sequence[Train], window: int) -> list[Train]:
    """What a tool sees that begins at 0 and stops at `window`, forgetting what is under way."""
    return [train for train in trains if train.start >= 0 and train.end <= window]


def seconds(trains: Sequence[Train], window: int, length: int = S) -> Intervals:
    """Counts, sums and maxima per interval by end time, as an importer takes them from rows."""
    rows = -(-window // length)
    counts, totals, tops = [0] * rows, [0] * rows, [0] * rows
    for train in trains:
        row = min(train.end // length, rows - 1)
        counts[row] += train.repeat
        totals[row] += train.service * train.repeat
        tops[row] = max(tops[row], train.service)
    starts = tuple(row * length for row in range(rows))
    return Intervals(length, starts, tuple(counts), total_ns=tuple(totals), maximum_ns=tuple(tops))


def exact_histogram(latency: Latency, values: Sequence[int]) -> Latency:
    return replace(latency, histogram=Distribution.of(values))


def bench(
    name: str,
    processes: Sequence[Sequence[float]],
    batch: int,
    *,
    quantum: float | None = 1.0,
    shown: Round = exact,
    percentiles: Sequence[float] = (50,),
) -> Measurement:
    """A micro-benchmark that keeps one value (ns per operation) for each batch of operations."""
    values = sorted(value for process in processes for value in process)
    total = math.fsum(values) * batch
    average = math.fsum(values) / len(values)
    held = Latency(
        count=len(values),
        minimum=shown(values[0]),
        mean=shown(average),
        maximum=shown(values[-1]),
        percentiles=tuple((p, shown(values[max(0, math.ceil(p / 100 * len(values)) - 1)])) for p in percentiles),
        percentile_method="nearest-rank",
        quantum_ns=quantum,
        batch=batch,
    )
    return Measurement(
        source=Source(name),
        loop="batch",
        threads=1,
        duration_ns=Figure(total),
        operations=len(values) * batch,
        latency=held,
        runs=tuple(Run(index, values=tuple(process)) for index, process in enumerate(processes)),
    )
