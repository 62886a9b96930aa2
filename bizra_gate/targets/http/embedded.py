"""A server on 127.0.0.1 that does what its script says, to the tens of microseconds: for the demo, for tests, and as
the known truth of the selftest. It lives in a process of its own (or a thread, where no timing matters)."""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from ...errors import TargetError
from . import alarm
from .script import Desk, Script

BACKLOG = 4096
START_TIMEOUT_S = 30.0
SPIN_NS = 30_000
_TICK_NS = 1_000_000_000
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:\s*close", re.IGNORECASE)

NowNs = Callable[[], int]


@dataclass(eq=False, slots=True)
class _Peer:
    """One connection as the server sees it."""

    sock: socket.socket
    received: bytes = b""
    unsent: bytes = b""
    closing: bool = False
    """Close once everything is sent."""


@dataclass(slots=True)
class _Answers:
    """The bytes that are sent, made once."""

    script: Script
    whole: bytes = field(init=False)
    failed: bytes = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nbusy\n"

    def __post_init__(self) -> None:
        body = (b"hello, world\n" * (self.script.body_bytes // 13 + 1))[: self.script.body_bytes]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        if self.script.chunked:
            chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            self.whole = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
        else:
            self.whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class ServerLoop:
    """Accepts, reads, and sends each answer when the desk says so. `run` returns when `control` becomes readable."""

    def __init__(self, script: Script, now_ns: NowNs, control: socket.socket | Connection) -> None:
        self.script = script
        self._now_ns = now_ns
        self._control = control
        self._answers = _Answers(script)
        self._desk: Desk | None = None
        self._due: list[tuple[int, int, _Peer, bytes, bool]] = []
        self._numbers = count()
        self._requests = 0
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self._alarm = alarm.Alarm(now_ns) if alarm.available() else None

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        if self._alarm is not None:
            self._selector.register(self._alarm.fd, selectors.EVENT_READ)
        try:
            while True:
                self._answer_due()
                for key, mask in self._selector.select(self._timeout_s()):
                    if key.fileobj is self._control:
                        return
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.data, _Peer):
                        self._serve(key.data, mask)
        finally:
            self._shut()

    def _timeout_s(self) -> float:
        """How long select may wait. The alarm ends the wait to the microsecond; without one the end is spun."""
        due = self._due[0][0] if self._due else self._now_ns() + _TICK_NS
        remaining = due - self._now_ns()
        if remaining <= SPIN_NS:
            return 0.0
        if self._alarm is not None:
            self._alarm.arm(due - SPIN_NS)
            return 1.0
        return max(0.0, (remaining - 2_000_000) / 1e9)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(sock, selectors.EVENT_READ, _Peer(sock))

    def _serve(self, peer: _Peer, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send(peer, b"")
        if not mask & selectors.EVENT_READ or peer.sock.fileno() < 0:
            return
        try:
            data = peer.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(peer)
            return
        peer.received += data
        while (request := _cut(peer)) is not None:
            self._take(peer, request, self._now_ns())

    def _take(self, peer: _Peer, request: bytes, now: int) -> None:
        """Decide what becomes of one request."""
        self._requests += 1
        script = self.script
        if self._desk is None:
            self._desk = Desk(script, now)
        peer.closing = peer.closing or _CLOSE.search(request) is not None
        if script.close_every and self._requests % script.close_every == 0:
            self._close(peer)
        elif script.fail_every and self._requests % script.fail_every == 0:
            self._send(peer, self._answers.failed)
        else:
            self._later(peer, self._desk.departure(now))

    def _later(self, peer: _Peer, when: int) -> None:
        whole, script = self._answers.whole, self.script
        if script.drip_every and self._requests % script.drip_every == 0:
            heappush(self._due, (when, next(self._numbers), peer, whole[:-1], False))
            when, whole = when + script.drip_ns, whole[-1:]
        heappush(self._due, (when, next(self._numbers), peer, whole, True))

    def _answer_due(self) -> None:
        due = self._due
        while due and due[0][0] <= self._now_ns():
            _, _, peer, data, last = heappop(due)
            self._send(peer, data, last=last)

    def _send(self, peer: _Peer, data: bytes, *, last: bool = True) -> None:
        if peer.sock.fileno() < 0:
            return
        data = peer.unsent + data
        try:
            sent = peer.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(peer)
            return
        waiting, peer.unsent = bool(peer.unsent), data[sent:]
        if peer.unsent and not waiting:
            self._selector.modify(peer.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)
        elif waiting and not peer.unsent:
            self._selector.modify(peer.sock, selectors.EVENT_READ, peer)
        if peer.closing and last and not peer.unsent:
            self._close(peer)

    def _close(self, peer: _Peer) -> None:
        if peer.sock.fileno() >= 0:
            self._selector.unregister(peer.sock)
            peer.sock.close()

    def _shut(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Peer):
                key.data.sock.close()
        self._selector.close()
        self._listener.close()
        if self._alarm is not None:
            self._alarm.close()


def _cut(peer: _Peer) -> bytes | None:
    """The next complete request of `peer`, taken off what was received."""
    end = peer.received.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(peer.received, 0, end + 2)
    end += 4 + (int(length[1]) if length else 0)
    if len(peer.received) < end:
        return None
    request, peer.received = peer.received[:end], peer.received[end:]
    return request


class EmbeddedServer:
    """``with serve(Script(service_ns=5_000_000)) as server: … server.url``.

    `now_ns` must be a function that another process can import.
    """

    def __init__(self, script: Script, now_ns: NowNs = time.perf_counter_ns, *, in_thread: bool = False) -> None:
        self.script = script
        self._now_ns = now_ns
        self._in_thread = in_thread
        self._worker: Any = None
        self._control: Any = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> EmbeddedServer:
        """Raises `TargetError` where the server's process does not come up."""
        if self._in_thread:
            self._control, theirs = socket.socketpair()
            loop = ServerLoop(self.script, self._now_ns, theirs)
            self.port = loop.port
            self._worker = threading.Thread(target=_run, args=(loop, theirs), daemon=True)
            self._worker.start()
            return self
        context = multiprocessing.get_context("spawn")
        self._control, child = context.Pipe()
        self._worker = context.Process(target=_process, args=(self.script, self._now_ns, child), daemon=True)
        self._worker.start()
        child.close()
        self.port = self._hear_port()
        return self

    def _hear_port(self) -> int:
        try:
            if self._control.poll(START_TIMEOUT_S):
                return int(self._control.recv())
        except EOFError:
            pass
        self.stop()
        raise TargetError("the embedded server did not start", hint="Look above for what its process said.")

    def stop(self) -> None:
        """End the server and wait for it; a second call does nothing."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._worker is not None:
            self._worker.join(5)
            if not self._in_thread and self._worker.is_alive():
                self._worker.kill()
                self._worker.join(5)
            self._worker = None

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(script: Script | None = None, *, in_thread: bool = False) -> EmbeddedServer:
    """A server that does what `script` says; without one it answers ``hello, world`` at once."""
    return EmbeddedServer(script or Script(), in_thread=in_thread)


def _run(loop: ServerLoop, control: socket.socket) -> None:
    with control:
        loop.run()


def _process(script: Script, now_ns: NowNs, control: Connection) -> None:
    """The server's own process: ends when the parent closes its end of the pipe, or dies. Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        loop = ServerLoop(script, now_ns, control)
        control.send(loop.port)
        loop.run()
