"""What the parent and a worker say to each other; all of it is picklable and small but for `Done`, which comes once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model import ClockFacts, Load, Plan, Target
from ..stats.fold import HdrCounts
from .recorder import Row
from .tally import Tally
from .window import Window


@dataclass(frozen=True, slots=True)
class Job:
    """Parent to worker: what to drive, and this worker's share of it."""

    plan: Plan
    target: Target
    load: Load
    index: int
    run: int


@dataclass(frozen=True, slots=True)
class Opened:
    """Worker to parent: everything is set up; one operation is being tried."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker to parent: the target is open and can be driven."""

    pid: int
    batch: int = 1
    """Operations per pair of stamps that its driver proposes."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Worker to parent: cannot go on. `kind` is the error's class name; `expected` errors were raised on purpose."""

    kind: str
    message: str
    hint: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Go:
    """Parent to worker: begin, on this grid."""

    window: Window
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Opens:
    """Parent to worker: the counted window opens at this clock reading, which still lies ahead."""

    opens_ns: int


@dataclass(frozen=True, slots=True)
class Interval:
    """Worker to parent: one finished interval, its counts as pairs of index and count."""

    start_ns: int
    count: int
    errors: int
    total_ns: int
    in_flight_ns: int
    in_flight: int
    used: NDArray[np.int64]
    counts: NDArray[np.int64]
    maximum_ns: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Errors by class so far, all phases."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """One message per class of error, with the first interval that has the class."""
    timeouts: int = 0
    """Operations of `count` that are errors all the same."""

    @classmethod
    def of(cls, row: Row, kinds: Mapping[str, int], examples: Mapping[str, str]) -> Interval:
        used = np.flatnonzero(row.times.counts) if row.times.n else np.empty(0, dtype=np.int64)
        return cls(
            row.start_ns, row.count, row.errors, row.total_ns, row.in_flight_ns, row.in_flight,
            used, row.times.counts[used], row.times.maximum or 0, dict(kinds), examples, row.timeouts,
        )  # fmt: skip

    def add_to(self, times: HdrCounts) -> None:
        """Add the counts to `times`; its maximum is kept, its minimum and sum are not."""
        times.counts[self.used] += self.counts
        n = int(self.counts.sum())
        times.n += n
        if n:
            times.maximum = max(times.maximum or 0, self.maximum_ns)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one worker process used over the counted window."""

    wall_ns: int = 0
    cpu_ns: int = 0
    spun_ns: int = 0
    gc_pause_ns: int = 0
    gc_collections: int = 0
    major_faults: int | None = None
    peak_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Worker to parent: everything that was counted."""

    window: Window
    tally: Tally
    usage: Usage
    clock: ClockFacts
    facts: Mapping[str, Any]
