"""A worker that does not come back is ended, by a clock that only moves while the session waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from bizra_gate.errors import TargetError
from bizra_gate.load.messages import Go, Interval, Job, Opened, Ready
from bizra_gate.load.session import Session
from bizra_gate.model import ClosedLoop, Plan, Warmup
from bizra_gate.testing import Answer, FakeClock, FakeTarget

S = 1_000_000_000
NOTHING = np.empty(0, dtype=np.int64)


class ScriptedCrew:
    """Two workers that say what a test lets them say; a second passes at every look."""

    def __init__(self, clock: FakeClock, says: Callable[[int, int], Any]) -> None:
        self._clock, self._says = clock, says
        self.stopped = False
        self.origin_ns: int | None = None

    def start(self, jobs: Sequence[Job], handler: Callable[[int, Any], None]) -> None:
        self._jobs, self._handler = len(jobs), handler

    def send(self, index: int, message: Any) -> None:
        if isinstance(message, Go):
            self.origin_ns = message.window.origin_ns

    def pump(self, timeout_s: float) -> None:
        self._clock.advance(S)
        for index in range(self._jobs):
            message = self._says(index, self._clock.time_ns // S)
            if message is not None:
                self._handler(index, message)

    def abandon(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True


def ended(says: Callable[[int, int], Any], timeout_s: int = 5) -> tuple[str, str, int, ScriptedCrew]:
    """(message, hint, second in which it was said, crew) of a run that had to be ended."""
    clock = FakeClock()
    crew = ScriptedCrew(clock, says)
    plan = Plan("fake:script", ClosedLoop(2), Warmup(2 * S), 600 * S, workers=2, timeout_ns=timeout_s * S)
    with pytest.raises(TargetError) as failure:
        Session(plan, FakeTarget(lambda index: Answer(1)), 0, crew, clock).run()
    return failure.value.message, failure.value.hint, clock.time_ns // S, crew


def interval(second: int) -> Interval:
    return Interval(second * S, 10, 0, S, S, 1, NOTHING, NOTHING, S)


def test_a_worker_that_never_opens_is_ended_after_two_minutes() -> None:
    message, hint, second, crew = ended(lambda index, second: Ready(1) if index == 0 and second == 1 else None)
    assert message == "worker 2 of 2 did not open the target within 2 min and was ended; nothing was recorded"
    assert "setup may hang" in hint
    assert second == 121
    assert crew.stopped


def test_an_operation_that_hangs_while_it_is_tried_is_ended_half_a_minute_after_its_timeout() -> None:
    def says(index: int, second: int) -> Any:
        return {10: Opened(), 12: Ready(1) if index == 1 else None}.get(second)

    message, hint, second, _ = ended(says)
    assert message.startswith(
        "worker 1 of 2 did not return from the operation that was tried within 35 s and was ended"
    )
    assert "--timeout (now 5 s)" in hint
    assert second == 10 + 5 + 30 + 1


@pytest.mark.parametrize("timeout_s", [5, 60])
def test_an_operation_that_hangs_in_the_load_is_ended_half_a_minute_after_its_timeout(timeout_s: int) -> None:
    def says(index: int, second: int) -> Any:
        if second == 1:
            return Ready(1)
        return interval(second - 1) if index == 0 or second <= 100 else None

    message, _, second, _ = ended(says, timeout_s)
    assert message.startswith("worker 2 of 2 did not return from an operation within")
    assert second == pytest.approx(100 + timeout_s + 30, abs=3)


def test_an_operation_that_stalls_and_comes_back_before_that_is_let_go_on() -> None:
    def says(index: int, second: int) -> Any:
        if second == 1:
            return Ready(1)
        if second > 300:
            return None
        return interval(second - 1) if not 100 < second < 130 else None

    message, _, second, _ = ended(says)
    assert "did not return from an operation" in message
    assert second > 300
