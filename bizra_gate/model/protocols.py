"""Where the rooms meet: what a driver offers the load, and what the load offers a driver.

One worker process holds one `Driver`. The worker calls `open`, `drive` and `close` in that order; `drive` runs
straight through warm-up, measurement and drain, because a target that is stopped between phases cools down again.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from .plan import Load, Plan


class Clock(Protocol):
    """Time, injected. `load/clock` holds the real one and a fake one for tests."""

    spun_ns: int
    """CPU time so far that was waiting, not work; whoever spins on this clock adds to it."""

    def now_ns(self) -> int:
        """Monotonic time in ns."""
        ...

    def wall(self) -> str:
        """Wall-clock time, RFC 3339, UTC, with ``Z``."""
        ...

    def sleep_until(self, when_ns: int) -> None:
        """Return at `when_ns` of `now_ns` or just after, without adding timer quantisation."""
        ...

    def queued_ns(self) -> int:
        """How long the calling thread has stood in the queue for a core since it began; 0 where that is not told."""
        ...


class Pacer(Protocol):
    """When operation number `index` of an open loop is meant to start. Pure, so that its test is a table."""

    def arrival_ns(self, index: int) -> int:
        """Offset from the start of the load, non-decreasing in `index`; asked once for each, in order."""
        ...


class Recorder(Protocol):
    """Where a driver puts what happened. Columns are plain arrays so that recording costs one append each.

    For every successful operation append to `start_ns` and `end_ns`; in an open loop to `intended_ns` as well
    (a closed loop leaves it empty: there is no intended time apart from the actual one). Times are absolute
    readings of the injected clock. When a clock reading reaches `fold_at_ns` the driver calls `fold`.
    """

    start_ns: array[int]
    end_ns: array[int]
    intended_ns: array[int]
    lag_ns: array[int]
    """Where a driver waited for a time of its own choosing: how late it woke (a free column, as long as it likes)."""
    label: array[int]
    """Optional: aligned with `start_ns` as soon as it is used, the `label_id` of each operation's outcome."""
    batch: int
    """Operations per appended pair; 1 unless the driver sets it before the first one."""
    fold_at_ns: int
    """Next boundary; drivers compare the clock reading that they have anyway."""
    stop_at_ns: int
    """No operation is started whose (intended) start is at or after this; an adaptive warm-up may move it."""

    def failed(self, kind: str, start_ns: int, end_ns: int, intended_ns: int | None = None) -> None:
        """One operation that ended in an error of class `kind` (``timeout``, ``refused``, ``bad_status``, …)."""
        ...

    def outcome(self, label: str, count: int = 1) -> None:
        """Count a label (status code, returned string) of the operation or batch that was appended last."""
        ...

    def label_id(self, label: str) -> int:
        """The number that stands for `label` in the column `label`, for drivers that label every operation."""
        ...

    def fold(self, now_ns: int, in_flight_ns: int, in_flight: int) -> None:
        """Take the columns in; `in_flight_ns` is the integral of the number in flight up to `fold_at_ns`.

        The driver integrates by itself, from the events that it sees (a send adds one, an end takes one away), and
        never from latencies. Moves `fold_at_ns` on to the next boundary after `now_ns`. Columns are emptied, except
        for operations that ended at or after the boundary.

        `in_flight` is the number in flight from `fold_at_ns` up to `now_ns`, so a driver calls this before it acts
        on the event that showed it the time. Before `drive` returns it calls `fold` once more with its last reading,
        boundary or not; `in_flight_ns` then is the integral up to that reading.

        An operation is in flight from its actual start to its end, in an open loop too: residence is service time.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What one worker process is to do: its share of the plan's load."""

    plan: Plan
    index: int
    """Worker number, from 0."""
    load: Load
    """This worker's share: concurrency divided, or arrivals index ≡ `index` modulo `workers`."""
    origin_ns: int
    """Clock reading at which the load starts, the same in every worker."""
    run: int = 0
    pacer: Pacer | None = None
    """Intended starts of this worker's share of an open loop, as offsets from `origin_ns`; None in a closed loop."""


@runtime_checkable
class Driver(Protocol):
    """Drives one target from within one worker process."""

    def open(self) -> None:
        """Import, connect, set up. Raises `errors.TargetError` where the target cannot be driven at all."""
        ...

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        """Load the target from `task.origin_ns` to `recorder.stop_at_ns`, then drain up to the plan's timeout."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What the driver knows beyond times: bytes_in, bytes_out, connections {opened, closed, peak}, batch,
        in_flight_max, unfinished, controls, lag histogram …; JSON-like values."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Placed(Protocol):
    """A driver that wants to know, before `open`, which worker of which run it is, and by which clock it is timed
    (to calibrate itself before the load begins)."""

    def place(self, index: int, run: int, clock: Clock) -> None: ...


@runtime_checkable
class Trying(Protocol):
    """A driver that calls the operation before the load begins, to find out how it is to be timed.

    Apart from `open`, because the two may take differently long: setting up as long as it likes, one operation no
    longer than the plan's timeout.
    """

    def try_out(self) -> None:
        """After `open`. Raises `errors.TargetError`."""
        ...


@runtime_checkable
class Batching(Protocol):
    """A driver that may put several operations between one pair of stamps.

    After `open` and `try_out` its `batch` is what it proposes. All workers of all runs use one size, or their
    histograms could not be added: the largest that a worker of the first run proposes. It is set before `drive`.
    """

    batch: int


class Target(Protocol):
    """A parsed ``TARGET``: cheap to make, picklable, imports nothing of the thing under test."""

    @property
    def spec(self) -> str:
        """As the person typed it."""
        ...

    @property
    def kind(self) -> str:
        """The engine: ``http``, ``py``, ``cmd``, ``fake``."""
        ...

    def driver(self, task_plan: Plan) -> Driver:
        """Called inside the worker process."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Name and version or digest of what is measured, for the statement's subject."""
        ...
