"""The loops in which synchronous operations are timed. Nothing here is abstract: each line costs nanoseconds.

Every loop takes its arguments as tuples, one per operation, drawn outside the stamps.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from typing import Any

from ...model import Clock, ClosedLoop, Recorder, WorkerTask
from .. import overload
from .books import Books
from .results import label_of

Call = Callable[..., Any]
Arguments = Iterator[tuple[Any, ...]]
Failed = (Exception, SystemExit)
"""What an operation may raise; a KeyboardInterrupt is not its business."""
TIMEOUT = "timeout"


def timed(call: Call, arguments: Arguments, books: Books, now_ns: Callable[[], int]) -> None:
    """One operation after another, each with its own start and end, until the recorder's stop.

    The stamps wait in lists until the next tick: appending to an ``array`` costs many times what a list takes, and
    a whole list becomes an array for a third of that.
    """
    recorder = books.recorder
    starts: list[int] = []
    ends: list[int] = []
    started, ended = starts.append, ends.append

    def hand_over() -> None:
        recorder.start_ns.extend(array("q", starts))
        recorder.end_ns.extend(array("q", ends))
        starts.clear()
        ends.clear()

    tick_at = books.begin()
    for items in arguments:
        start = now_ns()
        try:
            result = call(*items)
        except Failed as error:
            end = now_ns()
            books.failed(error, start, end)
            books.pause(end)
            if end >= tick_at:
                hand_over()
                tick_at = books.tick(start, end, succeeded=False)
                if end >= recorder.stop_at_ns:
                    break
            continue
        end = now_ns()
        started(start)
        ended(end)
        if result.__class__ is str:
            hand_over()
            books.label(result)
        if end >= tick_at:
            hand_over()
            tick_at = books.tick(start, end, result)
            if end >= recorder.stop_at_ns:
                break
    hand_over()


Turn = Callable[[], tuple[int, int, int, int, Any]]
"""Runs one batch: (before, start, end, after, results), the outer two being the bracket."""


def batched(call: Call, size: int, books: Books, now_ns: Callable[[], int]) -> None:
    """Batches of `size` operations without arguments; the loop of the standard library's timeit."""

    def turn() -> tuple[int, int, int, int, Any]:
        result = None
        before = now_ns()
        start = now_ns()
        for _ in repeat(None, size):
            result = call()
        end = now_ns()
        return before, start, end, now_ns(), result

    _in_batches(turn, books, now_ns)


def batched_with(call: Call, arguments: Arguments, size: int, books: Books, now_ns: Callable[[], int]) -> None:
    """As `batched`, each operation with arguments that were drawn before the batch began."""

    def turn() -> tuple[int, int, int, int, Any]:
        result = None
        drawn = list(islice(arguments, size))
        before = now_ns()
        start = now_ns()
        for items in drawn:
            result = call(*items)
        end = now_ns()
        return before, start, end, now_ns(), result

    _in_batches(turn, books, now_ns)


def batched_labelled(call: Call, arguments: Arguments, size: int, books: Books, now_ns: Callable[[], int]) -> None:
    """As `batched_with`; the results of a batch are kept until it ends, and counted as outcomes then."""
    recorder = books.recorder

    def turn() -> tuple[int, int, int, int, Any]:
        drawn = list(islice(arguments, size))
        before = now_ns()
        start = now_ns()
        results = [call(*items) for items in drawn]
        end = now_ns()
        return before, start, end, now_ns(), results

    def count(results: list[Any]) -> Any:
        for label, number in Counter(map(label_of, results)).items():
            recorder.outcome(label, number)
        return results[-1]

    _in_batches(turn, books, now_ns, count)


def _itself(result: Any) -> Any:
    return result


def _in_batches(turn: Turn, books: Books, now_ns: Callable[[], int], look_at: Callable[[Any], Any] = _itself) -> None:
    """Batch after batch. An operation that fails ends its batch; the ones before it in that batch are not counted."""
    recorder = books.recorder
    started, ended = recorder.start_ns.append, recorder.end_ns.append
    tick_at = books.begin()
    end = 0
    while end < recorder.stop_at_ns:
        begun = now_ns()
        try:
            before, start, end, after, result = turn()
        except Failed as error:
            end = now_ns()
            books.failed(error, begun, end)
            books.busy(begun, end)
            if end >= tick_at:
                tick_at = books.bracketed_tick(begun, end, succeeded=False)
            continue
        books.busy(before, after)
        started(start)
        ended(end)
        result = look_at(result)
        if end >= tick_at:
            tick_at = books.bracketed_tick(start, end, result)


def paced(call: Call, arguments: Arguments, books: Books, clock: Clock, task: WorkerTask) -> int:
    """One thread, operations at their intended times: what is late queues, and the queueing is response time.

    A closed loop with think time takes the same way, each intended time being the end of the last operation and the
    pause. Returns how many operations were due and not started when the drain (one timeout long) was over; they are
    recorded as timeouts of the time that they have waited.
    """
    now_ns, recorder = clock.now_ns, books.recorder
    due_times = _due_times(task, recorder, now_ns)
    is_open = not isinstance(task.load, ClosedLoop)
    tick_at = books.begin()
    for due in due_times:
        tick_at = _wait(due, tick_at, books, clock) if due > now_ns() else tick_at
        if now_ns() >= recorder.stop_at_ns + task.plan.timeout_ns:
            return _give_up(due, due_times, recorder, now_ns)
        items = next(arguments)
        before = now_ns()
        start = now_ns()
        result, failure = None, None
        try:
            result = call(*items)
        except Failed as error:
            failure = error
        end = now_ns()
        books.busy(before, now_ns())
        if failure is not None:
            books.failed(failure, start, end, due if is_open else None)
        else:
            recorder.start_ns.append(start)
            recorder.end_ns.append(end)
            if is_open:
                recorder.intended_ns.append(due)
            if result.__class__ is str:
                books.label(result)
        if end >= tick_at:
            tick_at = books.bracketed_tick(start, end, result, succeeded=failure is None)
    return 0


def _due_times(task: WorkerTask, recorder: Recorder, now_ns: Callable[[], int]) -> Iterator[int]:
    """Intended starts, up to the recorder's stop."""
    if isinstance(task.load, ClosedLoop):
        due = task.origin_ns
        while due < recorder.stop_at_ns:
            yield due
            due = now_ns() + task.load.think_ns
        return
    assert task.pacer is not None
    index = 0
    while (due := task.origin_ns + task.pacer.arrival_ns(index)) < recorder.stop_at_ns:
        yield due
        index += 1


def _wait(due: int, tick_at: int, books: Books, clock: Clock) -> int:
    """Sleep until `due`, folding on the way; the lateness of the last wake-up is the generator's own."""
    recorder = books.recorder
    while recorder.fold_at_ns < due:
        clock.sleep_until(recorder.fold_at_ns)
        tick_at = books.idle_fold(clock.now_ns())
    clock.sleep_until(due)
    recorder.lag_ns.append(clock.now_ns() - due)
    return tick_at


def _give_up(first: int, rest: Iterator[int], recorder: Recorder, now_ns: Callable[[], int]) -> int:
    """Everything that is still due waited in vain."""
    now, count = now_ns(), 0
    for due in chain((first,), rest):
        count += 1
        if count > overload.MOST_UNSENT:
            raise overload.hopeless()
        recorder.failed(TIMEOUT, now, now, due)
    return count
