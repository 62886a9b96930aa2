"""Operations that lie about themselves, and a few that do not, to be run by ``bizra-gate bench`` for real.

`TRAPS` says what an audit must conclude of each. Nothing in here is imported by a test: it is the thing under test.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator
from functools import cache
from random import Random

from traps import Trap

BLOCK = bytes(range(256)) * 64
"""16 KiB to hash: some 10 µs of honest work."""


# ── honest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def hash_a_block() -> bytes:
    return hashlib.sha256(BLOCK).digest()


def sleep_five_milliseconds() -> None:
    time.sleep(0.005)


async def wait_five_milliseconds() -> int:
    await asyncio.sleep(0.005)
    return 1


class TwoSpeeds:
    """Every fourth call takes eight times as long: two heaps, and nothing wrong with that."""

    def __init__(self) -> None:
        self._turn = 0

    def __call__(self) -> bytes:
        self._turn += 1
        result = b""
        for _ in range(8 if self._turn % 4 == 0 else 1):
            result = hashlib.sha256(BLOCK).digest()
        return result


class Labels:
    """A cache whose hits and misses are labelled outcomes."""

    def __init__(self) -> None:
        self._random = Random(1)

    def __call__(self) -> str:
        hashlib.sha256(BLOCK).digest()
        return "hit" if self._random.random() < 0.9 else "miss"


# ── nothing is done ──────────────────────────────────────────────────────────────────────────────────────────────


def nothing() -> None:
    pass


def dead_code() -> None:
    1 + 1  # noqa: B018  the compiler folds it and drops it


@cache
def remembered() -> bytes:
    return hashlib.sha256(BLOCK * 64).digest()


async def _body() -> int:
    await asyncio.sleep(0.001)
    return 1


def never_awaited() -> object:
    return _body()


def _numbers() -> Iterator[bytes]:
    for _ in range(100):
        yield hashlib.sha256(BLOCK).digest()


def never_consumed() -> Iterator[bytes]:
    return _numbers()


def left_on_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(0.05,), daemon=True).start()


class RefusedByItsValidator:
    def __call__(self) -> bytes:
        return hashlib.sha256(BLOCK).digest()

    def validate(self, result: bytes) -> bool:
        return result.startswith(b"\0\0\0\0")


# ── it changes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Leaks:
    """Each call hashes one block for every half second of its life so far."""

    def __init__(self) -> None:
        self._born = time.monotonic()

    def __call__(self) -> bytes:
        result = b""
        for _ in range(4 + int(2 * (time.monotonic() - self._born))):
            result = hashlib.sha256(BLOCK).digest()
        return result


class SlowsDownAtOnce:
    """From the sixth second of its life on every call does the work three times."""

    def __init__(self) -> None:
        self._born = time.monotonic()

    def __call__(self) -> bytes:
        result = b""
        for _ in range(1 if time.monotonic() - self._born < 6 else 3):
            result = hashlib.sha256(BLOCK).digest()
        return result


# ── it fails ─────────────────────────────────────────────────────────────────────────────────────────────────────


class FailsFastOneTimeInThree:
    def __init__(self) -> None:
        self._turn = 0

    def __call__(self) -> bytes:
        self._turn += 1
        if self._turn % 3 == 0:
            raise ConnectionRefusedError("no room")
        return hashlib.sha256(BLOCK).digest()


def always_fails() -> None:
    raise ConnectionRefusedError("nobody is there")


TRAPS: tuple[Trap, ...] = (
    Trap("hash_a_block", ("VALID",)),
    Trap("sleep_five_milliseconds", ("VALID",), options=("--concurrency", "4")),
    Trap("wait_five_milliseconds", ("VALID",), options=("--concurrency", "50")),
    Trap("wait_five_milliseconds", ("VALID",), options=("--rate", "200/s")),
    Trap("TwoSpeeds", ("VALID",), ("distribution.modes",)),
    Trap("Labels", ("VALID",)),
    Trap("nothing", ("INVALID",), ("control.empty",)),
    Trap("dead_code", ("INVALID",), ("control.empty",)),
    Trap("remembered", ("INVALID", "INSUFFICIENT"), ("control.empty",)),
    Trap("never_awaited", ("INVALID",), ("control.result",)),
    Trap("never_consumed", ("INVALID",), ("control.result",)),
    Trap("left_on_a_thread", ("INVALID",), ("control.result",)),
    Trap("RefusedByItsValidator", ("INVALID",), ("control.result",)),
    Trap("Leaks", ("INSUFFICIENT",), ("method.steady",)),
    Trap("SlowsDownAtOnce", ("INSUFFICIENT",), ("method.steady",)),
    Trap("FailsFastOneTimeInThree", ("INSUFFICIENT",), ("method.errors",)),
    Trap("always_fails", (), exit_code=6),
)
