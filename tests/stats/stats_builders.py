"""Measurements made from single operations, so that every count in them is consistent by construction."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bizra_gate.model import Distribution, Figure, InFlight, Intervals, Latency, Measurement, Run, Source
from bizra_gate.stats import merge
from bizra_gate.stats.layout import DEFAULT

S = 1_000_000_000
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: intended and actual start and end, ns from the opening of the window."""

    due_ns: int
    start_ns: int
    end_ns: int
    error: str | None = None


def hdr(values: Iterable[int]) -> Distribution:
    """`values` in HDR bins, with their exact minimum, maximum and sum."""
    kept = list(values)
    counts = Counter(DEFAULT.index(value) for value in kept)
    edges = [DEFAULT.edges(index) for index in sorted(counts)]
    return Distribution(
        tuple(low for low, _ in edges),
        tuple(high for _, high in edges),
        tuple(counts[index] for index in sorted(counts)),
        min(kept, default=None),
        max(kept, default=None),
        sum(kept),
    )


def latency(values: Iterable[int], batch: int = 1) -> Latency:
    histogram = hdr(values)
    return Latency(histogram=histogram, count=histogram.n, percentile_method="ceil-rank", batch=batch)


def ceil_rank(values: Sequence[int], q: float) -> int:
    return sorted(values)[max(1, math.ceil(q * len(values) - 1e-9)) - 1] if values else 0


def run_of(ops: Sequence[Op], duration_ns: int, *, open_loop: bool = False, index: int = 0) -> Run:
    """The run that our recorder would make of `ops`, by the definitions of the model's docstrings."""
    counted = [op for op in ops if 0 <= op.due_ns < duration_ns]
    timed = [op for op in counted if op.error in (None, "timeout")]
    others = [op for op in counted if op.error not in (None, "timeout")]
    carried = [op for op in ops if op.due_ns < 0 < op.end_ns]
    service = latency(op.end_ns - op.start_ns for op in timed)
    return Run(
        index=index,
        duration_ns=duration_ns,
        warmup_ns=30 * S,
        operations=sum(op.error is None for op in counted),
        response=latency(op.end_ns - op.due_ns for op in timed) if open_loop else None,
        service=service,
        delay=latency(op.start_ns - op.due_ns for op in timed) if open_loop else None,
        failed=latency(op.end_ns - op.start_ns for op in others) if others else None,
        errors=dict(Counter(op.error for op in counted if op.error is not None)),
        intervals=_intervals(counted, duration_ns, open_loop),
        in_flight=_in_flight(ops, counted, carried, duration_ns),
    )


def _intervals(counted: Sequence[Op], duration_ns: int, open_loop: bool) -> Intervals:
    rows = max([duration_ns // S, *(op.end_ns // S + 1 for op in counted)])
    inside: list[list[Op]] = [[] for _ in range(rows)]
    for op in counted:
        inside[op.end_ns // S].append(op)
    values = [[op.end_ns - (op.due_ns if open_loop else op.start_ns) for op in row if op.error in (None, "timeout")]
              for row in inside]  # fmt: skip
    return Intervals(
        length_ns=S,
        start_ns=tuple(i * S for i in range(rows)),
        count=tuple(len(row) for row in values),
        errors=tuple(sum(op.error is not None for op in row) for row in inside),
        total_ns=tuple(sum(row) for row in values),
        maximum_ns=tuple(max(row, default=0) for row in values),
        p50_ns=tuple(ceil_rank(row, 0.5) for row in values),
        p99_ns=tuple(ceil_rank(row, 0.99) for row in values),
    )


def _in_flight(ops: Sequence[Op], counted: Sequence[Op], carried: Sequence[Op], duration_ns: int) -> InFlight:
    """The integral from events: +1 at each start, −1 at each end, as a driver would keep it."""
    events = sorted([(op.start_ns, 1) for op in ops] + [(op.end_ns, -1) for op in ops])
    level, integral, last = 0, 0, 0
    for when, step in events:
        now = min(max(when, 0), duration_ns)
        integral += level * (now - last)
        last, level = now, level + step
    integral += level * (duration_ns - last)
    outside = sum(max(0, op.end_ns - max(op.start_ns, duration_ns)) for op in counted)
    before = sum(min(op.end_ns, duration_ns) - max(op.start_ns, 0) for op in carried)
    ended = sum(op.error is None and op.end_ns < duration_ns for op in carried)
    return InFlight(duration_ns, integral, ended, before, outside)


def closed_loop(
    seed: int, *, users: int = 4, seconds: int = 30, mean_ns: float = 20 * MS, sigma: float = 0.4, drift: float = 0.0
) -> list[Op]:
    """Users that wait for their answers; service times are log-normal and may drift over the run."""
    generator = random.Random(seed)
    ops = []
    for _ in range(users):
        now = -2 * S + generator.randrange(int(mean_ns))
        while now < seconds * S:
            level = mean_ns * (1 + drift * max(0, now) / (seconds * S))
            end = now + max(1, round(level * generator.lognormvariate(-sigma * sigma / 2, sigma)))
            ops.append(Op(now, now, end))
            now = end
    return ops


def open_loop(
    seed: int, *, rate: int = 200, seconds: int = 30, stall_s: float = 0.0, service_ns: int = 2 * MS
) -> list[Op]:
    """One server, constant arrivals, exponential service, and a stall in the middle of the run; waits are delay."""
    generator = random.Random(seed)
    free = -2 * S
    stall_from = seconds * S // 2
    ops = []
    for i in range(-2 * rate, seconds * rate):
        due = i * S // rate
        start = max(due, free)
        if stall_s and stall_from <= start < stall_from + stall_s * S:
            start = stall_from + round(stall_s * S)
        free = start + max(1, round(generator.expovariate(1 / service_ns)))
        ops.append(Op(due, start, free))
    return ops


def measurement_of(runs: Sequence[Run], loop: str = "closed", **facts: object) -> Measurement:
    """A measurement of ours with `runs`."""
    source = Source("bizra-gate", "0", foreign=False)
    bare = Measurement(source, loop=loop, runs=tuple(runs), **facts)  # type: ignore[arg-type]
    return merge.from_runs(bare)


def closed_measurement(seed: int = 1, processes: int = 1, seconds: int = 30, **facts: float) -> Measurement:
    runs = [
        run_of(closed_loop(seed * 100 + i, seconds=seconds, **facts), seconds * S, index=i)  # type: ignore[arg-type]
        for i in range(processes)
    ]
    return measurement_of(runs)


def foreign(**facts: object) -> Measurement:
    """A record of another tool."""
    return replace(Measurement(Source("wrk", "4.1")), **facts)  # type: ignore[arg-type]


def figure(value: float, resolution: float = 0.0) -> Figure:
    return Figure(value, resolution)
