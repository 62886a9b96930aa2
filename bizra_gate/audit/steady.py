"""`method.steady`: one state of the target was measured, not its way from one to another."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Figure, Finding, Intervals, Latency, Measurement, OpenLoop, Policy
from ..stats.dependence import full_rows
from . import facts
from .rule import Answer, NotApplicable, insufficient

CODE = "method.steady"

PER_POINT = 5.0
"""Operations that a point of the series should hold on average; rows with fewer are taken together."""


def steady(measurement: Measurement, policy: Policy) -> Answer:
    """The latency of the counted window neither drifts, nor grows, nor changes its level.

    *Formula.* Means per interval (ns), without the drain and the first rows in which slow operations are still
    missing, through `stats.steady.steady_state`: change points (PELT) and the ratio of the segments.
    *Tolerance.* That of `stats.steady`, which is set to 2 … 6 % false alarms on steady series. A ramp that was asked
    for (stages) is not judged, nor is a series that is too short to tell.
    *Source.* Barrett et al. (2017); Traini et al., *Towards effective assessment of steady state performance in Java
    software* (2022).
    *Example.* A leak: 2 ms at the start, 4 ms at the end, 120 intervals.

    >>> from bizra_gate.model import Source
    >>> rows = [1000 * (2_000_000 + 17_000 * i + 997 * (i * 7919 % 13)) for i in range(120)]
    >>> leak = Intervals(10**9, tuple(i * 10**9 for i in range(120)), (1000,) * 120, total_ns=tuple(rows))
    >>> [f.severity for f in steady(Measurement(Source("own"), intervals=leak), Policy())]
    ['insufficient']

    *Violator.* An open loop above what the target can do: the queue, and with it the latency, grows to the end.
    *Neighbour.* Latencies that wander by 3 % from second to second.
    """
    if not policy.require_steady:
        return NotApplicable("the policy does not ask for a steady state")
    load = measurement.plan.load if measurement.plan is not None else None
    if isinstance(load, OpenLoop) and load.stages:
        return NotApplicable("the load was asked to change (stages), so no single state is expected")
    series = [(name, _points(measurement, part, holder)) for name, part, holder in facts.all_intervals(measurement)]
    if not series:
        return NotApplicable("no time series is given")
    answers = [list(_judge(name, points)) for name, points in series]
    if all(answer == [None] for answer in answers):
        return NotApplicable("the time series is too short to tell a steady state")
    return [finding for answer in answers for finding in answer if finding is not None]


def _judge(name: str, points: list[float]) -> Iterator[Finding | None]:
    """One finding where the series is not steady, None where it cannot be told."""
    from ..stats.steady import is_level, steady_state

    if is_level(points):
        return
    found = steady_state(points)
    if found.verdict == "short":
        yield None
    elif found.verdict != "steady":
        yield insufficient(CODE, f"{name}no steady state: {found.message}.", found.verdict, "steady")


def _points(measurement: Measurement, series: Intervals, holder: object) -> list[float]:
    """Mean latency per row, ns, or operations per row where the series has no latencies."""
    duration = getattr(holder, "duration_ns", None)
    window = duration.value if isinstance(duration, Figure) else duration
    latency = facts.headline(holder) if isinstance(holder, Measurement) else _latency_of(holder)
    mean = facts.mean_ns(latency) if latency is not None else None
    rows = full_rows(series, window, mean.middle if mean is not None else None)
    counts = [series.count[row] for row in rows]
    if not series.total_ns:
        return [float(n) for n in counts] if measurement.loop == "closed" else []
    totals = [series.total_ns[row] for row in rows]
    group = _group(counts)
    sums = [(sum(totals[i : i + group]), sum(counts[i : i + group])) for i in range(0, len(rows) - group + 1, group)]
    return [total / n for total, n in sums if n]


def _latency_of(holder: object) -> Latency | None:
    response: Latency | None = getattr(holder, "response", None)
    service: Latency | None = getattr(holder, "service", None)
    return response if response is not None else service


def _group(counts: list[int]) -> int:
    """Rows per point, so that a point is the mean of a handful of operations at least."""
    usual = sum(counts) / len(counts) if counts else 0.0
    return 1 if usual >= PER_POINT or usual <= 0 else round(PER_POINT / usual + 0.5)
