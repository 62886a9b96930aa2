"""A scripted target in fake time: what it will do is written down, so what must be measured is arithmetic.

    target = FakeTarget(lambda index: Answer(service_ns=5_000_000), servers=1)
    measurement = load.run(plan, target, FakeClock(), Environment())

It is also the shortest complete driver there is: open and closed loop, queueing, errors and the number in flight.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import UsageError
from ..model import Clock, ClosedLoop, Plan, Recorder, WorkerTask


@dataclass(frozen=True, slots=True)
class Answer:
    """What operation number `index` will do."""

    service_ns: int
    error: str | None = None
    """Class of the error that it ends in, or None."""
    outcome: str | None = None
    said: str = ""
    """What the error looks like."""


Script = Callable[[int], Answer]


@dataclass(frozen=True, slots=True)
class FakeTarget:
    """Answers as scripted; `servers` of them at once (None: without limit), the others queue inside the target.

    `frozen_ns` are stretches (from, to), counted from the start of the load, in which nothing is finished: whatever
    would have ended in one ends later by the rest of it.
    """

    script: Script
    servers: int | None = None
    frozen_ns: tuple[tuple[int, int], ...] = ()
    spec: str = "fake:script"
    kind: str = "fake"

    def driver(self, task_plan: Plan) -> FakeDriver:
        return FakeDriver(self)

    def identity(self) -> Mapping[str, str]:
        return {"target": self.spec}


@dataclass(slots=True)
class _Operation:
    index: int
    due_ns: int
    start_ns: int = 0
    answer: Answer = field(default_factory=lambda: Answer(0))


class FakeDriver:
    """Moves the clock from event to event."""

    def __init__(self, target: FakeTarget) -> None:
        self._target = target
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0
        self._servers_free: list[int] = []
        self._waiting: deque[_Operation] = deque()
        self._in_flight = self._peak = self._area_ns = self._last_ns = self._now_ns = 0
        self._count = 0
        self._examples: dict[str, str] = {}

    def open(self) -> None:
        """Nothing to connect to."""

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        self._task, self._recorder = task, recorder
        self._last_ns = self._now_ns = task.origin_ns
        self._servers_free = [task.origin_ns] * (self._target.servers or 0)
        if isinstance(task.load, ClosedLoop):
            for _ in range(task.load.concurrency):
                self._at(task.origin_ns, self._next_of_user)
        else:
            self._schedule_arrival(0)
        while self._events:
            when, _, act = heapq.heappop(self._events)
            clock.sleep_until(when)
            self._now_ns = when
            if when >= recorder.fold_at_ns:
                self._fold()
            act()
        self._integrate(self._now_ns)
        recorder.fold(self._now_ns, self._area_ns, self._in_flight)

    def facts(self) -> Mapping[str, Any]:
        return {"in_flight_max": self._peak, "unfinished": self._in_flight, "error_examples": self._examples}

    def close(self) -> None:
        """Nothing to let go."""

    def _at(self, when_ns: int, act: Callable[[], None]) -> None:
        self._sequence += 1
        heapq.heappush(self._events, (when_ns, self._sequence, act))

    def _integrate(self, now_ns: int) -> None:
        self._area_ns += self._in_flight * (now_ns - self._last_ns)
        self._last_ns = now_ns

    def _fold(self) -> None:
        self._integrate(self._recorder.fold_at_ns)
        self._recorder.fold(self._now_ns, self._area_ns, self._in_flight)

    def _next_of_user(self) -> None:
        if self._now_ns < self._recorder.stop_at_ns:
            self._start(_Operation(self._number(), self._now_ns))

    def _number(self) -> int:
        self._count += 1
        return self._count - 1

    def _schedule_arrival(self, index: int) -> None:
        assert self._task.pacer is not None
        due = self._task.origin_ns + self._task.pacer.arrival_ns(index)
        if due < self._recorder.stop_at_ns:
            self._at(due, lambda: self._arrive(index, due))

    def _arrive(self, index: int, due_ns: int) -> None:
        self._schedule_arrival(index + 1)
        if due_ns >= self._recorder.stop_at_ns:
            return
        operation = _Operation(self._number(), due_ns)
        load = self._task.load
        if not isinstance(load, ClosedLoop) and self._in_flight >= load.max_in_flight:
            self._waiting.append(operation)
        else:
            self._start(operation)

    def _start(self, operation: _Operation) -> None:
        self._integrate(self._now_ns)
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        operation.start_ns, operation.answer = self._now_ns, self._target.script(operation.index)
        load, takes = self._task.load, operation.answer.service_ns
        if takes < 0 or (isinstance(load, ClosedLoop) and takes + load.think_ns == 0):
            raise UsageError("a scripted operation takes time in a closed loop, or the loop would never end")
        self._at(self._end_ns(operation.answer.service_ns), lambda: self._end(operation))

    def _end_ns(self, service_ns: int) -> int:
        """When work that comes in now is done: after the first free server, and after every freeze on the way."""
        begins = self._now_ns
        if self._target.servers:
            begins = max(begins, heapq.heappop(self._servers_free))
        ends, origin = begins + service_ns, self._task.origin_ns
        for frozen_from, frozen_to in self._target.frozen_ns:
            if begins < origin + frozen_to and ends > origin + frozen_from:
                ends += frozen_to - max(frozen_from, begins - origin)
        if self._target.servers:
            heapq.heappush(self._servers_free, ends)
        return ends

    def _end(self, operation: _Operation) -> None:
        self._integrate(self._now_ns)
        self._in_flight -= 1
        self._record(operation)
        load = self._task.load
        if isinstance(load, ClosedLoop):
            self._at(self._now_ns + load.think_ns, self._next_of_user)
        elif self._waiting:
            self._start(self._waiting.popleft())

    def _record(self, operation: _Operation) -> None:
        recorder, answer = self._recorder, operation.answer
        is_open = not isinstance(self._task.load, ClosedLoop)
        if answer.error is not None:
            due = operation.due_ns if is_open else None
            if answer.said:
                self._examples.setdefault(answer.error, answer.said)
            recorder.failed(answer.error, operation.start_ns, self._now_ns, due)
            return
        recorder.start_ns.append(operation.start_ns)
        recorder.end_ns.append(self._now_ns)
        if is_open:
            recorder.intended_ns.append(operation.due_ns)
        if answer.outcome is not None:
            recorder.outcome(answer.outcome)
