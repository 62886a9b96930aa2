"""Work that outlives the call: threads, processes and tasks that an operation started and did not wait for.

A lazily made pool is no crime: threads that exist count only where one more call adds some, or where they go on
burning CPU time while the caller sits still after the call has returned.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...model import Clock

QUIET_NS = 5_000_000
"""How long the caller sits still after a call."""
CALLS = 5
BURN_NS = 200_000
"""CPU time per quiet stretch above which somebody else is working: 4 % of it, ten times what an idle interpreter
uses."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Threads and processes that worked on after calls had returned."""

    threads: int
    processes: int


def look_for_leftovers(call: Callable[[], Any], clock: Clock, calls: int = CALLS) -> Leftovers:
    """Call, sit still, look around; the median over `calls` decides, so that one coincidence does not."""
    threads: list[int] = []
    processes: list[int] = []
    for _ in range(calls):
        known_threads, known_children = threading.active_count(), set(children())
        call()
        new_threads = max(0, threading.active_count() - known_threads)
        new_children = len(set(children()) - known_children)
        own, theirs = other_threads_cpu_ns(), children_cpu_ns()
        clock.sleep_until(clock.now_ns() + QUIET_NS)
        busy = own is not None and (other_threads_cpu_ns() or 0) - own > BURN_NS
        busy_children = sum(after - theirs.get(pid, after) > BURN_NS for pid, after in children_cpu_ns().items())
        threads.append(new_threads or (max(1, threading.active_count() - 1) if busy else 0))
        processes.append(new_children or busy_children)
    return Leftovers(sorted(threads)[calls // 2], sorted(processes)[calls // 2])


def other_threads_cpu_ns() -> int | None:
    """CPU time of this process that its calling thread did not use; None where the system does not say."""
    try:
        import resource

        whole = resource.getrusage(resource.RUSAGE_SELF)
        mine = resource.getrusage(resource.RUSAGE_THREAD)
    except (ImportError, AttributeError):
        return None
    return round((whole.ru_utime + whole.ru_stime - mine.ru_utime - mine.ru_stime) * 1e9)


def children() -> list[int]:
    """Process ids of this process's children (Linux, ``/proc``); empty elsewhere."""
    found: list[int] = []
    for task in _listing("/proc/self/task"):
        text = _kernel_text(f"/proc/self/task/{task}/children")
        found += [int(pid) for pid in text.split()]
    return found


def children_cpu_ns() -> dict[int, int]:
    """CPU time on a core by child, from ``/proc/PID/schedstat`` (its first number is in ns)."""
    found = {}
    for pid in children():
        fields = _kernel_text(f"/proc/{pid}/schedstat").split()
        if fields:
            found[pid] = int(fields[0])
    return found


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kernel_text(path: str) -> str:
    """A small file under ``/proc``, empty where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 4096).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
