"""Many artifacts opened on every core, the first of them while the last gate is still being read.

A worker is a copy of this process, where a copy is safe, and only reads files: it can be ended at any time.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from . import gates, opening
from .errors import BizraGateError
from .model import Gate
from .opening import Result, Task
from .stats import arrays

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.process import BaseProcess

PARALLEL_FROM = 24
"""Below this many artifacts further processes cost more than they save."""
PORTION = 8
"""So many tasks are handed out at once: few enough that every core has work until the end."""
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals by which somebody asks a process to end."""


_T = TypeVar("_T")


class WorkerLostError(BizraGateError):
    """A process that opened artifacts came to an end by itself; nothing was judged."""


class Openers:
    """Opens every task that is offered; to be used as a context, at whose end no process is left.

    At most `processes` of them work at a time, by default one for each core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._cores = processes or os.cpu_count() or 1
        self._tasks: list[Task] = []
        self._handed = 0
        self._portions: list[Future[list[Result]]] = []
        self._pool: ProcessPoolExecutor | None = None
        self._workers: list[BaseProcess] = []

    def __enter__(self) -> Openers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is None:
            return
        for worker in self._workers if error is not None else ():
            worker.kill()  # else it would be waited for until it has done what it has in hand
        self._pool.shutdown(cancel_futures=True)

    def offer(self, tasks: Iterable[Task]) -> None:
        """Take `tasks` on, and hand out what is to be done so far, without waiting for anybody."""
        self._tasks += tasks
        if self._cores > 1 and len(self._tasks) >= PARALLEL_FROM:
            self._hand_out(PORTION)

    def results(self, progress: Callable[[int, int], None] | None = None) -> list[Result]:
        """Every task offered, opened, in the order of the offers; `progress` is told (done, of how many)."""
        if self._pool is None:
            return self._alone(progress)
        self._hand_out(1)
        found: list[Result] = []
        for portion in self._portions:
            found += self._unless_lost(portion.result)
            if progress is not None:
                progress(len(found), len(self._tasks))
        return found

    def _alone(self, progress: Callable[[int, int], None] | None) -> list[Result]:
        if len(self._tasks) >= PARALLEL_FROM:
            arrays.load()
        results: list[Result] = []
        for begin in range(0, len(self._tasks), PORTION):
            results += _answer(self._tasks[begin : begin + PORTION])
            if progress is not None:
                progress(len(results), len(self._tasks))
        return results

    def _hand_out(self, fewest: int) -> None:
        """Everything that is not handed out yet, in portions of `fewest` at least."""
        while len(self._tasks) - self._handed >= fewest:
            tasks = self._tasks[self._handed : self._handed + PORTION]
            self._handed += len(tasks)
            pool = self._running()
            self._portions.append(self._unless_lost(lambda: pool.submit(_answer, tasks)))  # noqa: B023
            self._workers = self._workers or _children()

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            # where it is safe a worker is a copy of this process as it is now, without threads, with all imported
            context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
            self._pool = ProcessPoolExecutor(self._cores, context, initializer=_begin)
        return self._pool

    def _unless_lost(self, ask: Callable[[], _T]) -> _T:
        from concurrent.futures.process import BrokenProcessPool

        try:
            return ask()
        except BrokenProcessPool:
            raise self._lost() from None

    def _lost(self) -> BaseException:
        """What it means that a worker is gone: an interrupt where it was asked to end, else a fault to be told.

        The pool asks all others to end as soon as it sees that.
        """
        open_yet = (i for i, portion in enumerate(self._portions) if not portion.done() or portion.exception())
        first = self._tasks[next(open_yet, 0) * PORTION]
        if self._pool is not None:
            self._pool.shutdown()
        codes = [worker.exitcode or 0 for worker in self._workers]
        code = next((code for code in codes if code and -code not in ENDING), None)
        if code is None:
            return KeyboardInterrupt()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return WorkerLostError(
            f"a process that opened artifacts ended {how}, at {first.file} or a later one; nothing was judged",
            hint="a system that has run out of memory ends processes so; its log says which",
        )


def _children() -> list[BaseProcess]:
    """The processes of the pool: verify has no others."""
    import multiprocessing

    return list(multiprocessing.active_children())


# ── in a worker ──────────────────────────────────────────────────────────────────────────────────────────────────


def _begin() -> None:
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches whoever started us too, who knows what it means
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    gc.freeze()
    arrays.load()
    threading.Thread(target=_outlived, daemon=True).start()


def _outlived() -> None:
    """End this process with the one that started it, which may be killed without a word to anybody."""
    import multiprocessing

    started_by = multiprocessing.parent_process()
    if started_by is not None:
        started_by.join()
        os._exit(1)


def _answer(tasks: Sequence[Task]) -> list[Result]:
    """`tasks` opened, with the metrics that judging their gates looks at: all others would only be carried about."""
    return [_narrowed(task.gate, result) for task, result in zip(tasks, opening.open_all(tasks), strict=True)]


def _narrowed(gate: Gate, result: Result) -> Result:
    wanted, evidence = gates.wanted_metrics(gate), result.evidence
    narrowed = dataclasses.replace(
        evidence,
        metrics={name: metric for name, metric in evidence.metrics.items() if name in wanted},
        metrics_at={
            level: {name: metric for name, metric in metrics.items() if name in wanted}
            for level, metrics in evidence.metrics_at.items()
        },
    )
    return Result(result.gate, narrowed, result.measurement)
