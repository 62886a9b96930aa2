"""Negative controls: what the same path shows for nothing, and for twice the work, and what became of the results.

They run after the drain, in the worker, for a short time. Rounds are interleaved (operation, empty, twice), so that a
machine that drifts drifts for all three; what is kept are medians. An operation of several milliseconds is rarely left
alone on a busy machine, and two of them in a row more rarely still, so that their medians would not be as one to two:
what a turn stood in the queue for a core is taken off.
"""

from __future__ import annotations

import math
from itertools import islice, repeat
from typing import Any

from ...model import Clock
from .leftovers import look_for_leftovers
from .loops import Arguments, Call, Failed
from .operation import Operation
from .results import Sample

ROUNDS = 401
ROUND_NS = 200_000
"""About how long the operation is repeated in one round: far below a time slice, so that on a busy machine most
rounds are not interrupted and their median stands."""
MOST_TURNS = 200_000
TOO_LONG_NS = 2_000_000_000
"""An operation that takes longer than this is not repeated for controls; they are None then: not measured."""
FEWEST_ROUNDS = 3
FEW_ROUNDS = 8
CERTAIN = 0.1
"""Relative standard error of the ratio beyond which it is not told: `control.scaling` asks for 25 % at the least."""
EMPTY_TURNS = 1000
"""Of the empty control in one round."""


def empty_like(operation: Operation, items: tuple[Any, ...]) -> Call:
    """A callable that does nothing and is called the same way: a function, or an instance with ``__call__``, with as
    many parameters as there are `items`."""
    names = ", ".join(f"a{number}" for number in range(len(items)))
    call: Call = eval(f"lambda {names}: None")  # the shortest function of that many parameters
    if not operation.is_object:
        return call
    kind = type("Nothing", (), {"__call__": eval(f"lambda self, {names}: None")})
    nothing: Call = kind()
    return nothing


class Path:
    """The path that the measurement took: one by one, or in batches."""

    def __init__(self, clock: Clock, *, batched: bool) -> None:
        self._now_ns = clock.now_ns
        self._queued_ns = clock.queued_ns
        self._batched = batched

    def cost_ns(self, call: Call, arguments: Arguments, turns: int, *, twice: bool = False) -> float:
        """ns per turn: the mean of one batch, or the median of single stamps."""
        per_turn = 2 if twice else 1
        drawn = list(islice(arguments, turns * per_turn))
        queued = self._queued_ns()
        if self._batched:
            span = self._batch(call, drawn, twice)
            return max(0, span - (self._queued_ns() - queued)) / turns
        spans = self._single(call, drawn, per_turn)
        return usual_ns(spans, self._queued_ns() - queued)

    def _batch(self, call: Call, drawn: list[tuple[Any, ...]], twice: bool) -> int:
        now_ns = self._now_ns
        if any(drawn):
            begun = now_ns()
            for items in drawn:
                call(*items)
            return now_ns() - begun
        if twice:
            begun = now_ns()
            for _ in repeat(None, len(drawn) // 2):
                call()
                call()
            return now_ns() - begun
        begun = now_ns()
        for _ in repeat(None, len(drawn)):
            call()
        return now_ns() - begun

    def _single(self, call: Call, drawn: list[tuple[Any, ...]], per_turn: int) -> list[int]:
        now_ns, spans = self._now_ns, []
        if per_turn == 2:
            for items, more in zip(drawn[::2], drawn[1::2], strict=True):
                begun = now_ns()
                call(*items)
                call(*more)
                spans.append(now_ns() - begun)
            return spans
        for items in drawn:
            begun = now_ns()
            call(*items)
            spans.append(now_ns() - begun)
        return spans


def usual_ns(spans: list[int], queued_ns: int) -> float:
    """Median of the stamps of a round; of one alone, without what the round stood in the queue for a core."""
    if len(spans) == 1:
        return float(max(0, spans[0] - queued_ns))
    return float(sorted(spans)[len(spans) // 2])


def run_controls(
    operation: Operation,
    call: Call,
    arguments: Arguments,
    sample: Sample,
    clock: Clock,
    *,
    batched: bool,
    operation_ns: float,
) -> dict[str, Any]:
    """Fields of `model.Controls`. An operation that fails or takes too long leaves its costs out."""
    fields = of_sample(sample)
    if operation_ns > TOO_LONG_NS:
        return fields
    try:
        fields |= _costs(operation, call, arguments, clock, batched=batched, operation_ns=operation_ns)
        found = look_for_leftovers(lambda: call(*next(arguments)), clock)
    except Failed:
        return fields
    return fields | {"leftover_threads": found.threads, "leftover_processes": found.processes}


def of_sample(sample: Sample) -> dict[str, Any]:
    return {
        "result_type": sample.result_type,
        "unconsumed": sample.unconsumed,
        "validated": sample.validated if sample.was_validated else None,
        "rejected": sample.rejected if sample.was_validated else None,
        "distinct_results": sample.distinct or None,
    }


def _costs(
    operation: Operation, call: Call, arguments: Arguments, clock: Clock, *, batched: bool, operation_ns: float
) -> dict[str, float]:
    path = Path(clock, batched=batched)
    items = next(arguments)
    nothing, same = empty_like(operation, items), repeat(items)
    turns, rounds = shape(operation_ns)
    once: list[float] = []
    empty: list[float] = []
    twice: list[float] = []
    for _ in range(rounds):
        once.append(path.cost_ns(call, arguments, turns))
        empty.append(path.cost_ns(nothing, same, EMPTY_TURNS))
        twice.append(path.cost_ns(call, arguments, max(1, turns // 2), twice=True))
    return summary(once, empty, twice)


def shape(operation_ns: float) -> tuple[int, int]:
    """(turns a round, rounds) for an operation of about this length."""
    turns = min(MOST_TURNS, max(1, round(ROUND_NS / max(operation_ns, 20.0))))
    rounds = max(FEWEST_ROUNDS, min(ROUNDS, round(ROUNDS * ROUND_NS / max(operation_ns, 1.0))))
    return turns, rounds


def summary(once: list[float], empty: list[float], twice: list[float]) -> dict[str, float]:
    """Medians over the rounds, and half the central 95 % range of the empty control.

    An operation that takes long, and a different time whenever it is called, has too few rounds for the ratio of two
    medians to mean anything: what it takes twice is left out then.
    """
    ordered = sorted(empty)
    tail = int(len(ordered) * 0.025)
    costs = {
        "operation_ns": _median(once),
        "empty_ns": _median(empty),
        "empty_spread_ns": round((ordered[-1 - tail] - ordered[tail]) / 2, 3),
    }
    if math.hypot(_error(once), _error(twice)) > CERTAIN:
        return costs
    return costs | {"twice_ns": _median(twice)}


def _error(values: list[float]) -> float:
    """Standard error of the median, relative to it: 1.25·σ/√n, σ from the quartiles, or from the range of a few."""
    ordered, n = sorted(values), len(values)
    middle = ordered[n // 2]
    if n < FEW_ROUNDS:
        sigma = (ordered[-1] - ordered[0]) / 1.7  # of three normal values the range is 1.7 σ on average, of more more
    else:
        sigma = (ordered[n * 3 // 4] - ordered[n // 4]) / 1.349
    return 1.25 * sigma / math.sqrt(n) / middle if middle > 0 else 0.0


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return round(ordered[len(ordered) // 2], 3)
