"""The part of `coherence.count` about what users, connections, bins and clocks of our own runs leave room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise

from ..model import ClosedLoop, Controls, Finding, Generator, InFlight, Intervals, Measurement, Plan, Run
from . import facts
from .rule import invalid
from .wording import count

CODE = "coherence.count"

AREA_SLACK = 0.01
"""A driver in a process that shares its core may close a window late by some ms."""
MOST_DISTINCT = 1_000
"""Our own sampling of results stops telling them apart here."""
MOST_VALIDATED = 10_000
"""And asks the target's validator no more often than this."""


def of_runs(measurement: Measurement) -> list[Finding] | None:
    """Whatever one run counts twice, and whatever its users and connections bound; None without a plan.

    In flight: largest number ≤ users, or ≤ the cap of an open loop (each worker may have one); integral ≤ largest
    number · window + what was carried out; operations carried in ≤ users · batch. Connections: closed, peak and what
    is still open never above opened; peak ≤ users or cap. Failed times: one for each error but timeouts. Outcomes:
    Σ ≤ successes + timeouts, over HTTP ≥ successes. Controls: distinct and rejected results ≤ results looked at.
    """
    if not facts.own(measurement) or measurement.plan is None or not measurement.runs:
        return None
    found: list[Finding] = []
    for place, run in enumerate(measurement.runs):
        limits = (*_of_run(measurement.plan, run), *_of_parts(run))
        found += [_beyond(f"run {run.index + 1}: ", *limit) for limit in limits]
        if run.index != place:
            found.append(_beyond("", f"the run in place {place}", run.index, "is numbered", place))
    return found


Limit = tuple[str, float, str, float]
"""What, how many, against what, how many of that."""


def _beyond(name: str, what: str, told: float, other: str, limit: float) -> Finding:
    message = f"{name}{what}: {count(told)}, but {other} {count(limit)}, in the same file."
    return invalid(CODE, message, f"{what} {count(told)}", f"{other} {count(limit)}")


def _of_run(plan: Plan, run: Run) -> Iterator[Limit]:
    most = most_in_flight(plan)
    if run.in_flight is not None:
        yield from _of_in_flight(run, run.in_flight, most, closed=isinstance(plan.load, ClosedLoop))
        if plan.target.startswith("http"):
            yield from _of_rows(run, run.in_flight, closed=isinstance(plan.load, ClosedLoop))
    if run.connections:
        yield from _of_connections(run, run.connections, most)
        if plan.http is not None and plan.http.new_connections and run.operations is not None:
            opened = run.connections.get("opened", run.operations)
            if opened < run.operations:
                yield "connections opened", opened, "each operation opens one:", run.operations
    yield from _of_outcomes(run, over_http=plan.target.startswith("http"))
    if run.seed is not None and run.seed != plan.seed:
        yield "the seed", run.seed, "that of the plan is", plan.seed


def most_in_flight(plan: Plan) -> int:
    """Users of a closed loop; the cap of an open one, of which each worker has at least one."""
    if isinstance(plan.load, ClosedLoop):
        return max(plan.load.concurrency, plan.workers)
    return max(plan.load.max_in_flight, plan.workers)


def _of_in_flight(run: Run, inside: InFlight, most: int, *, closed: bool) -> Iterator[Limit]:
    highest = inside.maximum
    if run.duration_ns is not None and inside.window_ns != run.duration_ns:
        yield "the number in flight was integrated over ns", inside.window_ns, "the window has", run.duration_ns
    if highest is not None:
        if highest > most:
            yield "the largest number in flight", highest, "there were at most", most
        room = highest * inside.window_ns * (1 + AREA_SLACK) + inside.carried_out_ns
        if inside.integral_ns > room:
            yield "the mean number in flight", inside.integral_ns / max(1, inside.window_ns), "the largest is", highest
    batch = run.service.batch if run.service is not None else 1
    if closed and inside.carried_in_count > most * batch:
        yield "operations under way when the window opened", inside.carried_in_count, "users had at most", most * batch


