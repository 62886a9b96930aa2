"""What a person is told while a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .series import Point
from .window import Phase, Window


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last finished interval, over all workers."""

    name: str
    """Of the plan, where several take turns."""
    run: int
    runs: int
    phase: Phase
    elapsed_ns: int
    """Since the phase began."""
    remaining_ns: int
    """To the end of the counted window."""
    rate_per_s: float
    """Successful answers; what ended in a timeout is none."""
    p50_ns: int | None
    p99_ns: int | None
    errors: int
    """Since the phase began; those of the drain are the counted window's."""
    in_flight: int


Progress = Callable[[Snapshot], None]


def snapshot(point: Point, window: Window, errors: int, name: str, run: int, runs: int) -> Snapshot:
    """`point` for people."""
    right = window.next_edge(point.start_ns)
    phase = window.phase(point.start_ns)
    began = {"warm-up": window.origin_ns, "measured": window.opens_ns, "drain": window.closes_ns}[phase]
    return Snapshot(
        name=name,
        run=run,
        runs=runs,
        phase=phase,
        elapsed_ns=right - began,
        remaining_ns=max(0, window.closes_ns - right),
        rate_per_s=max(0, point.count - point.timeouts) * 1e9 / (right - point.start_ns),
        p50_ns=point.p50_ns if point.count else None,
        p99_ns=point.p99_ns if point.count else None,
        errors=errors,
        in_flight=point.in_flight,
    )
