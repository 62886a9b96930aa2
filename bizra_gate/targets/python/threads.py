"""A closed loop of several threads on one synchronous operation."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from ...model import Clock, ClosedLoop, Recorder, WorkerTask
from .books import Books
from .loops import TIMEOUT, Arguments, Call, Failed
from .results import is_label

NS_PER_S = 1_000_000_000
UNLABELLED: str | None = None
_NOTHING = object()


class State(NamedTuple):
    """What one thread has done and does, replaced as a whole."""

    busy_ns: int = 0
    """Between the brackets of the operations that ended."""
    since_ns: int = 0
    """When the one that runs began, or 0."""
    ended: int = 0


class Lane:
    """One thread's columns. The thread appends, the driver takes from the front; each step is atomic by itself.

    The end is appended last, so what has an end is complete.
    """

    def __init__(self) -> None:
        self.start_ns: array[int] = array("q")
        self.end_ns: array[int] = array("q")
        self.labels: list[Any] = []
        self.failures: deque[tuple[BaseException, int, int]] = deque()
        self.brackets: list[tuple[int, int]] = []
        """Readings around each operation that ended since the last fold."""
        self.state = State()
        self._seen = 0
        self.latest: Any = _NOTHING

    def work(self, call: Call, arguments: Arguments, lock: threading.Lock, clock: Clock, task: WorkerTask,
             stopped: Callable[[], bool]) -> None:  # fmt: skip
        """Operation after operation until `stopped`. Each is bracketed by two readings of its own for the number in
        flight."""
        now_ns = clock.now_ns
        think_ns = task.load.think_ns if isinstance(task.load, ClosedLoop) else 0
        busy = ended = 0
        while not stopped():
            with lock:
                items = next(arguments)
            before = now_ns()
            self.state = State(busy, before, ended)
            start = now_ns()
            try:
                result = call(*items)
            except Failed as error:
                self.failures.append((error, start, now_ns()))
            else:
                end = now_ns()
                self.latest = result
                self.start_ns.append(start)
                self.labels.append(result if is_label(result) else UNLABELLED)
                self.end_ns.append(end)
            after = now_ns()
            busy += after - before
            ended += 1
            self.brackets.append((before, after))
            self.state = State(busy, 0, ended)
            if think_ns:
                clock.sleep_until(after + think_ns)

    def ended_by(self, state: State, edge_ns: int) -> list[tuple[int, int]]:
        """What had ended in `state` and was in flight after `edge_ns`; no later fold sees those brackets again."""
        n = state.ended - self._seen
        taken = self.brackets[:n]
        del self.brackets[:n]
        self._seen = state.ended
        return taken[bisect_right(taken, edge_ns, key=itemgetter(1)) :]

    def move_to(self, books: Books) -> None:
        """Hand everything complete over to the recorder."""
        recorder, n = books.recorder, len(self.end_ns)
        ends, starts, labels = self.end_ns[:n], self.start_ns[:n], self.labels[:n]
        del self.end_ns[:n], self.start_ns[:n], self.labels[:n]
        if any(label is not UNLABELLED for label in labels):
            for start, end, label in zip(starts, ends, labels, strict=True):
                recorder.start_ns.append(start)
                recorder.end_ns.append(end)
                books.label(label)
        else:
            recorder.start_ns.extend(starts)
            recorder.end_ns.extend(ends)
        while self.failures:
            books.failed(*self.failures.popleft())


class Threads:
    """Runs the lanes and folds what they did once per interval, from a thread that does nothing else."""

    def __init__(self, call: Call, arguments: Arguments, books: Books, clock: Clock, task: WorkerTask) -> None:
        assert isinstance(task.load, ClosedLoop)
        self._books, self._clock, self._task = books, clock, task
        self._lanes = [Lane() for _ in range(task.load.concurrency)]
        self._halt = threading.Event()
        lock = threading.Lock()
        recorder = books.recorder

        def stopped() -> bool:
            return self._halt.is_set() or clock.now_ns() >= recorder.stop_at_ns

        self._threads = [
            threading.Thread(target=lane.work, args=(call, arguments, lock, clock, task, stopped), daemon=True)
            for lane in self._lanes
        ]

    @property
    def threads(self) -> list[threading.Thread]:
        return self._threads

    def run(self) -> int:
        """Drive to the end of the drain. Returns how many operations had not ended then."""
        recorder, now_ns = self._books.recorder, self._clock.now_ns
        for thread in self._threads:
            thread.start()
        pause = threading.Event()
        while self._alive():
            now = now_ns()
            if now >= recorder.fold_at_ns:
                self._fold(recorder)
            if now >= recorder.stop_at_ns + self._task.plan.timeout_ns:
                break
            pause.wait(max(0.0005, min(recorder.fold_at_ns - now, NS_PER_S // 20) / NS_PER_S))
        self._halt.set()
        self._fold(recorder)
        return self._give_up(recorder)

    def _give_up(self, recorder: Recorder) -> int:
        """A thread cannot be stopped from outside; what it was doing when the drain ended has timed out."""
        now = self._clock.now_ns()
        running = [lane.state.since_ns for lane in self._lanes if lane.state.since_ns]
        for since in running:
            recorder.failed(TIMEOUT, since, now)
        return len(running)

    def _alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _fold(self, recorder: Recorder) -> None:
        """Edge by edge, however late: threads that hold the interpreter can keep this one from looking for long."""
        states = [lane.state for lane in self._lanes]
        now = self._clock.now_ns()
        brackets = [
            bracket
            for lane, state in zip(self._lanes, states, strict=True)
            for bracket in lane.ended_by(state, recorder.fold_at_ns)
        ]
        running = [state.since_ns for state in states if state.since_ns]
        area = sum(state.busy_ns for state in states) + sum(max(0, now - since) for since in running)
        brackets += [(since, now) for since in running]
        for lane in self._lanes:
            lane.move_to(self._books)
            if lane.latest is not _NOTHING:
                self._books.sample.look(lane.latest)
        self._books.settle()
        while (edge := recorder.fold_at_ns) <= now:
            later = [(begun, ended) for begun, ended in brackets if ended > edge]
            beyond = sum(ended - max(begun, edge) for begun, ended in later)
            recorder.fold(edge, area - beyond, sum(begun <= edge for begun, _ in later))
        recorder.fold(now, area, len(running))
