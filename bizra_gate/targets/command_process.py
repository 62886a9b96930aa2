"""Running one command and waiting for it, with what it used."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import TargetError

WATCH_S = 0.02
"""How often the watchdog looks for commands that run too long; a timeout is enforced this late at most."""
SAID_BYTES = 300


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of one command. `status` is its exit status, or minus the number of the signal that ended it."""

    status: int
    user_ns: int
    system_ns: int
    peak_memory_bytes: int | None
    timed_out: bool = False
    said: str = ""
    """The end of its standard error, where it did not exit with 0."""

    @property
    def how(self) -> str:
        """``exit 3`` or ``SIGSEGV``."""
        if self.status >= 0:
            return f"exit {self.status}"
        try:
            return signal.Signals(-self.status).name
        except ValueError:
            return f"signal {-self.status}"


class Executor:
    """Runs commands from any thread; one watchdog ends those that take longer than `timeout_ns`."""

    def __init__(self, timeout_ns: int) -> None:
        self._timeout_s = timeout_ns / 1e9
        self._running: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._files = threading.local()
        self._watchdog = threading.Thread(target=self._watch, daemon=True)
        self._watchdog.start()

    def run(self, words: Sequence[str]) -> Execution:
        """Start, wait, and tell. Raises `TargetError` where the command cannot be started at all."""
        errors = self._error_file()
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, close_fds=False
            )
        except OSError as error:
            raise TargetError(f"{words[0]} cannot be started: {error.strerror or error}") from error
        watched = _Watched(process, self._timeout_s)
        with self._lock:
            self._running[process.pid] = watched
        try:
            execution = _waited(process)
        finally:
            with self._lock:
                del self._running[process.pid]
        return _finished(execution, watched.timed_out, errors)

    def close(self) -> None:
        self._closed.set()
        self._watchdog.join()

    def _error_file(self) -> int:
        """A file for standard error, one per thread, emptied before each use."""
        found: int | None = getattr(self._files, "descriptor", None)
        if found is None:
            self._files.file = tempfile.TemporaryFile()  # noqa: SIM115 - kept as long as its thread
            found = self._files.descriptor = self._files.file.fileno()
        elif os.lseek(found, 0, os.SEEK_END):
            os.ftruncate(found, 0)
            os.lseek(found, 0, os.SEEK_SET)
        return found

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_S):
            with self._lock:
                for watched in self._running.values():
                    watched.tick(WATCH_S)


class _Watched:
    """One running command and the time that it has left."""

    def __init__(self, process: subprocess.Popen[bytes], left_s: float) -> None:
        self._process = process
        self._left_s = left_s
        self.timed_out = False

    def tick(self, passed_s: float) -> None:
        self._left_s -= passed_s
        if self._left_s <= 0:
            self.timed_out = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


def _waited(process: subprocess.Popen[bytes]) -> Execution:
    """Wait with ``wait4``, which tells what the command and its own children used; elsewhere without that."""
    if not hasattr(os, "wait4"):
        return Execution(process.wait(), 0, 0, None)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    return Execution(process.returncode, round(usage.ru_utime * 1e9), round(usage.ru_stime * 1e9), peak)


def own_peak_bytes() -> int | None:
    """The most memory that this process ever held; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _finished(execution: Execution, timed_out: bool, errors: int) -> Execution:
    if execution.status == 0 and not timed_out:
        return execution
    size = os.lseek(errors, 0, os.SEEK_END)
    os.lseek(errors, max(0, size - SAID_BYTES), os.SEEK_SET)
    said = os.read(errors, SAID_BYTES).decode("utf-8", "replace").strip()
    return Execution(
        execution.status, execution.user_ns, execution.system_ns, execution.peak_memory_bytes, timed_out, said
    )
