"""What is asked of a measurement, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Arrivals = Literal["constant", "poisson"]
Collector = Literal["on", "off", "freeze"]
"""Python's garbage collector in the process under test."""
_USER = re.compile(r"^(https?://)[^/?#]*@")


def public_target(target: str) -> str:
    """`target` without the ``user:password@`` of a URL: what may be printed and written down."""
    return _USER.sub(r"\1", target)


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """`concurrency` users, each of whom waits for an answer before it sends again."""

    concurrency: int = 1
    think_ns: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of an open loop: `duration_ns` long, from one rate to another (equal: constant; else linear)."""

    duration_ns: int
    from_per_s: float
    to_per_s: float


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Operations start at intended times that do not depend on the target.

    `max_in_flight` caps connections or tasks; what is due beyond it queues, and the queueing is response time.
    """

    rate_per_s: float
    arrivals: Arrivals = "constant"
    stages: tuple[Stage, ...] = ()
    max_in_flight: int = 1024
    seed: int = 1


Load = ClosedLoop | OpenLoop


@dataclass(frozen=True, slots=True)
class Warmup:
    """At least `at_least_ns`; with `until_steady`, on until the series is steady or `at_most_ns` is reached."""

    at_least_ns: int
    until_steady: bool = False
    at_most_ns: int | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What an HTTP target sends and what counts as success."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    expect_status: tuple[int, ...] = ()
    """Empty: any 2xx or 3xx."""
    expect_body: str | None = None
    """``text`` for a substring, ``/regex/`` for a pattern, ``$.path == value`` for a JSON path."""
    follow_redirects: bool = False
    new_connections: bool = False
    verify_tls: bool = True
    data: str | None = None
    """CSV or JSONL file whose columns fill ``{name}`` fields of path, headers and body."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Name → distribution, e.g. ``zipf(1.1, 1000)``, seeded by the plan."""


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """How a ``cmd:`` target is executed."""

    shell: bool = False
    prepare: str | None = None
    expect_exit: tuple[int, ...] = (0,)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides how a measurement is made; its digest binds evidence to a gate's ``[measure]``."""

    target: str
    load: Load
    warmup: Warmup
    duration_ns: int
    runs: int = 1
    workers: int = 1
    timeout_ns: int = 10_000_000_000
    name: str | None = None
    seed: int = 1
    gc: Collector = "on"
    http: HttpRequest | None = None
    command: CommandOptions | None = None
    sources: tuple[str, ...] = ()
    """Files or globs, relative to the repository, that the source manifest covers."""
    against: str | None = None
    """A second target that is measured in turn with this one (A B B A …)."""
