"""Little's law, L = λ·W: what was in flight is the rate of arrivals times the mean time that each one stays.

It holds for every system, every distribution and every schedule, as long as λ, W and L are taken over one window
whose edges are accounted for (Little 1961, 2011). So it needs no model, and a record that breaks it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..model import Finding, InFlight, Latency, Measurement, Policy
from ..stats.littles import littles_law
from ..units import NS_PER_S
from . import facts
from .ranges import Range
from .rule import Answer, NotApplicable, invalid
from .wording import count, name_of, number, rate, share, time

EXCESS = "littles_law.excess"
DEFICIT = "littles_law.deficit"
MEASURED = "littles_law.measured"
ZERO = "littles_law.zero"

SURPLUS = 0.01
"""Clocks of several threads start some ms apart, so a window may be a little longer than it says: 1 % of it."""
GENERATOR_GAP = 0.10
"""Between an answer and the next send a generator works for itself; up to 10 % of a user's time may go there."""
INTEGRAL_GAP = 0.01
"""A driver that integrates by event reads the clock apart from the stamps of the operations: 1 % of a short one."""


@dataclass(frozen=True, slots=True)
class Law:
    """λ, W and their product, with the residence that the edges of the window may add or hide."""

    rate_per_s: Range
    mean_ns: Range
    edge: float
    """Σ of the residence across one edge of the window, as a share of all residence: E[W²]/(2·E[W]) / T."""

    @property
    def product(self) -> Range:
        return self.rate_per_s * self.mean_ns / Range.exact(NS_PER_S)


def law(measurement: Measurement, latency: Latency) -> Law | None:
    """λ·W of `latency`; None where a count, a window or a mean is missing."""
    window, mean = facts.window_ns(measurement, latency), facts.mean_ns(latency)
    done = facts.operations_of(measurement, latency)
    if window is None or mean is None or done is None or window.high <= 0 or done.high <= 0:
        return None
    edge = min(1.0, facts.residual_ns(latency, mean.middle) / 2 / window.middle)
    return Law(done * Range.exact(NS_PER_S) / window, mean, edge)


def residence(measurement: Measurement) -> Latency | None:
    """The latency that counts from the actual send: while it runs, an operation is in flight.

    A response time from the intended start includes waiting in front of the connections and is bounded by nothing.
    """
    if measurement.service is not None:
        return measurement.service
    for latency in (measurement.latency, measurement.response):
        if latency is None or latency.origin == "intended":
            continue
        if latency.origin is not None or measurement.loop in ("closed", "paced-closed", "batch"):
            return latency
    return None


def capacity(measurement: Measurement) -> tuple[int, str] | None:
    """The most that can have been in flight, and how to name it: C, or the largest number that was seen."""
    options: list[tuple[int, str]] = []
    if measurement.concurrency is not None:
        options.append((measurement.concurrency, "existed"))
    if measurement.in_flight is not None and measurement.in_flight.maximum is not None:
        options.append((measurement.in_flight.maximum, "were ever in use"))
    positive = [option for option in options if option[0] > 0]
    return min(positive, default=None)


