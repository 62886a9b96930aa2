"""Negative controls of an in-process run: the same path with nothing in it, and with the work done twice."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Controls, Finding, Measurement, Policy
from ..units import format_quantity
from . import facts
from .ranges import is_number
from .rule import Answer, NotApplicable, insufficient, invalid
from .wording import count, share

EMPTY = "control.empty"
SCALING = "control.scaling"
RESULT = "control.result"

SPREAD = 0.10
"""Where the spread of the empty control was not kept: timings of the same empty call differ by up to 10 %."""
BARE_LOOP_NS = 1.0
"""An empty counted loop turns in one to two cycles, 0.2 … 1 ns; below that nobody can tell it from its body."""
LEAST, MOST = 1.5, 3.0
"""Twice the work: halfway to "nothing was added", and as far on the other side for caches that grow cold."""

BUSY = Policy().max_competing_cpu
"""Share of all cores for others beyond which a control of some ms is interrupted; no policy moves it."""


def empty(measurement: Measurement, policy: Policy) -> Answer:
    """An operation costs more than an empty call of the same shape through the same path.

    *Formula.* operation > empty + spread, medians in ns; spread is half the central 95 % range of the empty control.
    Where no control was run: a benchmark's operation ≥ 1 ns, for less than two cycles are those of the loop itself.
    *Tolerance.* The measured spread, or 10 % of the empty control where none was kept. A spread beyond 10 % is that of
    a disturbed machine: what lies within it, and more than those 10 % above or below, is judged as too little, not as
    wrong; a command of 1 ms beside an empty one of 3 ± 4.5 ms accuses the machine. So is a missing control below 1 ns.
    *Source.* BenchmarkDotNet's ZeroMeasurement analyser; JMH sample 08, dead code.
    *Example.* `AddUnused`: 0.413 ns, and 0.412 ns with nothing in it.

    >>> from bizra_gate.model import Source
    >>> unused = Measurement(Source("BenchmarkDotNet"), controls=Controls(operation_ns=0.413, empty_ns=0.412))
    >>> [f.observed for f in empty(unused, Policy())]
    ['operation 0.413 ns, empty 0.412 ns']

    *Violator.* A function memoised by its interpreter: the call costs what an empty one does.
    *Neighbour.* `x + 1` in a lambda: 58 ns where the empty lambda takes 41 ± 3 ns.
    """
    held = [controls for controls in _all(measurement) if controls.operation_ns is not None]
    pairs = [controls for controls in held if controls.empty_ns is not None]
    if pairs:
        return [finding for controls in pairs for finding in _of_pair(controls)]
    turn = _bare_turn_ns(measurement)
    if turn is None:
        return NotApplicable("no empty control was run through the same path")
    if turn >= BARE_LOOP_NS:
        return NotApplicable(
            "no empty control was run through the same path; the operation is longer than an empty loop"
        )
    message = (
        f"an operation of {turn:.3g} ns cannot be told from the loop that repeats it (0.2 … 1 ns when it is empty), "
        "and no empty control was run."
    )
    return [insufficient(EMPTY, message, f"{turn:.3g} ns", f"≥ {BARE_LOOP_NS:g} ns, or an empty control")]


def _all(measurement: Measurement) -> list[Controls]:
    held = [measurement.controls, *(run.controls for run in measurement.runs)]
    return list({id(controls): controls for controls in held if controls is not None}.values())


def _of_pair(controls: Controls) -> Iterator[Finding]:
    operation, nothing = controls.operation_ns, controls.empty_ns
    if operation is None or nothing is None:
        return
    spread = controls.empty_spread_ns if controls.empty_spread_ns is not None else SPREAD * nothing
    if operation > nothing + spread:
        return
    observed = f"operation {_time(operation)}, empty {_time(nothing)}"
    told = f"the operation takes {_time(operation)} and an empty one {_with_spread(nothing, spread)}: "
    if operation < nothing - spread or abs(operation - nothing) <= SPREAD * nothing:
        message = told + "it was optimised away, it was answered from memory, or it does nothing."
        yield invalid(EMPTY, message, observed, f"> {_time(nothing + spread)}")
    else:
        message = told + "the controls were too disturbed to tell the two apart."
        yield insufficient(EMPTY, message, observed, f"> {_time(nothing + spread)}")


def _time(ns: float) -> str:
    """Nanoseconds as they are, what is longer in a unit that people read."""
    return f"{ns:.3g} ns" if ns < 1_000 else format_quantity(ns, "ns")


def _with_spread(ns: float, spread_ns: float) -> str:
    if max(ns, spread_ns) < 1_000:
        return f"{ns:.3g} ± {spread_ns:.2g} ns"
    return f"{_time(ns)} ± {_time(spread_ns)}"


def _bare_turn_ns(measurement: Measurement) -> float | None:
    """Typical time of one turn of a benchmark's loop without controls."""
    latency = facts.headline(measurement)
    if measurement.loop != "batch" or latency is None:
        return None
    mean = facts.mean_ns(latency)
    return mean.middle if mean is not None and is_number(mean.middle) else None


