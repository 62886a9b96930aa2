"""From what the workers counted to the nouns that everybody reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import TargetError
from ..model import (
    Caveat,
    ClockFacts,
    ClosedLoop,
    Controls,
    Environment,
    Figure,
    Generator,
    InFlight,
    Latency,
    Measurement,
    OpenLoop,
    Plan,
    Run,
    Source,
)
from ..model.measurement import LatencyOrigin, Loop
from ..stats import merge
from ..stats.histogram import coarsened
from ..version import __version__
from .liveness import looks_like, next_step
from .messages import Done, Usage
from .series import intervals
from .session import Outcome, cores
from .tally import Tally, Times
from .watch import other_cpu_fraction, steal_fraction

HDR_BIN_RATIO = 1 / 1024
"""Widest bin of a three-digit HDR histogram, relative to its value."""
COARSE_BIN_RATIO = 1 / 128
"""The same with two digits."""


def run_of(outcome: Outcome, index: int) -> Run:
    """One run; raises `TargetError` where no operation succeeded."""
    tally, facts = _total(outcome.done), _Facts(outcome.done)
    if not tally.operations:
        raise _nothing_done(tally, facts)
    window = outcome.window
    clock = _clock(outcome.done)
    is_open = isinstance(outcome.plan.load, OpenLoop)
    return Run(
        index=index,
        duration_ns=window.closes_ns - window.opens_ns,
        warmup_ns=window.opens_ns - window.origin_ns,
        operations=tally.operations,
        response=_latency(tally.response, tally, clock, "intended") if is_open else None,
        service=_latency(tally.service, tally, clock, "send"),
        delay=_coarse_latency(tally.delay, tally, clock) if is_open else None,
        failed=_latency(tally.failed, Tally(), clock, "send") if tally.failed.counts.n else None,
        errors={kind: count for kind, count in sorted(tally.errors.items()) if count},
        outcomes=dict(sorted(tally.outcomes.items())) or None,
        intervals=intervals(outcome.series.counted(window), window.length_ns, window.opens_ns),
        warmup_intervals=intervals(outcome.series.warmup(window), window.length_ns, window.origin_ns),
        in_flight=_in_flight(outcome, tally, facts),
        generator=_generator(outcome, tally, clock, facts),
        controls=Controls(**facts.first("controls")) if facts.first("controls") else None,
        clock=clock,
        cpu_ns=_cpu_ns(outcome, facts),
        peak_memory_bytes=_peak_memory(outcome, facts),
        bytes_in=facts.sum("bytes_in"),
        bytes_out=facts.sum("bytes_out"),
        warmup_until=outcome.until,
        started_at=outcome.started_at,
        seed=outcome.plan.seed,
        connections=facts.connections(),
    )


def measurement_of(
    plan: Plan, outcomes: Sequence[Outcome], environment: Environment, started_at: str, finished_at: str
) -> Measurement:
    """Every run of one plan as one measurement."""
    runs = tuple(run_of(outcome, index) for index, outcome in enumerate(outcomes))
    tallies = [_total(outcome.done) for outcome in outcomes]
    window_s = sum(run.duration_ns or 0 for run in runs) / 1e9
    batch = tallies[0].batch
    load = plan.load
    measurement = Measurement(
        source=Source("bizra-gate", __version__, foreign=False),
        name=plan.name,
        loop=_loop(plan, batch),
        think_time=load.think_ns > 0 if isinstance(load, ClosedLoop) else None,
        concurrency=load.concurrency if isinstance(load, ClosedLoop) else None,
        rate_requested_per_s=Figure(_requested_per_s(load, plan.duration_ns)) if isinstance(load, OpenLoop) else None,
        rate_achieved_per_s=Figure(sum(tally.started for tally in tallies) / window_s),
        duration_requested_ns=Figure(plan.duration_ns * plan.runs),
        sent=sum(tally.operations + tally.errors.total() for tally in tallies),
        environment=environment,
        runs=runs,
        caveats=_caveats(plan, outcomes, batch),
        plan=plan,
        started_at=started_at,
        finished_at=finished_at,
    )
    return merge.from_runs(measurement)


class _Facts:
    """What the drivers know, over all workers."""

    def __init__(self, done: Sequence[Done]) -> None:
        self._all: list[Mapping[str, Any]] = [d.facts for d in done]

    def values(self, name: str) -> list[Any]:
        return [facts[name] for facts in self._all if facts.get(name) is not None]

    def first(self, name: str) -> Any:
        return next(iter(self.values(name)), None)

    def sum(self, name: str) -> int | None:
        values = self.values(name)
        return int(sum(values)) if values else None

    def max(self, name: str) -> int | None:
        return max(self.values(name), default=None)

    def connections(self) -> dict[str, int] | None:
        total: Counter[str] = Counter()
        for counts in self.values("connections"):
            total.update(counts)
        return dict(total) or None

    def examples(self) -> dict[str, str]:
        """One message per class of error."""
        found: dict[str, str] = {}
        for examples in self.values("error_examples"):
            found = {**examples, **found}
        return found


def _total(done: Sequence[Done]) -> Tally:
    batches = {d.tally.batch for d in done}
    total = Tally(batch=max(batches), is_open=done[0].tally.is_open)
    for part in done:
        total.merge(part.tally)
    return total


def _nothing_done(tally: Tally, facts: _Facts) -> TargetError:
    if not tally.errors.total():
        return TargetError(
            "no operation ended in the counted window", hint="measure for longer than one operation takes (--duration)"
        )
    kind, count = tally.errors.most_common(1)[0]
    said = looks_like(kind, facts.examples())
    total = tally.errors.total()
    share = "all with" if count == total else f"{count:,} of them with"
    return TargetError(f"no operation succeeded: of {total:,} that failed, {share} {kind}{said}", hint=next_step(kind))


def _latency(times: Times, tally: Tally, clock: ClockFacts, origin: LatencyOrigin) -> Latency:
    distribution = times.distribution(tally.batch)
    quantum = None if clock.resolution_ns is None else clock.resolution_ns / tally.batch
    return Latency(
        histogram=distribution,
        count=distribution.n,
        percentile_method="ceil-rank",
        origin=origin,
        quantum_ns=quantum,
        bin_ratio=HDR_BIN_RATIO,
        batch=tally.batch,
        includes_errors=False,
        dropped=times.counts.dropped,
    )


def _coarse_latency(times: Times, tally: Tally, clock: ClockFacts) -> Latency:
    """What describes the generator and not the target: two digits, so that a long run stays a small file."""
    fine = _latency(times, tally, clock, "intended")
    bins = None if fine.histogram is None else coarsened(fine.histogram)
    return replace(fine, histogram=bins, bin_ratio=COARSE_BIN_RATIO)


def _clock(done: Sequence[Done]) -> ClockFacts:
    """The worst of what the workers found."""
    clocks = [d.clock for d in done]
    return ClockFacts(
        name=clocks[0].name,
        resolution_ns=max((c.resolution_ns for c in clocks if c.resolution_ns is not None), default=None),
        overhead_ns=max((c.overhead_ns for c in clocks if c.overhead_ns is not None), default=None),
        wall_drift_ns=max((c.wall_drift_ns or 0 for c in clocks), key=abs),
        steps=max(c.steps or 0 for c in clocks),
    )


def _in_flight(outcome: Outcome, tally: Tally, facts: _Facts) -> InFlight:
    window = outcome.window
    return InFlight(
        window_ns=window.closes_ns - window.opens_ns,
        integral_ns=tally.in_flight_ns,
        carried_in_count=tally.carried_in_count,
        carried_in_ns=tally.carried_in_ns,
        carried_out_ns=tally.carried_out_ns,
        maximum=facts.sum("in_flight_max"),
        unfinished=facts.sum("unfinished") or 0,
    )


def _generator(outcome: Outcome, tally: Tally, clock: ClockFacts, facts: _Facts) -> Generator:
    """In-process targets share their process with the generator: its CPU is then the target's, not its own."""
    usages = [d.usage for d in outcome.done]
    fractions = tuple(round(_worked_ns(u) / u.wall_ns, 4) for u in usages if u.wall_ns)
    faults = [u.major_faults for u in usages if u.major_faults is not None]
    return Generator(
        workers=len(usages),
        cpu_fraction=() if facts.first("in_process") else fractions,
        lag=_coarse_latency(tally.lag, Tally(), clock) if tally.lag.counts.n else None,
        gc_pause_ns=sum(u.gc_pause_ns for u in usages),
        gc_collections=sum(u.gc_collections for u in usages),
        steal_fraction=_rounded(steal_fraction(*(moment.machine for moment in outcome.machine))),
        other_cpu_fraction=_rounded(_other_cpu(outcome, facts)),
        major_faults=sum(faults) if faults else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _other_cpu(outcome: Outcome, facts: _Facts) -> float | None:
    """Known only where the target's own CPU time is: in this process, among its children, or as a local server."""
    target_ns = 0 if facts.first("in_process") else _cpu_ns(outcome, facts)
    if target_ns is None:
        return None
    ours = sum(d.usage.cpu_ns for d in outcome.done) + target_ns
    window, (first, last) = outcome.window, outcome.machine
    return other_cpu_fraction(first.machine, last.machine, ours, cores(), window.closes_ns - window.opens_ns)


def _worked_ns(usage: Usage) -> int:
    """CPU time without the spinning. That is told in wall time, which is more where others had the core meanwhile."""
    return max(0, usage.cpu_ns - usage.spun_ns)


def _cpu_ns(outcome: Outcome, facts: _Facts) -> int | None:
    if facts.first("in_process"):
        return sum(_worked_ns(d.usage) for d in outcome.done)
    first, last = (moment.servers_ns for moment in outcome.machine)
    if first is not None and last is not None:
        return last - first
    return facts.sum("cpu_ns")


def _peak_memory(outcome: Outcome, facts: _Facts) -> int | None:
    if facts.first("in_process"):
        return max((d.usage.peak_memory_bytes or 0 for d in outcome.done), default=0) or None
    return facts.max("peak_memory_bytes")


def _loop(plan: Plan, batch: int) -> Loop:
    if isinstance(plan.load, OpenLoop):
        return "open"
    return "batch" if batch > 1 else "closed"


def _requested_per_s(load: OpenLoop, duration_ns: int) -> float:
    """The mean rate over the counted window; the last stage's rate holds where the stages are shorter than it."""
    if not load.stages:
        return load.rate_per_s
    due, left = 0.0, duration_ns
    for stage in load.stages:
        part = min(left, stage.duration_ns)
        at_end = stage.from_per_s + (stage.to_per_s - stage.from_per_s) * part / stage.duration_ns
        due += (stage.from_per_s + at_end) / 2 * part
        left -= part
    return (due + left * load.stages[-1].to_per_s) / duration_ns


def _caveats(plan: Plan, outcomes: Sequence[Outcome], batch: int) -> tuple[Caveat, ...]:
    found = []
    if batch > 1:
        found.append(
            Caveat("batch.means", f"each value is the mean of {batch:,} operations: it says nothing of single ones")
        )
    if any(outcome.until == "limit" for outcome in outcomes):
        found.append(Caveat("warmup.limit", "the warm-up ended at its limit, before the series was steady"))
    for outcome in outcomes:
        for said in _Facts(outcome.done).values("caveats"):
            found.extend(Caveat(str(code), str(message)) for code, message in said)
    return tuple(dict.fromkeys(found))