def excess(measurement: Measurement, policy: Policy) -> Answer:
    """λ·W ≤ C: no more can be in flight on average than there are connections, users or tasks.

    *Formula.* L = (N/T [1/s]) · (W [ns] / 10⁹) against C, the connections, or the largest number seen in flight.
    *Tolerance.* The ranges of N, T and W as printed; at either edge of the window C operations may lie across it,
    each with E[W²]/(2·E[W]) on the wrong side, hence E[W²]/E[W]/T of C for both; 1 % for clocks of threads that
    start some ms apart.
    *Source.* Little, *A proof for the queuing formula L = λW* (1961).
    *Example.* wrk over 10 quiet connections: 89,537/s × 122.91 µs = 11.0.

    >>> from bizra_gate.model import Figure, Source
    >>> quiet = Latency(mean=Figure(122_910, 10), stdev=Figure(288_410, 10), origin="send")
    >>> run = Measurement(Source("wrk"), loop="closed", concurrency=10, operations=537_242,
    ...                   duration_ns=Figure(6e9, 1e7), latency=quiet)
    >>> [f.observed for f in excess(run, Policy())]
    ['λ·W = 11.01']

    *Violator.* A mean in µs read as ms; samples filled in for a stall; the last shard added twice.
    *Neighbour.* h2load: 11,623/s × 1.38 ms = 16.04 on 16 connections; the mean is printed to 0.01 ms, ± 0.06.
    """
    latency, limit = residence(measurement), capacity(measurement)
    if latency is None:
        return NotApplicable("no latency from the actual send is given, so what was in flight cannot be derived")
    if limit is None:
        return NotApplicable("the number of connections, users or tasks is not told: state it with --connections")
    found = law(measurement, latency)
    if found is None:
        return NotApplicable("a count, a duration or a mean latency is missing, so λ·W cannot be derived")
    allowed = limit[0] * (1 + SURPLUS + 2 * found.edge)
    if found.product.low + _carried(measurement) <= allowed:
        return []
    message = (
        f"λ·W = {number(found.product)} requests in flight ({rate(found.rate_per_s)} × {time(found.mean_ns)}), but "
        f"only {count(limit[0])} connections {limit[1]}: samples were counted that never happened."
    )
    return [invalid(EXCESS, message, f"λ·W = {number(found.product)}", f"≤ {number(allowed)}")]


def _carried(measurement: Measurement) -> float:
    """What our own driver saw cross the edges: residence of others inside the window, less that of ours outside."""
    in_flight = measurement.in_flight
    if in_flight is None or in_flight.window_ns <= 0:
        return 0.0
    return (in_flight.carried_in_ns - in_flight.carried_out_ns) / in_flight.window_ns


def deficit(measurement: Measurement, policy: Policy) -> Answer:
    """A closed loop without think time keeps C in flight: λ·W well below C means that time was left out.

    *Formula.* L = λ·W against C, for users who send again as soon as they are answered.
    *Tolerance.* As for the excess at the edges, and one more mean for the first connection; the generator's own work
    between an answer and the next send, up to 10 % (0.1 … 3 % on honest runs of wrk, h2load, hey, oha and ghz).
    Errors count as if they had taken a mean operation's time.
    *Source.* Little (1961); users' time adds up: C·T = Σ (response + gap).
    *Example.* wrk over 4 connections, 5 s without an answer: 64,882/s × 51.15 µs = 3.32; four requests are "timeout".

    >>> from bizra_gate.model import Figure, Source
    >>> stall = Latency(mean=Figure(51_150, 10), stdev=Figure(150_310, 10), origin="send")
    >>> run = Measurement(Source("wrk"), loop="closed", think_time=False, concurrency=4, operations=1_298_362,
    ...                   duration_ns=Figure(20.01e9, 1e7), latency=stall)
    >>> [f.observed for f in deficit(run, Policy())]
    ['λ·W = 3.319']

    *Violator.* Answers slower than a timeout dropped; latencies cut to whole ms; a mean in ms read as µs.
    *Neighbour.* wrk, two threads, 20 connections, 5 s: 19.77 of 20, for the last round of each is cut off.
    """
    reason = _no_deficit_because(measurement)
    if reason is not None:
        return NotApplicable(reason)
    latency = residence(measurement)
    found = law(measurement, latency) if latency is not None else None
    users = measurement.concurrency
    if latency is None or found is None or users is None:
        return NotApplicable("a count, a duration or a mean latency is missing, so λ·W cannot be derived")
    untimed = _untimed(measurement, latency, found)
    product = Range(found.product.low, found.product.high * untimed)
    window = facts.window_ns(measurement, latency)
    first = found.mean_ns.high / window.middle if window is not None and window.middle > 0 else 0.0
    allowed = users * (1 - GENERATOR_GAP - 2 * found.edge - first)
    if product.high >= allowed:
        return []
    message = (
        f"λ·W = {number(found.product)} requests in flight ({rate(found.rate_per_s)} × {time(found.mean_ns)}), but "
        f"{count(users)} connections sent again as soon as they were answered: "
        f"{share(1 - found.product.middle / users)} of their time is in no latency; slow samples were dropped or cut."
    )
    return [invalid(DEFICIT, message, f"λ·W = {number(found.product)}", f"≥ {number(allowed)}")]