def _of_rows(run: Run, inside: InFlight, *, closed: bool) -> Iterator[Limit]:
    """Over HTTP the integral is exact at every edge: no row has more in flight on average than ever were, and what has
    ended in a closed loop was in flight before."""
    for series, end in ((run.warmup_intervals, run.warmup_ns), (run.intervals, run.duration_ns)):
        if series is None or not series.in_flight_ns or end is None:
            continue
        areas = series.in_flight_ns
        for area, length in zip(areas, _lengths(series, end), strict=True):
            if inside.maximum is not None and area > inside.maximum * length * (1 + AREA_SLACK):
                yield "in flight on average over an interval", -(-area // length), "never more than", inside.maximum
                break
        if closed and series.total_ns:
            yield from _of_ended(areas, series.total_ns)


def _of_ended(areas: tuple[int, ...], totals: tuple[int, ...]) -> Iterator[Limit]:
    for area, ended in zip(accumulate(areas), accumulate(totals), strict=True):
        if ended > area * (1 + AREA_SLACK):
            yield "ns of the operations that have ended", ended, "ns in flight until then are", area
            return


def _lengths(series: Intervals, end_ns: int) -> Iterator[int]:
    """Length of each row, ns; the last one before the end of the window takes what is left of it."""
    for first, second in pairwise((*series.start_ns, None)):
        assert first is not None
        if first < end_ns:
            yield max(1, min(end_ns, second if second is not None else end_ns) - first)
        else:
            yield series.length_ns


def _of_connections(run: Run, held: Mapping[str, int], most: int) -> Iterator[Limit]:
    opened, closed, peak = (held.get(name) for name in ("opened", "closed", "peak"))
    if opened is None or closed is None or peak is None:
        return
    if closed > opened:
        yield "connections closed", closed, "opened were", opened
    if peak > opened:
        yield "connections at once", peak, "opened were", opened
    if opened - closed > peak:
        yield "connections left open", opened - closed, "at once there were never more than", peak
    if peak > most:
        yield "connections at once", peak, "there were at most", most
    if not peak and run.operations:
        yield "operations over connections", run.operations, "of those there were", 0


def _of_outcomes(run: Run, *, over_http: bool) -> Iterator[Limit]:
    """What was slower than the timeout has its outcome and is an error; a status stands beside every answer."""
    if run.outcomes is None or run.operations is None:
        return
    labelled, slow = sum(run.outcomes.values()), (run.errors or {}).get("timeout", 0)
    if labelled > run.operations + slow:
        yield "outcomes", labelled, "operations that could have one are", run.operations + slow
    if over_http and labelled < run.operations:
        yield "outcomes", labelled, "answers were", run.operations


def _of_parts(run: Run) -> Iterator[Limit]:
    for name, part in facts.parts(run):
        if part.histogram is not None and part.count is not None and part.histogram.n != part.count:
            yield f"{name} values in bins", part.histogram.n, "stated are", part.count
    if run.failed is not None and run.failed.histogram is not None and run.errors is not None:
        timed = run.failed.histogram.n + (run.failed.dropped or 0)
        others = sum(run.errors.values()) - run.errors.get("timeout", 0)
        if timed != others:
            yield "times of operations that failed", timed, "errors other than timeouts are", others
    if run.controls is not None:
        yield from _of_controls(run.controls)
    if run.generator is not None:
        yield from _of_generator(run.generator)


def _of_controls(held: Controls) -> Iterator[Limit]:
    looked, distinct = held.validated, held.distinct_results
    if distinct is not None and distinct > MOST_DISTINCT:
        yield "distinct results", distinct, "no more are told apart than", MOST_DISTINCT
    if looked is not None and looked > MOST_VALIDATED:
        yield "results validated", looked, "no more are looked at than", MOST_VALIDATED
    if looked is not None and looked < MOST_VALIDATED and (distinct or 0) > looked:
        yield "distinct results", distinct or 0, "results looked at are", looked
    if (held.rejected or 0) > (looked or 0):
        yield "results refused", held.rejected or 0, "results looked at are", looked or 0


def _of_generator(held: Generator) -> Iterator[Limit]:
    if held.gc_collections == 0 and held.gc_pause_ns:
        yield "ns in pauses of the collector", held.gc_pause_ns, "collections were", 0
    for what, part in (("stolen", held.steal_fraction), ("used by others", held.other_cpu_fraction)):
        if part is not None and part > 1:
            yield f"per cent of all cores {what}", 100 * part, "there are no more than", 100
