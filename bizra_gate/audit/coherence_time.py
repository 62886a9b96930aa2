"""`coherence.time`: rate, duration, intervals and clocks that do not tell of the same run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from operator import sub

from ..model import ClockFacts, Figure, Finding, Intervals, Measurement, Policy
from ..units import NS_PER_S
from . import coherence_elapsed, coherence_plan, facts
from .ranges import Range, is_number
from .rule import Answer, NotApplicable, invalid
from .wording import count, rate, share, time

CODE = "coherence.time"

RATE_SLACK = 0.002
"""A tool may read its counters and its clock some ms apart: 0.2 % is 2 ms of a second."""
DRIFT_SLEW = 0.001
"""NTP slews the wall clock by 500 ppm at most; a second process may slew as much the other way."""
DRIFT_READING_NS = 10_000_000
"""Two clocks cannot be read at once; a preemption between the readings is some ms."""
DRAIN_SLACK_NS = 2_000_000_000
"""A driver notices a timeout some time after it is due, and opens a row for it."""
LONGEST_OF_RUN = 2.0
"""An operation that began at the very start and ended in the drain may outlast the window, but not twice over."""


def times(measurement: Measurement, policy: Policy) -> Answer:
    """Rate = N/T; intervals tile the window; monotonic and wall clock agree; no operation outlasts its run.

    *Formula.* rate (1/s) against N/T, with N = ok … ok + errors; start_{i+1} − start_i = length; |wall − monotonic|
    ≤ 0.1 % · T + 10 ms; finished − started ≥ T; maximum ≤ 2·T. Ours: window and warm-up as in the plan, intervals of
    the warm-up tile it, runs follow each other, CPU time ≤ cores · T.
    *Tolerance.* Half of the last printed digit of rate and T; C + 1 operations, because a tool may count those that
    were under way (N over N − 1 gaps is off by one); 0.2 % for counters and clock that are read some ms apart.
    Our own intervals tile exactly, those of others to 10 % of their length.
    *Source.* Definition of a rate; adjtime(3) for the slew of 500 ppm.
    *Example.* wrk2 #138: 833,071 requests in 1.25 ms, and one of them took 4.93 s.

    >>> from bizra_gate.model import Latency, Source
    >>> wrong = Measurement(Source("wrk2"), operations=833_071, duration_ns=Figure(1.25e6, 1e4),
    ...                     latency=Latency(maximum=Figure(4.93e9, 1e7)))
    >>> [f.observed for f in times(wrong, Policy())]
    ['max 4.93 s in 1.25 ms']

    *Violator.* A histogram log with two lines taken out: intervals start at 0, 1, 2, 3, 6, 7 s with a length of 1 s.
    *Neighbour.* vegeta prints 1000.03/s for 30,000 requests between the first and the last send: N over N − 1 gaps.
    """
    checks = [
        _of_rate(measurement),
        *_of_tiling(measurement),
        *_of_clocks(measurement),
        _of_stamps(measurement),
        _of_longest(measurement),
        *_of_nothing(measurement),
        coherence_plan.of_times(measurement),
        coherence_elapsed.of_elapsed(measurement, instant),
    ]
    looked = [answer for answer in checks if answer is not None]
    if not looked:
        return NotApplicable("neither a duration with a rate, nor intervals, nor a second clock is given")
    return [finding for answer in looked for finding in answer]


Answers = list[Finding] | None
"""None where a comparison lacks one of its sides."""


def _of_rate(measurement: Measurement) -> Answers:
    printed, done = measurement.rate_achieved_per_s, facts.ended(measurement)
    window, good = measurement.duration_ns, facts.succeeded(measurement)
    if printed is None or window is None or not done or good is None:
        return None
    if not is_number(printed.value) or not is_number(window.value) or window.high <= 0:
        return None
    if facts.own(measurement) and measurement.loop == "open":
        return None  # starts in the window, against operations that were due in it: two populations
    extra = (measurement.concurrency or 0) + 1
    span = Range(max(0.0, window.low), window.high)
    allowed = Range(max(0, good - extra) * NS_PER_S, (done + extra) * NS_PER_S) / span
    if printed.high * (1 + RATE_SLACK) >= allowed.low and printed.low <= allowed.high * (1 + RATE_SLACK):
        return []
    derived = Range.exact(done * NS_PER_S) / span
    message = (
        f"{rate(printed.value)} is stated, but {count(done)} operations in {time(window)} are {rate(derived)}: "
        f"{share(abs(printed.value / derived.middle - 1))} apart."
    )
    return [invalid(CODE, message, f"stated {rate(printed.value)}", f"N/T = {rate(derived)}")]


def _of_tiling(measurement: Measurement) -> Iterator[Answers]:
    for name, intervals, holder in facts.all_intervals(measurement):
        duration = holder.duration_ns.value if isinstance(holder.duration_ns, Figure) else holder.duration_ns
        drain = measurement.plan.timeout_ns + DRAIN_SLACK_NS if measurement.plan is not None else math.inf
        yield list(_of_gaps(name, intervals, duration, drain, exact=facts.own(measurement)))


def _of_gaps(
    name: str, intervals: Intervals, duration_ns: float | None, drain_ns: float, *, exact: bool
) -> Iterator[Finding]:
    """Rows follow each other at one length; the last one before the drain takes what the length does not divide."""
    starts, length = intervals.start_ns, intervals.length_ns
    slack = 0.0 if exact else 0.1 * length
    even = slack >= 0 and {*map(sub, starts[1:], starts)} <= {length}  # as nearly always: no step needs a look
    for row, (first, second) in enumerate(() if even else pairwise(starts)):
        ends_window = exact and duration_ns is not None and first < duration_ns <= second
        longest = 2 * length if ends_window else length
        if not length - slack <= second - first <= longest + slack:
            what = "a stretch is missing" if second - first > length else "stretches overlap"
            yield invalid(
                CODE,
                f"{name}interval {row} begins at {time(first)} and the next at {time(second)}, "
                f"but intervals are {time(length)} long: {what}.",
                f"step {time(second - first)}",
                time(length),
            )
            return
    if exact and starts and duration_ns is not None:
        if starts[-1] > duration_ns + drain_ns:
            yield invalid(
                CODE,
                f"{name}operations ended up to {time(starts[-1] - duration_ns)} after the window closed, but all must "
                f"have ended or timed out within {time(drain_ns)}: the window was longer than it says.",
                f"last interval at {time(starts[-1])}",
                f"≤ {time(duration_ns + drain_ns)}",
            )
        covered = starts[-1] + 2 * length
        if starts[0] != 0 or covered < duration_ns:
            yield invalid(
                CODE,
                f"{name}the intervals run from {time(starts[0])} to {time(starts[-1] + length)}, "
                f"the window is {time(duration_ns)} long: part of it was left out.",
                f"{len(starts)} intervals of {time(length)}",
                f"0 … {time(duration_ns)}",
            )


def _of_clocks(measurement: Measurement) -> Iterator[Answers]:
    holders: list[tuple[str, ClockFacts | None, float | None]] = []
    if measurement.runs and any(run.clock is not None for run in measurement.runs):
        holders += [(f"run {run.index}: ", run.clock, run.duration_ns) for run in measurement.runs]
    else:
        window = facts.window_ns(measurement)
        holders.append(("", measurement.clock, window.middle if window is not None else None))
    for name, clock, duration_ns in holders:
        if clock is None or clock.wall_drift_ns is None or duration_ns is None or clock.steps:
            continue
        allowed = DRIFT_SLEW * duration_ns + DRIFT_READING_NS
        yield [_apart(name, clock.wall_drift_ns, duration_ns, allowed)] if abs(clock.wall_drift_ns) > allowed else []


def _apart(name: str, drift_ns: int, duration_ns: float, allowed_ns: float) -> Finding:
    return invalid(
        CODE,
        f"{name}the wall clock ran {time(abs(drift_ns))} {'longer' if drift_ns > 0 else 'shorter'} than the monotonic "
        f"clock over {time(duration_ns)}, and no step was seen: one of the two did not measure this run.",
        f"apart by {time(abs(drift_ns))}",
        f"≤ {time(allowed_ns)}",
    )


def _of_stamps(measurement: Measurement) -> Answers:
    """Started, finished and the measured time between them."""
    started, finished = instant(measurement.started_at), instant(measurement.finished_at)
    if started is None or finished is None or coherence_elapsed.stepped(measurement):
        return None
    window = facts.window_ns(measurement)
    elapsed_ns = (finished - started).total_seconds() * NS_PER_S
    needed_ns = max(window.low if window is not None else 0.0, coherence_elapsed.needed_ns(measurement))
    slack = DRIFT_SLEW * needed_ns + _stamp_resolution_ns(measurement)
    if elapsed_ns + slack >= needed_ns and elapsed_ns >= 0:
        return []
    if elapsed_ns < 0:
        message = f"it finished at {measurement.finished_at}, before it started at {measurement.started_at}."
    else:
        message = (
            f"between start ({measurement.started_at}) and finish ({measurement.finished_at}) lie "
            f"{time(elapsed_ns)}, but {time(needed_ns)} are said to have been measured."
        )
    return [invalid(CODE, message, time(elapsed_ns), f"≥ {time(needed_ns)}")]


def instant(text: str | None) -> datetime | None:
    """An RFC 3339 stamp with a zone; None where it is absent or not one."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None


