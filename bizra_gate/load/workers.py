"""Worker processes: fresh interpreters that share nothing with the parent but one channel each.

A worker runs in its own session, so that Ctrl-C reaches the parent alone and the parent can end the worker together
with whatever the target started. Its standard input and output lead nowhere; the last of its standard error is kept
for the message when it breaks. When the parent dies, however it dies, the kernel (on Linux) kills the workers, and a
waiting shell kills what they had started.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import Pipe, connection
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import TargetError
from .clock import FakeClock
from .messages import Broken, Job
from .watch import kernel_text
from .worker import serve

Handler = Callable[[int, Any], None]
"""Called with (worker index, message)."""

FAREWELLS = 200
"""How often it is looked, 5 ms apart, whether what was killed has ended."""
_TAIL_BYTES = 4096
_BOOT = """import sys
root, handle, parent = sys.argv[1:4]
sys.argv[1:] = []
if root not in sys.path: sys.path.append(root)
from bizra_gate.load.worker import main
main(int(handle), int(parent))"""
_KEEPER = 'while read -r group; do groups="$groups -$group"; done; kill -s KILL -- $groups'
"""Its standard input ends when the parent does."""


class Crew(Protocol):
    """The workers of one run."""

    def start(self, jobs: Sequence[Job], handler: Handler) -> None: ...

    def send(self, index: int, message: Any) -> None: ...

    def pump(self, timeout_s: float) -> None:
        """Hand every message that is there, or comes within the time, to the handler."""
        ...

    def abandon(self) -> None:
        """The run has failed: what the workers still have to say is of no interest."""
        ...

    def stop(self) -> None:
        """End every worker, whatever it is doing; nothing is left running."""
        ...


class ProcessCrew:
    """One process per job."""

    def __init__(self) -> None:
        self._processes: list[_Process] = []
        self._handler: Handler = _unheard
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self, jobs: Sequence[Job], handler: Handler) -> None:
        self._handler = handler
        self._keeper = _keeper()
        for job in jobs:
            process = _Process(job)
            self._processes.append(process)
            _keep(self._keeper, process.pid)

    def send(self, index: int, message: Any) -> None:
        self._processes[index].send(message)

    def pump(self, timeout_s: float) -> None:
        owners = {source: (index, process) for index, process in enumerate(self._processes)
                  for source in process.sources()}  # fmt: skip
        for source in connection.wait(list(owners), timeout_s):
            index, process = owners[source]
            message = process.receive(source)
            if message is not None:
                self._handler(index, message)
        for index, process in enumerate(self._processes):
            if process.is_gone():
                self._handler(index, process.obituary())

    def abandon(self) -> None:
        """`stop` will end them."""

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.reap()
        if self._keeper is not None:
            self._keeper.kill()  # before its input ends: by then the groups may be somebody else's
            self._keeper.communicate()


def _keeper() -> subprocess.Popen[bytes] | None:
    """A shell that does nothing but outlive this process if it is killed; None where there is no such shell."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return None


def _keep(keeper: subprocess.Popen[bytes] | None, group: int) -> None:
    if keeper is not None and keeper.stdin is not None:
        with contextlib.suppress(OSError):
            keeper.stdin.write(b"%d\n" % group)
            keeper.stdin.flush()


