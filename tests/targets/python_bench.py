"""What the tests of the Python target share: a recorder on a fake clock, and operations that take fake time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bizra_gate.load.clock import FakeClock
from bizra_gate.load.pacer import pacer_for
from bizra_gate.load.recorder import ColumnRecorder, Row
from bizra_gate.load.tally import Tally
from bizra_gate.load.window import Window
from bizra_gate.model import Load, OpenLoop, Plan, Warmup, WorkerTask

S = 1_000_000_000
MS = 1_000_000


class Bench:
    """One run of 2 s after a warm-up of 1 s, on a fake clock that starts at 10 s."""

    def __init__(self, load: Load, tick_ns: int = 0, timeout_ns: int = 5 * S) -> None:
        self.clock = FakeClock(10 * S, tick_ns)
        self.rows: list[Row] = []
        self.window = Window.after(10 * S, 1 * S, 2 * S)
        self.recorder = ColumnRecorder(
            self.window, open_loop=isinstance(load, OpenLoop), timeout_ns=timeout_ns, emit=self.rows.append
        )
        plan = Plan("py:test:op", load, Warmup(S), 2 * S, timeout_ns=timeout_ns)
        pacer = pacer_for(load) if isinstance(load, OpenLoop) else None
        self.task = WorkerTask(plan, 0, load, self.window.origin_ns, pacer=pacer)

    def taking(self, *times_ns: int, result: Any = None) -> Callable[[], Any]:
        """An operation that takes these times, one after another, round and round."""
        calls = iter(range(10**9))

        def operation() -> Any:
            index = next(calls)
            self.clock.advance(times_ns[index % len(times_ns)])
            return result(index) if callable(result) else result

        return operation

    def tally(self) -> Tally:
        """What was counted, after everything was taken in."""
        self.recorder.finish(max(self.clock.time_ns, self.window.closes_ns))
        return self.recorder.tally


def identity(tally: Tally) -> float:
    """Little's law at the edges of the window: 1 where nothing was lost."""
    residence = tally.service.span_ns + tally.failed.span_ns
    return (residence + tally.carried_in_ns - tally.carried_out_ns) / tally.in_flight_ns
