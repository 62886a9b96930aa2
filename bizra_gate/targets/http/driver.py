"""One worker's HTTP driver: makes the template, picks the engine, runs it, and says what it knows."""

from __future__ import annotations

import gc
import os
import select
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, cast

from ...errors import UsageError
from ...model import Clock, HttpRequest, OpenLoop, Plan, Recorder, WorkerTask
from . import alarm
from .dial import Dialer, raise_file_limit
from .endpoint import parse
from .expect import Expectation
from .feeds import Row
from .template import Template

EngineName = Literal["epoll", "asyncio"]
ENGINE_VARIABLE = "BIZRA_GATE_HTTP_ENGINE"
_SPARE_FILES = 256


class Engine(Protocol):
    name: str

    def run(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None: ...

    def facts(self) -> Mapping[str, Any]: ...

    def shut(self) -> None: ...


def _epoll(template: Template, expectation: Expectation, dialer: Dialer) -> Engine:
    from .epoll import EpollEngine

    return EpollEngine(template, expectation, dialer)


def _asyncio(template: Template, expectation: Expectation, dialer: Dialer) -> Engine:
    from .aio import AsyncioEngine

    return AsyncioEngine(template, expectation, dialer)


ENGINES: dict[str, Callable[[Template, Expectation, Dialer], Engine]] = {"epoll": _epoll, "asyncio": _asyncio}


def default_engine() -> EngineName:
    """What the environment asks for, else epoll where there is one with a timer, else asyncio."""
    wanted = os.environ.get(ENGINE_VARIABLE)
    if wanted:
        if wanted not in ENGINES:
            raise UsageError(
                f"{ENGINE_VARIABLE}={wanted} names no engine", hint=f"Known: {', '.join(sorted(ENGINES))}."
            )
        return cast(EngineName, wanted)
    return "epoll" if hasattr(select, "epoll") and alarm.available() else "asyncio"


class HttpDriver:
    """Drives ``http://`` and ``https://`` targets; see `model.Driver`."""

    def __init__(
        self, spec: str, request: HttpRequest, plan: Plan, rows: Sequence[Row] = (), engine: EngineName | None = None
    ) -> None:
        self._endpoint = parse(spec)
        self._plan = plan
        self._template = Template(self._endpoint, request, rows, plan.seed)
        self._expectation = Expectation(request)
        self._dialer = Dialer(verify_tls=request.verify_tls)
        self._engine_name = engine or default_engine()
        self._engine: Engine | None = None

    def open(self) -> None:
        """Raises `TargetError`, naming host and port, where nobody answers or the TLS handshake fails."""
        load = self._plan.load
        wanted = load.max_in_flight if isinstance(load, OpenLoop) else load.concurrency
        raise_file_limit(wanted + _SPARE_FILES)
        self._dialer.probe(self._endpoint)
        # Imports and collections take tens of milliseconds; here they are nobody's delay.
        self._engine = ENGINES[self._engine_name](self._template, self._expectation, self._dialer)
        gc.collect()
        gc.freeze()  # what exists now is never looked at again; a request leaves no garbage behind

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        if self._engine is None:
            raise UsageError("the driver was not opened before it was told to drive")
        self._engine.run(task, recorder, clock)

    def facts(self) -> Mapping[str, Any]:
        facts = self._engine.facts() if self._engine else {}
        return {**facts, "engine": self._engine_name, "gc": "what existed before the load is frozen", "batch": 1}

    def close(self) -> None:
        if self._engine is not None:
            self._engine.shut()
            gc.unfreeze()