def _no_deficit_because(measurement: Measurement) -> str | None:
    if measurement.loop != "closed":
        return "only a closed loop keeps all its connections busy; this one is " + (measurement.loop or "not described")
    if measurement.think_time is None:
        return "whether users pause between operations is not told"
    if measurement.think_time:
        return "users pause between operations, so that λ·W below their number is right"
    if measurement.concurrency is None:
        return "the number of connections, users or tasks is not told: state it with --connections"
    if facts.own(measurement) and measurement.in_flight is not None:
        return "what was in flight was measured, which says more than the number of users (littles_law.measured)"
    return None


def _untimed(measurement: Measurement, latency: Latency, found: Law) -> float:
    """Factor for errors whose time is in no latency, as if each had taken a mean operation's time."""
    done, every = facts.operations_of(measurement, latency), facts.ended(measurement)
    if done is None or every is None or done.high <= 0:
        return 1.0
    return max(1.0, every / done.high)


def measured(measurement: Measurement, policy: Policy) -> Answer:
    """λ·W against the number in flight that was integrated apart from the latencies.

    *Formula.* Σ residence = Σ service (successes and timeouts) + Σ failed [ns]; Σ residence + carried_in −
    carried_out = ∫ in flight dt. For tools that give a mean or a largest number only: λ·W against it.
    *Tolerance.* Ours: both sides come from the same events, so what differs is the reading of the clock, at most
    twice its cost per operation, plus 1 %; and what an in-process loop lost to others between two operations, by its
    own CPU time. A tool that prints the mean in flight: the ranges of both, and the edges.
    *Source.* Little (1961), with the edge terms of Kim & Whitt, *Statistical analysis with Little's law* (2013).
    *Example.* siege below its quantum: 2,568/s × 0.00 s = 0 … 12.8 holds 7.93, so this rule accuses nobody.

    >>> from bizra_gate.model import Distribution, Figure, Source
    >>> stolen = Latency(histogram=Distribution.of([10**6] * 1000), origin="send")
    >>> run = Measurement(Source("bizra-gate", foreign=False), loop="closed", operations=1000, service=stolen,
    ...                   duration_ns=Figure(1e9),
    ...                   in_flight=InFlight(window_ns=10**9, integral_ns=3 * 10**9))
    >>> [f.observed for f in measured(run, Policy())]
    ['λ·W = 1']

    *Violator.* The slowest tenth of all samples dropped before the histogram was written.
    *Neighbour.* A stall of 5 s at the end of the window: its residence is carried out, and the identity holds.
    """
    in_flight = measurement.in_flight
    if in_flight is None:
        return NotApplicable("the number in flight was not measured apart from the latencies")
    latency = residence(measurement)
    if latency is None:
        return NotApplicable("no latency from the actual send is given, so what was in flight cannot be derived")
    if facts.own(measurement):
        return list(_identity(measurement, latency, in_flight))
    found = law(measurement, latency)
    if found is None or in_flight.window_ns <= 0 or in_flight.integral_ns <= 0:
        return NotApplicable("the mean number in flight, a count, a duration or a mean latency is missing")
    return list(_against_mean(found, in_flight))


def _identity(measurement: Measurement, latency: Latency, in_flight: InFlight) -> Iterable[Finding]:
    """Our own record, where the edges are known."""
    found = littles_law(measurement)
    if found is None or found.measured is None:
        return
    window = in_flight.window_ns
    total, integral = found.product * window, found.measured * window
    operations = (facts.size(latency) or 0) + facts.errors(measurement)
    overhead = measurement.clock.overhead_ns if measurement.clock is not None else None
    slack = INTEGRAL_GAP * integral + operations / latency.batch * 2 * (overhead or 0.0)
    unseen = in_flight.unfinished * window + _between_stamps(measurement, latency, operations)
    if integral - slack - unseen <= total <= integral + slack:
        return
    message = (
        f"λ·W = {number(found.product)} operations in flight by their latencies, but {number(found.measured)} were "
        "counted in flight, event by event: "
        + ("time is in no latency." if total < integral else "there is more latency than time.")
    )
    yield invalid(MEASURED, message, f"λ·W = {number(found.product)}", f"L = {number(found.measured)}")


