"""What only a person knows about somebody else's run, and how it enters the measurement: marked as stated.

A stated fact fills a gap and never overrules the file. Where the two differ the file is believed and a caveat says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from ..model import Caveat, Figure, Measurement
from ..model.measurement import Loop
from ..units import format_quantity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stated:
    """Facts given on the command line; None where nothing was said."""

    connections: int | None = None
    threads: int | None = None
    target_rate_per_s: float | None = None
    target_duration_ns: int | None = None

    def apply(self, measurement: Measurement) -> Measurement:
        """`measurement` with what was stated where the tool was silent, and a caveat where it said otherwise."""
        said = dict(self._as_text())
        if not said:
            return measurement
        full = replace(
            measurement,
            concurrency=_first(measurement.concurrency, self.connections),
            threads=_first(measurement.threads, self.threads),
            rate_requested_per_s=_first(measurement.rate_requested_per_s, _figure(self.target_rate_per_s)),
            duration_requested_ns=_first(measurement.duration_requested_ns, _figure(self.target_duration_ns)),
            stated={**measurement.stated, **said},
            caveats=measurement.caveats + tuple(self._contradictions(measurement)),
        )
        return replace(full, loop=_loop(full, self))

    def _as_text(self) -> Iterator[tuple[str, str]]:
        if self.connections is not None:
            yield "connections", str(self.connections)
        if self.threads is not None:
            yield "threads", str(self.threads)
        if self.target_rate_per_s is not None:
            yield "target_rate", format_quantity(self.target_rate_per_s, "1/s")
        if self.target_duration_ns is not None:
            yield "target_duration", format_quantity(self.target_duration_ns, "ns")

    def _contradictions(self, measurement: Measurement) -> Iterator[Caveat]:
        rows = (
            ("connections", measurement.concurrency, self.connections, "1"),
            ("threads", measurement.threads, self.threads, "1"),
            ("target rate", measurement.rate_requested_per_s, self.target_rate_per_s, "1/s"),
            ("target duration", measurement.duration_requested_ns, self.target_duration_ns, "ns"),
        )
        for what, told, stated, unit in rows:
            if told is None or stated is None or _agree(told, stated):
                continue
            value = told.value if isinstance(told, Figure) else told
            yield Caveat(
                "source.stated",
                f"{what}: {format_quantity(stated, unit)} was stated, but the file says "
                f"{format_quantity(value, unit)}; the file is believed",
            )


def _agree(told: Figure | int, stated: float) -> bool:
    figure = told if isinstance(told, Figure) else Figure(told)
    slack = 1e-9 * abs(stated)
    return figure.low - slack <= stated <= figure.high + slack


def _loop(measurement: Measurement, stated: Stated) -> Loop | None:
    """A closed loop that was asked for a rate is paced; so is an open one whose senders are bounded and wait."""
    if measurement.loop == "closed" and stated.target_rate_per_s is not None:
        return "paced-closed"
    from_send = measurement.latency is not None and measurement.latency.origin in ("send", "after-acquire")
    if measurement.loop == "open" and stated.connections is not None and from_send:
        return "paced-closed"
    return measurement.loop


def _first(told: T | None, stated: T | None) -> T | None:
    return stated if told is None else told


def _figure(value: float | None) -> Figure | None:
    return None if value is None else Figure(float(value))
