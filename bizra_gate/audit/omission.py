"""`method.coordinated_omission`: a generator that waits out a stall and so never sees what the stall did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model import Figure, Finding, Latency, Measurement, Policy
from . import facts
from .ranges import is_number
from .rule import Answer, NotApplicable, insufficient
from .stalls import spells
from .wording import name_of, share, time

CODE = "method.coordinated_omission"

SMALL = 0.5
"""A percentile below half of what the stall alone makes it "cannot be small" as it is printed."""
ALONE = 0.5
"""Fewer long operations than half of the connections: the others went on, and nobody stood still."""
SHARE_OF_TIME = 0.01
"""Where no percentile beyond the stall is stated: a stall of 1 % of the time touches the p99 that people ask for."""


PASSING = 0.005
"""A pause of less than half a per cent of the run happens to everybody; a p99.9 is not held against it."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest time without an answer: its length, and the share of the run in which nobody was served."""

    length_ns: float
    share: float

    def percentile_ns(self, p: float) -> float:
        """Response time at `p` that arrivals at a steady rate would have had from the stall alone, ns.

        Those that arrive in the stall (a share f of all) wait from 0 to its length S, evenly: S·(1 − (1 − p)/f).
        """
        beyond = (1 - p / 100) / self.share
        return self.length_ns * max(0.0, 1 - beyond)

    @property
    def mean_ns(self) -> float:
        """What the stall adds to the mean response time: f·S/2."""
        return self.share * self.length_ns / 2


def omission(measurement: Measurement, policy: Policy) -> Answer:
    """A closed loop that stood still for a share f of its time has served nobody then; p beyond 1 − f cannot be small.

    *Formula.* f = max/T (or the missing answers of the intervals that stood still); arrivals at a steady rate would
    have a response time ≥ S·(1 − (1 − p)/f) at p > 1 − f, and a mean ≥ f·S/2, with S the longest latency. The record
    contradicts it if a stated percentile is below half of that; or, where none beyond 1 − f is stated and f ≥ 1 %, if
    the mean is below f·S/2.
    *Tolerance.* Half, because the stall's start need not fall on a send. Nothing is said against a long operation
    that was alone: fewer than C/2 values beyond S/2 (counted, or N·(σ² + W²)/S² from the printed deviation), or
    intervals in which the others' answers went on. Latencies from an intended start cannot omit anything.
    *Source.* Gil Tene, *How not to measure latency* (2013); the Ctrl-Z test of wrk2.
    *Example.* h2load, 16 connections: 1 s without an answer in 30 s, mean 1.38 ms where the stall alone adds 17 ms.

    >>> from bizra_gate.model import Source
    >>> frozen = Latency(count=348_693, mean=Figure(1.38e6, 1e4), stdev=Figure(11.73e6, 1e4),
    ...                  maximum=Figure(1.0e9, 1e7), origin="send")
    >>> run = Measurement(Source("h2load"), loop="closed", concurrency=16, duration_ns=Figure(30e9, 1e7),
    ...                   operations=348_693, latency=frozen)
    >>> [f.observed for f in omission(run, Policy())]
    ['mean 1.38 ms beside a stall of 1 s']

    *Violator.* fortio's paced threads that wait, then catch up: 399.8/s of 400, p99 6.5 ms, max 1.49 s of 10 s.
    *Neighbour.* vegeta at 1,000/s over the same freezes: p99 0.905 s, for its sends did not wait.
    """
    latency = facts.headline(measurement)
    window = facts.window_ns(measurement, latency)
    longest = facts.maximum_ns(latency) if latency is not None else None
    if facts.in_process(measurement):
        return NotApplicable("calls within one process have no arrivals of their own that a stall could hold up")
    if latency is None or window is None or longest is None or window.high <= 0:
        return NotApplicable("a duration or the longest latency is missing, so a stall cannot be seen")
    if latency.origin == "intended":
        return []
    stall = _stall(measurement, latency, longest.middle, window.high)
    return list(_contradiction(latency, stall)) if stall is not None else []