def _between_stamps(measurement: Measurement, latency: Latency, operations: int) -> float:
    """Time that an in-process loop may have lost between one operation and the next, ns.

    Such a loop counts itself as in flight but for its own bookkeeping. While its process waits for a core, that share
    of the wait falls between two stamps and is in no latency: (users · T − CPU time) · (1 − p50 / CPU time a turn).
    On a machine of its own CPU time is wall time, and nothing is allowed.
    """
    cpu = [run.cpu_ns for run in measurement.runs if run.cpu_ns is not None]
    typical = facts.percentile(latency, 50.0)
    if not facts.in_process(measurement) or len(cpu) < len(measurement.runs) or typical is None or not operations:
        return 0.0
    seen = measurement.in_flight.maximum if measurement.in_flight is not None else None
    lanes = max(measurement.concurrency or 1, seen or 1)
    wall = sum(run.duration_ns or 0 for run in measurement.runs) * lanes
    turn = sum(cpu) / operations
    return max(0.0, wall - sum(cpu)) * max(0.0, 1 - typical.value / turn) if turn > 0 else 0.0


def _against_mean(found: Law, in_flight: InFlight) -> Iterable[Finding]:
    """Another tool's mean in flight."""
    seen = in_flight.integral_ns / in_flight.window_ns
    slack = SURPLUS + 2 * found.edge
    if found.product.low <= seen * (1 + slack) and found.product.high >= seen * (1 - slack):
        return
    message = (
        f"λ·W = {number(found.product)} requests in flight ({rate(found.rate_per_s)} × {time(found.mean_ns)}), but "
        f"{number(seen)} were seen in flight."
    )
    yield invalid(MEASURED, message, f"λ·W = {number(found.product)}", f"{number(seen)} in flight")


def zero(measurement: Measurement, policy: Policy) -> Answer:
    """Work takes time: a mean latency of 0 makes λ·W = 0, nothing in flight, whatever was done.

    *Formula.* W > 0 for N > 0. Where no mean is given, the highest percentile; where half of all values are 0, p50.
    *Tolerance.* None: zero is what is printed. A positive figure below its quantum is `clock.resolution`'s.
    *Source.* The light limit is kinder than the clock: the shortest operation takes one cycle, 0.1 ns at 10 GHz.
    *Example.* The record it all began with: 13,000,000/s, p50 = p99 = 0 ms, in 0.36 s.

    >>> from bizra_gate.model import Figure, Source
    >>> record = Latency(percentiles=((50.0, Figure(0, 1e6)), (99.0, Figure(0, 1e6))))
    >>> run = Measurement(Source("loop"), operations=4_680_000, duration_ns=Figure(0.36e9), latency=record)
    >>> [f.observed for f in zero(run, Policy())]
    ['p99 = 0']

    *Violator.* hyperfine on a shell builtin: 46 of 60 times are exactly 0.0 after the shell's own time was taken off.
    *Neighbour.* autocannon at 30 ms: its p0.001 may print 0 or 1, its mean does not.
    """
    latency = facts.headline(measurement)
    done = facts.ended(measurement) or (facts.size(latency) if latency is not None else None)
    if latency is None or not done:
        return NotApplicable("no latency of any operation is given")
    for what, value in _candidates(latency):
        if value <= 0:
            message = (
                f"{what} = 0 over {count(done)} operations: λ·W = 0 in flight. Work that takes no time was not done, "
                "or was not timed."
            )
            return [invalid(ZERO, message, f"{what} = 0", "> 0")]
    return []


def _candidates(latency: Latency) -> Iterable[tuple[str, float]]:
    """Figures that must not be zero: the mean, or without one the highest percentile; the median where it is exact."""
    mean = latency.mean.value if latency.mean is not None else None
    if mean is None and latency.histogram is not None:
        mean = latency.histogram.mean
    if mean is not None:
        yield "mean latency", mean
    elif latency.percentiles:
        p, figure = max(latency.percentiles, key=lambda pair: pair[0])
        yield name_of(p), figure.value
    median = facts.percentile(latency, 50.0)
    if median is not None and median.resolution == 0 and (latency.quantum_ns or 0.0) <= 1.0:
        yield "p50", median.value
