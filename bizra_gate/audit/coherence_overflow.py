"""`coherence.overflow`: values that were dropped, clipped or cut off at a cap."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Distribution, Finding, Latency, Measurement, Policy
from ..units import NS_PER_S
from . import facts
from .rule import Answer, NotApplicable, insufficient, invalid, note
from .wording import count, name_of, share, time

CODE = "coherence.overflow"

TOUCHES = 0.1
"""Dropped values shift the rank of a percentile p by their share; a tenth of 1 − p is where that begins to show."""
PILE = 3
"""Values on one round ns number that are needed to call it a cap."""
HDR_HIGHEST_NS = 3_600_000_000_000


def overflow(measurement: Measurement, policy: Policy) -> Answer:
    """No value was dropped, clipped at the top of the histogram, or left out because a reservoir was full.

    *Formula.* dropped / (n + dropped) against (1 − p) / 10 for the highest percentile p that is stated (p99 where
    none is); count ≥ cap while more operations ended; at least 3 values on a maximum that is a whole second or a
    power of two of ns, and no timeouts to explain them.
    *Tolerance.* Values that are known to be lost lie above everything that was kept: they move p by their share of
    ranks. Below a tenth of 1 − p that is told as a note, because the percentile stands and only the maximum is wrong.
    *Source.* HdrHistogram drops values above its highest trackable one without a word; hey keeps the first million.
    *Example.* 60 of 10,000 latencies were above the histogram: p99 stands on the 100 slowest, 60 of them are gone.

    >>> from bizra_gate.model import Figure, Source
    >>> cut = Latency(count=9_940, dropped=60, percentiles=((99.0, Figure(59e9)),))
    >>> [f.observed for f in overflow(Measurement(Source("service"), latency=cut), Policy())]
    ['60 of 10,000 dropped']

    *Violator.* 1,600,000 requests, percentiles from the first 1,000,000.
    *Neighbour.* A constant service time of 25 ms: every value is in the top bin, and nothing was clipped.
    """
    findings: list[Finding] = []
    looked = False
    for name, latency in facts.latencies(measurement):
        if latency.dropped is not None or latency.cap is not None or latency.histogram is not None:
            looked = True
            findings += _of_latency(name, latency, measurement)
    if not looked:
        return NotApplicable("whether values were dropped, clipped or capped is not told")
    return findings


def _of_latency(name: str, latency: Latency, measurement: Measurement) -> Iterator[Finding]:
    kept = facts.values(latency) or measurement.operations or 0
    if latency.dropped:
        yield _of_dropped(name, latency, kept)
    if latency.cap is not None and kept >= latency.cap:
        yield from _of_cap(name, latency.cap, kept, facts.ended(measurement))
    if latency.histogram is not None and latency.histogram.n:
        yield from _of_top(name, latency.histogram, latency.quantum_ns, facts.timeouts(measurement))


def _of_dropped(name: str, latency: Latency, kept: int) -> Finding:
    dropped = latency.dropped or 0
    lost = dropped / (kept + dropped)
    highest = max((p for p, _ in latency.percentiles), default=99.0)
    observed = f"{count(dropped)} of {count(kept + dropped)} dropped"
    if lost > TOUCHES * (1 - highest / 100):
        message = (
            f"{name}: {count(dropped)} values, {share(lost)} of all, were too slow to be recorded; "
            f"{name_of(highest)} stands on the slowest {share(1 - highest / 100)}."
        )
        return invalid(CODE, message, observed, "0")
    message = f"{name}: {observed}, too slow to be recorded: the largest value that is stated was not the largest."
    return note(CODE, message, observed, "0")


def _of_cap(name: str, cap: int, kept: int, ended: int | None) -> Iterator[Finding]:
    if ended is not None and ended > kept:
        message = (
            f"{name}: the tool keeps {count(cap)} values and {count(ended)} operations ended: the rest is in no figure."
        )
        yield invalid(CODE, message, f"{count(kept)} of {count(ended)} kept", "all")
    elif ended is None:
        message = (
            f"{name}: the tool keeps at most {count(cap)} values and that many are there: more may have been cut off."
        )
        yield insufficient(CODE, message, f"{count(kept)} kept", f"< {count(cap)}")


def _of_top(name: str, histogram: Distribution, quantum_ns: float | None, timeouts: int) -> Iterator[Finding]:
    """A pile of values on one round number at the very top."""
    top, pile = histogram.maximum if histogram.maximum is not None else histogram.edges(-1)[1], histogram.held(-1)
    if top >= HDR_HIGHEST_NS:
        message = f"{name}: the largest value, {time(top)}, is where the histogram ends; what was larger is not in it."
        yield invalid(CODE, message, f"max {time(top)}", f"< {time(HDR_HIGHEST_NS)}")
    elif _is_a_limit(top) and pile - timeouts >= PILE and (quantum_ns or 1.0) <= 1_000 and top > histogram.edges(0)[1]:
        message = (
            f"{name}: {count(pile)} values lie at exactly {time(top)}, the largest one: "
            "they were cut off there, for no clock ticks in whole seconds."
        )
        yield invalid(CODE, message, f"{count(pile)} values at {time(top)}", "a tail that thins out")


def _is_a_limit(value_ns: int) -> bool:
    """Is `value_ns` a whole second, or a power of two of ns above a millisecond (less one)?"""
    if value_ns < 1_000_000:
        return False
    return value_ns % NS_PER_S == 0 or value_ns & (value_ns + 1) == 0 or value_ns & (value_ns - 1) == 0
