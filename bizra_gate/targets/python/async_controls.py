"""Negative controls of an asynchronous operation: the same path is one awaited call at a time on the same loop."""

from __future__ import annotations

import asyncio
from itertools import repeat
from typing import Any

from ...model import Clock
from .aio import pending_tasks
from .controls import EMPTY_TURNS, TOO_LONG_NS, of_sample, shape, summary, usual_ns
from .leftovers import CALLS, look_for_leftovers
from .loops import Arguments, Call, Failed
from .operation import Operation
from .results import Sample

LONGEST_S = 25.0
"""The controls may take so long; an operation that hangs now and then leaves its costs out."""


async def run_async_controls(
    operation: Operation, call: Call, arguments: Arguments, sample: Sample, clock: Clock, operation_ns: float
) -> dict[str, Any]:
    """Fields of `model.Controls`; a task that a call leaves behind is told as ``unconsumed = "task"``."""
    fields = of_sample(sample)
    if not 0 < operation_ns <= TOO_LONG_NS:  # none succeeded, so that one more call might never return
        return fields
    try:
        async with asyncio.timeout(LONGEST_S):
            fields |= await _costs(operation, call, arguments, clock, operation_ns)
            if await _leaves_tasks(call, arguments):
                fields["unconsumed"] = fields["unconsumed"] or "task"
    except Failed:
        return fields
    return fields


async def _costs(
    operation: Operation, call: Call, arguments: Arguments, clock: Clock, operation_ns: float
) -> dict[str, float]:
    async def nothing(*items: Any) -> None:
        return None

    turns, rounds = shape(operation_ns)
    drawn = arguments if operation.arguments is not None else repeat(())
    once: list[float] = []
    empty: list[float] = []
    twice: list[float] = []
    for _ in range(rounds):
        once.append(await _cost_ns(call, arguments, turns, 1, clock))
        empty.append(await _cost_ns(nothing, drawn, EMPTY_TURNS, 1, clock))
        twice.append(await _cost_ns(call, arguments, max(1, turns // 2), 2, clock))
    return summary(once, empty, twice)


async def _cost_ns(call: Call, arguments: Arguments, turns: int, per_turn: int, clock: Clock) -> float:
    """`usual_ns` of single stamps, each around `per_turn` awaited calls."""
    now_ns, spans, queued = clock.now_ns, [], clock.queued_ns()
    for _ in range(turns):
        drawn = [next(arguments) for _ in range(per_turn)]
        begun = now_ns()
        for items in drawn:
            await call(*items)
        spans.append(now_ns() - begun)
    return usual_ns(spans, clock.queued_ns() - queued)


async def _leaves_tasks(call: Call, arguments: Arguments) -> bool:
    """Whether most calls return while a task that they started goes on."""
    left = 0
    for _ in range(CALLS):
        known = asyncio.all_tasks()
        await call(*next(arguments))
        left += pending_tasks(known) > 0
    return left > CALLS // 2


def look_from_outside(
    loop: asyncio.AbstractEventLoop, call: Call, arguments: Arguments, clock: Clock
) -> dict[str, int]:
    """Threads and processes that outlive a call, looked for between turns of the loop."""

    async def once() -> None:
        async with asyncio.timeout(LONGEST_S / CALLS / 2):
            await call(*next(arguments))

    try:
        found = look_for_leftovers(lambda: loop.run_until_complete(once()), clock)
    except Failed:
        return {}
    return {"leftover_threads": found.threads, "leftover_processes": found.processes}
