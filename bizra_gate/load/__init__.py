"""Load: a plan and a target in, a measurement out.

    measurement = load.run(plan, target, clock, environment)

Each run is a crew of fresh processes; several plans are measured in turn (A B B A …), so that what drifts on the
machine falls on both.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Interrupted, UsageError
from ..model import Clock, Environment, Measurement, OpenLoop, Plan, Target
from .assemble import measurement_of
from .clock import FakeClock, MonotonicClock, measure_clock
from .pacer import pacer_for
from .progress import Progress, Snapshot
from .session import Outcome, Session
from .workers import Crew, InlineCrew, ProcessCrew

__all__ = ["FakeClock", "MonotonicClock", "Progress", "Snapshot", "measure_clock", "run", "run_many"]


def run(
    plan: Plan, target: Target, clock: Clock, environment: Environment, *, progress: Progress | None = None
) -> Measurement:
    """Measure `target` as `plan` says.

    Raises `TargetError` where the target cannot be driven or no operation succeeds, `Interrupted` on Ctrl-C,
    `UsageError` where the plan does not fit together. On a `FakeClock` the workers run in this process.
    """
    return run_many([(plan, target)], clock, environment, progress=progress)[0]


def run_many(
    pairs: Sequence[tuple[Plan, Target]],
    clock: Clock,
    environment: Environment,
    *,
    progress: Progress | None = None,
) -> list[Measurement]:
    """Measure several plans, their runs interleaved A B B A …; one measurement each, in the order of `pairs`."""
    for plan, _ in pairs:
        check(plan)
    outcomes: list[list[Outcome]] = [[] for _ in pairs]
    began = clock.wall()
    try:
        for index, run_number in turns([plan.runs for plan, _ in pairs]):
            plan, target = pairs[index]
            batch = outcomes[index][0].batch if outcomes[index] else None
            session = Session(plan, target, run_number, _crew(clock), clock, batch=batch, progress=progress)
            outcomes[index].append(session.run())
    except KeyboardInterrupt:
        raise Interrupted("interrupted: the measurement is incomplete and nothing was written") from None
    finished = clock.wall()
    return [
        measurement_of(plan, found, environment, found[0].started_at if len(pairs) > 1 else began, finished)
        for (plan, _), found in zip(pairs, outcomes, strict=True)
    ]


def turns(runs: Sequence[int]) -> list[tuple[int, int]]:
    """(plan, run) in the order of execution: forwards, then backwards, and so on."""
    order = []
    for number in range(max(runs, default=0)):
        taking_part = [index for index, count in enumerate(runs) if number < count]
        order += [(index, number) for index in (taking_part if number % 2 == 0 else reversed(taking_part))]
    return order


def check(plan: Plan) -> None:
    """Raises `UsageError` where the plan cannot be run as it stands."""
    problems = []
    if plan.duration_ns <= 0:
        problems.append("the duration must be above zero")
    if plan.runs < 1 or plan.workers < 1:
        problems.append("runs and workers are at least 1")
    if plan.warmup.at_least_ns < 0:
        problems.append("the warm-up cannot be negative")
    if isinstance(plan.load, OpenLoop):
        pacer_for(plan.load)
        if plan.load.stages and plan.warmup.until_steady:
            problems.append("stages begin when the warm-up ends, so its length must be fixed (no until-steady)")
    elif plan.load.concurrency < plan.workers:
        problems.append(
            f"{plan.workers} workers need a concurrency of at least {plan.workers}, not {plan.load.concurrency}"
        )
    if problems:
        raise UsageError("; ".join(problems))


def _crew(clock: Clock) -> Crew:
    return InlineCrew(clock) if isinstance(clock, FakeClock) else ProcessCrew()