def scaling(measurement: Measurement, policy: Policy) -> Answer:
    """Doing it twice takes about twice as long.

    *Formula.* (twice − empty) / (operation − empty), medians in ns, lies in [1.5, 3].
    *Tolerance.* Halfway between "the second was free" (1) and two; the same distance upwards for caches that grow
    cold. Beyond that it is too little, not wrong, where others are known to have used a fifth of the machine: twice the
    work is interrupted more than twice as often as it fits between two interruptions. Below three spreads of the empty
    control the difference is noise, and `control.empty` speaks instead.
    *Source.* Scaling of work is the oldest test of a benchmark: Dongarra et al., *Computer benchmarking* (1987).
    *Example.* A cached result: 900 ns the first time, 960 ns for both.

    >>> from bizra_gate.model import Source
    >>> cached = Controls(operation_ns=900.0, empty_ns=40.0, empty_spread_ns=3.0, twice_ns=960.0)
    >>> [f.observed for f in scaling(Measurement(Source("own"), controls=cached), Policy())]
    ['× 1.07']

    *Violator.* A hash whose second computation the compiler took from the first.
    *Neighbour.* An allocation whose second half falls out of the cache: × 2.4.
    """
    looked, findings = False, []
    for controls in _all(measurement):
        ratio = _ratio(controls)
        if ratio is not None:
            looked = True
            if not LEAST <= ratio <= MOST:
                findings.append(_of_ratio(ratio, measurement))
    if not looked:
        return NotApplicable("the operation was not timed twice in one turn, or it is too close to an empty one")
    return findings


def _of_ratio(ratio: float, measurement: Measurement) -> Finding:
    observed, expected = f"× {ratio:.3g}", f"× {LEAST} … {MOST}"
    told = f"doing it twice takes {ratio:.3g} times as long as doing it once: "
    if ratio < LEAST:
        return invalid(SCALING, told + "the second was free.", observed, expected)
    generator = measurement.generator
    others = generator.other_cpu_fraction if generator is not None else None
    if others is not None and others > BUSY:
        message = f"{told}the controls were too disturbed, others used {share(others)} of all cores."
        return insufficient(SCALING, message, observed, expected)
    return invalid(SCALING, told + "the second cost more than the first.", observed, expected)


def _ratio(controls: Controls) -> float | None:
    operation, twice, nothing = controls.operation_ns, controls.twice_ns, controls.empty_ns
    if operation is None or twice is None or nothing is None:
        return None
    spread = controls.empty_spread_ns if controls.empty_spread_ns is not None else SPREAD * nothing
    if operation - nothing <= 3 * spread:
        return None
    return (twice - nothing) / (operation - nothing)


def result(measurement: Measurement, policy: Policy) -> Answer:
    """What an operation returns was consumed, was right, and left no work behind.

    *Formula.* No un-awaited coroutine, no un-iterated generator; 0 of the validated results rejected; no threads or
    processes of the target alive after the run that were not there before.
    *Tolerance.* None: one wrong result is a wrong operation that was timed as a right one.
    *Source.* JMH sample 09, blackholes; a generator's body does not run before it is iterated.
    *Example.* `async def handler()` called without await.

    >>> from bizra_gate.model import Source
    >>> forgotten = Controls(result_type="coroutine", unconsumed="coroutine")
    >>> [f.observed for f in result(Measurement(Source("own"), controls=forgotten), Policy())]
    ['coroutine never consumed']

    *Violator.* An operation that starts a thread and returns: what it costs is handing the work over.
    *Neighbour.* A target with a pool of its own, made in its set-up: it is there before and after.
    """
    held = _all(measurement)
    facts_known = [c for c in held if c.result_type is not None or c.validated is not None or _leftovers(c) is not None]
    if not facts_known and not any(controls.unconsumed for controls in held):
        return NotApplicable("what the operations returned was not looked at")
    return [finding for controls in held for finding in _of_result(controls)]


def _leftovers(controls: Controls) -> int | None:
    known = [n for n in (controls.leftover_threads, controls.leftover_processes) if n is not None]
    return sum(known) if known else None


def _of_result(controls: Controls) -> Iterator[Finding]:
    if controls.unconsumed:
        what = controls.unconsumed.replace("_", " ")
        message = f"the operation returned a {what} that nobody consumed: its body never ran."
        yield invalid(RESULT, message, f"{what} never consumed", "a result")
    if controls.rejected:
        total = max(controls.validated or 0, controls.rejected)
        message = f"the target's own validator refused {count(controls.rejected)} of {count(total)} results."
        yield invalid(RESULT, message, f"{count(controls.rejected)} of {count(total)} wrong", "0")
    for what, left in (("threads", controls.leftover_threads), ("processes", controls.leftover_processes)):
        if left:
            message = (
                f"{count(left)} {what} were still at work after the last operation had returned: it was not timed."
            )
            yield invalid(RESULT, message, f"{count(left)} {what} left", "0")
