"""One run: a crew of workers from start to end, on one grid, watched while it goes on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import BizraGateError, TargetError, UsageError
from ..model import Clock, ClosedLoop, Load, Plan, Target
from ..units import format_time
from .liveness import Liveness
from .messages import Broken, Done, Go, Interval, Job, Opened, Opens, Ready
from .neighbours import cpu_ns_of, servers_of
from .progress import Progress, snapshot
from .series import Point, Series
from .warmup import Opening, Until, longest_ns
from .watch import MachineTime, machine_time
from .window import Window, interval_length_ns
from .workers import Crew

LEAD_NS = 50_000_000
"""Between "go" and the common origin: long enough for every worker to hear of it."""
OPEN_NS = 120_000_000_000
"""How long a target may take to import, connect and set up."""
HUNG_NS = 30_000_000_000
"""How long beyond the timeout one operation may hold up a worker before the run is ended. An operation that stalls and
comes back is a measurement, and recorded with its whole time; one that does not come back is none."""
GRACE_NS = 60_000_000_000
"""How long after the drain's end a worker may take for its controls before it counts as hung."""


@dataclass(frozen=True, slots=True)
class Moment:
    """CPU time used up to an edge of the window: by the machine, and by the server where it runs on this machine."""

    machine: MachineTime | None = None
    servers_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What a worker has to do, since when, by when (clock readings), and what to look at if it does not."""

    what: str
    since_ns: int
    at_ns: int
    hint: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run hands on."""

    plan: Plan
    batch: int
    window: Window
    until: Until
    done: tuple[Done, ...]
    series: Series
    machine: tuple[Moment, Moment]
    started_at: str


