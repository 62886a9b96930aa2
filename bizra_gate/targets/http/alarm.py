"""A timer in the epoll set with the kernel's resolution (Linux): epoll's own timeout counts in milliseconds.

The timerfd is registered edge-triggered and never read: arming it anew makes it quiet again.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

_CLOCK_MONOTONIC = 1
_TFD_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_PR_SET_TIMERSLACK = 29


class _Itimerspec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def available() -> bool:
    """Whether this system has timerfd."""
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "timerfd_create")


class Alarm:
    """Becomes readable at a time of `now_ns`. Raises OSError where the system has no timerfd to give."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = int(libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_FLAGS))
        if self.fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"timerfd_create: {os.strerror(number)}")
        libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # the default of 50 µs is added to every sleep
        self._now_ns = now_ns
        self._spec = _Itimerspec()
        self._address = ctypes.addressof(self._spec)
        self._settime = libc.timerfd_settime
        self._settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._armed_ns = 0

    def arm(self, when_ns: int) -> None:
        """Go off at `when_ns`, or at once where that is past. Arming for the same time again is free."""
        if when_ns != self._armed_ns:
            self._armed_ns = when_ns
            # A value of zero would disarm it; 1 ns is at once.
            self._spec.value_s, self._spec.value_ns = divmod(max(1, when_ns - self._now_ns()), 1_000_000_000)
            self._settime(self.fd, 0, self._address, None)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
