"""Drives a Python target: imports it, finds the way to time it, drives it, and runs the negative controls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any

from ...errors import TargetError
from ...model import Clock, ClosedLoop, OpenLoop, Plan, Recorder, WorkerTask
from . import loops
from .aio import AsyncLoad
from .async_controls import look_from_outside, run_async_controls
from .books import Books
from .calibrate import Calibration, calibrate
from .controls import run_controls
from .operation import Context, load
from .results import Sample
from .target import PythonTarget
from .threads import Threads

Arguments = Iterator[tuple[Any, ...]]


class PythonDriver:
    """See `model.Driver`. One per worker process."""

    def __init__(self, target: PythonTarget, plan: Plan) -> None:
        self._target, self._plan = target, plan
        self._context = Context(0, plan.workers, 0, plan.seed)
        self._facts: dict[str, Any] = {"in_process": True}

    def place(self, index: int, run: int) -> None:
        """What `setup` and `arguments` are told."""
        self._context = Context(index, self._plan.workers, run, self._plan.seed)

    def open(self) -> None:
        """Import, instantiate and set up. Raises `TargetError` with a sentence."""
        self._operation = load(self._target)
        self._sample = Sample(self._operation.validate)
        self._loop = asyncio.new_event_loop() if self._operation.is_async else None
        if self._operation.setup is not None:
            self._hook(self._operation.setup, "setup", self._context)

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        operation = self._operation
        arguments = repeat(()) if operation.arguments is None else operation.arguments(self._context)
        if self._loop is not None:
            self._drive_async(self._loop, arguments, task, recorder, clock)
        elif isinstance(task.load, OpenLoop) or task.load.think_ns:
            self._drive_paced(arguments, task, recorder, clock)
        elif task.load.concurrency > 1:
            self._drive_threads(arguments, task, recorder, clock)
        else:
            self._drive_alone(arguments, task, recorder, clock)

    def facts(self) -> Mapping[str, Any]:
        return self._facts

    def close(self) -> None:
        """Raises `TargetError` where the target's own close does."""
        if self._operation.close is not None:
            self._hook(self._operation.close, "close")
        if self._loop is not None:
            self._loop.close()

    # The ways of driving --------------------------------------------------------------------------------------------

    def _drive_alone(self, arguments: Arguments, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        """One thread, one user: one by one, or in batches where the operation is too short for the clock."""
        now_ns, call = clock.now_ns, self._operation.call
        found = calibrate(call, arguments, now_ns)
        batch = recorder.batch = found.batch
        books = Books(recorder, now_ns, self._sample, found.gap_ns, found.bracket_ns)
        clock.sleep_until(task.origin_ns)
        if found.operation_ns:
            self._loop_for(found, books, arguments, now_ns)()
        else:  # it fails, and what an error costs was not measured: bracket every turn
            loops.paced(call, arguments, books, clock, task)
        books.end(now_ns())
        self._tell(books.examples, batch=batch, in_flight_max=1)
        self._control(arguments, clock, batched=batch > 1, operation_ns=found.operation_ns)

    def _loop_for(
        self, found: Calibration, books: Books, arguments: Arguments, now_ns: Callable[[], int]
    ) -> Callable[[], None]:
        call, batch = self._operation.call, found.batch
        if batch == 1:
            return lambda: loops.timed(call, arguments, books, now_ns)
        if found.labelled:
            return lambda: loops.batched_labelled(call, arguments, batch, books, now_ns)
        if self._operation.arguments is not None:
            return lambda: loops.batched_with(call, arguments, batch, books, now_ns)
        return lambda: loops.batched(call, batch, books, now_ns)

    def _drive_paced(self, arguments: Arguments, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        found = calibrate(self._operation.call, arguments, clock.now_ns)
        books = Books(recorder, clock.now_ns, self._sample, bracket_ns=found.bracket_ns)
        clock.sleep_until(task.origin_ns)
        loops.paced(self._operation.call, arguments, books, clock, task)
        books.end(clock.now_ns())
        self._tell(books.examples, in_flight_max=1)
        self._control(arguments, clock, batched=False, operation_ns=found.operation_ns)

    def _drive_threads(self, arguments: Arguments, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        found = calibrate(self._operation.call, arguments, clock.now_ns)
        books = Books(recorder, clock.now_ns, self._sample)
        threads = Threads(self._operation.call, arguments, books, clock, task)
        clock.sleep_until(task.origin_ns)
        stuck = threads.run()
        self._tell(books.examples, in_flight_max=len(threads.threads), threads=len(threads.threads))
        if not stuck:
            self._control(arguments, clock, batched=False, operation_ns=found.operation_ns)

    def _drive_async(
        self, loop: asyncio.AbstractEventLoop, arguments: Arguments, task: WorkerTask, recorder: Recorder, clock: Clock
    ) -> None:
        call = self._operation.call
        load = AsyncLoad(call, arguments, self._sample, recorder, clock, task)
        clock.sleep_until(task.origin_ns)
        whole = load.closed(task.load) if isinstance(task.load, ClosedLoop) else load.open(task.load)
        loop.run_until_complete(whole)
        self._tell(load.examples, in_flight_max=load.peak)
        operation_ns = load.mean_ns
        controls = loop.run_until_complete(
            run_async_controls(self._operation, call, arguments, self._sample, clock, operation_ns)
        )
        if "operation_ns" in controls:
            controls |= look_from_outside(loop, call, arguments, clock)
        self._facts["controls"] = controls

    def _control(self, arguments: Arguments, clock: Clock, *, batched: bool, operation_ns: float) -> None:
        self._facts["controls"] = run_controls(
            self._operation,
            self._operation.call,
            arguments,
            self._sample,
            clock,
            batched=batched,
            operation_ns=operation_ns,
        )

    def _tell(self, examples: Mapping[str, str], **facts: Any) -> None:
        self._facts |= {"error_examples": dict(examples), "gc": self._plan.gc, **facts}

    def _hook(self, hook: Callable[..., Any], name: str, *items: Any) -> None:
        try:
            result = hook(*items)
            if inspect.isawaitable(result):
                if self._loop is None:
                    raise TargetError(f"{self._target.spec}: its {name} is asynchronous and its operation is not")
                self._loop.run_until_complete(_awaited(result))
        except TargetError:
            raise
        except loops.Failed as error:
            raise TargetError(f"{self._target.spec}: its {name} failed: {type(error).__name__}: {error}") from error


async def _awaited(result: Any) -> Any:
    return await result
