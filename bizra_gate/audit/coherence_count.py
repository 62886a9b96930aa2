"""`coherence.count`: the same operations counted in several places, with different results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model import Distribution, Finding, Latency, Measurement, Policy, Run
from . import coherence_limits, coherence_plan, facts
from .ranges import Range
from .rule import Answer, NotApplicable, invalid
from .wording import count, listed

CODE = "coherence.count"

TWIN_VALUES = 30
"""Two runs with fewer values than this could hold the same ones by chance; with more, in more than ten bins, never."""


def counts(measurement: Measurement, policy: Policy) -> Answer:
    """Recorded = histogram = Σ intervals = Σ outcomes and errors, over the same window; sent ≥ ended; runs add up once.

    *Formula.* histogram.n · batch = ok + timeouts (ours; service times of an open loop: ok … ok + timeouts, for some
    never started), or = ok … ok + errors (a tool that does not say whether errors are timed); Σ intervals.count =
    histogram.n · batch; ok ≤ Σ outcomes ≤ ok + errors; sent ≥ ended; no two runs hold identical histograms. Ours: runs,
    workers, users, rate as planned, sent = ended, Σ in flight = integral ≤ its largest number · T ≤ users · T;
    connections opened ≥ closed, peak; a time for each error, an outcome for each answer, distinct results ≤ looked at.
    *Tolerance.* Ours: none, they are integers of one recorder. Elsewhere the counters of a tool are read at different
    moments, so they may differ by what was in flight: C operations (1 where C is not known). A latency over a window
    of its own (`window_ns`) is not compared, it may only not exceed the run's count.
    *Source.* Conservation: an operation is counted once.
    *Example.* autocannon's correction adds a sample per ms of waiting: 22,973 latencies of 3,204 requests.

    >>> from bizra_gate.model import Source
    >>> paced = Measurement(Source("autocannon"), concurrency=4, operations=3_204, latency=Latency(count=22_973))
    >>> [f.observed for f in counts(paced, Policy())]
    ['22,973 latencies, 3,204 operations']

    *Violator.* hey beyond a million requests: 1,600,000 requests, status codes add up to 1,000,000.
    *Neighbour.* h2load started 2,916 and finished 2,904 requests on 12 connections: the 12 were under way at the end.
    """
    checks = [
        *_of_latencies(measurement),
        *_of_beside(measurement),
        *_of_intervals(measurement),
        _of_outcomes(measurement),
        _of_sent(measurement),
        *_twins(measurement),
        *(coherence_plan.of_counts(measurement) or ()),
        *(coherence_limits.of_runs(measurement) or ()),
    ]
    looked = [finding for finding in checks if finding is not _ABSENT]
    if not looked:
        return NotApplicable("only one count of operations is given, so there is nothing to compare it with")
    return [finding for finding in looked if isinstance(finding, Finding)]


class _Absent:
    """A comparison that lacks one of its sides."""


_ABSENT = _Absent()
_Outcome = Finding | _Absent | None


def _slack(measurement: Measurement) -> int:
    """Operations by which two counters of one tool may differ: what was in flight when each was read."""
    return 0 if facts.own(measurement) else max(1, measurement.concurrency or 1)


def _outside(value: float, allowed: Range, slack: float) -> bool:
    return value < allowed.low - slack or value > allowed.high + slack


def _of_latencies(measurement: Measurement) -> Iterator[_Outcome]:
    seen: set[int] = set()
    for kind in ("latency", "response", "service", "delay"):
        latency = getattr(measurement, kind)
        if latency is not None and id(latency) not in seen:
            seen.add(id(latency))
            yield from _of_latency(kind, latency, measurement)
    for run in measurement.runs if len(measurement.runs) > 1 else ():
        yield _of_run(run, measurement)


def _of_latency(kind: str, latency: Latency, measurement: Measurement) -> Iterator[_Outcome]:
    histogram = latency.histogram
    if histogram is not None and latency.count is not None and histogram.n != latency.count:
        yield _split(kind, histogram.n, latency.count)
    recorded, expected = facts.size(latency), facts.timed(measurement, latency)
    if recorded is None or expected is None:
        yield _ABSENT
        return
    slack = _slack(measurement)
    if latency.window_ns is not None:
        expected = Range(0, expected.high)
    elif kind == "service" and measurement.loop == "open" and facts.own(measurement):
        expected = Range(facts.succeeded(measurement) or 0, expected.high)  # what never started has no service time
    if _outside(recorded, expected, slack):
        what = "samples that nobody sent" if recorded > expected.high else "operations whose time is in no latency"
        yield invalid(
            CODE,
            f"{kind}: {count(recorded)} latencies were recorded of {count(expected)} operations; "
            f"the difference is {what}.",
            f"{count(recorded)} latencies, {count(expected)} operations",
            f"equal within {slack}" if slack else "equal",
        )
    else:
        yield None


def _of_beside(measurement: Measurement) -> Iterator[_Outcome]:
    for one in measurement.beside:
        histogram, stated = one.figures.histogram, one.figures.count
        if histogram is None or stated is None:
            yield _ABSENT
        elif histogram.n != stated:
            yield _split(one.name, histogram.n, stated)
        else:
            yield None


def _split(name: str, held: int, stated: int) -> Finding:
    return invalid(
        CODE,
        f"{name}: the histogram holds {count(held)} values, but {count(stated)} were recorded.",
        f"{count(held)} in bins, {count(stated)} stated",
        "equal",
    )


def _of_run(run: Run, measurement: Measurement) -> _Outcome:
    """One run of ours: its histogram against its own counts."""
    latency = run.service if run.service is not None else run.response
    if latency is None or run.operations is None or not facts.own(measurement):
        return _ABSENT
    recorded = facts.size(latency) or 0
    expected = run.operations + (run.errors or {}).get("timeout", 0)
    if recorded == expected:
        return None
    return invalid(
        CODE,
        f"run {run.index}: {count(recorded)} latencies were recorded, but {count(expected)} operations ended in time "
        "or timed out.",
        f"{count(recorded)} latencies, {count(expected)} operations",
        "equal",
    )


def _of_intervals(measurement: Measurement) -> Iterator[_Outcome]:
    for name, intervals, holder in facts.all_intervals(measurement):
        total = sum(intervals.count)
        expected = _timed_of(measurement, holder)
        if expected is None:
            yield _ABSENT
            continue
        if _outside(total, expected, _slack(measurement)):
            yield invalid(
                CODE,
                f"{name}the intervals add up to {count(total)} operations, the run counted {count(expected)}: "
                "they do not cover the same stretch, or some were left out.",
                f"Σ intervals {count(total)}, counted {count(expected)}",
                "equal",
            )
        failed, errors = sum(intervals.errors), holder.errors
        if intervals.errors and errors is not None and facts.own(measurement) and failed != sum(errors.values()):
            yield invalid(
                CODE,
                f"{name}the intervals hold {count(failed)} errors, the run counted {count(sum(errors.values()))}.",
                f"Σ interval errors {count(failed)}, counted {count(sum(errors.values()))}",
                "equal",
            )
        yield None


def _timed_of(measurement: Measurement, holder: Run | Measurement) -> Range | None:
    """Operations that a time series should add up to."""
    if isinstance(holder, Run):
        latency = holder.service if holder.service is not None else holder.response
    else:
        latency = facts.headline(holder)
    if latency is not None and latency.window_ns is None:
        recorded, failed = facts.size(latency), sum(holder.intervals.errors) if holder.intervals else 0
        if recorded is not None:
            inside = 0 if facts.own(measurement) or latency.includes_errors is False else failed
            return Range(recorded - inside, recorded)
    return facts.timed(measurement, latency) if isinstance(holder, Measurement) and latency is not None else None


def _of_outcomes(measurement: Measurement) -> _Outcome:
    good, every = facts.succeeded(measurement), facts.ended(measurement)
    if not measurement.outcomes_complete or measurement.outcomes is None or good is None or every is None:
        return _ABSENT
    labelled = sum(measurement.outcomes.values())
    if not _outside(labelled, Range(good, every), _slack(measurement)):
        return None
    return invalid(
        CODE,
        f"the outcomes ({_table(measurement.outcomes)}) add up to {count(labelled)}, "
        f"but {count(Range(good, every))} operations ended.",
        f"Σ outcomes {count(labelled)}, ended {count(Range(good, every))}",
        "equal",
    )


def _table(outcomes: Mapping[str, int]) -> str:
    return listed([f"{label} × {count(n)}" for label, n in outcomes.items()])


def _of_sent(measurement: Measurement) -> _Outcome:
    """Nothing ends that was not sent; what was sent ends, fails, or was under way (at most C) at the end."""
    every = facts.ended(measurement)
    if measurement.sent is None or every is None:
        return _ABSENT
    under_way = max(measurement.concurrency or 0, measurement.in_flight.unfinished if measurement.in_flight else 0)
    lost = measurement.sent - every
    if lost < 0:
        message = f"{count(every)} operations ended, but only {count(measurement.sent)} were sent."
    elif measurement.concurrency is not None and measurement.loop in ("closed", "paced-closed") and lost > under_way:
        message = (
            f"{count(measurement.sent)} operations were sent and {count(every)} ended: {count(lost)} are missing, "
            f"but no more than {count(under_way)} can have been under way at the end."
        )
    else:
        return None
    return invalid(
        CODE, message, f"sent {count(measurement.sent)}, ended {count(every)}", f"0 … {count(under_way)} apart"
    )


def _twins(measurement: Measurement) -> Iterator[_Outcome]:
    """Two runs with the very same values are one run that was counted twice."""
    seen: dict[object, int] = {}
    for run in measurement.runs if len(measurement.runs) > 1 else ():
        part = run.service or run.response
        if part is None or part.histogram is None or not _telling(part.histogram):
            continue
        values = _values_of(part.histogram)
        if values in seen:
            yield invalid(
                CODE,
                f"runs {seen[values]} and {run.index} hold the same {count(part.histogram.n)} latencies to the last "
                "nanosecond: one run was counted twice.",
                f"run {seen[values]} = run {run.index}",
                "independent processes",
            )
        seen.setdefault(values, run.index)
    yield from _repeated_values(measurement)


def _telling(one: Distribution) -> bool:
    """Whether nothing but a copy could hold the very same values."""
    return one.n >= TWIN_VALUES and one.bins > 10


def _values_of(one: Distribution) -> object:
    return one.low, one.count, one.minimum, one.maximum, one.total_ns


def _repeated_values(measurement: Measurement) -> Iterator[_Outcome]:
    """The same for tools that keep values: three or more different ones, twice in the same order."""
    seen: dict[tuple[float, ...], int] = {}
    for run in measurement.runs:
        if len(set(run.values)) >= 3 and run.values in seen:
            yield invalid(
                CODE,
                f"runs {seen[run.values]} and {run.index} hold the same {len(run.values)} values in the same order: "
                "one run was counted twice.",
                f"run {seen[run.values]} = run {run.index}",
                "independent processes",
            )
        seen.setdefault(run.values, run.index)
