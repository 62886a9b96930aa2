"""What an embedded server does, as data, and when it will have done it, as arithmetic. No sockets, no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

from .distributions import uniform_at

Law = Literal["constant", "exponential"]


@dataclass(frozen=True, slots=True)
class Script:
    """Request number `i` (from 0, in order of arrival) takes ``service_at(i)`` once it is its turn."""

    service_ns: int = 0
    """Service time, or its mean."""
    law: Law = "constant"
    servers: int | None = None
    """How many requests are served at once, the others queue in order; None: all of them."""
    frozen_ns: tuple[tuple[int, int], ...] = ()
    """Stretches (from, to) after the first request in which nothing is worked on or answered."""
    fail_every: int = 0
    """Every so-many-th request is answered 503 at once; 0: none."""
    close_every: int = 0
    """Every so-many-th request has its connection closed instead of an answer; 0: none."""
    drip_every: int = 0
    """Of every so-many-th answer the last byte comes `drip_ns` late; 0: none."""
    drip_ns: int = 40_000_000
    body_bytes: int = 13
    chunked: bool = False
    seed: int = 1

    def service_at(self, index: int) -> int:
        """Service time of request `index`, ns: a pure function, so that the truth can be worked out afterwards."""
        if self.law == "constant":
            return self.service_ns
        return round(-self.service_ns * math.log1p(-uniform_at(self.seed, index)))


class Desk:
    """Serves requests in order of arrival: the exact recursion (Lindley 1952) for any number of servers.

    ``departure = max(arrival, when a server is free) + service``, and time in which the desk is frozen does not count.
    """

    def __init__(self, script: Script, epoch_ns: int) -> None:
        self._script = script
        self._frozen = [(epoch_ns + begin, epoch_ns + end) for begin, end in sorted(script.frozen_ns)]
        self._free_at = [epoch_ns] * (script.servers or 0)
        self.served = 0

    def departure(self, arrival_ns: int) -> int:
        """When the request that arrives next, at `arrival_ns`, is done. Arrivals come in order."""
        service = self._script.service_at(self.served)
        self.served += 1
        if self._script.servers is None:
            return self._worked(arrival_ns, service)
        done = self._worked(max(arrival_ns, heappop(self._free_at)), service)
        heappush(self._free_at, done)
        return done

    def _worked(self, start_ns: int, service_ns: int) -> int:
        """When `service_ns` of work that begins at `start_ns` is done, given when the desk is frozen."""
        at, left = start_ns, service_ns
        for begin, end in self._frozen:
            if at + left < begin:
                break
            if at < end:
                left -= max(0, begin - at)
                at = end
        return at + left
