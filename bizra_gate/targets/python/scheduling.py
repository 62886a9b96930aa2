"""How long this thread stood in the queue for a core (Linux): time that belongs to whatever it was about to do."""

from __future__ import annotations

import os

_PATH = "/proc/thread-self/schedstat"
"""Time on a core and time in its run queue, ns, and the number of slices (kernel documentation, sched-stats)."""


class Queueing:
    """Of the thread that makes it; one system call a look."""

    def __init__(self) -> None:
        try:
            self._descriptor = os.open(_PATH, os.O_RDONLY)
        except OSError:
            self._descriptor = -1
        self._last = self._read()

    def factor(self) -> float:
        """Wall time per CPU time since the last look, waiting for a core included; 1 where nobody was in the way or
        the system does not say."""
        before, self._last = self._last, self._read()
        ran, waited = self._last[0] - before[0], self._last[1] - before[1]
        return 1.0 + waited / ran if ran > 0 else 1.0

    def _read(self) -> tuple[int, int]:
        if self._descriptor < 0:
            return (0, 0)
        fields = os.pread(self._descriptor, 64, 0).split()
        return (int(fields[0]), int(fields[1])) if len(fields) > 1 else (0, 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