def _stall(measurement: Measurement, latency: Latency, longest_ns: float, window_ns: float) -> Stall | None:
    """The stall behind the longest latency, or None where that one was long by itself and others went on."""
    if longest_ns <= 0:
        return None
    seen = spells(measurement)
    if seen is not None:
        if max(spell.missing_ns for spell in seen) < SMALL * longest_ns:
            return None
        still = sum(spell.missing_ns for spell in seen if spell.is_stall)
        return Stall(longest_ns, min(1.0, max(longest_ns, still) / window_ns))
    if _was_alone(measurement, latency, longest_ns):
        return None
    return Stall(longest_ns, min(1.0, longest_ns / window_ns))


def _was_alone(measurement: Measurement, latency: Latency, longest_ns: float) -> bool:
    """Fewer operations were that long than a stall of all connections would have made."""
    users = measurement.concurrency
    if users is None and measurement.in_flight is not None:
        users = measurement.in_flight.maximum
    held = _long_ones(measurement, latency, longest_ns)
    return users is not None and users > 1 and held is not None and held < max(2.0, ALONE * users)


def _long_ones(measurement: Measurement, latency: Latency, longest_ns: float) -> float | None:
    """How many operations took longer than half the longest: counted, or at most as many as the deviation allows."""
    histogram = latency.histogram
    if histogram is not None:
        pairs = zip(histogram.high, histogram.count, strict=True)
        return float(sum(n for edge, n in pairs if edge >= longest_ns / 2) * latency.batch)
    stdev, mean = facts.stdev_ns(latency), facts.mean_ns(latency)
    n = facts.size(latency) or facts.ended(measurement)
    if stdev is None or mean is None or not n or longest_ns <= 0:
        return None
    return n * (stdev * stdev + mean.middle * mean.middle) / (longest_ns * longest_ns)


def _contradiction(latency: Latency, stall: Stall) -> Iterator[Finding]:
    """The percentile that the stall contradicts most, or the mean where no percentile is that far out."""
    if stall.share < PASSING:
        return
    stated = [(p, figure) for p, figure in _stated(latency) if p / 100 > 1 - stall.share]
    wrong = [(p, figure) for p, figure in stated if figure.high < SMALL * stall.percentile_ns(p)]
    mean = facts.mean_ns(latency)
    still = f"nobody was served for {time(stall.length_ns)} ({share(stall.share)} of the run)"
    if wrong:
        p, figure = wrong[0]
        message = (
            f"{still}, so at steady arrivals {name_of(p)} of the response time is {time(stall.percentile_ns(p))} at "
            f"least; {time(figure)} is what the generator saw, because it waited. Measure in an open loop."
        )
        yield insufficient(
            CODE,
            message,
            f"{name_of(p)} {time(figure)} beside a stall of {time(stall.length_ns)}",
            f"≥ {time(stall.percentile_ns(p))}",
        )
    elif not stated and mean is not None and stall.share >= SHARE_OF_TIME and mean.high < stall.mean_ns:
        message = (
            f"{still}, which alone adds {time(stall.mean_ns)} to the mean response time at steady arrivals; a mean of "
            f"{time(mean)} is what the generator saw, because it waited. Measure in an open loop."
        )
        observed = f"mean {time(mean)} beside a stall of {time(stall.length_ns)}"
        yield insufficient(CODE, message, observed, f"≥ {time(stall.mean_ns)}")


def _stated(latency: Latency) -> list[tuple[float, Figure]]:
    """Percentiles that are printed, or the p95 and p99 that a histogram stands for."""
    if latency.percentiles:
        return [(p, figure) for p, figure in latency.percentiles if is_number(figure.value) and 50 <= p <= 99.9]
    found = [(p, facts.percentile(latency, p)) for p in (90.0, 95.0, 99.0)]
    return [(p, figure) for p, figure in found if figure is not None]
