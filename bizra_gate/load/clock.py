"""Time: the only module that imports a clock.

`MonotonicClock` is what measures, `FakeClock` is what tests measure with, and `measure_clock` says on the spot how
fine and how dear the real one is. All readings are int nanoseconds of one monotonic clock that every process of the
machine shares (``CLOCK_MONOTONIC`` on Linux), so that several workers can start at one common origin.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ..model import Clock, ClockFacts

SPIN_NS = 120_000
"""How long before its time a sleeper wakes up to spin. A sleep of the kernel ends 50–90 µs late on a virtual machine
even with a timer slack of 1 ns; what is shorter than that is not slept away."""

STEP_NS = 5_000_000
"""Wall clock against monotonic clock: NTP slews at most 0.5 ms a second, so a change of 5 ms in one is a step."""

_PR_SET_TIMERSLACK = 29


class MonotonicClock:
    """The machine's monotonic clock.

    `now_ns` is the C function itself, so a driver that binds it to a local name pays for the clock and nothing else.
    """

    now_ns = staticmethod(time.perf_counter_ns)
    wall_ns = staticmethod(time.time_ns)
    cpu_ns = staticmethod(time.process_time_ns)
    """CPU time of this process, all threads, user and system."""
    name = "perf_counter"

    def __init__(self) -> None:
        self.spun_ns = 0
        """Time spent spinning in `sleep_until`: CPU time that is waiting, not work."""
        sharpen_timers()

    def wall(self) -> str:
        return rfc3339(self.wall_ns())

    def sleep_until(self, when_ns: int) -> None:
        """Sleep up to `SPIN_NS` before `when_ns`, then spin: the kernel's wake-up latency does not add to lateness."""
        now_ns = time.perf_counter_ns
        remaining = when_ns - now_ns()
        if remaining > SPIN_NS:
            time.sleep((remaining - SPIN_NS) / 1e9)
        begun = now_ns()
        while now_ns() < when_ns:
            pass
        self.spun_ns += max(0, when_ns - begun)

    def queued_ns(self) -> int:
        """Linux, from ``/proc/thread-self/schedstat``: some 10 µs a look."""
        try:
            with open("/proc/thread-self/schedstat", "rb") as file:
                return int(file.read().split()[1])
        except (OSError, ValueError, IndexError):
            return 0


class FakeClock:
    """A clock that moves only when told to: by `advance`, by sleeping, or by `tick_ns` at every reading."""

    name = "fake"

    def __init__(self, start_ns: int = 0, tick_ns: int = 0) -> None:
        self.time_ns = start_ns
        self.tick_ns = tick_ns
        self.spun_ns = 0
        self.wall_offset_ns = 0
        self.waited_ns = 0

    def now_ns(self) -> int:
        self.time_ns += self.tick_ns
        return self.time_ns

    def wall_ns(self) -> int:
        return 1_790_000_000_000_000_000 + self.wall_offset_ns + self.time_ns

    def cpu_ns(self) -> int:
        """A generator in fake time is a tenth busy: driven by events, it only waits."""
        return self.time_ns // 10

    def wall(self) -> str:
        return rfc3339(self.wall_ns())

    def sleep_until(self, when_ns: int) -> None:
        self.time_ns = max(self.time_ns, when_ns)

    def queued_ns(self) -> int:
        """Nobody stands in the way of a fake clock, unless a test says so."""
        return self.waited_ns

    def advance(self, ns: int) -> None:
        self.time_ns += ns

    def fork(self) -> FakeClock:
        """Another clock at the same time, for another worker in the same process."""
        copy = FakeClock(self.time_ns, self.tick_ns)
        copy.wall_offset_ns = self.wall_offset_ns
        return copy


def rfc3339(unix_ns: int) -> str:
    """`unix_ns` as RFC 3339 in UTC, whole seconds."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=unix_ns // 1_000_000_000)
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def sharpen_timers() -> bool:
    """Set this thread's timer slack to 1 ns (Linux; the default of 50 µs is added to every sleep); True if it was."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def measure_clock(now_ns: Callable[[], int] = time.perf_counter_ns, readings: int = 20_000) -> ClockFacts:
    """What the clock can show: the smallest positive step between two readings, and the median cost of one.

    Readings are taken in pairs with nothing between them, so the smallest step is either the clock's quantum or the
    cost of a reading, whichever is larger: no latency below it can be told apart from none. The cost is the median
    over blocks of readings, each block long enough that its own two stamps do not matter.
    """
    steps = []
    for _ in range(readings):
        first = now_ns()
        steps.append(now_ns() - first)
    positive = [step for step in steps if step > 0]
    return ClockFacts(
        name="perf_counter",
        resolution_ns=float(min(positive)) if positive else None,
        overhead_ns=_reading_cost_ns(now_ns),
    )


def _reading_cost_ns(now_ns: Callable[[], int], blocks: int = 21, per_block: int = 1000) -> float:
    costs = []
    for _ in range(blocks):
        begun = now_ns()
        for _ in range(per_block):
            now_ns()
        costs.append((now_ns() - begun) / per_block)
    return sorted(costs)[blocks // 2]


class WallWatch:
    """Compares the wall clock with the monotonic one: a step or a drift makes start and end times untrue."""

    def __init__(self, clock: Clock) -> None:
        self._now_ns = clock.now_ns
        self._wall_ns: Callable[[], int] = getattr(clock, "wall_ns", time.time_ns)
        self._first = self._last = self._offset_ns()
        self.steps = 0

    def _offset_ns(self) -> int:
        """Wall minus monotonic, from the tightest of three readings (a preemption between the two would look like a
        step)."""
        tightest = None
        for _ in range(3):
            before = self._now_ns()
            wall = self._wall_ns()
            after = self._now_ns()
            if tightest is None or after - before < tightest[0]:
                tightest = (after - before, wall - (before + after) // 2)
        assert tightest is not None
        return tightest[1]

    def check(self) -> None:
        """To be called about once a second."""
        offset = self._offset_ns()
        if abs(offset - self._last) > STEP_NS:
            self.steps += 1
        self._last = offset

    @property
    def drift_ns(self) -> int:
        """Wall-clock duration minus monotonic duration since the beginning."""
        return self._last - self._first
