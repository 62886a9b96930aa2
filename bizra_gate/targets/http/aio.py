"""The portable engine: the same conductor on asyncio's streams of bytes, for systems without epoll and timerfd.

asyncio's timers tick in milliseconds, so the last stretch before an intended start is spent in turns of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from ...model import Clock, Recorder, WorkerTask
from .channel import Channel
from .conductor import Conductor
from .dial import Dialer
from .expect import Expectation
from .failures import RESET, classify, reason
from .schedule import NEVER_NS
from .template import Template

SPIN_NS = 2_000_000
_NS = 1_000_000_000


class Link(asyncio.Protocol):
    """One connection. What arrives after the channel has moved on to another link is ignored."""

    def __init__(self, engine: AsyncioEngine, channel: Channel) -> None:
        self._engine = engine
        self._channel = channel
        self.transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def current(self) -> bool:
        return self._channel.link is self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.current:
            self._engine.conductor.opened(self._channel)
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.current:
            self._engine.conductor.received(self._channel, data, self._engine.now_ns())
            self._engine.wake()

    def eof_received(self) -> None:
        if self.current:
            self._engine.conductor.hung_up(self._channel, self._engine.now_ns())
            self._engine.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.current:
            return
        now = self._engine.now_ns()
        if exc is None:
            self._engine.conductor.hung_up(self._channel, now)
        else:
            self._engine.conductor.broke(self._channel, classify(exc), now, reason(exc))
        self._engine.wake()


class AsyncioEngine:
    """Runs one worker's load on a loop of its own."""

    name = "asyncio"
    conductor: Conductor

    def __init__(self, template: Template, expectation: Expectation, dialer: Dialer) -> None:
        self._template = template
        self._expectation = expectation
        self._dialer = dialer
        self._started = False
        self._woken: asyncio.Future[None] | None = None

    def run(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        """Drive the target from the origin of `task` until the last operation has ended or was given up."""
        self.now_ns = clock.now_ns
        self.conductor = Conductor(self._template, self._expectation, task, recorder, clock, self)
        self._started = True
        asyncio.run(self._drive(recorder))

    def facts(self) -> Mapping[str, Any]:
        """May be asked at any time while the load runs."""
        return self.conductor.facts() if self._started else {}

    def shut(self) -> None:
        """Connections went with their loop."""

    def wake(self) -> None:
        """Something happened that may make the next turn due at once."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _drive(self, recorder: Recorder) -> None:
        self._loop = asyncio.get_running_loop()
        conductor = self.conductor
        conductor.prepare(conductor.schedule.preopened)
        wake = NEVER_NS
        try:
            while True:
                now = self.now_ns()
                if now >= wake:
                    recorder.lag_ns.append(now - wake)
                look_up = conductor.turn(now)
                if conductor.finished:
                    break
                wake = min(conductor.due_ns, look_up)
                if conductor.due_ns - now <= SPIN_NS:
                    await asyncio.sleep(0)
                else:
                    await self._sleep(min(conductor.due_ns - SPIN_NS, look_up) - now)
            conductor.ledger.fold(self.now_ns())
        finally:
            for channel in conductor.channels:
                self.close(channel)
            await asyncio.sleep(0)  # transports close their sockets in the next turn

    async def _sleep(self, duration_ns: int) -> None:
        """Until something happens, but no longer than this."""
        self._woken = self._loop.create_future()
        alarm = self._loop.call_later(duration_ns / _NS, self.wake)
        try:
            await self._woken
        finally:
            alarm.cancel()
            self._woken = None

    # What the conductor asks.

    def open(self, channel: Channel) -> str | None:
        link = Link(self, channel)
        channel.link = link
        link.task = self._loop.create_task(self._connect(channel, link))
        return None

    async def _connect(self, channel: Channel, link: Link) -> None:
        endpoint = channel.endpoint
        sock = None
        try:
            sock, sockaddr = self._dialer.socket_for(endpoint)
            await self._loop.sock_connect(sock, sockaddr)
            context, name = (self._dialer.context, endpoint.host) if endpoint.tls else (None, None)
            await self._loop.create_connection(lambda: link, sock=sock, ssl=context, server_hostname=name)
        except OSError as error:
            if sock is not None:
                sock.close()
            if link.current:
                self.conductor.broke(channel, classify(error), self.now_ns(), reason(error))
        except asyncio.CancelledError:
            if sock is not None:
                sock.close()
            raise
        finally:
            self.wake()

    def transmit(self, channel: Channel, wire: bytes) -> str | None:
        transport: asyncio.Transport | None = channel.link.transport
        if transport is None or transport.is_closing():
            return RESET
        transport.write(wire)
        return None

    def close(self, channel: Channel) -> None:
        link: Link | None = channel.link
        channel.link = None
        if link is None:
            return
        if link.transport is not None:
            link.transport.abort()
        elif link.task is not None:
            link.task.cancel()
