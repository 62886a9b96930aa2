"""Little's law over a window whose edges are accounted for.

Each operation that started in the window counts with its whole residence. What was already inside when the window
opened is added (`carried_in`), and what stayed on after it closed is taken away (`carried_out`). Then

    λ·W = (N / T) · (Σ residence + carried_in − carried_out) / N

equals the integral of the number in flight divided by T, exactly, for every system and every schedule (J. D. C.
Little 1961; S. Stidham 1974). The integral comes from the driver's events and never from a latency, so a difference
means that latencies were dropped, invented or taken from another clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Distribution, Latency, Measurement
from ..units import NS_PER_S
from . import merge


@dataclass(frozen=True, slots=True)
class LittlesLaw:
    """λ per second, W in ns, λ·W, and what was measured in flight (None where nobody integrated it)."""

    arrival_rate_per_s: float
    residence_mean_ns: float
    product: float
    measured: float | None
    relative_difference: float | None
    """(λ·W − measured) / measured."""


def littles_law(measurement: Measurement) -> LittlesLaw | None:
    """The law on one measurement; None where a count, a window or a latency is missing.

    N is what started in the counted window: successes, timeouts and other errors (whose times stand in `failed`).
    Residence is service time, from the actual send on: in an open loop what waits in front of the cap is not in
    flight. Another tool's record has no edges and no integral; there λ is its rate and W its mean latency.
    """
    whole = merge.from_runs(measurement)
    latency = whole.service or whole.latency or whole.response
    window_ns = None if whole.duration_ns is None else whole.duration_ns.value
    if latency is None or not window_ns or window_ns <= 0:
        return None
    inside = whole.in_flight
    if inside is None or latency.histogram is None:
        return _without_integral(whole, latency, window_ns)
    n, residence = _residence(latency, whole.failed)
    if not n or inside.window_ns <= 0:
        return None
    residence += inside.carried_in_ns - inside.carried_out_ns
    measured = inside.integral_ns / inside.window_ns
    return _law(n / inside.window_ns * NS_PER_S, residence / n, measured)


def _residence(latency: Latency, failed: Latency | None) -> tuple[int, float]:
    """(operations, sum of their residence in ns) with the failed ones."""
    n, total = 0, 0.0
    for part in (latency, failed):
        if part is not None and part.histogram is not None:
            n += part.histogram.n * part.batch
            total += _sum_ns(part.histogram) * part.batch
    return n, total


def _sum_ns(histogram: Distribution) -> float:
    return float(histogram.total_ns) if histogram.total_ns is not None else (histogram.mean or 0.0) * histogram.n


def _without_integral(whole: Measurement, latency: Latency, window_ns: float) -> LittlesLaw | None:
    mean = latency.mean.value if latency.mean is not None else None
    if mean is None and latency.histogram is not None:
        mean = latency.histogram.mean
    if mean is None or whole.operations is None:
        return None
    return _law(whole.operations / window_ns * NS_PER_S, mean, None)


def _law(rate_per_s: float, mean_ns: float, measured: float | None) -> LittlesLaw:
    product = rate_per_s * mean_ns / NS_PER_S
    difference = (product - measured) / measured if measured else None
    return LittlesLaw(rate_per_s, mean_ns, product, measured, difference)
