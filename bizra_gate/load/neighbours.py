"""A server on this machine: which processes it is, and what CPU time they use.

Only so can be told what others did to the machine during a run, and what one operation costs the server. Linux; where
the system does not show it, nothing is known.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ..model import Plan
from .watch import kernel_text

_LISTENING = "0A"
"""State of a listening socket in ``/proc/net/tcp`` (include/net/tcp_states.h: TCP_LISTEN = 10)."""
_TABLE_BYTES = 8 << 20
_SOCKET = re.compile(r"^socket:\[(\d+)\]$")
_LOOPBACK = ("localhost", "::1")
DEFAULT_PORTS = {"http": 80, "https": 443}


def servers_of(plan: Plan) -> tuple[int, ...]:
    """Processes that listen where an HTTP target on this machine answers; none for any other target."""
    parts = urlsplit(plan.target)
    host = parts.hostname or ""
    if parts.scheme not in DEFAULT_PORTS or not (host in _LOOPBACK or host.startswith("127.")):
        return ()
    with contextlib.suppress(ValueError):
        return tuple(sorted(listeners(parts.port or DEFAULT_PORTS[parts.scheme])))
    return ()


def listeners(port: int) -> set[int]:
    """Processes that hold a listening TCP socket on `port`, as far as this user may see."""
    wanted: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        wanted.update(_inodes(kernel_text(table, _TABLE_BYTES) or "", port))
    return {pid for pid, inode in _sockets() if inode in wanted} if wanted else set()


def _inodes(table: str, port: int) -> Iterator[str]:
    """Inodes of the listening sockets in a table of ``/proc/net`` (columns: sl local remote st … uid timeout inode)."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _sockets() -> Iterator[tuple[int, str]]:
    """(process, inode) of every open socket that can be seen."""
    for name in _listing("/proc"):
        for descriptor in _listing(f"/proc/{name}/fd") if name.isdigit() else ():
            with contextlib.suppress(OSError):
                found = _SOCKET.match(os.readlink(f"/proc/{name}/fd/{descriptor}"))
                if found:
                    yield int(name), found[1]


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def cpu_ns_of(processes: Iterable[int]) -> int | None:
    """CPU time of `processes` since each began, user and system; None where one of them is not to be seen.

    Fields 14 and 15 of ``/proc/PID/stat``, in clock ticks.
    """
    total = 0
    for pid in processes:
        fields = (kernel_text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
        if len(fields) < 13:
            return None
        total += int(fields[11]) + int(fields[12])
    return total * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
