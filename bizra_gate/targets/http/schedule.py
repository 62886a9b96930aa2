"""Who sends next: users who wait for their answers (closed loop), or arrivals that wait for nobody (open loop)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...model import OpenLoop, WorkerTask
from .. import overload
from .channel import Channel, State

if TYPE_CHECKING:
    from .conductor import Conductor

NEVER_NS = 1 << 62
MAX_BURST = 32
"""Arrivals started in one turn before answers are read again, when the generator is behind."""
MAX_OPENING = 128
"""Connections opened at once by an open loop: more would overflow a listen queue, and a dropped SYN costs a second."""
_BACKOFF_NS = 5_000_000
_MAX_BACKOFF_NS = 500_000_000


def schedule_for(task: WorkerTask, conductor: Conductor) -> Users | Arrivals:
    """The schedule of this worker's share of the load."""
    if isinstance(task.load, OpenLoop):
        return Arrivals(task, conductor)
    return Users(task, conductor)


def backoff_ns(failures: int) -> int:
    """Pause of a closed-loop user after so many lost connections in a row: none, 5 ms, 10 ms, … 500 ms."""
    return 0 if failures < 2 else min(_MAX_BACKOFF_NS, _BACKOFF_NS << min(failures - 2, 10))


class Users:
    """A closed loop: each of `concurrency` users has one channel and waits for its answer."""

    open_loop = False

    def __init__(self, task: WorkerTask, conductor: Conductor) -> None:
        if isinstance(task.load, OpenLoop):
            raise UsageError("an open loop has arrivals, not users")
        self.concurrency = task.load.concurrency
        self.preopened = task.load.concurrency
        self._think_ns = task.load.think_ns
        self._conductor = conductor
        self._waiting: list[tuple[int, int, Channel]] = []
        self._numbers = 0
        self._origin_ns = task.origin_ns

    @property
    def repeats(self) -> bool:
        return self._think_ns == 0

    def park(self, channel: Channel) -> None:
        """`channel` belongs to a user who sends at the start."""
        self._wait(channel, self._origin_ns)

    def turn(self, now: int, stop: int) -> int:
        """Start whoever is due; returns when the next one is. Users without a channel yet get one here."""
        while len(self._conductor.channels) < self.concurrency:
            self._wait(self._conductor.add_channel(), self._origin_ns)
        waiting = self._waiting
        while waiting and waiting[0][0] <= now < stop:
            channel = heappop(waiting)[2]
            start = self._conductor.now_ns()
            self._conductor.begin(channel, start, start)
        return waiting[0][0] if waiting and now < stop else NEVER_NS

    def free(self, channel: Channel, now: int, stop: int) -> None:
        pause = self._think_ns + backoff_ns(channel.failures)
        if pause or now >= stop:
            self._wait(channel, now + pause)
        else:
            self._conductor.begin(channel, now, now)

    def _wait(self, channel: Channel, until: int) -> None:
        self._numbers += 1
        heappush(self._waiting, (until, self._numbers, channel))

    def exhausted(self, stop: int) -> bool:
        return True

    def give_up(self, now: int, stop: int) -> None:
        """Nobody queues in a closed loop."""


class Arrivals:
    """An open loop: arrivals at intended times, on any free channel, on a new one, or queued at the cap.

    The queue is the arrivals that are due and not started; since they start in order, it is a place in the pacer and
    takes no memory.
    """

    open_loop = True
    repeats = False

    def __init__(self, task: WorkerTask, conductor: Conductor) -> None:
        if not isinstance(task.load, OpenLoop) or task.pacer is None:
            raise UsageError("an open loop needs a rate and a pacer")
        self.cap = max(1, task.load.max_in_flight)
        self.preopened = min(self.cap, 8)
        self._conductor = conductor
        self._pacer = task.pacer
        self._origin_ns = task.origin_ns
        self._index = 0
        self.free_channels: list[Channel] = []
        self.due_ns = self._origin_ns + self._pacer.arrival_ns(0)
        """Intended start of the next arrival, which may be overdue."""

    def park(self, channel: Channel) -> None:
        self.free_channels.append(channel)

    def turn(self, now: int, stop: int) -> int:
        """Start the arrivals that are due and for which there is a channel, the longest waiting first.

        Returns when the next one is due; an overdue one that waits for a channel depends on an answer, not on time.
        """
        conductor = self._conductor
        for _ in range(MAX_BURST):
            due = self.due_ns
            if due >= stop:
                return NEVER_NS
            if due > now:
                return due
            if not (self.free_channels or self._grow()):
                return NEVER_NS
            channel = self._take()
            self._advance()
            conductor.begin(channel, conductor.now_ns(), due)
        return now

    def free(self, channel: Channel, now: int, stop: int) -> None:
        self.free_channels.append(channel)

    def exhausted(self, stop: int) -> bool:
        return self.due_ns >= stop

    def give_up(self, now: int, stop: int) -> None:
        unsent = 0
        while self.due_ns < stop:
            unsent += 1
            if unsent > overload.MOST_UNSENT:
                raise overload.hopeless()
            self._conductor.expired_unsent(self.due_ns, now)
            self._advance()

    def _advance(self) -> None:
        self._index += 1
        self.due_ns = self._origin_ns + self._pacer.arrival_ns(self._index)

    def _take(self) -> Channel:
        """The channel that was used last: its connection is the least likely to have been closed for idleness.

        One that is still opening is passed over for one that is up, if the next has that.
        """
        free = self.free_channels
        if free[-1].state is not State.UP:
            for place in range(len(free) - 1, max(-1, len(free) - 9), -1):
                if free[place].state is State.UP:
                    return free.pop(place)
        return free.pop()

    def _grow(self) -> bool:
        if len(self._conductor.channels) >= self.cap or self._conductor.opening >= MAX_OPENING:
            return False
        self.free_channels.append(self._conductor.add_channel())
        return True
