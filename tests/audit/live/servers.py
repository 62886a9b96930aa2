"""Servers that stall, refuse, hang up, saturate and drip, and a few that do not, for ``bizra-gate bench`` over HTTP."""

from __future__ import annotations

from traps import Trap

from bizra_gate.targets.http.script import Script

MS, S = 1_000_000, 1_000_000_000
STALL = ((3 * S, 5 * S),)
"""Two seconds without an answer, from the third second after the first request on."""

SERVERS: tuple[tuple[Script, Trap], ...] = (
    (Script(service_ns=5 * MS), Trap("quiet", ("VALID",), options=("--concurrency", "8"))),
    (Script(service_ns=5 * MS), Trap("quiet", ("VALID",), options=("--rate", "200/s"))),
    (Script(service_ns=8 * MS, law="exponential"), Trap("exponential", ("VALID",), options=("--concurrency", "8"))),
    (
        Script(service_ns=5 * MS, frozen_ns=STALL),
        Trap("stalls", ("INSUFFICIENT",), ("method.coordinated_omission",), ("--concurrency", "8")),
    ),
    (
        Script(service_ns=5 * MS, frozen_ns=STALL),
        Trap("stalls", ("VALID", "INSUFFICIENT"), options=("--rate", "200/s"), never=("method.coordinated_omission",)),
    ),
    (
        Script(service_ns=10 * MS, fail_every=3),
        Trap("answers 503 at once", ("INSUFFICIENT",), ("method.errors",), ("--concurrency", "4")),
    ),
    (
        Script(service_ns=5 * MS, close_every=4),
        Trap("hangs up", ("INSUFFICIENT",), ("method.errors",), ("--concurrency", "4")),
    ),
    (
        Script(service_ns=10 * MS, servers=1),
        Trap("saturates", ("INSUFFICIENT",), ("method.steady",), ("--rate", "150/s"), never=("littles_law.excess",)),
    ),
    (Script(service_ns=10 * MS, servers=1), Trap("saturates", ("VALID",), options=("--concurrency", "8"))),
    (
        Script(service_ns=1 * MS, drip_every=10),
        Trap("drips forty milliseconds late", ("VALID",), ("distribution.modes",), ("--concurrency", "4")),
    ),
)
