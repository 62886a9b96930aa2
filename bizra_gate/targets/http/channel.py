"""One place for a request in flight: a connection that may be down, and the operation that it carries."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol

from .endpoint import Endpoint
from .exchange import Exchange


class State(IntEnum):
    DOWN = 0
    OPENING = 1
    UP = 2


class Channel:
    """A connection slot. `plain` is the one flag that the hot path asks: the operation was sent whole and is ordinary
    (no redirect), nothing of its answer has come yet, so a known answer in one piece can be taken at its face value."""

    __slots__ = (
        "began",
        "busy",
        "endpoint",
        "exchange",
        "failures",
        "hops",
        "index",
        "intended",
        "link",
        "plain",
        "receive",
        "send",
        "start",
        "state",
        "wire",
    )

    def __init__(self, endpoint: Endpoint, exchange: Exchange) -> None:
        self.endpoint = endpoint
        self.exchange = exchange
        self.state = State.DOWN
        self.busy = False
        self.plain = False
        self.start = 0
        self.began = 0
        """Start of the operation that the schedule began; `start` is later where known answers came in between."""
        self.intended = 0
        self.index = 0
        self.hops = 0
        self.failures = 0
        self.wire = b""
        self.link: Any = None
        """What the transport keeps for an open connection."""
        self.receive: Callable[[int], bytes] = _nothing
        self.send: Callable[[bytes], int] = _nowhere


def _nothing(size: int) -> bytes:
    raise BlockingIOError


def _nowhere(data: bytes) -> int:
    raise BlockingIOError


class Transport(Protocol):
    """What a conductor asks of an engine. The engine answers with `Conductor.opened`, `received`, `hung_up`, `broke`,
    never from within these calls."""

    def open(self, channel: Channel) -> str | None:
        """Begin to connect `channel` to its endpoint; a class of error where that fails on the spot."""
        ...

    def transmit(self, channel: Channel, wire: bytes) -> str | None:
        """Send `wire`, now or as soon as the socket takes it; a class of error where that fails on the spot."""
        ...

    def close(self, channel: Channel) -> None:
        """Close the connection of `channel`, if there is one."""
        ...
