"""Was enough measured, and as it was asked? Too little is INSUFFICIENT: true perhaps, but not shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from ..model import Finding, Measurement, OpenLoop, Policy, Run
from ..units import NS_PER_S
from . import facts
from .ranges import is_number
from .rule import Answer, NotApplicable, insufficient
from .wording import count, rate, share, time

DURATION = "method.duration"
WARMUP = "method.warmup"
RUNS = "method.runs"
RATE = "method.rate"
ERRORS = "method.errors"

CUT_SHORT = 0.9
"""A run that ended before nine tenths of what was asked for was interrupted."""
POISSON_SIGMAS = 3.0
"""Random arrivals number λT ± √(λT); three of those are met 997 times in 1,000."""
FLOAT = 1e-9
"""A quotient that equals its limit may come out a few units in the last place below it."""
APART = 1.25
"""A process this much slower or faster than the others is another population, if its distance is also …"""
APART_DEVIATIONS = 5.0
"""… this many median deviations (and the deviation is taken as 1 % at least)."""
FLATTERED = 0.01
"""Errors that make the mean look better by 1 % or more are told."""


def duration(measurement: Measurement, policy: Policy) -> Answer:
    """The measured stretch is as long as the policy asks, and was not cut short.

    *Formula.* T ≥ min_duration [ns]; T ≥ 0.9 · what was asked for.
    *Tolerance.* T as printed, to half its last digit, in favour of the run. A duration that is not told is too short.
    *Source.* The policy; 120 s is the default, because a third of JVM forks are not steady before a minute (Traini
    et al. 2022).
    *Example.* 5.1 s under the strict policy.

    >>> from bizra_gate.model import Figure, Source
    >>> [f.observed for f in duration(Measurement(Source("wrk"), duration_ns=Figure(5.1e9, 1e7)), Policy())]
    ['5.1 s']

    *Violator.* 13,000,000 requests a second, for 0.36 s.
    *Neighbour.* A run printed as 2.00m under 120 s.
    """
    window = facts.window_ns(measurement)
    if window is None:
        if policy.min_duration_ns <= 0:
            return NotApplicable("how long was measured is not told, and the policy does not ask")
        message = f"how long was measured is not told; the policy asks for {time(policy.min_duration_ns)}."
        return [insufficient(DURATION, message, "not told", f"≥ {time(policy.min_duration_ns)}")]
    findings: list[Finding] = []
    asked = measurement.duration_requested_ns
    if window.high < policy.min_duration_ns:
        message = f"{time(window)} were measured; the policy asks for {time(policy.min_duration_ns)}."
        findings.append(insufficient(DURATION, message, time(window), f"≥ {time(policy.min_duration_ns)}"))
    if asked is not None and is_number(asked.value) and window.high < CUT_SHORT * asked.low:
        message = f"{time(asked)} were asked for and {time(window)} measured: the run was cut short."
        findings.append(insufficient(DURATION, message, time(window), time(asked)))
    return findings


def warmup(measurement: Measurement, policy: Policy) -> Answer:
    """What was not warm yet is not counted, for as long as the policy asks.

    *Formula.* warm-up ≥ min_warmup [ns]; of several runs the shortest counts.
    *Tolerance.* None. A warm-up that is not told of is one that cannot be relied on.
    *Source.* Barrett et al., *Virtual machine warmup blows hot and cold* (2017): a fixed warm-up is no evidence of
    warmth, which is why `method.steady` looks at the series as well.
    *Example.* wrk counts from the first request on and says nothing of it.

    >>> from bizra_gate.model import Source
    >>> [f.observed for f in warmup(Measurement(Source("wrk")), Policy())]
    ['not told']

    *Violator.* A first second with cold caches in a run of ten.
    *Neighbour.* The same file under a policy that asks for no warm-up.
    """
    needed, done = policy.min_warmup_ns, measurement.warmup_ns
    if needed <= 0:
        return []
    if done is None or not is_number(done.value):
        message = f"whether the target was warmed up is not told; the policy asks for {time(needed)}."
        return [insufficient(WARMUP, message, "not told", f"≥ {time(needed)}")]
    if done.high >= needed:
        return []
    message = f"the target was warmed up for {time(done)}; the policy asks for {time(needed)}."
    return [insufficient(WARMUP, message, time(done), f"≥ {time(needed)}")]


def runs(measurement: Measurement, policy: Policy) -> Answer:
    """As many processes as the policy asks, and none of them a stranger among the others.

    *Formula.* processes ≥ min_runs; with m_i the mean of process i and m their median, no process has both
    m_i/m outside [1/1.25, 1.25] and |ln(m_i/m)| > 5 · median |ln(m_j/m)|, the latter taken as 1 % at least.
    *Tolerance.* Fresh processes of one program differ by 6 % (median of max/min) and 22 % (at the 90th percentile) on
    331 steady benchmarks; 25 % with five deviations is beyond that. Three processes are needed to tell who is odd.
    *Source.* Kalibera & Jones, *Rigorous benchmarking in reasonable time* (2013); data of Traini et al. (2022).
    *Example.* Five processes, one of them at 14 ms.

    >>> from bizra_gate.model import Source
    >>> five = tuple(Run(i, values=(v,)) for i, v in enumerate((10.0e6, 10.1e6, 9.9e6, 10.05e6, 14e6)))
    >>> [f.observed for f in runs(Measurement(Source("pyperf"), runs=five), Policy())]
    ['run 4: 14 ms']

    *Violator.* One run of five on another core, another layout, another cache.
    *Neighbour.* Six processes within 3 % of each other, one of them 6 % off.
    """
    processes = (measurement.operations or 0) if measurement.process_each else len(measurement.runs)
    means = [(run.index, mean) for run in measurement.runs if (mean := _mean_of(run)) is not None]
    findings: list[Finding] = []
    if policy.min_runs > max(1, processes):
        told = f"{processes} processes were" if processes > 1 else "one process was"
        message = f"{told} measured; the policy asks for {policy.min_runs}."
        findings.append(insufficient(RUNS, message, count(max(1, processes)), f"≥ {policy.min_runs}"))
    elif policy.min_runs <= 1 and len(means) < 3:
        return NotApplicable("fewer than three processes were measured, and the policy asks for no more")
    findings += _strangers(means)
    return findings


def _mean_of(run: Run) -> float | None:
    """Mean time of an operation in one process, ns."""
    if run.values:
        mean = math.fsum(run.values) / len(run.values) if all(map(math.isfinite, run.values)) else 0.0
    else:
        latency = run.service if run.service is not None else run.response
        found = facts.mean_ns(latency) if latency is not None else None
        mean = found.middle if found is not None else 0.0
    return mean if is_number(mean) and mean > 0 else None


def _strangers(means: list[tuple[int, float]]) -> Iterator[Finding]:
    if len(means) < 3:
        return
    middle = median(mean for _, mean in means)
    distances = [abs(math.log(mean) - math.log(middle)) for _, mean in means]
    usual = max(0.01, median(distances))
    for (index, mean), distance in zip(means, distances, strict=True):
        if distance > math.log(APART) and distance > APART_DEVIATIONS * usual:
            message = (
                f"run {index} took {time(mean)} an operation where the {len(means) - 1} others took about "
                f"{time(middle)}: what the next process would take cannot be told."
            )
            yield insufficient(RUNS, message, f"run {index}: {time(mean)}", f"{time(middle)} ± {share(APART - 1)}")


def achieved(measurement: Measurement, policy: Policy) -> Answer:
    """What was asked for was sent.

    *Formula.* N/T ≥ requested · (1 − rate_tolerance), N counted with errors; nothing was dropped unsent.
    *Tolerance.* The policy's, 2 %; the range of T; one operation at the edges; three standard deviations, 3/√N,
    where arrivals are random or not described.
    *Source.* Schroeder, Wierman & Harchol-Balter, *Open versus closed* (2006): past saturation an open loop's latency
    is a property of how long one looks, t·(1 − μ/λ).
    *Example.* wrk2 asked for 600/s of 4 connections that do 193/s.

    >>> from bizra_gate.model import Figure, Source
    >>> over = Measurement(Source("wrk2"), loop="open", operations=3_868, duration_ns=Figure(20e9, 1e7),
    ...                    rate_requested_per_s=Figure(600.0))
    >>> [f.observed for f in achieved(over, Policy())]
    ['193.4/s']

    *Violator.* hey's own limiter at 1,000/s with a server that freezes: 904/s.
    *Neighbour.* 600 requests at 120/s between the first and the last: 119.98/s.
    """
    asked, done = measurement.rate_requested_per_s, facts.ended(measurement)
    if asked is None or not is_number(asked.value) or asked.value <= 0:
        return NotApplicable("no rate was asked for, or it is not told: state it with --target-rate")
    window, sent = facts.window_ns(measurement), max(done or 0, measurement.sent or 0)
    if window is None or window.low <= 0:
        return NotApplicable("how many operations were sent in which time is not told")
    reached = _reached_per_s(measurement, sent, window.middle)
    per_second = reached + NS_PER_S / window.low
    tolerance = policy.rate_tolerance
    if not _even_arrivals(measurement):
        tolerance = max(tolerance, POISSON_SIGMAS / math.sqrt(max(1.0, asked.low * window.middle / NS_PER_S)))
    if per_second >= asked.low * (1 - tolerance) * (1 - FLOAT):
        return []
    message = (
        f"{rate(reached)} were reached of {rate(asked.value)} asked for ({share(1 - reached / asked.value)} short): "
        "the latencies are those of a lighter load, or of a queue that grew for as long as the run lasted."
    )
    return [insufficient(RATE, message, rate(reached), f"≥ {rate(asked.value * (1 - tolerance))}")]


def _reached_per_s(measurement: Measurement, sent: int, window_ns: float) -> float:
    """Starts a second. Our own counts are by due time, so what was late is in the rate that was really started."""
    derived = sent * NS_PER_S / window_ns
    started = measurement.rate_achieved_per_s
    if facts.own(measurement) and started is not None and is_number(started.value):
        return min(derived, started.value)
    return derived


def _even_arrivals(measurement: Measurement) -> bool:
    """Only our own plans say how arrivals were spaced; other tools space them evenly, as far as they say."""
    load = measurement.plan.load if measurement.plan is not None else None
    return not isinstance(load, OpenLoop) or load.arrivals == "constant"


def failures(measurement: Measurement, policy: Policy) -> Answer:
    """Few enough operations failed, none is hidden among the successes, and those that did do not flatter the rest.

    *Formula.* Σ errors / (ok + Σ errors) ≤ max_error_rate; outcomes labelled 4xx or 5xx are errors, unless the plan
    expects them; where errors are timed with the successes, e · (1 − W_error/W_ok) ≤ 1 %.
    *Tolerance.* The policy's 1 % for the rate; 1 % of the mean for the flattering.
    *Source.* An error is answered without the work: 503 in 1 ms beside 200 in 12 ms.
    *Example.* 642 of 2,429 answers are 503.

    >>> from bizra_gate.model import Source
    >>> shed = Measurement(Source("fortio"), operations=2_429, operations_include_errors=True, errors={"503": 642})
    >>> [f.observed for f in failures(shed, Policy())]
    ['26 %']

    *Violator.* ab: "Failed requests: 0", non-2xx responses 962 of 962.
    *Neighbour.* 3 errors in 100,000; a health check that is meant to answer 404.
    """
    good, every = facts.succeeded(measurement), facts.ended(measurement)
    if every is None or (measurement.errors is None and not measurement.outcomes):
        return NotApplicable("how many operations failed is not told")
    failed = max(facts.errors(measurement), _labelled_errors(measurement))
    share_failed = failed / every if every else 0.0
    findings: list[Finding] = []
    if share_failed > policy.max_error_rate:
        message = (
            f"{count(failed)} of {count(every)} operations failed ({share(share_failed)}); the policy allows "
            f"{share(policy.max_error_rate)}. "
            + ("What remains is the latency of those that were spared." if failed < every else "Nothing succeeded.")
        )
        findings.append(insufficient(ERRORS, message, share(share_failed), f"≤ {share(policy.max_error_rate)}"))
    findings += _flattering(measurement, good or 0, every)
    return findings


def _labelled_errors(measurement: Measurement) -> int:
    """Outcomes that are HTTP errors by their label, whatever the tool called them."""
    expected = measurement.plan.http.expect_status if measurement.plan is not None and measurement.plan.http else ()
    labels = (measurement.outcomes or {}).items()
    return sum(n for label, n in labels if _is_http_error(label) and label not in {str(code) for code in expected})


def _is_http_error(label: str) -> bool:
    return len(label) == 3 and label[0] in "45" and (label[1:].isdigit() or label[1:] == "xx")


def _flattering(measurement: Measurement, good: int, every: int) -> Iterator[Finding]:
    latency = facts.headline(measurement)
    failed = facts.mean_ns(measurement.failed) if measurement.failed is not None else None
    every_mean = facts.mean_ns(latency) if latency is not None else None
    if latency is None or not latency.includes_errors or failed is None or every_mean is None or not good:
        return
    bad = every - good
    well = (every_mean.middle * every - failed.middle * bad) / good
    if well > 0 and bad / every * (1 - failed.high / well) > FLATTERED:
        message = (
            f"{count(bad)} errors took {time(failed)} on average and are counted with {count(good)} successes of "
            f"{time(well)}: the mean of {time(every_mean)} is that of neither."
        )
        yield insufficient(ERRORS, message, f"mean {time(every_mean)}", f"{time(well)} for successes")
