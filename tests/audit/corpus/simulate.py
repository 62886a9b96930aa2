"""Operations of a target that never existed, in exact integer nanoseconds: what a perfect observer would have seen.

Time 0 is where the counted window opens; what starts before it is warm-up. Every random draw comes from a seed.
A `Train` stands for several equal operations of one user in a row, so that millions of them stay cheap; `lanes` users
do the very same, so that thousands of them do.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple

US, MS, S = 1_000, 1_000_000, 1_000_000_000

Service = Callable[[Random, int], int]
"""(random, time in ns) → service time in ns."""
Fails = Callable[[Random, int], tuple[str, int] | None]
"""(random, time) → class and time of an error, or None."""


class Train(NamedTuple):
    """`repeat` operations of one user without a pause: due, started and ended (the last of them) at."""

    due: int
    start: int
    end: int
    repeat: int = 1
    error: str | None = None
    label: str | None = None

    @property
    def service(self) -> int:
        return (self.end - self.start) // self.repeat

    @property
    def response(self) -> int:
        return self.end - self.due if self.repeat == 1 else self.service


def constant(value: int, jitter: int = 0) -> Service:
    return lambda random, at: value + (random.randint(-jitter, jitter) if jitter else 0)


def uniform(low: int, high: int) -> Service:
    return lambda random, at: random.randint(low, high)


def exponential(mean: int, least: int = 50 * US) -> Service:
    return lambda random, at: least + round(random.expovariate(1 / (mean - least)))


def lognormal(median: int, sigma: float) -> Service:
    exp = math.exp
    return lambda random, at: round(median * exp(random.gauss(0, sigma))) or 1


def pareto(least: int, alpha: float, most: int) -> Service:
    return lambda random, at: min(round(least * random.paretovariate(alpha)), most - random.randint(0, most // 10))


def mixture(share: float, first: Service, second: Service) -> Service:
    return lambda random, at: (first if random.random() < share else second)(random, at)


def drifting(base: Service, growth: Callable[[float], float]) -> Service:
    """`base` times a factor that depends on the time in seconds."""
    return lambda random, at: round(base(random, at) * growth(at / S))


def wandering(base: Service, seed: int, size: float, rho: float) -> Service:
    """`base` times a level that changes every second, an AR(1) process of standard deviation `size`."""
    random, levels, level = Random(seed), [], 0.0
    for _ in range(400):
        level = rho * level + random.gauss(0, size * math.sqrt(1 - rho * rho))
        levels.append(1 + level)
    return lambda draw, at: round(base(draw, at) * levels[at // S % len(levels)])


def every(period_s: float, length_s: float, until_s: float, first_s: float = 5.0) -> list[tuple[int, int]]:
    """Stalls of `length_s`, one each `period_s`."""
    count = int((until_s - first_s) / period_s) + 1
    return [(round((first_s + i * period_s) * S), round((first_s + i * period_s + length_s) * S)) for i in range(count)]


def _thaw(end: int, stalls: Sequence[tuple[int, int]], random: Random) -> int:
    """An answer that would fall into a stall leaves at its end."""
    for begin, over in stalls:
        if begin <= end < over:
            return over + random.randint(0, 200 * US)
    return end


def closed(
    seed: int,
    users: int,
    until: int,
    service: Service,
    *,
    start: int = -3 * S,
    repeat: int = 1,
    think: Service | None = None,
    gap: int = 2 * US,
    stalls: Sequence[tuple[int, int]] = (),
    fails: Fails | None = None,
    labels: Callable[[Random], str] | None = None,
) -> list[Train]:
    """`users` who send again `gap` (and `think`) after each answer, from `start` on; nothing is sent after `until`."""
    random, trains = Random(seed), []
    for user in range(users):
        at = start + user * 10 * US
        while at < until:
            error = fails(random, at) if fails is not None else None
            end = at + (error[1] if error else service(random, at) * repeat)
            if stalls and repeat == 1:
                end = _thaw(end, stalls, random)
            label = labels(random) if labels is not None and error is None else None
            trains.append(Train(at, at, end, 1 if error else repeat, error[0] if error else None, label))
            at = end + gap + (think(random, at) if think is not None else 0)
    return trains


def arrivals(seed: int, rate_per_s: float, until: int, start: int = -3 * S, poisson: bool = False) -> list[int]:
    """Intended starts from `start` up to `until`."""
    random, due, at = Random(seed + 1), [], float(start)
    while at < until:
        due.append(round(at))
        at += random.expovariate(rate_per_s) * S if poisson else S / rate_per_s
    return due


def open_loop(
    seed: int,
    due: Iterable[int],
    service: Service,
    *,
    cap: int = 1000,
    servers: int | None = None,
    lag: int = 20 * US,
    stalls: Sequence[tuple[int, int]] = (),
    fails: Fails | None = None,
) -> list[Train]:
    """One operation per arrival, up to `cap` in flight, in front of `servers` that work one at a time (None: any)."""
    random, trains = Random(seed), []
    slots, busy = [-(10**18)] * cap, [-(10**18)] * (servers or 0)
    heapq.heapify(slots)
    heapq.heapify(busy)
    for at in due:
        begin = max(at + random.randint(1, lag), heapq.heappop(slots))
        error = fails(random, at) if fails is not None else None
        length = error[1] if error else service(random, at)
        end = begin + length
        if servers:
            end = max(begin, heapq.heappop(busy)) + length
            heapq.heappush(busy, end)
        end = _thaw(end, stalls, random)
        heapq.heappush(slots, end)
        trains.append(Train(at, begin, end, error=error[0] if error else None))
    return trains