def _stamp_resolution_ns(measurement: Measurement) -> float:
    """Stamps without a fraction are cut to whole seconds, both of them."""
    whole = any(text is not None and "." not in text for text in (measurement.started_at, measurement.finished_at))
    return 2.0 * NS_PER_S if whole else 2.0 * DRIFT_READING_NS


def _of_longest(measurement: Measurement) -> Answers:
    latency, window = facts.headline(measurement), facts.window_ns(measurement)
    longest = facts.maximum_ns(latency) if latency is not None else None
    if measurement.duration_ns is None or window is None or longest is None:
        return None
    timeout_ns = measurement.plan.timeout_ns if measurement.plan is not None else 0
    if longest.low <= LONGEST_OF_RUN * window.high + timeout_ns:
        return []
    message = (
        f"an operation of {time(longest)} is recorded in a run of {time(measurement.duration_ns)}: "
        "the run is shorter than its own operations."
    )
    return [invalid(CODE, message, f"max {time(longest)} in {time(measurement.duration_ns)}", f"≤ {time(window)}")]


def _of_nothing(measurement: Measurement) -> Iterator[Answers]:
    """Operations in a run of no length."""
    window, done = measurement.duration_ns, facts.ended(measurement)
    if window is not None and window.high <= 0 and done:
        message = f"{count(done)} operations are said to have ended in a run of {time(window)}."
        yield [invalid(CODE, message, f"T = {time(window)}", "> 0")]
