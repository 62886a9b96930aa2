"""One worker: opens a driver, drives it on the grid that the parent gives, and tells what was counted.

`serve` is the whole life of a worker and knows no process: it talks over a channel, so that tests run it on a fake
clock. `main` is what a fresh interpreter runs.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from typing import Any, Protocol

from ..errors import BizraGateError
from ..model import Batching, Clock, ClockFacts, Driver, OpenLoop, Pacer, Placed, Trying, WorkerTask
from .clock import MonotonicClock, WallWatch, measure_clock, sharpen_timers
from .messages import Broken, Done, Go, Interval, Job, Opened, Opens, Ready
from .pacer import pacer_for
from .recorder import ColumnRecorder, Row
from .watch import ProcessWatch

_PR_SET_PDEATHSIG = 1


class Channel(Protocol):
    """Both ways, message by message; `recv` raises `EOFError` when the other side is gone."""

    def send(self, message: Any) -> None: ...

    def recv(self) -> Any: ...

    def poll(self) -> bool: ...


def serve(channel: Channel, clock: Clock) -> None:
    """Do one `Job`. Whatever goes wrong is told to the parent as `Broken`, never as a traceback."""
    job: Job = channel.recv()
    driver: Driver | None = None
    try:
        driver = job.target.driver(job.plan)
        if isinstance(driver, Placed):
            driver.place(job.index, job.run, clock)
        driver.open()
        if isinstance(driver, Trying):
            channel.send(Opened())
            driver.try_out()
        _apply_gc_policy(job.plan.gc)
        channel.send(Ready(os.getpid(), driver.batch if isinstance(driver, Batching) else 1))
        done = _drive(job, driver, channel, clock)
        closing, driver = driver, None
        closing.close()
        channel.send(done)
    except (Exception, KeyboardInterrupt) as error:  # Ctrl-C does not come here: the target has raised it
        channel.send(broken(error))
        if driver is not None:
            _close_quietly(driver)


def broken(error: BaseException) -> Broken:
    """`error` as a sentence."""
    if isinstance(error, BizraGateError):
        return Broken(type(error).__name__, error.message, error.hint, expected=True)
    return Broken(type(error).__name__, f"{type(error).__name__}: {error}", _place(error), expected=False)


def _place(error: BaseException) -> str:
    """File and line that raised, for a mistake that nobody foresaw."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"raised at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else ""


def _close_quietly(driver: Driver) -> None:
    """Let the target go; what it says about that matters less than what went wrong before."""
    try:
        driver.close()
    except Exception as error:
        print(f"close() of the target failed as well: {error}", file=sys.stderr)


def _apply_gc_policy(policy: str) -> None:
    """on: the interpreter's own thresholds, from a collected start · off: no collections · freeze: what exists now is
    never looked at again."""
    gc.collect()
    if policy == "off":
        gc.disable()
    elif policy == "freeze":
        gc.freeze()


def _drive(job: Job, driver: Driver, channel: Channel, clock: Clock) -> Done:
    go: Go = channel.recv()
    plan, window = job.plan, go.window
    if isinstance(driver, Batching):
        driver.batch = go.batch
    watch, wall = ProcessWatch(clock), WallWatch(clock)

    explained: set[str] = set()

    def emit(row: Row) -> None:
        wall.check()
        examples: dict[str, str] = {}
        if recorder.kinds.keys() - explained:
            explained.update(recorder.kinds)
            examples = dict(driver.facts().get("error_examples", {}))
        channel.send(Interval.of(row, recorder.kinds, examples))

    recorder = ColumnRecorder(
        window,
        open_loop=isinstance(job.load, OpenLoop),
        timeout_ns=plan.timeout_ns,
        emit=emit,
        moved=_Moves(channel),
        opened=watch.opened,
        closed=watch.closed,
    )
    task = WorkerTask(plan, job.index, job.load, window.origin_ns, job.run, _pacer(job))
    driver.drive(task, recorder, clock)
    if clock.now_ns() < recorder.window.closes_ns:
        clock.sleep_until(recorder.window.closes_ns)
    recorder.finish(clock.now_ns())
    facts = measure_clock() if isinstance(clock, MonotonicClock) else ClockFacts(name="fake")
    facts = ClockFacts(facts.name, facts.resolution_ns, facts.overhead_ns, wall.drift_ns, wall.steps)
    return Done(recorder.window, recorder.tally, watch.usage(), facts, dict(driver.facts()))


def _pacer(job: Job) -> Pacer | None:
    if not isinstance(job.load, OpenLoop):
        return None
    return pacer_for(job.load, job.plan.warmup.at_least_ns, job.index, job.plan.workers)


class _Moves:
    """Where the window opens, as last told by the parent; asked at every fold, never waits."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._opens_ns: int | None = None

    def __call__(self) -> int | None:
        while self._channel.poll():
            message = self._channel.recv()
            if isinstance(message, Opens):
                self._opens_ns = message.opens_ns
        return self._opens_ns


def die_with_parent(parent_pid: int) -> None:
    """Linux: be killed when the parent dies, however it dies. Elsewhere the closed channel ends a worker at its next
    fold."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def main(handle: int, parent_pid: int) -> None:
    """What the fresh interpreter runs: `handle` is the inherited end of the parent's channel."""
    from multiprocessing import connection

    kind = "PipeConnection" if sys.platform == "win32" else "Connection"
    die_with_parent(parent_pid)
    if sys.platform != "win32":
        os.set_inheritable(handle, False)  # what the target starts must not keep the channel open
    sharpen_timers()
    channel = getattr(connection, kind)(handle)
    try:
        serve(channel, MonotonicClock())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(1)
    channel.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that the target left behind must not keep the process
