"""What the clock and the file can show: resolution and overhead."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Distribution, Finding, Latency, Measurement, Policy
from . import facts, lattice
from .ranges import is_number
from .rule import Answer, NotApplicable, insufficient, invalid
from .wording import count, name_of, time

RESOLUTION = "clock.resolution"
OVERHEAD = "clock.overhead"

QUANTA = 10
"""A value of ten quanta is known to 10 %; below that a rank says more about the clock than about the operation."""
READINGS = 2.0
"""A stamped operation holds about one reading of the clock in itself; twice that means that it costs no more."""
DEAREST_READING_NS = 100.0
"""A reading costs 20 ns (vDSO) to 100 ns (through an interpreter), where nobody measured it."""
RATIO = 1e-3
"""Our histograms resolve three digits; a step is only blamed where it is coarser than that at the median."""


def resolution(measurement: Measurement, policy: Policy) -> Answer:
    """A typical latency is at least ten quanta of its clock and of its file.

    *Formula.* p50 (or the lowest percentile above it that is stated, or else the mean) ≥ 10 · max(clock step, file
    quantum, last printed digit) [ns]. Where one reading spans a batch, the reading, p50 · batch, is held against the
    quantum. Our own values must not move in steps wider than the clock's.
    *Tolerance.* At ten quanta a rounded value is off by at most 5 %, and percentiles above the median by less. Lower
    percentiles and the minimum are not judged: a few short operations below the quantum move no claim.
    *Source.* JCGM 100 (GUM) 4.3.7 for the uncertainty of a digital reading, half a digit.
    *Example.* hey prints four decimals of a second: a p50 of 0.0001 s is one quantum.

    >>> from bizra_gate.model import Figure, Source
    >>> quick = Latency(percentiles=((50.0, Figure(100_000, 100_000)),), quantum_ns=100_000)
    >>> [f.observed for f in resolution(Measurement(Source("hey"), latency=quick), Policy())]
    ['p50 = 1 quanta of 100 µs']

    *Violator.* Latencies cut to whole ms under a p50 of 0.12 ms: they read 0.
    *Neighbour.* autocannon at 30 ms: whole ms as well, but thirty of them; h2load's min of 27 µs is 27 quanta.
    """
    findings: list[Finding] = []
    looked = False
    latency = facts.headline(measurement)
    if latency is not None:
        typical = _typical(latency)
        quantum = _quantum_ns(measurement, latency)
        if typical is not None and quantum > 0:
            looked = True
            findings += _of_typical(*typical, quantum, latency.batch)
    for name, part in facts.latencies(measurement):
        if facts.own(measurement) and part.histogram is not None and part.histogram.n and ": " not in name:
            looked = True
            findings += _of_steps(name, part, measurement)
    if not looked:
        return NotApplicable("the resolution of the clock or of the file is not known")
    return findings


def _typical(latency: Latency) -> tuple[str, float, float] | None:
    """Name, value and last digit of p50, of the next percentile above it, or of the mean, ns."""
    median = facts.percentile(latency, 50.0)
    if median is not None:
        printed = any(abs(p - 50.0) < 1e-9 for p, _ in latency.percentiles)
        return "p50", median.value, median.resolution if printed else 0.0
    higher = [(p, figure) for p, figure in latency.percentiles if p > 50]
    if higher:
        p, figure = min(higher, key=lambda pair: pair[0])
        return name_of(p), figure.value, figure.resolution
    if latency.mean is not None:
        return "mean", latency.mean.value, latency.mean.resolution
    return None


def _quantum_ns(measurement: Measurement, latency: Latency) -> float:
    """The step of one reading, by the clock, by the file, or as the values show it."""
    clock = measurement.clock.resolution_ns if measurement.clock is not None else None
    return max(clock or 0.0, latency.quantum_ns or 0.0, _seen_step_ns(measurement, latency))


def _seen_step_ns(measurement: Measurement, latency: Latency) -> float:
    """The step in which raw readings move, where it is wider than the file admits; 0 where none shows."""
    readings = latency.histogram if latency.batch == 1 else None
    kept = {value * latency.batch for run in measurement.runs for value in run.values}  # how often shows no step
    if kept and all(is_number(value) and value >= 0 for value in kept):
        readings = Distribution.of(round(value) for value in kept)
    if facts.own(measurement) or readings is None or not readings.n:
        return 0.0
    step = lattice.step_ns(readings)
    return float(step) if step > 1 else 0.0


def _of_typical(name: str, value: float, digit: float, quantum: float, batch: int) -> Iterator[Finding]:
    reading = value * batch
    widest = max(quantum, digit * batch)
    if not reading < QUANTA * widest:
        return
    spans = f" over {count(batch)} operations" if batch > 1 else ""
    message = (
        f"{name} = {time(reading)}{spans} is {reading / widest:.3g} quanta of {time(widest)}, the finest step that "
        f"clock and file can show: it may be off by {time(widest)} and tells little but that."
    )
    observed = f"{name} = {reading / widest:.3g} quanta of {time(widest)}"
    yield invalid(RESOLUTION, message, observed, f"≥ {QUANTA} quanta, {time(QUANTA * widest)}")


def _of_steps(name: str, latency: Latency, measurement: Measurement) -> Iterator[Finding]:
    """Values of our own recorder that move in coarser steps than its clock."""
    histogram = latency.histogram
    if histogram is None or histogram.mean is None:
        return
    clock = measurement.clock.resolution_ns if measurement.clock is not None else None
    step, rounded = lattice.step_ns(histogram), lattice.digits(histogram)
    said = max(clock or 1.0, latency.quantum_ns or 1.0)
    if step > 10 * said and (typical := facts.percentile(latency, 50.0)) and step > RATIO * typical.value:
        what = f"whole multiples of {time(step)}"
    elif rounded is not None:
        what = f"numbers of {rounded} digit{'s' if rounded > 1 else ''}"
    else:
        return
    message = (
        f"{name}: all {count(histogram.n)} values are {what}, but the clock ticks in {time(said)}: "
        "they were rounded before they were recorded."
    )
    yield invalid(RESOLUTION, message, what, f"steps of {time(said)}")


def overhead(measurement: Measurement, policy: Policy) -> Answer:
    """An operation costs more than reading the clock twice around it.

    *Formula.* reading = p50 · batch [ns] > 2 · overhead, where the cost of a reading was measured. In a
    micro-benchmark whose clock is not known: reading ≥ 10 · 100 ns.
    *Tolerance.* A reading of the clock is part of what it measures, once: an operation of zero length reads about one
    overhead, so below two the operation is the smaller part. Not known is judged as too little, not as wrong.
    *Source.* Measured: clock_gettime 20 … 30 ns through the vDSO, time.perf_counter_ns 50 … 100 ns in CPython.
    *Example.* `x = 1` timed once a reading: 140 ns where a reading of the clock costs 85 ns.

    >>> from bizra_gate.model import ClockFacts, Distribution, Source
    >>> nothing = Latency(histogram=Distribution.of([140] * 9))
    >>> run = Measurement(Source("own", foreign=False), loop="batch", latency=nothing,
    ...                   clock=ClockFacts(overhead_ns=85.0))
    >>> [f.observed for f in overhead(run, Policy())]
    ['140 ns a reading']

    *Violator.* A coroutine that is made and never awaited: 140 ns, once a round.
    *Neighbour.* The same 140 ns, averaged over 100,000 calls between two readings: 14 ms each.
    """
    latency = facts.headline(measurement)
    reading = _reading_ns(measurement, latency)
    if reading is None:
        return NotApplicable("how long one reading of the clock spanned is not known")
    cost = measurement.clock.overhead_ns if measurement.clock is not None else None
    if cost is not None:
        if reading > READINGS * cost:
            return []
        message = (
            f"a typical reading spans {time(reading)}, and reading the clock costs {time(cost)}: "
            "what was timed is the clock."
        )
        return [invalid(OVERHEAD, message, f"{time(reading)} a reading", f"> {time(READINGS * cost)}")]
    if measurement.loop != "batch":
        return NotApplicable("what a reading of the clock costs was not measured")
    floor = QUANTA * DEAREST_READING_NS
    if reading >= floor:
        return []
    message = (
        f"a typical reading spans {time(reading)}; reading a clock costs 20 … 100 ns and was not measured here, "
        "so the clock is a good part of it."
    )
    return [insufficient(OVERHEAD, message, f"{time(reading)} a reading", f"≥ {time(floor)}")]


def _reading_ns(measurement: Measurement, latency: Latency | None) -> float | None:
    """Length of a typical raw reading: p50 (or the mean) times the operations that it spans."""
    if latency is None:
        return None
    typical = _typical(latency)
    return typical[1] * latency.batch if typical is not None else None