class _Process:
    """A worker as the parent sees it: its channel, the end of what it wrote to standard error, and its life."""

    def __init__(self, job: Job) -> None:
        self._channel, theirs = Pipe(duplex=True)
        self._tail = b""
        self._heard = True
        handle = theirs.fileno()
        getattr(os, "set_handle_inheritable", os.set_inheritable)(handle, True)
        root = str(Path(__file__).resolve().parents[2])
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, root, str(handle), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            close_fds=sys.platform != "win32",
            pass_fds=() if sys.platform == "win32" else (handle,),
        )
        theirs.close()
        assert self._popen.stderr is not None
        self._stderr: IO[bytes] = self._popen.stderr
        os.set_blocking(self._stderr.fileno(), False)
        self._open: list[Any] = [self._channel, self._stderr]
        self.send(job)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def sources(self) -> list[Any]:
        return self._open

    def send(self, message: Any) -> None:
        try:
            self._channel.send(message)
        except (BrokenPipeError, ConnectionResetError):
            pass  # its death is told by the closed channel, with the reason
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TargetError(f"the target cannot be sent to a worker process: {error}") from error

    def receive(self, source: Any) -> Any:
        """The next message of `source`, or None."""
        if source is self._stderr:
            chunk = self._stderr.read(65536)
            if not chunk:
                self._open.remove(self._stderr)
            self._tail = (self._tail + (chunk or b""))[-_TAIL_BYTES:]
            return None
        try:
            return self._channel.recv()
        except (EOFError, ConnectionResetError):
            return self.obituary()

    def is_gone(self) -> bool:
        """It has exited, everything it said was heard, and something that it started holds its channel open."""
        return self._channel in self._open and self._popen.poll() is not None and not self._channel.poll()

    def obituary(self) -> Broken:
        """What to say of a worker that closed its channel without a word, or after its last one."""
        self._open.remove(self._channel)
        try:
            code = self._popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return Broken("Gone", "closed its channel and did not exit", "", expected=True)
        self._tail += self._stderr.read() or b""
        last = [line for line in self._tail.decode("utf-8", "replace").splitlines() if line.strip()][-3:]
        return Broken("Gone", _how_it_ended(code), "\n  ".join(last), expected=True)

    def kill(self) -> None:
        """The worker and everything in its session: commands that it runs, what the target started."""
        if sys.platform == "win32":
            self._popen.kill()
            return
        for pid in (self._popen.pid, *session_members(self._popen.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Wait until nothing of it runs; a signal takes effect a little after it was sent."""
        self._popen.wait()
        for _ in range(FAREWELLS):
            if not session_members(self._popen.pid):
                break
            threading.Event().wait(0.005)
        self._channel.close()
        self._stderr.close()


def session_members(session: int) -> list[int]:
    """Living processes of one session, by Linux's ``/proc/PID/stat`` (field 6, after the name)."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        fields = (kernel_text(f"/proc/{name}/stat") or "").rpartition(")")[2].split() if name.isdigit() else []
        if len(fields) > 3 and fields[3] == str(session) and int(name) != session and fields[0] not in "ZX":
            found.append(int(name))
    return found


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exited with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _unheard(index: int, message: Any) -> None:
    raise AssertionError(f"worker {index} spoke before start: {message!r}")


class InlineCrew:
    """Workers in this process, one thread each, every one on its own copy of a fake clock.

    A clock that is not the machine's own cannot be shared with another process. A worker's message is handled before
    its `send` returns, so what happens depends on no scheduler. Used by tests, ours and users'.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._handler: Handler = _unheard
        self._channels: list[_InlineChannel] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.RLock()
        self._abandoned = False
        self._escaped: BaseException | None = None

    def start(self, jobs: Sequence[Job], handler: Handler) -> None:
        self._handler = handler
        for index, job in enumerate(jobs):
            channel = _InlineChannel(lambda message, index=index: self._hear(index, message))  # type: ignore[misc]
            channel.inbox.put(job)
            clock = self._clock.fork()
            self._channels.append(channel)
            self._threads.append(threading.Thread(target=self._work, args=(channel, clock), daemon=True))
        for thread in self._threads:
            thread.start()

    def _work(self, channel: _InlineChannel, clock: FakeClock) -> None:
        try:
            serve(channel, clock)
        except EOFError:
            return
        except BaseException as error:
            self._escaped = error
            return
        with self._lock:
            self._clock.sleep_until(clock.time_ns)

    def _hear(self, index: int, message: Any) -> None:
        with self._lock:
            if self._abandoned or self._escaped is not None:
                raise EOFError
            try:
                self._handler(index, message)
            except KeyboardInterrupt as error:  # pressed in the parent, which here runs in the worker's thread
                self._escaped = error
                raise EOFError from error

    def send(self, index: int, message: Any) -> None:
        self._channels[index].inbox.put(message)

    def pump(self, timeout_s: float) -> None:
        """Until every worker has ended: a fake clock knows no waiting, and real time has nothing to say to it."""
        for thread in self._threads:
            thread.join()
        if self._escaped is not None:
            raise self._escaped

    def abandon(self) -> None:
        self._abandoned = True

    def stop(self) -> None:
        self._abandoned = True
        for channel in self._channels:
            channel.inbox.put(None)
        for thread in self._threads:
            thread.join()


class _InlineChannel:
    """A channel whose other side is the same process."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.send = hear

    def poll(self) -> bool:
        return not self.inbox.empty()

    def recv(self) -> Any:
        message = self.inbox.get()
        if message is None:
            raise EOFError
        return message
