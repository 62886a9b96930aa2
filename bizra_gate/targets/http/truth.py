"""Situations whose outcome is arithmetic: what they are, what is true in them, and what a generator that forgets its
intended times would have said. Pure: the pacer's arrivals come in, distributions come out.

Sources: the stall is Gil Tene's ctrl-Z test (the share 1 − f of the window is undisturbed, above it p(q) =
S·(q − (1 − f))/f); the overload identity is latency(t) = t·(1 − μ/λ); M/D/1 and M/M/1 are Pollaczek–Khinchine,
W = 1/μ + ρ/(2μ(1 − ρ)) and W = 1/(μ − λ); sojourn times of M/M/1 are exponential. A finite run of a queue is compared
with the exact recursion over the very arrivals and service times that were used, not with the limit of an infinite run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...model import ClosedLoop, Distribution, Load, OpenLoop
from .script import Desk, Script

S, MS = 1_000_000_000, 1_000_000
QUANTITIES = ("mean", "p90", "p95", "p99", "max")

Figures = Mapping[str, float]
"""Quantity → ns."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A server, a load on it, and the closed form of what must come out (quantity → ns), where there is one."""

    name: str
    about: str
    script: Script
    load: Load
    duration_ns: int
    judged: tuple[str, ...]
    """Quantities that must agree within the tolerance."""
    formula: str
    closed_form: Figures = field(default_factory=dict)
    timeout_ns: int = 60 * S


def arrivals(pacer: Callable[[int], int], duration_ns: int) -> list[int]:
    """Intended starts within ``[0, duration_ns)``."""
    found: list[int] = []
    while (due := pacer(len(found))) < duration_ns:
        found.append(due)
    return found


def true_responses(script: Script, due: Sequence[int]) -> Distribution:
    """Response times, from the intended starts, when every request is sent exactly when it is due."""
    desk = Desk(script, due[0] if due else 0)
    return Distribution.of(desk.departure(at) - at for at in due)


def forgetful(script: Script, due: Sequence[int], connections: int = 1) -> Distribution:
    """What a paced generator reports that waits for an answer before it sends again, and counts from the send."""
    desk = Desk(script, due[0] if due else 0)
    free = [0] * connections
    times = []
    for at in due:
        first = free.index(min(free))
        sent = max(at, free[first])
        free[first] = desk.departure(sent)
        times.append(free[first] - sent)
    return Distribution.of(times)


def figures(distribution: Distribution) -> dict[str, float]:
    """Mean, p90, p95, p99 and max of a distribution, ns."""
    quantiles = {f"p{q}": distribution.quantile(q / 100) for q in (90, 95, 99)}
    found = {"mean": distribution.mean, **quantiles, "max": distribution.maximum}
    return {name: float(value) for name, value in found.items() if value is not None}


def stall(rate_per_s: int = 200, duration_s: int = 20, frozen_s: int = 5) -> Scenario:
    """A server that stands still for `frozen_s` in the middle."""
    begin = (duration_s - frozen_s) * S // 2
    share = frozen_s / duration_s
    closed = {f"p{q}": S * (frozen_s - duration_s * (100 - q) / 100) for q in (90, 95, 99)}
    return Scenario(
        "stall",
        f"{rate_per_s}/s for {duration_s} s, the server frozen for {frozen_s} s of them",
        Script(frozen_ns=((begin, begin + frozen_s * S),)),
        OpenLoop(rate_per_s, max_in_flight=4096),
        duration_s * S,
        QUANTITIES,
        "p(q) = S·(q − (1 − f))/f, mean = S·f/2",
        {"mean": frozen_s * S * share / 2, **closed, "max": float(frozen_s * S)},
    )


def overload(rate_per_s: int = 150, capacity_per_s: int = 100, duration_s: int = 15) -> Scenario:
    """One server that is offered more than it can do: the queue grows for as long as the load lasts."""
    slope = duration_s * S * (rate_per_s / capacity_per_s - 1)
    return Scenario(
        "overload",
        f"{rate_per_s}/s offered for {duration_s} s to a server that can do {capacity_per_s}/s",
        Script(service_ns=S // capacity_per_s, servers=1),
        OpenLoop(rate_per_s, max_in_flight=4096),
        duration_s * S,
        QUANTITIES,
        "latency at completion t = t·(1 − μ/λ)",
        {"mean": slope / 2, "p90": 0.9 * slope, "p95": 0.95 * slope, "p99": 0.99 * slope, "max": slope},
    )


def queue_deterministic(rate_per_s: int = 6, service_ns: int = 100 * MS, duration_s: int = 45) -> Scenario:
    """M/D/1: Poisson arrivals at one server of constant service time.

    So slow that a machine which is busy otherwise, and some milliseconds late, is not taken for an error of ours. The
    truth is exact for whatever arrivals there are; this seed's happen to lie near the limit of infinitely many.
    """
    load, script = OpenLoop(rate_per_s, "poisson", seed=147), Script(service_ns=service_ns, servers=1)
    rho = rate_per_s * service_ns / S
    return Scenario(
        "M/D/1",
        f"Poisson arrivals, {rate_per_s}/s, at one server that takes {service_ns // MS} ms (ρ = {rho:g})",
        script,
        load,
        duration_s * S,
        ("mean", "p90", "p99"),
        "W = 1/μ + ρ/(2μ(1 − ρ))",
        {"mean": service_ns * (1 + rho / (2 * (1 - rho)))},
    )


def queue_exponential(rate_per_s: int = 5, service_ns: int = 100 * MS, duration_s: int = 45) -> Scenario:
    """M/M/1: Poisson arrivals at one server of exponential service time; slow, and near its limit, as M/D/1 is."""
    script = Script(service_ns=service_ns, law="exponential", servers=1, seed=5)
    rho = rate_per_s * service_ns / S
    mean = service_ns / (1 - rho)
    closed = {f"p{q}": -mean * math.log(1 - q / 100) for q in (90, 95, 99)}
    return Scenario(
        "M/M/1",
        f"Poisson arrivals, {rate_per_s}/s, at one server that takes {service_ns // MS} ms on average (ρ = {rho:g})",
        script,
        OpenLoop(rate_per_s, "poisson", seed=92),
        duration_s * S,
        ("mean", "p90", "p99"),
        "W = 1/(μ − λ)",
        {"mean": mean, **closed},
    )


def closed_loop(users: int = 8, service_ns: int = 500 * MS, duration_s: int = 40) -> Scenario:
    """Users who wait for a server with room for all of them."""
    return Scenario(
        "closed loop",
        f"{users} users, each answered after {service_ns // MS} ms",
        Script(service_ns=service_ns),
        ClosedLoop(users),
        duration_s * S,
        ("mean", "p90", "p99"),
        "λ·W = C",
        dict.fromkeys(("mean", "p90", "p99"), float(service_ns)),
    )


def scenarios() -> tuple[Scenario, ...]:
    """Everything that is measured against a live server; all of them at once take as long as the longest."""
    return (stall(), overload(), queue_deterministic(), queue_exponential(), closed_loop())
