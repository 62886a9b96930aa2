"""A server in a thread that answers as a function says, and a driver run against it with everything recorded."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bizra_gate.load.clock import MonotonicClock
from bizra_gate.load.pacer import pacer_for
from bizra_gate.model import ClosedLoop, HttpRequest, Load, OpenLoop, Plan, Warmup, WorkerTask
from bizra_gate.targets.http import HttpTarget
from bizra_gate.targets.http.driver import EngineName

MS = 1_000_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Answer = list[bytes] | bytes | None
"""Pieces to send one after the other; None: say nothing and keep the connection."""
Handler = Callable[[int, bytes], Answer]
"""(number of the request over all connections, its bytes) → what to answer."""

CLOSE = b"<close>"
"""As the last piece: close the connection after it."""
RESET = b"<reset>"
"""As the last piece: reset the connection."""


class Peer:
    """One thread per connection; everything that was asked is kept in `requests`."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.port}/"

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        _shut(self._listener)  # closing alone would let the accept that is under way take one more
        self._listener.close()
        with self._lock:
            for sock in self._open:
                _shut(sock)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(sock)
                self.connections += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            received = b""
            while True:
                data = sock.recv(1 << 20)
                if not data:
                    return
                received += data
                while (size := request_size(received)) is not None:
                    request, received = received[:size], received[size:]
                    if not self._answer(sock, request):
                        return
        except OSError:
            return
        finally:
            sock.close()

    def _answer(self, sock: socket.socket, request: bytes) -> bool:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        answer = self._handler(number, request)
        for piece in [answer] if isinstance(answer, bytes) else answer or []:
            if piece == CLOSE:
                return False
            if piece == RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            sock.sendall(piece)
        return True


def request_size(received: bytes) -> int | None:
    """Length of the first complete request, head and body."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = 0
    for line in received[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return end + 4 + length if len(received) >= end + 4 + length else None


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def peer(handler: Handler, context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    server = Peer(handler, context)
    try:
        yield server
    finally:
        server.stop()


def always(answer: Answer) -> Handler:
    return lambda number, request: answer


@dataclass
class Notes:
    """A recorder that forgets nothing."""

    stop_at_ns: int
    fold_at_ns: int
    start_ns: array[int] = field(default_factory=lambda: array("q"))
    end_ns: array[int] = field(default_factory=lambda: array("q"))
    intended_ns: array[int] = field(default_factory=lambda: array("q"))
    lag_ns: array[int] = field(default_factory=lambda: array("q"))
    label: array[int] = field(default_factory=lambda: array("q"))
    batch: int = 1
    failures: list[tuple[str, int, int, int | None]] = field(default_factory=list)
    folds: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(boundary, reading, integral, in flight)"""
    labels: list[str] = field(default_factory=list)
    step_ns: int = 5 * MS
    enough: int | None = None
    """End the load once so many operations are recorded: a slow machine takes longer, and nothing else changes."""
    on_fold: Callable[[int], None] = lambda folds: None

    def failed(self, kind: str, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        self.failures.append((kind, start_ns, end_ns, intended_ns))

    def outcome(self, label: str, count: int = 1) -> None:
        raise AssertionError("labels go into their column")

    def label_id(self, label: str) -> int:
        if label not in self.labels:
            self.labels.append(label)
        return self.labels.index(label)

    def fold(self, now_ns: int, in_flight_ns: int, in_flight: int) -> None:
        self.folds.append((self.fold_at_ns, now_ns, in_flight_ns, in_flight))
        while self.fold_at_ns <= now_ns:
            self.fold_at_ns += self.step_ns
        if self.enough is not None and len(self.end_ns) + len(self.failures) >= self.enough:
            self.stop_at_ns = min(self.stop_at_ns, now_ns)
        self.on_fold(len(self.folds))

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(self.labels[number] for number in self.label)

    @property
    def errors(self) -> Counter[str]:
        return Counter(kind for kind, *_ in self.failures)

    @property
    def residence_ns(self) -> int:
        """Sum of the times in flight of everything that was recorded."""
        times = [end - start for start, end in zip(self.start_ns, self.end_ns, strict=True)]
        return sum(times) + sum(end - start for _, start, end, _ in self.failures)


@dataclass
class Driven:
    notes: Notes
    facts: Mapping[str, Any]
    origin_ns: int


def drive(
    url: str,
    load: Load | None = None,
    *,
    request: HttpRequest | None = None,
    engine: EngineName = "epoll",
    duration_ns: int | None = None,
    timeout_ns: int = 5_000 * MS,
    rows: tuple[Mapping[str, str], ...] = (),
    worker: int = 0,
    workers: int = 1,
    seed: int = 1,
    enough: int = 12,
    on_fold: Callable[[int], None] = lambda folds: None,
) -> Driven:
    """One worker's load on `url`, from open to close: for `duration_ns`, or until `enough` operations are recorded."""
    load, request = load or ClosedLoop(2), request or HttpRequest()
    until = enough if duration_ns is None else None
    duration_ns = duration_ns or 20_000 * MS
    plan = Plan(url, load, Warmup(0), duration_ns, timeout_ns=timeout_ns, http=request, workers=workers, seed=seed)
    clock = MonotonicClock()
    driver = HttpTarget(url, request, rows, engine).driver(plan)
    try:
        driver.open()
        origin = clock.now_ns() + 10 * MS
        notes = Notes(origin + duration_ns, origin + 5 * MS, enough=until, on_fold=on_fold)
        pacer = pacer_for(load, 0, worker, workers) if isinstance(load, OpenLoop) else None
        driver.drive(WorkerTask(plan, worker, load, origin, pacer=pacer), notes, clock)
        return Driven(notes, driver.facts(), origin)
    finally:
        driver.close()