class Session:
    """Drives one crew through one run of `plan`."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        run: int,
        crew: Crew,
        clock: Clock,
        *,
        batch: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`batch` is the size that an earlier run of the same plan settled on."""
        self._batch = batch
        self._plan, self._target, self._run = plan, target, run
        self._crew, self._clock, self._progress = crew, clock, progress
        self._series = Series(plan.workers)
        self._ready: dict[int, int] = {}
        """Proposed batch size by worker."""
        self._opened_ns: dict[int, int] = {}
        self._told_ns: dict[int, int] = {}
        """By worker, up to where its intervals are finished."""
        self._done: dict[int, Done] = {}
        self._failure: BizraGateError | None = None
        self._examples: dict[str, str] = {}
        self._errors: Counter[bool] = Counter()
        """Of the warm-up (False) and of what is counted (True)."""
        """One message per class of error, the first one that was told."""
        self._window: Window | None = None
        self._machine: list[Moment] = []
        self._servers: tuple[int, ...] = ()
        self._started_at = clock.wall()

    def run(self) -> Outcome:
        """Raises `TargetError` where the target cannot be driven; whatever happens, no worker is left running."""
        try:
            self._crew.start(self._jobs(), self._hear)
            self._began_ns = self._clock.now_ns()
            self._wait(lambda: self._window is not None, self._open_by)
            assert self._window is not None
            self._wait(lambda: len(self._done) == self._plan.workers, self._end_by)
        finally:
            self._crew.stop()
        return self._outcome()

    def _jobs(self) -> list[Job]:
        loads = [share(self._plan.load, index, self._plan.workers) for index in range(self._plan.workers)]
        return [Job(self._plan, self._target, load, index, self._run) for index, load in enumerate(loads)]

    def _wait(self, over: Callable[[], bool], by: Callable[[int], Deadline]) -> None:
        """Until `over`; `by` tells of a worker what it has to do next, and by when."""
        while not over():
            self._crew.pump(self._until_next_event_s())
            if self._failure is not None:
                raise self._failure
            self._look_at_machine()
            if over():
                return
            now, busy = self._clock.now_ns(), self._done if self._window else self._ready
            for index in range(self._plan.workers):
                if index not in busy and now > (deadline := by(index)).at_ns:
                    took = format_time(deadline.at_ns - deadline.since_ns)
                    raise TargetError(
                        f"{self._who(index)} did not {deadline.what} within {took} and was ended; nothing was recorded",
                        hint=deadline.hint,
                    )

    def _open_by(self, index: int) -> Deadline:
        opened = self._opened_ns.get(index)
        if opened is None:
            hint = "an import or the setup may hang: try it by hand"
            return Deadline("open the target", self._began_ns, self._began_ns + OPEN_NS, hint)
        return self._back_from("return from the operation that was tried", opened)

    def _end_by(self, index: int) -> Deadline:
        """Within the load an interval after another; after it, time for the controls."""
        assert self._window is not None
        told, closes = self._told_ns.get(index, self._window.origin_ns), self._window.closes_ns
        if told < closes:
            return self._back_from("return from an operation", told + self._window.length_ns)
        limit = closes + max(self._plan.timeout_ns * 2, GRACE_NS)
        return Deadline("end its load", closes, limit, "an operation or a control may hang")

    def _back_from(self, what: str, since_ns: int) -> Deadline:
        hint = (
            "a call that never returns cannot be interrupted; where it only takes long, allow for it with --timeout "
            f"(now {format_time(self._plan.timeout_ns)})"
        )
        return Deadline(what, since_ns, since_ns + self._plan.timeout_ns + HUNG_NS, hint)

    def _until_next_event_s(self) -> float:
        """Up to a quarter of a second, less where an edge of the window comes before that."""
        if self._window is None:
            return 0.25
        edges = (self._window.opens_ns, self._window.closes_ns)
        ahead = [edge - self._clock.now_ns() for edge in edges[len(self._machine) :]]
        return min([0.25, *(max(0.0, ns / 1e9) for ns in ahead)])

    def _look_at_machine(self) -> None:
        """Sample the machine's CPU time at either edge of the window."""
        if self._window is None or len(self._machine) >= 2:
            return
        edge = (self._window.opens_ns, self._window.closes_ns)[len(self._machine)]
        if self._clock.now_ns() >= edge:
            self._machine.append(Moment(machine_time(), cpu_ns_of(self._servers) if self._servers else None))

    def _hear(self, index: int, message: Any) -> None:
        try:
            self._handle(index, message)
        except BizraGateError as error:
            self._failure = self._failure or error
            self._crew.abandon()

    def _handle(self, index: int, message: Any) -> None:
        if isinstance(message, Interval):
            self._see(index, message)
        elif isinstance(message, Opened):
            self._opened_ns[index] = self._clock.now_ns()
        elif isinstance(message, Ready):
            self._ready[index] = message.batch
            if len(self._ready) == self._plan.workers:
                self._go()
        elif isinstance(message, Done):
            self._done[index] = message
        elif isinstance(message, Broken) and index not in self._done:
            raise self._broken(index, message)

    def _go(self) -> None:
        self._servers = servers_of(self._plan)
        warmup = longest_ns(self._plan.warmup, interval_length_ns(self._plan.duration_ns))
        self._window = Window.after(self._clock.now_ns() + LEAD_NS, warmup, self._plan.duration_ns)
        self._opening = Opening(self._plan.warmup, self._window)
        self._liveness = Liveness(self._window)
        self._batch = self._batch or max(self._ready.values())
        for index in range(self._plan.workers):
            self._crew.send(index, Go(self._window, self._batch))

    def _see(self, index: int, interval: Interval) -> None:
        assert self._window is not None
        points = self._series.add(index, interval)
        self._told_ns[index] = self._window.next_edge(interval.start_ns)
        self._examples = {**interval.examples, **self._examples}
        kinds: Counter[str] = Counter()
        for counts in self._series.kinds:
            kinds.update(counts)
        for point in points:
            self._liveness.see(point, kinds, self._examples)
            if self._progress is not None:
                errors = self._errors_with(point)
                self._progress(snapshot(point, self._window, errors, self._name, self._run, self._plan.runs))
        if points:
            self._consider_opening(self._window.next_edge(points[-1].start_ns))

    def _errors_with(self, point: Point) -> int:
        """Errors of the phase of `point` so far: of the warm-up, or of what is counted."""
        assert self._window is not None
        counted = self._window.phase(point.start_ns) != "warm-up"
        self._errors[counted] += point.errors
        return self._errors[counted]

    def _consider_opening(self, now_ns: int) -> None:
        assert self._window is not None
        opens = self._opening.opens_at(self._series.warmup(self._window), max(now_ns, self._clock.now_ns()))
        if opens is not None:
            self._window = self._window.opening_at(opens)
            self._liveness.moved(self._window)
            for index in range(self._plan.workers):
                self._crew.send(index, Opens(opens))

    @property
    def _name(self) -> str:
        return self._plan.name or self._target.spec

    def _who(self, index: int) -> str:
        return "the worker" if self._plan.workers == 1 else f"worker {index + 1} of {self._plan.workers}"

    def _broken(self, index: int, message: Broken) -> BizraGateError:
        who = self._who(index)
        if message.kind == "Gone":
            when = "before the load began"
            if self._window is not None:
                when = f"{format_time(max(0, self._clock.now_ns() - self._window.origin_ns))} into the load"
            return TargetError(f"{who} {message.message} {when}; nothing was recorded", hint=message.hint)
        if message.expected:
            kind = UsageError if message.kind == UsageError.__name__ else TargetError
            return kind(message.message, hint=message.hint)
        return TargetError(f"{who} broke: {message.message}", hint=message.hint)

    def _outcome(self) -> Outcome:
        assert self._window is not None
        self._series.close()
        done = tuple(self._done[index] for index in range(self._plan.workers))
        if {d.window for d in done} != {self._window}:
            raise TargetError("the workers did not agree on when the counted window opened; measure again")
        self._liveness.check_end()
        first, last = (*self._machine, Moment(), Moment())[:2]
        return Outcome(
            self._plan,
            self._batch or 1,
            self._window,
            self._opening.until,
            done,
            self._series,
            (first, last),
            self._started_at,
        )


def share(load: Load, index: int, workers: int) -> Load:
    """Worker `index`'s share: concurrency and caps divided, the first workers taking what is left over."""
    if isinstance(load, ClosedLoop):
        return replace(load, concurrency=_part(load.concurrency, index, workers))
    return replace(load, max_in_flight=max(1, _part(load.max_in_flight, index, workers)))


def _part(total: int, index: int, workers: int) -> int:
    return total // workers + (index < total % workers)


def cores() -> int:
    """Processors of the machine."""
    return os.cpu_count() or 1
