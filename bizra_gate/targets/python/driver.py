"""Drives a Python target: imports it, finds the way to time it, drives it, and runs the negative controls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Any

from ...errors import TargetError
from ...model import Clock, ClosedLoop, OpenLoop, Plan, Recorder, WorkerTask
from . import loops
from .aio import AsyncLoad
from .async_controls import look_from_outside, run_async_controls
from .books import Books
from .calibrate import calibrate
from .controls import run_controls
from .operation import Context, load
from .results import Sample
from .scheduling import Queueing
from .target import PythonTarget
from .threads import Threads


class PythonDriver:
    """See `model.Driver`. One per worker process."""

    def __init__(self, target: PythonTarget, plan: Plan) -> None:
        self._target, self._plan = target, plan
        self._context = Context(0, plan.workers, 0, plan.seed)
        self._facts: dict[str, Any] = {"in_process": True}
        self.batch = 1

    def place(self, index: int, run: int, clock: Clock) -> None:
        """What `setup` and `arguments` are told, and the clock to calibrate by."""
        self._context = Context(index, self._plan.workers, run, self._plan.seed)
        self._clock = clock

    def open(self) -> None:
        """Import, instantiate, set up. Raises `TargetError`."""
        operation = self._operation = load(self._target)
        self._sample = Sample(operation.validate)
        self._loop = asyncio.new_event_loop() if operation.is_async else None
        if operation.setup is not None:
            self._hook(operation.setup, "setup", self._context)
        self._arguments = repeat(()) if operation.arguments is None else operation.arguments(self._context)

    def try_out(self) -> None:
        """Find out how one operation is timed."""
        if self._loop is None:
            self._found = calibrate(self._operation.call, self._arguments, self._clock.now_ns)
            self.batch = self._found.batch if self._is_alone else 1

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        if self._loop is not None:
            self._drive_async(self._loop, task, recorder, clock)
        elif self._is_alone:
            self._drive_alone(task, recorder, clock)
        elif isinstance(task.load, OpenLoop) or task.load.concurrency == 1:
            self._drive_paced(task, recorder, clock)
        else:
            self._drive_threads(task, recorder, clock)

    @property
    def _is_alone(self) -> bool:
        """One user per worker who does not pause: the tight loops are for it."""
        load = self._plan.load
        return isinstance(load, ClosedLoop) and not load.think_ns and load.concurrency <= self._plan.workers

    def facts(self) -> Mapping[str, Any]:
        return self._facts

    def close(self) -> None:
        """Raises `TargetError` where the target's own close does."""
        if self._operation.close is not None:
            self._hook(self._operation.close, "close")
        if self._loop is not None:
            self._loop.close()

    # The ways of driving --------------------------------------------------------------------------------------------

    def _drive_alone(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        """One thread, one user: one by one, or in batches where the operation is too short for the clock."""
        found, now_ns = self._found, clock.now_ns
        recorder.batch = self.batch
        books = Books(recorder, now_ns, self._sample, found.gap_ns, found.bracket_ns, Queueing())
        self._tell(books.examples)
        clock.sleep_until(task.origin_ns)
        if found.operation_ns:
            self._repeat(books, now_ns)
        else:  # it fails, and what an error costs was not measured: bracket every turn
            loops.paced(self._operation.call, self._arguments, books, clock, task)
        books.end(now_ns())
        self._tell(books.examples, in_flight_max=1)
        self._control(clock, batched=self.batch > 1)

    def _repeat(self, books: Books, now_ns: Callable[[], int]) -> None:
        call, arguments, size = self._operation.call, self._arguments, self.batch
        if size == 1:
            loops.timed(call, arguments, books, now_ns)
        elif self._found.labelled:
            loops.batched_labelled(call, arguments, size, books, now_ns)
        elif self._operation.arguments is not None:
            loops.batched_with(call, arguments, size, books, now_ns)
        else:
            loops.batched(call, size, books, now_ns)

    def _drive_paced(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        books = Books(recorder, clock.now_ns, self._sample, bracket_ns=self._found.bracket_ns)
        self._tell(books.examples)
        clock.sleep_until(task.origin_ns)
        loops.paced(self._operation.call, self._arguments, books, clock, task)
        books.end(clock.now_ns())
        self._tell(books.examples, in_flight_max=1)
        self._control(clock, batched=False)

    def _drive_threads(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        books = Books(recorder, clock.now_ns, self._sample)
        self._tell(books.examples)
        threads = Threads(self._operation.call, self._arguments, books, clock, task)
        clock.sleep_until(task.origin_ns)
        stuck = threads.run()
        self._tell(books.examples, in_flight_max=len(threads.threads), threads=len(threads.threads))
        if not stuck:
            self._control(clock, batched=False)

    def _drive_async(self, loop: asyncio.AbstractEventLoop, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        call, arguments = self._operation.call, self._arguments
        load = AsyncLoad(call, arguments, self._sample, recorder, clock, task)
        self._tell(load.examples)
        clock.sleep_until(task.origin_ns)
        whole = load.closed(task.load) if isinstance(task.load, ClosedLoop) else load.open(task.load)
        loop.run_until_complete(whole)
        self._tell(load.examples, in_flight_max=load.peak)
        controls = loop.run_until_complete(
            run_async_controls(self._operation, call, arguments, self._sample, clock, load.mean_ns)
        )
        if "operation_ns" in controls:
            controls |= look_from_outside(loop, call, arguments, clock)
        self._facts["controls"] = controls

    def _control(self, clock: Clock, *, batched: bool) -> None:
        self._facts["controls"] = run_controls(
            self._operation,
            self._operation.call,
            self._arguments,
            self._sample,
            clock,
            batched=batched,
            operation_ns=self._found.operation_ns,
        )

    def _tell(self, examples: Mapping[str, str], **facts: Any) -> None:
        """`examples` grow while the load runs, and are told from then on."""
        self._facts |= {"error_examples": examples, "gc": self._plan.gc, **facts}

    def _hook(self, hook: Callable[..., Any], name: str, *items: Any) -> None:
        try:
            result = hook(*items)
            if inspect.isawaitable(result):
                if self._loop is None:
                    getattr(result, "close", int)()
                    raise TargetError(f"{self._target.spec}: its {name} is asynchronous and its operation is not")
                self._loop.run_until_complete(_awaited(result))
        except TargetError:
            raise
        except loops.Failed as error:
            raise TargetError(f"{self._target.spec}: its {name} failed: {type(error).__name__}: {error}") from error


async def _awaited(result: Any) -> Any:
    return await result
