"""What happens next, for every engine alike: who sends when, what an answer means, when to give up.

No sockets and no waiting here. An engine reports what it saw (`opened`, `received`, `hung_up`, `broke`), asks `turn`
what is due, and sleeps until the time that `turn` names. Time comes in with every call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import count
from typing import Any

from ...errors import UsageError
from ...model import Clock, HttpRequest, Recorder, WorkerTask
from . import failures
from .channel import Channel, State, Transport
from .exchange import Answer, Exchange, ProtocolError
from .expect import Expectation
from .known import Known
from .ledger import Ledger
from .schedule import MAX_OPENING, Arrivals, Users, schedule_for
from .template import Template

MAX_HOPS = 10
EXAMPLE_BYTES = 60
"""Of an answer that was refused, in the message."""
TICK_NS = 10_000_000
"""How often the loop looks up by itself; how late it then is, is the generator's own lag."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Conductor:
    """One worker's load on one target: begins operations, judges answers, keeps the books."""

    def __init__(
        self,
        template: Template,
        expectation: Expectation,
        task: WorkerTask,
        recorder: Recorder,
        clock: Clock,
        transport: Transport,
    ) -> None:
        options = task.plan.http or HttpRequest()
        self.recorder = recorder
        self.template = template
        self.known = Known()
        self.schedule: Users | Arrivals = schedule_for(task, self)
        self.ledger = Ledger(recorder, task.origin_ns, open_loop=self.schedule.open_loop)
        self.channels: list[Channel] = []
        self.due_ns = task.origin_ns
        """When the next operation is to start, as far as it depends on time and not on an answer."""
        self.finished = False
        self.opening = 0
        """Connections that are being opened."""
        self.now_ns = clock.now_ns
        self._expectation = expectation
        self._transport = transport
        self._origin_ns = task.origin_ns
        self._timeout_ns = task.plan.timeout_ns
        self._follow, self._fresh = options.follow_redirects, options.new_connections
        self.keeps_connections = not self._fresh
        self.repeats = self.keeps_connections and self.schedule.repeats
        """Whether an answer may be followed at once by the next request on the same connection."""
        self._ahead: deque[Channel] = deque()
        self._indices = count(task.index, task.plan.workers)
        self._tick_ns = task.origin_ns + TICK_NS
        self._expire_ns = task.origin_ns + self._timeout_ns

    # What the engine asks.

    def prepare(self, channels: int) -> None:
        """Open connections ahead of the load, a few at a time; those that fail are tried again when they are needed."""
        for _ in range(0 if self._fresh else channels):
            channel = self.add_channel()
            self._ahead.append(channel)
            self.schedule.park(channel)
        self._open_ahead()

    def _open_ahead(self) -> None:
        while self._ahead and self.opening < MAX_OPENING:
            channel = self._ahead.popleft()
            if channel.state is State.DOWN and not channel.busy:
                self._open(channel)

    def turn(self, now: int) -> int:
        """Do what is due at `now` and say when to come back at the latest. Sets `due_ns` and `finished`."""
        if now < self._origin_ns:
            return self._origin_ns
        if now >= self.recorder.fold_at_ns:
            self.ledger.fold(now)
        if now >= self._tick_ns:
            self._tick_ns = now + TICK_NS
        if now >= self._expire_ns:
            self._expire(now)
        stop = self.recorder.stop_at_ns
        self.due_ns = self.schedule.turn(now, stop)
        if now >= stop:
            self._drain(now, stop)
        return min(self._tick_ns, self.recorder.fold_at_ns, self._expire_ns)

    def next_wire(self, channel: Channel) -> bytes:
        """The next request of a template with fields, to be sent over `channel`."""
        channel.index = next(self._indices)
        return self.template.render(channel.index)

    def recognised(self, hits: int, bytes_out: int) -> None:
        """The last `hits` operations in the columns ended in the known answer; `bytes_out` were sent after them."""
        if hits:
            self.known.useful()
            self.ledger.repeated(self.known.status, hits)
            self.ledger.bytes_in += hits * self.known.size
            self.ledger.bytes_out += bytes_out

    # What the schedule asks.

    def add_channel(self) -> Channel:
        channel = Channel(self.template.endpoint, Exchange(keep_body=self._expectation.needs_body))
        self.channels.append(channel)
        return channel

    def begin(self, channel: Channel, start: int, intended: int) -> None:
        """Start one operation; its time counts from here, a connection that must be opened first included."""
        channel.start, channel.intended, channel.hops, channel.busy = start, intended, 0, True
        channel.began = start
        self.ledger.began(start)
        channel.wire = self.template.static or self.next_wire(channel)
        self._go(channel, self.template.method)

    def expired_unsent(self, intended: int, now: int) -> None:
        """An arrival that was due before the end and could not be sent before the drain was given up."""
        self.ledger.unsent += 1
        self.ledger.failed(failures.UNSENT, now, now, intended)

    # What the engine reports.

    def opened(self, channel: Channel) -> None:
        """The connection is ready for a request."""
        channel.state = State.UP
        self.opening -= 1
        self.ledger.connected()
        if channel.busy:
            self._transmit(channel)
        if self._ahead:
            self._open_ahead()

    def received(self, channel: Channel, data: bytes, now: int) -> None:
        """`data` came in that the engine did not recognise, or not in time."""
        self.ledger.bytes_in += len(data)
        if not channel.busy:
            self._close(channel)
            return
        plain, channel.plain = channel.plain, False
        if plain and not self._fresh and self.known.matches(data):
            self.known.useful()
            self._succeed(channel, self.known.status, now)
            return
        try:
            answer = channel.exchange.feed(data)
        except ProtocolError as error:
            self._lose(channel, failures.PROTOCOL, now, f"{error}: {data[:EXAMPLE_BYTES]!r}")
            return
        if answer is not None:
            self._answered(channel, answer, data if plain else None, now)

    def hung_up(self, channel: Channel, now: int) -> None:
        """The server closed the connection in good order."""
        if not channel.busy:
            self._close(channel)
            return
        answer = channel.exchange.end()
        if answer is None:
            self._lose(channel, failures.CLOSED, now)
        else:
            self._answered(channel, answer, None, now)

    def broke(self, channel: Channel, kind: str, now: int, said: str = "") -> None:
        """Connecting, sending or receiving failed; `said` is the reason, where the class alone does not tell it."""
        if channel.busy:
            self._lose(channel, kind, now, said)
        else:
            self._close(channel)

    def facts(self) -> Mapping[str, Any]:
        return self.ledger.facts()

    # The life of one operation.

    def _go(self, channel: Channel, method: str) -> None:
        channel.exchange.begin(method)
        if channel.state is State.UP:
            self._transmit(channel)
        elif channel.state is State.DOWN:
            self._open(channel)

    def _open(self, channel: Channel) -> None:
        channel.state = State.OPENING
        self.opening += 1
        channel.exchange.reset()
        kind = self._transport.open(channel)
        if kind is not None:
            self.broke(channel, kind, self.now_ns())

    def _transmit(self, channel: Channel) -> None:
        channel.plain = channel.hops == 0
        self.ledger.bytes_out += len(channel.wire)
        kind = self._transport.transmit(channel, channel.wire)
        if kind is not None:
            self._lose(channel, kind, self.now_ns())

    def _answered(self, channel: Channel, answer: Answer, data: bytes | None, now: int) -> None:
        if not answer.keep_alive or self._fresh:
            self._close(channel)
        redirected = self._follow and answer.status in _REDIRECTS and answer.location is not None
        if redirected and channel.hops < MAX_HOPS:
            self._redirect(channel, answer, now)
            return
        kind = failures.BAD_STATUS if redirected else self._expectation.judge(answer.status, answer.body)
        if kind is None:
            if data is not None and answer.repeatable:
                self.known.learn(data, answer, body_matters=self._expectation.needs_body)
            self._succeed(channel, answer.status, now)
        else:
            if kind == failures.BAD_BODY:
                coded = f", still in the coding {answer.coding!r}" if answer.coding else ""
                self.ledger.explain(kind, f"got {answer.body[:EXAMPLE_BYTES]!r}{coded}")
            self._fail(channel, kind, now, answer.status if kind == failures.BAD_STATUS else None)

    def _succeed(self, channel: Channel, status: int, now: int) -> None:
        self.ledger.ended(now)
        self.ledger.succeeded(status, channel.start, now, channel.intended)
        channel.failures = 0
        self._finish(channel, now)

    def _redirect(self, channel: Channel, answer: Answer, now: int) -> None:
        try:
            target = channel.endpoint.redirected(answer.location or "")
        except UsageError as error:
            self._lose(channel, failures.PROTOCOL, now, f"redirected to {error.message}")
            return
        self.ledger.redirects += 1
        channel.hops += 1
        if not channel.endpoint.same_server(target):
            self._close(channel)
        channel.endpoint = target
        method, channel.wire = self.template.redirected(target, answer.status, channel.index)
        self._go(channel, method)

    def _lose(self, channel: Channel, kind: str, now: int, said: str = "") -> None:
        """The operation failed and its connection is of no more use."""
        self._close(channel)
        # The engine takes known answers without a word; that the start has moved on tells that there were some.
        channel.failures = 1 if channel.start != channel.began else channel.failures + 1
        self.ledger.explain(kind, said)
        self._fail(channel, kind, now)

    def _fail(self, channel: Channel, kind: str, now: int, status: int | None = None) -> None:
        self.ledger.ended(now)
        self.ledger.failed(kind, channel.start, now, channel.intended, status)
        self._finish(channel, now)

    def _finish(self, channel: Channel, now: int) -> None:
        channel.busy = channel.plain = False
        if channel.hops:
            if not channel.endpoint.same_server(self.template.endpoint):
                self._close(channel)
            channel.endpoint = self.template.endpoint
        self.schedule.free(channel, now, self.recorder.stop_at_ns)

    def _close(self, channel: Channel) -> None:
        channel.plain = False
        if channel.state is State.UP:
            self.ledger.closed += 1
        elif channel.state is State.OPENING:
            self.opening -= 1
        if channel.state is not State.DOWN:
            channel.state = State.DOWN
            self._transport.close(channel)

    # Time.

    def _expire(self, now: int) -> None:
        """Give up what has waited for the timeout. Nothing that starts later can be due sooner than what is left."""
        oldest = now
        for channel in self.channels:
            if channel.busy:
                if now - channel.start >= self._timeout_ns:
                    self._lose(channel, failures.TIMEOUT, now)
                else:
                    oldest = min(oldest, channel.start)
        self._expire_ns = oldest + self._timeout_ns

    def _drain(self, now: int, stop: int) -> None:
        """After the end: wait for what is in flight, up to the timeout."""
        if now >= stop + self._timeout_ns:
            self.schedule.give_up(now, stop)
            for channel in self.channels:
                if channel.busy:  # also what this very turn began, after `now`
                    self._lose(channel, failures.TIMEOUT, max(now, channel.start))
        self.finished = self.ledger.in_flight == 0 and self.schedule.exhausted(stop)
