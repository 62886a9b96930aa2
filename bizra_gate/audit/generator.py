"""Was it the target that was measured, or the generator?"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding, Generator, Latency, Measurement, Policy
from . import facts
from .rule import Answer, NotApplicable, insufficient, note
from .wording import name_of, share, time

SATURATED = "generator.saturated"
LAG = "generator.lag"

BUSY = 0.90
"""At 90 % of a core a queue of its own, 9 deep on average (M/M/1, ρ/(1 − ρ)), stands before each answer."""
TYPICAL = 50.0
HALF = 0.5
"""Half of what was measured: from there on the figure is the generator's rather than the target's."""
SLICE_NS = 10_000_000
"""A few time slices of a scheduler: a tail that is late by less is the machine's doing, whatever the generator."""
PAUSED = 0.01
"""A generator that stood still for 1 % of the time owns the p99."""


def saturated(measurement: Measurement, policy: Policy) -> Answer:
    """No worker of the generator was busy for nearly all of its time.

    *Formula.* CPU time / wall time of each worker < 0.9, over the counted window.
    *Tolerance.* A queue in front of a server that is busy for a share ρ is ρ/(1 − ρ) deep: 2 at 67 %, 9 at 90 %.
    In-process targets are not looked at: there the worker's time is the target's.
    *Source.* Kleinrock, *Queueing systems* I, 3.2; wrk and k6 both warn of it in prose.
    *Example.* One worker at 99 % while the server idles.

    >>> from bizra_gate.model import Source
    >>> busy = Measurement(Source("own"), generator=Generator(cpu_fraction=(0.62, 0.99)))
    >>> [f.observed for f in saturated(busy, Policy())]
    ['99 %']

    *Violator.* 60,000 requests a second asked of one Python worker.
    *Neighbour.* Two workers at 70 %.
    """
    if facts.in_process(measurement):
        return NotApplicable("the target runs within the generator's process, whose CPU time is the target's own")
    shares = [part for _, generator in _generators(measurement) for part in generator.cpu_fraction]
    if not shares:
        return NotApplicable("the generator's own CPU use was not recorded")
    worst = max(shares)
    if worst < BUSY:
        return []
    message = (
        f"a worker of the generator was busy for {share(worst)} of its time: the limit that was found is its own, "
        "and its queue is in the latencies. Use more workers or ask for less."
    )
    return [insufficient(SATURATED, message, share(worst), f"< {share(BUSY)}")]


def lag(measurement: Measurement, policy: Policy) -> Answer:
    """The generator was late by little against what it measured.

    *Formula.* lag p50 < p50 / 2 and lag p99 < p99 / 2 of the latency [ns]; its garbage collector's pauses < 1 % · T.
    *Tolerance.* Half: beyond that most of the figure is the generator's own. In an open loop from the intended start
    its lag is in the latency, so that the figure is too high, never too low. A lag that is only in the tail and below
    10 ms is a scheduler's on any machine: a note, and the judge lets no check fail by such a figure.
    *Source.* envoy #5536: one server, three generators, 0.09, 0.79 and 1.97 ms: the timer's tick.
    *Example.* A p99 of 40 ms, and the loop that stamped it was 30 ms late at its own p99.

    >>> from bizra_gate.model import Distribution, Source
    >>> late = Latency(histogram=Distribution.of([50_000] * 980 + [30_000_000] * 20))
    >>> quick = Latency(histogram=Distribution.of([400_000] * 980 + [40_000_000] * 20))
    >>> [f.observed for f in lag(Measurement(Source("own"), latency=quick, generator=Generator(lag=late)), Policy())]
    ['lag p99 30 ms']

    *Violator.* A sleep of 1 ms granularity pacing requests of 0.1 ms.
    *Neighbour.* An event loop that is 30 µs late for answers of 2 ms.
    """
    if facts.in_process(measurement) and measurement.loop != "open":
        return NotApplicable("the generator's own loop and collector are those of the target that runs in its process")
    latency = facts.headline(measurement)
    held = _generators(measurement)
    lags = [(name, generator.lag) for name, generator in held if generator.lag is not None]
    pauses = [generator.gc_pause_ns for _, generator in held if generator.gc_pause_ns is not None]
    if (not lags or latency is None) and not pauses:
        return NotApplicable("how late the generator was for what it meant to do was not recorded")
    findings: list[Finding] = []
    if latency is not None:
        for name, part in lags:
            findings += _of_lag(name, part, latency)
    window = facts.window_ns(measurement)
    paused = max(pauses, default=0)
    if window is not None and window.middle > 0 and not facts.in_process(measurement) and paused > PAUSED * window.high:
        message = (
            f"the generator stood still for {time(paused)} ({share(paused / window.middle)} of the run) to collect its "
            "own garbage: that is in the latencies."
        )
        findings.append(insufficient(LAG, message, share(paused / window.middle), f"≤ {share(PAUSED)}"))
    return findings


def _generators(measurement: Measurement) -> list[tuple[str, Generator]]:
    """The generator of the measurement, which sums up those of its runs."""
    if measurement.generator is not None:
        return [("", measurement.generator)]
    return [(f"run {run.index}: ", run.generator) for run in measurement.runs if run.generator is not None]


def _of_lag(name: str, late: Latency, latency: Latency) -> Iterator[Finding]:
    for p in (TYPICAL, 99.0):
        behind, measured = facts.percentile(late, p), facts.percentile(latency, p)
        if behind is None or measured is None or behind.value < HALF * measured.value:
            continue
        said = f"{name}the generator was {time(behind)} late at its {name_of(p)}, where the latency measured is "
        observed, expected = f"lag {name_of(p)} {time(behind)}", f"< {time(HALF * measured.value)}"
        if p > TYPICAL and behind.value < SLICE_NS:
            message = f"{said}{time(measured)}: the target's own tail is shorter than what was measured."
            yield note(LAG, message, observed, expected)
        else:
            message = f"{said}{time(measured)}: most of that is its own."
            yield insufficient(LAG, message, observed, expected)
        return
