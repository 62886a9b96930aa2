"""The Linux engine: one thread, raw epoll on non-blocking sockets, two system calls per request.

An answer of which `Known` can tell by its bytes what the parser and the judge would say needs neither. Everything else,
and whatever is not an answer, goes to the conductor when the batch is through.
wrk re-arms its epoll set twice per request; here nothing is re-armed, which pays for the interpreter.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
from array import array
from collections.abc import Mapping
from typing import Any

from ...model import Clock, Recorder, WorkerTask
from .alarm import Alarm
from .channel import Channel
from .conductor import Conductor
from .dial import Dialer
from .endpoint import Endpoint
from .exchange import Exchange
from .expect import Expectation
from .failures import classify, classify_errno, reason
from .schedule import NEVER_NS, Arrivals
from .template import Template

SPIN_NS = 30_000
"""A wake-up comes 25–50 µs late on a virtual machine; this much before an intended start is not slept away. More would
burn a core at rates that leave one idle, and win nothing."""
_MIN_BUFFER, _MAX_BUFFER = 8 * 1024, 64 * 1024
_MAX_EVENTS = 512
_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT
_WANT = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NOBODY = Channel(Endpoint("http", "", 0, ""), Exchange(keep_body=False))
"""Stands in the table for descriptors that are closed and for the alarm: an event on them means nothing."""

Events = list[tuple[int, int]]
Odd = tuple[Channel, int, bytes | OSError | None, int]
"""An event that the hot path passed on: the channel, the event, what was read or the error that was met, and when."""


class Link:
    """An open connection as the engine keeps it."""

    __slots__ = ("connected", "secure", "sock", "tls", "unsent")

    def __init__(self, sock: socket.socket, *, tls: bool) -> None:
        self.sock = sock
        self.tls = tls
        self.connected = False
        self.secure = not tls
        """The TLS handshake is done, or not needed."""
        self.unsent = b""

    @property
    def ready(self) -> bool:
        return self.connected and self.secure


class EpollEngine:
    """Runs one worker's load. `name` goes into the facts."""

    name = "epoll"

    def __init__(self, template: Template, expectation: Expectation, dialer: Dialer) -> None:
        self._template = template
        self._expectation = expectation
        self._dialer = dialer
        self._epoll = select.epoll()
        self._table: dict[int, Channel] = {}
        self._buffer = _MIN_BUFFER
        self._alarm: Alarm | None = None
        self._conductor: Conductor | None = None

    def run(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        """Drive the target from the origin of `task` until the last operation has ended or was given up."""
        self._now_ns = clock.now_ns
        self._recorder = recorder
        self._alarm = Alarm(clock.now_ns)
        self._table[self._alarm.fd] = _NOBODY
        self._epoll.register(self._alarm.fd, select.EPOLLIN | select.EPOLLET)
        conductor = Conductor(self._template, self._expectation, task, recorder, clock, self)
        self._conductor = conductor
        self._loop(conductor, self._alarm, clock)

    def facts(self) -> Mapping[str, Any]:
        """May be asked at any time while the load runs."""
        return self._conductor.facts() if self._conductor else {}

    def shut(self) -> None:
        """Close every connection, the alarm and the epoll set."""
        for channel in self._conductor.channels if self._conductor else ():
            self.close(channel)
        if self._alarm is not None:
            self._alarm.close()
        self._epoll.close()

    # The loop.

    def _loop(self, conductor: Conductor, alarm: Alarm, clock: Clock) -> None:
        conductor.prepare(conductor.schedule.preopened)
        serve = self._serve_open if isinstance(conductor.schedule, Arrivals) else self._serve_closed
        now_ns, poll, lag = self._now_ns, self._epoll.poll, self._recorder.lag_ns.append
        wake, spun_since = NEVER_NS, 0
        while True:
            now = now_ns()
            if spun_since:
                clock.spun_ns += now - spun_since
            if now >= wake:
                lag(now - wake)
            look_up = conductor.turn(now)
            if conductor.finished:
                break
            due = conductor.due_ns
            wake = min(due, look_up)
            if due - now <= SPIN_NS:
                events = poll(0, _MAX_EVENTS)
                spun_since = 0 if events else now
            else:
                alarm.arm(min(due - SPIN_NS, look_up))
                events = poll(-1, _MAX_EVENTS)
                spun_since = 0
            serve(conductor, events)
        conductor.ledger.fold(now_ns())

    def _serve_closed(self, conductor: Conductor, events: Events) -> None:
        """Answers of a closed loop: each known one is followed at once by the user's next request.

        One reading of the clock is the end of one operation and the start of the next. The number in flight does not
        change then, so there is nothing to integrate. Whatever is out of the ordinary waits for the end of the batch.
        So do the stamps: a whole list becomes an ``array`` for a third of what appending one by one would cost.
        """
        table, now_ns, known = self._table, self._now_ns, conductor.known
        whole, matches, room = known.whole, known.matches, known.room(self._buffer)
        static, next_wire = conductor.template.static, conductor.next_wire
        starts: list[int] = []
        ends: list[int] = []
        limit = min(self._recorder.fold_at_ns, self._recorder.stop_at_ns) if conductor.repeats else 0
        wire, size, bytes_out = static or b"", len(static or b""), 0
        odd: list[Odd] = []
        for descriptor, event in events:
            channel = table[descriptor]
            if event != _READ or not channel.plain:
                odd.append((channel, event, None, 0))
                continue
            try:
                data = channel.receive(room)
            except OSError as error:
                odd.append((channel, event, error, now_ns()))
                continue
            now = now_ns()
            if now >= limit or (data != whole and not matches(data)):
                odd.append((channel, event, data, now))
                continue
            starts.append(channel.start)
            ends.append(now)
            channel.start = now
            if static is None:
                channel.wire = wire = next_wire(channel)
                size = len(wire)
                bytes_out += size
            try:
                sent = channel.send(wire)
            except _WANT:
                sent = 0
            except OSError as error:
                odd.append((channel, event, error, now))
                continue
            if sent != size:
                self._keep(channel, wire[sent:])
        self._recorder.start_ns.extend(array("q", starts))
        self._recorder.end_ns.extend(array("q", ends))
        conductor.recognised(len(ends), len(ends) * size if static is not None else bytes_out)
        for channel, event, seen, now in odd:
            self._odd(conductor, channel, event, seen, now)

    def _serve_open(self, conductor: Conductor, events: Events) -> None:
        """Answers of an open loop: each known one frees its channel for an arrival that is due, now or later."""
        table, now_ns, known = self._table, self._now_ns, conductor.known
        whole, matches, room = known.whole, known.matches, known.room(self._buffer)
        assert isinstance(conductor.schedule, Arrivals)
        recorder, free, ended = self._recorder, conductor.schedule.free_channels, conductor.ledger.ended
        limit = recorder.fold_at_ns if conductor.keeps_connections else 0
        starts: list[int] = []
        ends: list[int] = []
        due: list[int] = []
        odd: list[Odd] = []
        for descriptor, event in events:
            channel = table[descriptor]
            if event != _READ or not channel.plain:
                odd.append((channel, event, None, 0))
                continue
            try:
                data = channel.receive(room)
            except OSError as error:
                odd.append((channel, event, error, now_ns()))
                continue
            now = now_ns()
            if now >= limit or (data != whole and not matches(data)):
                odd.append((channel, event, data, now))
                continue
            starts.append(channel.start)
            ends.append(now)
            due.append(channel.intended)
            channel.busy = channel.plain = False
            ended(now)
            free.append(channel)
        recorder.start_ns.extend(array("q", starts))
        recorder.end_ns.extend(array("q", ends))
        recorder.intended_ns.extend(array("q", due))
        conductor.recognised(len(ends), 0)
        for channel, event, seen, now in odd:
            self._odd(conductor, channel, event, seen, now)

    # Everything that is not a known answer in one piece.

    def _odd(self, conductor: Conductor, channel: Channel, event: int, seen: bytes | OSError | None, now: int) -> None:
        link: Link | None = channel.link
        if link is None:
            return
        if isinstance(seen, bytes):
            self._deliver(conductor, channel, seen, now)
        elif seen is not None:
            self._trouble(conductor, channel, seen, now)
        elif not link.ready:
            self._progress(conductor, channel, link, event)
            return
        elif event & _WRITE and link.unsent:
            self._flush(conductor, channel, link)
        if channel.link is link and (seen is None or link.tls):
            self._drain_socket(conductor, channel, link)

    def _drain_socket(self, conductor: Conductor, channel: Channel, link: Link) -> None:
        """Read what is there. Of a plain socket once, since epoll tells again; a TLS record may hold more unseen."""
        while channel.link is link:
            try:
                data = channel.receive(self._buffer)
            except OSError as error:
                self._trouble(conductor, channel, error, self._now_ns())
                return
            self._deliver(conductor, channel, data, self._now_ns())
            if not link.tls:
                return

    def _deliver(self, conductor: Conductor, channel: Channel, data: bytes, now: int) -> None:
        if not data:
            conductor.hung_up(channel, now)
            return
        if len(data) == self._buffer < _MAX_BUFFER:
            self._buffer *= 2
        conductor.received(channel, data, now)

    def _trouble(self, conductor: Conductor, channel: Channel, error: OSError, now: int) -> None:
        """Nothing to read after all, or the end of the connection."""
        if not isinstance(error, _WANT):
            conductor.broke(channel, classify(error), now, reason(error))

    def _progress(self, conductor: Conductor, channel: Channel, link: Link, event: int) -> None:
        """Connecting, then the TLS handshake, one step for each event."""
        try:
            if not link.connected:
                number = link.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number:
                    raise OSError(number, "connect")
                if not event & _WRITE:
                    return
                self._connected(channel, link)
            if not link.secure:
                self._handshake(link)
        except _WANT:
            return
        except OSError as error:
            conductor.broke(channel, classify(error), self._now_ns(), reason(error))
            return
        conductor.opened(channel)

    def _connected(self, channel: Channel, link: Link) -> None:
        link.connected = True
        self._epoll.modify(link.sock.fileno(), _READ)
        if channel.endpoint.tls:
            link.sock = self._dialer.context.wrap_socket(
                link.sock, server_hostname=channel.endpoint.host, do_handshake_on_connect=False
            )
        channel.receive, channel.send = link.sock.recv, link.sock.send

    def _handshake(self, link: Link) -> None:
        assert isinstance(link.sock, ssl.SSLSocket)
        descriptor = link.sock.fileno()
        try:
            link.sock.do_handshake()
        except ssl.SSLWantWriteError:
            self._epoll.modify(descriptor, _READ | _WRITE)
            raise
        self._epoll.modify(descriptor, _READ)
        link.secure = True

    # What the conductor asks.

    def open(self, channel: Channel) -> str | None:
        try:
            sock, sockaddr = self._dialer.socket_for(channel.endpoint)
        except OSError as error:
            return classify(error)
        number = sock.connect_ex(sockaddr)
        if number not in (0, errno.EINPROGRESS):
            sock.close()
            return classify_errno(number)
        channel.link = Link(sock, tls=channel.endpoint.tls)
        self._table[sock.fileno()] = channel
        self._epoll.register(sock.fileno(), _READ | _WRITE)
        return None

    def transmit(self, channel: Channel, wire: bytes) -> str | None:
        try:
            sent = channel.send(wire)
        except _WANT:
            sent = 0
        except OSError as error:
            return classify(error)
        if sent != len(wire):
            self._keep(channel, wire[sent:])
        return None

    def close(self, channel: Channel) -> None:
        link: Link | None = channel.link
        if link is not None:
            channel.link = None
            self._table[link.sock.fileno()] = _NOBODY
            link.sock.close()

    def _keep(self, channel: Channel, rest: bytes) -> None:
        """The socket is full: go on when epoll says that it takes more."""
        channel.plain = False
        channel.link.unsent = rest
        self._epoll.modify(channel.link.sock.fileno(), _READ | _WRITE)

    def _flush(self, conductor: Conductor, channel: Channel, link: Link) -> None:
        try:
            link.unsent = link.unsent[channel.send(link.unsent) :]
        except _WANT:
            return
        except OSError as error:
            conductor.broke(channel, classify(error), self._now_ns())
            return
        if not link.unsent:
            self._epoll.modify(link.sock.fileno(), _READ)
