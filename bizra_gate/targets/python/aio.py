"""Asynchronous operations as tasks on one loop, closed and open."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ...model import Clock, ClosedLoop, OpenLoop, Recorder, WorkerTask
from .. import overload
from .books import EXAMPLE_LENGTH, LOOK_EVERY_NS, kind_of
from .loops import TIMEOUT, Arguments, Call, Failed
from .results import Labels, Sample

NS_PER_S = 1_000_000_000
SWEEP_S = 0.02
"""How often overdue operations are looked for; a timeout is noticed this late at most."""
BREATH_NS = 1_000_000
"""Users whose operations never suspend let the loop turn this often."""
SPIN_NS = 2_000_000
"""Without a timer of the kernel's resolution, the stretch before an intended start that is not slept away."""
FAREWELL_S = 1.0


class AsyncLoad:
    """One worker's asynchronous load.

    The number in flight is integrated at every event: a start at `t` takes ``t − mark`` from `_area_ns` and an end
    gives it back, so the integral up to any time is ``_area_ns + in_flight · (now − mark)``, whatever the latencies.
    """

    def __init__(
        self, call: Call, arguments: Arguments, sample: Sample, recorder: Recorder, clock: Clock, task: WorkerTask
    ) -> None:
        self._call, self._arguments, self._sample = call, arguments, sample
        self._recorder, self._task = recorder, task
        self._now_ns: Callable[[], int] = clock.now_ns
        self._labels, self._labelled = Labels(recorder), False
        self.examples: dict[str, str] = {}
        self.in_flight = self.peak = 0
        self._mark_ns, self._area_ns = task.origin_ns, 0
        self._look_at = self._breathe_at = 0
        self._running: dict[asyncio.Task[Any], tuple[int, int | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[int] = deque()
        self._next_index = 0
        self._armed_ns: int | None = None
        self._over = asyncio.Event()
        self._broken: BaseException | None = None
        self._ended_count = self._ended_ns = 0

    @property
    def mean_ns(self) -> float:
        """Mean time of the operations sampled, for the controls to know how long one takes."""
        return self._ended_ns / self._ended_count if self._ended_count else 0.0

    async def closed(self, load: ClosedLoop) -> None:
        """`load.concurrency` users, each a task that starts again when it has its answer."""
        for _ in range(load.concurrency):
            self._spawn(self._user(load.think_ns))
        await self._run()

    async def open(self, load: OpenLoop) -> None:
        """A task per arrival, at most `load.max_in_flight`; what is due beyond that waits its turn."""
        self._most = load.max_in_flight + 1  # the pump is a task as well
        self._spawn(self._pump_arrivals())
        await self._run()

    async def _run(self) -> None:
        """Until everybody is done, or the drain (one timeout long) is over."""
        sweep = asyncio.create_task(self._sweep())
        try:
            while self._tasks and self._broken is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), 0.25)
                if self._now_ns() >= self._recorder.stop_at_ns + self._task.plan.timeout_ns:
                    break
        finally:
            sweep.cancel()
        await self._give_up()
        if self._broken is not None:
            raise self._broken

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
        if not self._tasks or self._broken is not None:
            self._over.set()

    async def _user(self, think_ns: int) -> None:
        while self._now_ns() < self._recorder.stop_at_ns:
            end = await self._operate(None)
            if think_ns:
                await asyncio.sleep(think_ns / NS_PER_S)
            elif end >= self._breathe_at:
                self._breathe_at = end + BREATH_NS
                await asyncio.sleep(0)

    async def _operate(self, due: int | None) -> int:
        """One operation; returns the reading at its end. A timed-out one was booked by the sweep already."""
        items = next(self._arguments)
        me = asyncio.current_task()
        assert me is not None
        recorder, running = self._recorder, self._running
        start = self._now_ns()
        if start >= recorder.fold_at_ns:
            self._fold(start)
        self._area_ns -= start - self._mark_ns
        self.in_flight += 1
        if self.in_flight > self.peak:
            self.peak = self.in_flight
        running[me] = (start, due)
        try:
            result = await self._call(*items)
        except (*Failed, asyncio.CancelledError) as error:
            end = self._now_ns()
            if running.pop(me, None) is None:
                me.uncancel()
                return end
            self._end(end)
            self._failed(error, start, end, due)
            return end
        end = self._now_ns()
        if running.pop(me, None) is None:
            return end
        self._end(end)
        recorder.start_ns.append(start)
        recorder.end_ns.append(end)
        if due is not None:
            recorder.intended_ns.append(due)
        if result.__class__ is str:
            self._labelled = True
            self._labels.add(result)
        if end >= self._look_at:
            self._sample.look(result)
            self._look_at = end + LOOK_EVERY_NS
            self._ended_count += 1
            self._ended_ns += end - start
        return end

    def _end(self, now: int) -> None:
        if now >= self._recorder.fold_at_ns:
            self._fold(now)
        self._area_ns += now - self._mark_ns
        self.in_flight -= 1

    def _fold(self, now: int) -> None:
        """Before the event that showed `now` is acted upon."""
        if self._labelled:
            self._labels.settle()
        edge = min(now, self._recorder.fold_at_ns)
        self._recorder.fold(now, self._area_ns + self.in_flight * (edge - self._mark_ns), self.in_flight)

    def _failed(self, error: BaseException, start: int, end: int, due: int | None) -> None:
        kind = kind_of(error)
        self._recorder.failed(kind, start, end, due)
        self.examples.setdefault(kind, str(error)[:EXAMPLE_LENGTH])

    async def _sweep(self) -> None:
        """Cancel what has run for longer than the timeout, and fold where nothing else happens."""
        timeout = self._task.plan.timeout_ns
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._now_ns()
            if now >= self._recorder.fold_at_ns:
                self._fold(now)
            for running, (start, due) in list(self._running.items()):
                if now - start < timeout:
                    break  # they stand in the order of their starts
                self._time_out(running, start, due, now)

    def _time_out(self, running: asyncio.Task[Any], start: int, due: int | None, now: int) -> None:
        del self._running[running]
        self._end(now)
        self._recorder.failed(TIMEOUT, start, now, due)
        running.cancel()

    async def _give_up(self) -> None:
        """The drain is over: whatever is still due or running has timed out."""
        now = self._now_ns()
        while self._waiting:
            self._recorder.failed(TIMEOUT, now, now, self._waiting.popleft())
        for running, (start, due) in list(self._running.items()):
            self._time_out(running, start, due, now)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=FAREWELL_S)
        self._fold(self._now_ns())

    # Arrivals of an open loop ---------------------------------------------------------------------------------------

    async def _pump_arrivals(self) -> None:
        alarm = _alarm(self._now_ns)
        if alarm is None:
            await self._pump_by_turns()
            return
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def ring() -> None:
            due = self._dispatch()
            if due is not None:
                alarm.arm(due)
            elif not over.done():
                loop.remove_reader(alarm.fd)
                over.set_result(None)

        loop.add_reader(alarm.fd, ring)
        try:
            ring()
            await over
        finally:
            loop.remove_reader(alarm.fd)
            alarm.close()

    async def _pump_by_turns(self) -> None:
        """Sleep up to shortly before the next arrival, then turn the loop until it is due."""
        while (following := self._dispatch()) is not None:
            while (left := following - self._now_ns()) > 0:
                await asyncio.sleep(max(0.0, (left - SPIN_NS) / NS_PER_S))

    def _dispatch(self) -> int | None:
        """Start what is due; returns when the next arrival is, or None after the last one."""
        assert self._task.pacer is not None
        now = self._now_ns()
        if self._armed_ns is not None:
            self._recorder.lag_ns.append(max(0, now - self._armed_ns))
        while True:
            due = self._task.origin_ns + self._task.pacer.arrival_ns(self._next_index)
            if due >= self._recorder.stop_at_ns:
                return None
            if due > now:
                self._armed_ns = due
                return due
            self._next_index += 1
            if len(self._tasks) < self._most:
                self._spawn(self._serve(due))
            else:
                self._waiting.append(due)
                if len(self._waiting) > overload.MOST_UNSENT:
                    self._broken = overload.hopeless()
                    self._over.set()
                    return None

    async def _serve(self, due: int) -> None:
        """One arrival, then whatever waits."""
        await self._operate(due)
        while self._waiting:
            await self._operate(self._waiting.popleft())


def _alarm(now_ns: Callable[[], int]) -> Any:
    """A timer that can be waited for together with everything else; None where the system has none."""
    from ..http.alarm import Alarm, available

    try:
        return Alarm(now_ns) if available() else None
    except OSError:
        return None


def pending_tasks(known: Iterable[Any]) -> int:
    """Tasks of the running loop that are neither `known` nor the caller's own."""
    mine = asyncio.current_task()
    return sum(task not in known and task is not mine and not task.done() for task in asyncio.all_tasks())
