"""Many artifacts opened on every core, the first of them while the last gate is still being read.

A worker is a copy of this process, where a copy is safe. It is handed a portion of tasks whenever it has none, answers
them in order, and only reads files: it can be ended at any time. There are no threads here.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from . import gates, opening
from .errors import BizraGateError
from .opening import Result, Task
from .stats import arrays

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

PARALLEL_FROM = 24
"""Below this many artifacts further processes cost more than they save."""
PORTION = 8
"""So many tasks at most are handed out at once: few enough that every core has work until the end."""
SELDOM = 100_000
"""New containers before a worker looks for cycles: opening an artifact leaves none behind."""
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name))
"""Signals by which somebody asks for an end."""


class WorkerLostError(BizraGateError):
    """A process that opened artifacts came to an end by itself; nothing was judged."""


@dataclasses.dataclass(slots=True)
class _Worker:
    """A process, our end of the pipe to it, and the tasks [first, first + count) that it has in hand."""

    process: BaseProcess
    pipe: Connection
    first: int = 0
    count: int = 0


class Openers:
    """Opens every task that is offered; to be used as a context, at whose end no process is left.

    At most `processes` of them work at a time, by default one for each core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._cores = processes or os.cpu_count() or 1
        self._tasks: list[Task] = []
        self._handed = 0
        self._found: dict[int, list[Result]] = {}
        self._workers: list[_Worker] = []

    def __enter__(self) -> Openers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join()

    def offer(self, tasks: Iterable[Task]) -> None:
        """Take `tasks` on, and hand out what is to be done so far, without waiting for anybody."""
        self._tasks += tasks
        if self._cores > 1 and len(self._tasks) >= PARALLEL_FROM and len(self._tasks) >= self._handed + PORTION:
            self._listen(0)
            self._hand_out()

    def results(self, progress: Callable[[int, int], None] | None = None) -> list[Result]:
        """Every task offered, opened, in the order of the offers; `progress` is told (done, of how many)."""
        total = len(self._tasks)
        if self._cores == 1 or total < PARALLEL_FROM:
            return self._alone(progress)
        while (done := self._done()) < total:
            if progress is not None:
                progress(done, total)
            self._hand_out()
            self._listen(None)
        if progress is not None:
            progress(total, total)
        return [result for first in sorted(self._found) for result in self._found[first]]

    def _alone(self, progress: Callable[[int, int], None] | None) -> list[Result]:
        if len(self._tasks) >= PARALLEL_FROM:
            arrays.load()
        results: list[Result] = []
        for task in self._tasks:
            results.append(_opened(task))
            if progress is not None:
                progress(len(results), len(self._tasks))
        return results

    def _done(self) -> int:
        return self._handed - sum(worker.count for worker in self._workers)

    def _hand_out(self) -> None:
        """A portion to every worker that has none; further workers as long as there are cores."""
        for worker in self._workers:
            if not worker.count:
                self._give(worker)
        while self._handed < len(self._tasks) and len(self._workers) < self._cores:
            self._workers.append(_started([worker.pipe for worker in self._workers]))
            self._give(self._workers[-1])

    def _give(self, worker: _Worker) -> None:
        """A portion for a worker that waits for it (two that write to each other would wait for ever), small at the end
        so that all come to it together."""
        fair = (len(self._tasks) - self._handed) // (2 * self._cores)
        tasks = self._tasks[self._handed : self._handed + max(1, min(PORTION, fair))]
        if tasks:
            worker.first, worker.count = self._handed, len(tasks)
            self._handed += len(tasks)
            try:
                worker.pipe.send_bytes(_packed(tasks))
            except OSError:
                raise self._lost(worker) from None

    def _listen(self, timeout: float | None) -> None:
        """Take every answer that is there, waiting for the first of them for `timeout` seconds (None: for ever)."""
        import pickle
        from multiprocessing.connection import wait

        busy = {id(worker.pipe): worker for worker in self._workers if worker.count}
        for pipe in wait([worker.pipe for worker in busy.values()], timeout) if busy else ():
            worker = busy[id(pipe)]
            try:
                data = worker.pipe.recv_bytes()
            except (EOFError, OSError):
                raise self._lost(worker) from None
            first, worker.count = worker.first, 0
            self._give(worker)
            answer: list[Result] | Exception = pickle.loads(data)
            if isinstance(answer, Exception):
                raise answer
            self._found[first] = answer

    def _lost(self, worker: _Worker) -> BaseException:
        """What it means that `worker` is gone: an interrupt where it was asked to end, else a fault to be told."""
        worker.process.join()
        code = worker.process.exitcode or 0
        if -code in ENDING:
            return KeyboardInterrupt()
        files = [task.file for task in self._tasks[worker.first : worker.first + worker.count]]
        among = f"one of {len(files)} from {files[0]} to {files[-1]}" if len(files) > 1 else files[0]
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return WorkerLostError(
            f"a process that opened artifacts ended {how}, at {among}; nothing was judged",
            hint="a system that has run out of memory ends processes so; its log says which",
        )


def _started(pipes: Sequence[Connection]) -> _Worker:
    """A further worker; `pipes` are those to the others, which it must not hold open."""
    import multiprocessing

    forked = sys.platform == "linux"
    # where it is safe a worker is a copy of this process as it is now, without threads and with everything imported
    context = multiprocessing.get_context("fork" if forked else None)
    ours, theirs = context.Pipe()
    foreign = [*pipes, ours] if forked else []
    process = context.Process(target=_work, args=(theirs, foreign), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


# ── in a worker ──────────────────────────────────────────────────────────────────────────────────────────────────


def _work(pipe: Connection, foreign: Sequence[Connection]) -> None:
    """Answer portions until nobody is at the other end."""
    for one in foreign:
        one.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches whoever started us too, who knows what it means
    for number in ENDING:
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
    import pickle

    gc.freeze()
    gc.set_threshold(SELDOM)
    arrays.load()
    while True:
        try:
            tasks: list[Task] = pickle.loads(pipe.recv_bytes())
            pipe.send_bytes(_answer(tasks))
        except (EOFError, OSError):
            return


def _answer(tasks: Sequence[Task]) -> bytes:
    try:
        return _packed([_opened(task) for task in tasks])
    except Exception as error:
        import traceback

        error.add_note(traceback.format_exc())  # where it happened is not pickled
        return _packed(error)


def _packed(what: object) -> bytes:
    import pickle

    return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)


def _opened(task: Task) -> Result:
    """`task` opened, with the metrics that judging its gate looks at: all others would only be carried about."""
    result = opening.open_one(task)
    wanted, evidence = gates.wanted_metrics(task.gate), result.evidence
    narrowed = dataclasses.replace(
        evidence,
        metrics={name: metric for name, metric in evidence.metrics.items() if name in wanted},
        metrics_at={
            level: {name: metric for name, metric in metrics.items() if name in wanted}
            for level, metrics in evidence.metrics_at.items()
        },
    )
    return dataclasses.replace(result, evidence=narrowed)
