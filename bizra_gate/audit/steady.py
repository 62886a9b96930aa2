"""`method.steady`: one state of the target was measured, not its way from one to another."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Figure, Finding, Intervals, Latency, Measurement, OpenLoop, Policy, Run
from ..stats.dependence import full_rows
from ..stats.steady import TOLERANCE, is_level, steady_state
from . import facts
from .rule import Answer, NotApplicable, insufficient

CODE = "method.steady"

ALARMS = 0.05
"""Share of steady runs that may be called unsteady, over all series of a run."""
PER_POINT = 5.0
"""Operations that a point of the series should hold on average; rows with fewer are taken together."""


def steady(measurement: Measurement, policy: Policy) -> Answer:
    """The latency of the counted window neither drifts, nor grows, nor changes its level.

    *Formula.* Means per interval (ns), without the drain and the first rows in which slow operations are still
    missing, through `stats.steady.steady_state`: change points (PELT) and the ratio of the segments. Where the series
    has medians, they are judged as well: a few operations that the machine held up hide a drift of all the others from
    a mean, and not from a median.
    *Tolerance.* That of `stats.steady`, which is set to 2 … 6 % false alarms on steady series; of two series each is
    given half of them (Bonferroni). Medians are left alone where they move within the percentiles 40 to 60 of the
    whole, give or take the 5 % that do not matter: between two modes of equal weight, or from one tick of a clock to
    the next, a median leaps though next to nothing changed. A ramp that was asked for (stages) is not judged, nor is a
    series that is too short to tell.
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
    judged = [(name, _series(measurement, part, holder)) for name, part, holder in facts.all_intervals(measurement)]
    if not judged:
        return NotApplicable("no time series is given")
    answers = [_judge(name, series) for name, series in judged]
    if all(answer is None for answer in answers):
        return NotApplicable("the time series is too short to tell a steady state")
    return [finding for answer in answers for finding in answer or ()]


def _judge(name: str, series: list[list[float]]) -> list[Finding] | None:
    """What is wrong with a run: at most one finding, of the first series that is not steady; None if it cannot be told.

    The first series decides whether it can be: the others are a second look.
    """
    for number, points in enumerate(series):
        if is_level(points):
            continue
        found = steady_state(points, 1 - ALARMS / len(series))
        if found.verdict == "short" and number == 0:
            return None
        if found.verdict not in ("steady", "short"):
            of = "of the medians " if number else ""
            return [insufficient(CODE, f"{name}no steady state: {_of(found.message, of)}.", found.verdict, "steady")]
    return []


def _of(message: str, of: str) -> str:
    """``the level rises …`` as ``the level of the medians rises …``."""
    return message.replace("the level ", f"the level {of}", 1)


def _series(measurement: Measurement, series: Intervals, holder: Run | Measurement) -> list[list[float]]:
    """The means (or counts) of a run, and its medians where they say something of their own."""
    rows = _rows(series, holder)
    counts = series.count[rows.start : rows.stop]
    group = _group(counts)
    points = _points(measurement, series, rows, group)
    medians = _medians(series, holder, rows) if group == 1 else []
    return [points, medians] if medians else [points]


def _medians(series: Intervals, holder: Run | Measurement, rows: range) -> list[float]:
    """Median latency per row, ns; empty where there are none, or where they cannot be believed to show a level."""
    latency = _headline_of(holder)
    if latency is None or latency.histogram is None or not series.p50_ns or not rows:
        return []
    counted = zip(series.p50_ns[rows.start : rows.stop], series.count[rows.start : rows.stop], strict=True)
    found = [float(p50) for p50, n in counted if n]
    low, high = latency.histogram.quantile(0.4), latency.histogram.quantile(0.6)
    if not found or low is None or high is None:
        return []
    leaps_only = low * (1 - TOLERANCE) <= min(found) and max(found) <= high * (1 + TOLERANCE)
    return [] if leaps_only else found


def _points(measurement: Measurement, series: Intervals, rows: range, group: int) -> list[float]:
    """Mean latency per point of `group` rows, ns, or operations per row where the series has no latencies."""
    counts = series.count[rows.start : rows.stop]
    if not series.total_ns:
        return [float(n) for n in counts] if measurement.loop == "closed" else []
    totals = series.total_ns[rows.start : rows.stop]
    if group > 1:
        starts = range(0, len(rows) - group + 1, group)
        totals, counts = (tuple([sum(column[i : i + group]) for i in starts]) for column in (totals, counts))
    return [total / n for total, n in zip(totals, counts, strict=True) if n]


def _rows(series: Intervals, holder: Run | Measurement) -> range:
    """Whole intervals without the drain, and without the first ones in which slow operations are still missing."""
    latency = _headline_of(holder)
    mean = facts.mean_ns(latency) if latency is not None else None
    return full_rows(series, _window_ns(holder), mean.middle if mean is not None else None)


def _window_ns(holder: Run | Measurement) -> float | None:
    duration = holder.duration_ns
    return duration.value if isinstance(duration, Figure) else duration


def _headline_of(holder: Run | Measurement) -> Latency | None:
    if isinstance(holder, Measurement):
        return facts.headline(holder)
    return holder.response if holder.response is not None else holder.service


def _group(counts: Sequence[int]) -> int:
    """Rows per point, so that a point is the mean of a handful of operations at least."""
    usual = sum(counts) / len(counts) if counts else 0.0
    return 1 if usual >= PER_POINT or usual <= 0 else round(PER_POINT / usual + 0.5)
