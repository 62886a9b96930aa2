"""What no machine can do."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding, Measurement, Policy
from ..units import NS_PER_S
from . import facts
from .rule import Answer, NotApplicable, invalid
from .wording import count, rate, time

CODE = "physics.rate"

FASTEST_HZ = 10e9
"""No core runs at 10 GHz (6.2 GHz boosted in 2024; 9.1 GHz under liquid helium)."""
TURBO = 2.0
"""A core may run at up to twice the frequency that it is sold by."""
SYSTEM_CALL_NS = 100.0
"""A request takes a send and a receive, and a system call no less than 100 ns: 5,000,000 a second and core."""
PATH_BYTES_PER_S = 200e9
"""Loopback copies through memory: no machine's memory passes 200 GB/s through one path's two copies."""
SHORTEST_ANSWER_BYTES = 12
"""``HTTP/1.1 200`` is twelve bytes."""


def machine(measurement: Measurement, policy: Policy) -> Answer:
    """No more operations a second than cores have cycles, no more requests than system calls, no more bytes than RAM.

    *Formula.* N/T [1/s] ≤ cores · Hz; a loop turns once a cycle at most, so each operation takes ≥ 1/Hz on each
    thread; over HTTP N/T ≤ cores · 1/(2 · 100 ns); bytes/T ≤ 200 GB/s; bytes_in ≥ 12 · N.
    *Tolerance.* Twice the frequency that the processor is sold by, for boost; 10 GHz where it is not known. The bounds
    are far above what is reached, so that they accuse only the impossible.
    *Source.* One taken branch a cycle (Fog, *The microarchitecture of Intel, AMD and VIA CPUs*); RFC 9112, 4.
    *Example.* A loop that the optimiser removed: 6.13e-10 ns an iteration on two cores of 2.596 GHz.

    >>> from bizra_gate.model import Environment, Figure, Source
    >>> gone = Measurement(Source("loop"), loop="batch", operations=10**18, threads=1,
    ...                    duration_ns=Figure(0.613e9), environment=Environment(cpu_count=2, cpu_hz=2.596e9))
    >>> [f.expected for f in machine(gone, Policy())]
    ['≤ 5,192,000,000/s']

    *Violator.* An empty closure at 0.054 ns an iteration.
    *Neighbour.* A table look-up at 0.8 ns, twice a cycle's length and more.
    """
    findings = [*_of_cycles(measurement), *_of_requests(measurement), *_of_bytes(measurement)]
    if not findings and _per_second(measurement) is None and measurement.bytes_in is None:
        return NotApplicable("neither a rate nor a number of bytes is given")
    return findings


def _per_second(measurement: Measurement) -> float | None:
    """Operations a second: N/T at its lowest, or as stated, or from the mean of a benchmark's loop."""
    window, done = facts.window_ns(measurement), facts.ended(measurement)
    if window is not None and done and window.high > 0:
        return done * NS_PER_S / window.high
    if measurement.rate_achieved_per_s is not None:
        return measurement.rate_achieved_per_s.low
    return None


def _per_operation_ns(measurement: Measurement) -> float | None:
    """Mean time of one turn of a benchmark's loop."""
    latency = facts.headline(measurement)
    mean = facts.mean_ns(latency) if latency is not None and measurement.loop == "batch" else None
    return mean.high if mean is not None else None


def _of_cycles(measurement: Measurement) -> Iterator[Finding]:
    environment = measurement.environment
    hertz = environment.cpu_hz * TURBO if environment is not None and environment.cpu_hz else FASTEST_HZ
    cores = environment.cpu_count if environment is not None and environment.cpu_count else None
    single = measurement.loop == "batch"
    lanes = (measurement.threads or measurement.concurrency or 1) if single else cores
    per_second, turn_ns = _per_second(measurement), _per_operation_ns(measurement)
    if lanes is not None and per_second is not None and per_second > lanes * hertz:
        what = f"{lanes} thread{'s' if lanes > 1 else ''}" if single else f"{lanes} cores"
        message = (
            f"{rate(per_second)} is more than the cycles of {what} ({rate(lanes * hertz)}): "
            "the operation was not carried out."
        )
        yield invalid(CODE, message, rate(per_second), f"≤ {rate(lanes * hertz)}")
    elif turn_ns is not None and 0 < turn_ns < NS_PER_S / hertz:
        message = (
            f"{turn_ns:.3g} ns an operation is less than a cycle ({NS_PER_S / hertz:.2g} ns at {hertz / 1e9:.3g} GHz): "
            "the loop that should repeat it is gone."
        )
        yield invalid(CODE, message, f"{turn_ns:.3g} ns", f"≥ {NS_PER_S / hertz:.2g} ns")


def _of_requests(measurement: Measurement) -> Iterator[Finding]:
    """Requests over HTTP, each of its own (our own generator sends no pipelines)."""
    environment, per_second = measurement.environment, _per_second(measurement)
    over_http = measurement.plan is not None and measurement.plan.target.startswith("http")
    if not over_http or environment is None or not environment.cpu_count or per_second is None:
        return
    most = environment.cpu_count * NS_PER_S / (2 * SYSTEM_CALL_NS)
    if per_second > most:
        message = (
            f"{rate(per_second)} over HTTP: a request takes a send and a receive, {time(2 * SYSTEM_CALL_NS)} at least, "
            f"and {environment.cpu_count} cores make {rate(most)} of those."
        )
        yield invalid(CODE, message, rate(per_second), f"≤ {rate(most)}")


def _of_bytes(measurement: Measurement) -> Iterator[Finding]:
    window = facts.window_ns(measurement)
    total = (measurement.bytes_in or 0) + (measurement.bytes_out or 0)
    if total and window is not None and window.high > 0 and total * NS_PER_S / window.high > PATH_BYTES_PER_S:
        carried = total * NS_PER_S / window.high / 1e9
        message = f"{carried:,.0f} GB/s were carried: no path within or into a machine is that wide."
        yield invalid(CODE, message, f"{carried:,.0f} GB/s", f"≤ {PATH_BYTES_PER_S / 1e9:.0f} GB/s")
    good = facts.succeeded(measurement)
    over_http = measurement.plan is not None and measurement.plan.target.startswith("http")
    if over_http and good and measurement.bytes_in is not None and measurement.bytes_in < SHORTEST_ANSWER_BYTES * good:
        message = (
            f"{count(good)} answers in {count(measurement.bytes_in)} bytes: an answer over HTTP has "
            f"{SHORTEST_ANSWER_BYTES} at least."
        )
        yield invalid(CODE, message, f"{count(measurement.bytes_in)} bytes", f"≥ {count(SHORTEST_ANSWER_BYTES * good)}")
