"""What our own recorder would have written of simulated operations, by the rules of the counted population.

Kept apart from `bizra_gate.load`, so that the audit is not tested with the code that it audits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bizra_gate.evidence.benchmark import rounded
from bizra_gate.model import (
    ClockFacts,
    ClosedLoop,
    Controls,
    Distribution,
    Environment,
    Figure,
    Generator,
    InFlight,
    Intervals,
    Latency,
    Load,
    Measurement,
    OpenLoop,
    Plan,
    Printed,
    Run,
    Source,
    Warmup,
)
from bizra_gate.stats import merge
from bizra_gate.stats.layout import DEFAULT
from bizra_gate.stats.summary import summarize

from .simulate import MS, US, S, Train

OUR_CLOCK = ClockFacts("perf_counter_ns", resolution_ns=30.0, overhead_ns=60.0, wall_drift_ns=120_000, steps=0)
OUR_MACHINE = Environment(
    cpu_model="Generic",
    cpu_count=8,
    cpu_hz=3.0e9,
    system="Linux",
    python="3.12.1",
    debug_build=False,
    governor="performance",
)


def distribution(values: Iterable[tuple[int, int]], batch: int = 1) -> Distribution:
    """(value, count) pairs in HDR bins of three digits, with the exact smallest, largest and sum."""
    pairs = list(values)
    if not pairs:
        return Distribution((), (), ())
    index = DEFAULT.index
    means = [(value + batch // 2) // batch for value, _ in pairs] if batch > 1 else [value for value, _ in pairs]
    counts = [count for _, count in pairs]
    bins: dict[int, int] = {}
    for place, count in zip(map(index, means), counts, strict=True):
        bins[place] = bins.get(place, 0) + count
    edges = [DEFAULT.edges(place) for place in sorted(bins)]
    return Distribution(
        tuple([low for low, _ in edges]),
        tuple([high for _, high in edges]),
        tuple([bins[place] for place in sorted(bins)]),
        min(means),
        max(means),
        round(sum([value * count for value, count in pairs]) / batch),
    )


def latency(values: Iterable[tuple[int, int]], origin: str, batch: int = 1) -> Latency:
    held = distribution(values, batch)
    return Latency(
        histogram=held,
        count=held.n,
        percentile_method="ceil-rank",
        origin=origin,  # type: ignore[arg-type]
        quantum_ns=(OUR_CLOCK.resolution_ns or 1.0) / batch,
        bin_ratio=1 / 1024,
        batch=batch,
        includes_errors=False,
        dropped=0,
    )


def run(
    trains: Sequence[Train],
    window: int = 120 * S,
    *,
    open_loop: bool = False,
    lanes: int = 1,
    length: int = S,
    batch: int = 1,
    index: int = 0,
    controls: Controls | None = None,
) -> Run:
    """One run: histograms, series, errors, and the number in flight integrated over events, never over latencies."""
    counted = [train for train in trains if 0 <= train.due < window]
    timed = [train for train in counted if train.error in (None, "timeout")]
    failed = [train for train in counted if train.error not in (None, "timeout")]
    errors = Counter({k: n * lanes for k, n in Counter(t.error for t in counted if t.error).items()})
    weights = [(train, train.repeat * lanes) for train in timed]
    service = latency(((t.service, n) for t, n in weights if t.end > t.start or t.error is None), "send", batch)
    ok = sum(n for train, n in weights if train.error is None) * batch
    labels = Counter()
    for train, n in weights:
        if train.label is not None and train.error is None:
            labels[train.label] += n * batch
    return Run(
        index=index,
        duration_ns=window,
        warmup_ns=30 * S,
        operations=ok,
        service=service,
        response=latency(((t.response, n) for t, n in weights), "intended") if open_loop else None,
        delay=latency(((t.start - t.due, n) for t, n in weights), "intended") if open_loop else None,
        failed=latency(((t.end - t.start, lanes) for t in failed), "send") if failed else None,
        errors=dict(errors),
        outcomes=dict(labels) or None,
        intervals=_intervals(counted, window, length, open_loop, lanes, batch),
        in_flight=_in_flight(trains, counted, window, lanes, batch),
        generator=Generator(
            workers=2,
            cpu_fraction=(0.41, 0.44),
            lag=latency([(20 * US + 37 * i, 1) for i in range(400)], "intended"),
            gc_pause_ns=3 * MS,
            gc_collections=4,
            steal_fraction=0.002,
            other_cpu_fraction=0.01,
            major_faults=0,
        ),
        controls=controls,
        clock=OUR_CLOCK,
        cpu_ns=window // 3,
        warmup_until="asked",
        seed=1,
    )


def _intervals(
    counted: Sequence[Train], window: int, length: int, open_loop: bool, lanes: int, batch: int
) -> Intervals:
    rows = max(1, window // length)

    def edge(end: int) -> int:
        return min(end // length, rows - 1) if end < window else rows + (end - window) // length

    last = max(rows - 1, edge(max((train.end for train in counted), default=0)))
    held: list[list[tuple[int, int]]] = [[] for _ in range(last + 1)]
    errors = [0] * (last + 1)
    for train in counted:
        row = edge(train.end)
        if train.error is not None:
            errors[row] += lanes
        if train.error in (None, "timeout"):
            held[row].append((train.response if open_loop else train.service, train.repeat * lanes))
    shapes = [distribution(values, batch) for values in held]
    return Intervals(
        length_ns=length,
        start_ns=tuple(row * length if row < rows else window + (row - rows) * length for row in range(last + 1)),
        count=tuple(shape.n * batch for shape in shapes),
        errors=tuple(errors),
        total_ns=tuple(sum(value * n for value, n in values) for values in held),
        maximum_ns=tuple(shape.maximum or 0 for shape in shapes),
        p50_ns=tuple(shape.quantile(0.5) or 0 for shape in shapes),
        p99_ns=tuple(shape.quantile(0.99) or 0 for shape in shapes),
    )


def _in_flight(trains: Sequence[Train], counted: Sequence[Train], window: int, lanes: int, batch: int) -> InFlight:
    """A sweep over sends and ends in the window; the carried terms from the operations that cross its edges."""
    seen = [train for train in trains if train.end > 0 and train.start < window]
    events = [(train.start, 1) for train in seen] + [(train.end, -1) for train in seen]
    area, level, before, highest = 0, 0, 0, 0
    for at, step in sorted(events):
        now = at if 0 <= at <= window else 0 if at < 0 else window
        area += level * (now - before)
        before, level = now, level + step
        if level > highest:
            highest = level
    inside = {id(train) for train in counted}
    others = [train for train in trains if id(train) not in inside]
    return InFlight(
        window_ns=window,
        integral_ns=(area + level * (window - before)) * lanes,
        carried_in_count=sum(1 for t in others if t.error is None and 0 <= t.end < window) * lanes * batch,
        carried_in_ns=sum(max(0, min(t.end, window) - max(t.start, 0)) for t in others) * lanes,
        carried_out_ns=sum(max(0, t.end - max(t.start, window)) for t in counted if t.end > window) * lanes,
        maximum=highest * lanes,
    )


def measurement(
    runs: Sequence[Run],
    load: Load,
    *,
    target: str = "http://127.0.0.1:8080/",
    loop: str | None = None,
    started: float | None = None,
    timeout: int = 10 * S,
) -> Measurement:
    """Runs of one plan as `evidence` hands them to the audit: merged, and with the summary that the file states."""
    window = sum(run.duration_ns or 0 for run in runs)
    open_load = isinstance(load, OpenLoop)
    ended = sum((run.operations or 0) + sum((run.errors or {}).values()) for run in runs)
    bare = Measurement(
        source=Source("bizra-gate", "1.0", foreign=False),
        loop=loop or ("open" if open_load else "closed"),  # type: ignore[arg-type]
        think_time=load.think_ns > 0 if isinstance(load, ClosedLoop) else None,
        concurrency=load.concurrency if isinstance(load, ClosedLoop) else None,
        rate_requested_per_s=Figure(load.rate_per_s) if isinstance(load, OpenLoop) else None,
        rate_achieved_per_s=Figure((ended if started is None else started) / window * S),
        duration_requested_ns=Figure(window),
        sent=ended,
        environment=OUR_MACHINE,
        runs=tuple(runs),
        plan=Plan(
            target,
            load,
            Warmup(min(run.warmup_ns or 0 for run in runs)),
            runs[0].duration_ns or 0,
            runs=len(runs),
            workers=2,
            timeout_ns=timeout,
        ),
        started_at="2026-11-22T04:00:00.000000Z",
        finished_at=_finish(window + 30 * S * len(runs) + S),
    )
    return stated(merge.from_runs(bare))


def _finish(elapsed: int) -> str:
    seconds = elapsed / S
    return f"2026-11-22T{4 + int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:09.6f}Z"


def stated(bare: Measurement) -> Measurement:
    """`bare` with the summary that its counts give, rounded as the file rounds it."""
    rows = [
        Printed(
            metric.name,
            float(rounded(metric.estimate)),
            metric.unit,
            None
            if metric.interval is None
            else tuple(None if x is None else float(rounded(x)) for x in metric.interval),  # type: ignore[arg-type]
            metric.n,
        )
        for metric in summarize(bare).values()
        if metric.estimate is not None
    ]
    return replace(bare, printed=tuple(rows))


def remade(changed: Measurement, **runs_fields: object) -> Measurement:
    """`changed` with fields of its first run replaced, merged and summarised anew: a lie in step with its file."""
    first = replace(changed.runs[0], **runs_fields)
    assert changed.plan is not None
    plan = replace(changed.plan, duration_ns=first.duration_ns or changed.plan.duration_ns)
    return stated(merge.from_runs(replace(changed, runs=(first, *changed.runs[1:]), plan=plan)))


def service_of(told: Measurement) -> Latency:
    """The service times of the first run."""
    assert told.runs[0].service is not None
    return told.runs[0].service


def histogram_of(held: Latency | None) -> Distribution:
    assert held is not None
    assert held.histogram is not None
    return held.histogram


def series_of(told: Measurement) -> Intervals:
    """The time series of the first run."""
    assert told.runs[0].intervals is not None
    return told.runs[0].intervals
