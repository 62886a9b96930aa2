"""The generator watches itself: CPU, collector pauses and faults of one process, steal and load of the machine."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..model import Clock
from .messages import Usage


class ProcessWatch:
    """What this process uses between `opened` and `closed`, which the recorder calls at the window's edges."""

    def __init__(self, clock: Clock) -> None:
        self._now_ns = clock.now_ns
        self._clock = clock
        self._cpu_ns: Callable[[], int] = getattr(clock, "cpu_ns", lambda: 0)
        self._first: tuple[int, ...] = ()
        self._last: tuple[int, ...] = ()
        self._pause_began_ns = 0
        self._pauses_ns = 0
        self._collections = 0

    def opened(self, _now_ns: int) -> None:
        self._first = self._stamps()
        gc.callbacks.append(self._collected)

    def closed(self, _now_ns: int) -> None:
        self._last = self._stamps()
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)

    def usage(self) -> Usage:
        """All zero where the window was never opened and closed."""
        if not self._first or not self._last:
            return Usage()
        wall, cpu, spun, faults = (b - a for a, b in zip(self._first, self._last, strict=True))
        return Usage(
            wall_ns=wall,
            cpu_ns=cpu,
            spun_ns=spun,
            gc_pause_ns=self._pauses_ns,
            gc_collections=self._collections,
            major_faults=faults if self._first[3] >= 0 else None,
            peak_memory_bytes=peak_memory_bytes(),
        )

    def _stamps(self) -> tuple[int, ...]:
        return (self._now_ns(), self._cpu_ns(), getattr(self._clock, "spun_ns", 0), major_faults())

    def _collected(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._pause_began_ns = self._now_ns()
        else:
            self._pauses_ns += self._now_ns() - self._pause_began_ns
            self._collections += 1


def major_faults() -> int:
    """Page faults of this process that needed the disk; −1 where the system does not say."""
    try:
        import resource
    except ImportError:
        return -1
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt


def peak_memory_bytes() -> int | None:
    """Largest resident set of this process so far."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True, slots=True)
class MachineTime:
    """CPU time of all cores since boot, in clock ticks (Linux ``/proc/stat``, first line)."""

    total: int
    idle: int
    steal: int

    @classmethod
    def parse(cls, text: str) -> MachineTime | None:
        """Fields are user, nice, system, idle, iowait, irq, softirq, steal (proc(5)); guest time is in user."""
        fields = text.partition("\n")[0].split()
        if len(fields) < 9 or fields[0] != "cpu":
            return None
        ticks = [int(field) for field in fields[1:9]]
        return cls(sum(ticks), ticks[3] + ticks[4], ticks[7])


def machine_time() -> MachineTime | None:
    """None where there is no ``/proc/stat``."""
    text = kernel_text("/proc/stat")
    return None if text is None else MachineTime.parse(text)


def steal_fraction(first: MachineTime | None, last: MachineTime | None) -> float | None:
    """Share of all cores' time that the hypervisor gave to others."""
    if first is None or last is None or last.total <= first.total:
        return None
    return (last.steal - first.steal) / (last.total - first.total)


def other_cpu_fraction(
    first: MachineTime | None, last: MachineTime | None, ours_ns: int, cores: int, wall_ns: int
) -> float | None:
    """Busy time that is not `ours_ns` (generator and target), as a share of all cores over `wall_ns`; at least 0."""
    if first is None or last is None or last.total <= first.total or wall_ns <= 0:
        return None
    total = last.total - first.total
    busy = total - (last.idle - first.idle) - (last.steal - first.steal)
    return max(0.0, busy / total - ours_ns / (cores * wall_ns))


def kernel_text(path: str, limit: int = 4096) -> str | None:
    """A file under ``/proc``, up to `limit` bytes of it; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    data = b""
    try:
        while len(data) < limit and (part := os.read(descriptor, limit - len(data))):
            data += part
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data.decode("ascii", "replace")
