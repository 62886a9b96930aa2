"""The shape of the latencies."""

from __future__ import annotations

from ..model import Measurement, Policy
from . import facts
from .rule import Answer, NotApplicable, note
from .wording import share, time

CODE = "distribution.modes"

FEWEST = 100
"""Below this many values a dip between two heaps is chance."""


def modes(measurement: Measurement, policy: Policy) -> Answer:
    """Several heaps of latencies are told: an average over them describes nobody.

    *Formula.* `stats.modes`: peaks of the histogram over the logarithm, with a valley of half their height between
    them, 5 % of all values each, and 1.25 % of all to move before one were left (the teeth of a timer's tick do not).
    *Tolerance.* None needed: a note changes no verdict. Fewer than 100 values are not looked at.
    *Source.* BenchmarkDotNet's multimodal analyser.
    *Example.* A cache: hits at 0.2 ms, misses at 12 ms, a mean of 2.6 ms that no request ever took.

    >>> from bizra_gate.model import Distribution, Latency, Source
    >>> hits, misses = [200_000 + 150 * i for i in range(800)], [12_000_000 + 9_000 * i for i in range(200)]
    >>> cache = Measurement(Source("own"), latency=Latency(histogram=Distribution.of(hits + misses)))
    >>> [f.severity for f in modes(cache, Policy())]
    ['note']

    *Violator.* "The mean is 2.6 ms."
    *Neighbour.* One heap with a long tail.
    """
    from ..stats.modes import modes as heaps_of

    latency = facts.headline(measurement)
    if latency is None or latency.histogram is None:
        return NotApplicable("no distribution is given, only figures of it")
    if latency.histogram.n < FEWEST:
        return NotApplicable(f"fewer than {FEWEST} values: whether they form several heaps cannot be told")
    heaps = heaps_of(latency.histogram)
    if len(heaps) < 2:
        return []
    said = ", ".join(f"{share(heap.mass)} around {time(heap.location_ns)}" for heap in heaps)
    message = f"the latencies form {len(heaps)} heaps ({said}): a mean over them describes nobody."
    return [note(CODE, message, said, "one heap, or percentiles of each")]
