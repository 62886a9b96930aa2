"""The machine: what disturbs a measurement, and what only colours it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..model import ClockFacts, Environment, Finding, Generator, Measurement, Policy
from .rule import Answer, NotApplicable, insufficient, note
from .wording import count, share

NOISE = "environment.noise"
TUNING = "environment.tuning"

UNOPTIMISED = "Python built without --enable-optimizations"
QUIET_GOVERNORS = ("performance", "haltpoll", "unknown")


def noise(measurement: Measurement, policy: Policy) -> Answer:
    """Nobody else took the machine's time, the build is the one that is shipped, and the clock was not stepped.

    *Formula.* steal ≤ `max_steal` and others' CPU ≤ `max_competing_cpu` of all cores; no debug build; no steps of the
    wall clock.
    *Tolerance.* That of the policy, 2 % and 20 %. Steal of 2 % comes in slices of some ms: beyond it the p99 is the
    hypervisor's. A fifth of the machine to others changes who runs where. Steps and debug builds have no tolerance.
    *Source.* pyperf's and BenchmarkDotNet's environment analysers; Gregg, *Systems performance*, 6.
    *Example.* Google Benchmark, built as debug.

    >>> from bizra_gate.model import Source
    >>> debug = Measurement(Source("google-benchmark"), environment=Environment(debug_build=True))
    >>> [f.observed for f in noise(debug, Policy())]
    ['debug build']

    *Violator.* A neighbour's build on the same two cores.
    *Neighbour.* 0.3 % steal on a shared machine.
    """
    environment, generator = measurement.environment, measurement.generator
    known = [
        environment is not None and environment.debug_build is not None,
        generator is not None and (generator.steal_fraction is not None or generator.other_cpu_fraction is not None),
        any(clock.steps is not None for clock in _clocks(measurement)),
    ]
    if not any(known):
        return NotApplicable("neither the build, nor stolen or competing time, nor steps of the clock were recorded")
    findings: list[Finding] = []
    if environment is not None and environment.debug_build:
        message = "it is a debug build: the times are those of a program that nobody ships."
        findings.append(insufficient(NOISE, message, "debug build", "release build"))
    if generator is not None:
        findings += _of_others(generator, policy)
    findings += _of_steps(measurement)
    return findings


def _clocks(measurement: Measurement) -> list[ClockFacts]:
    held = [measurement.clock, *(run.clock for run in measurement.runs)]
    return list({id(clock): clock for clock in held if clock is not None}.values())


def _of_others(generator: Generator, policy: Policy) -> Iterator[Finding]:
    stolen = "the hypervisor gave {} of the machine's time to others"
    pairs = (
        (generator.steal_fraction, policy.max_steal, stolen, "stolen"),
        (generator.other_cpu_fraction, policy.max_competing_cpu, "other programs used {} of all cores", "to others"),
    )
    for part, limit, told, what in pairs:
        if part is not None and part > limit:
            message = told.format(share(part)) + ": what was measured is this machine's day, not the target."
            yield insufficient(NOISE, message, f"{share(part)} {what}", f"≤ {share(limit)}")


def _of_steps(measurement: Measurement) -> Iterator[Finding]:
    steps = max((clock.steps or 0 for clock in _clocks(measurement)), default=0)
    if steps:
        message = f"the wall clock was stepped {count(steps)} time{'s' * (steps > 1)} during the run."
        yield insufficient(NOISE, message, f"{count(steps)} step{'s' * (steps > 1)}", "0")


def tuning(measurement: Measurement, policy: Policy) -> Answer:
    """Settings of the machine that change results from one machine to the next; told, not judged.

    *Formula.* governor other than performance, turbo, hyper-threads, a share of a core by quota, a virtual machine, a
    Python that was built without profile-guided optimisation, where it runs the target or the load of an HTTP server.
    *Tolerance.* None, and none needed: a note changes no verdict.
    *Source.* pyperf's `system tune`; Mytkowicz et al., *Producing wrong data without doing anything obviously wrong!*
    *Example.* A laptop on powersave with turbo.

    >>> from bizra_gate.model import Source
    >>> laptop = Measurement(Source("own"), environment=Environment(governor="powersave", turbo=True))
    >>> [f.observed for f in tuning(laptop, Policy())]
    ['governor powersave, turbo on']

    *Violator.* Two results compared, one on powersave.
    *Neighbour.* The performance governor, turbo off.
    """
    environment = measurement.environment
    slow = _slow_python(measurement)
    if environment is None or (slow is None and all(value is None for value in _tunables(environment))):
        return NotApplicable("how the machine was set up was not recorded")
    said = [*_settings(environment), *([UNOPTIMISED] if slow == "target" else [])]
    findings: list[Finding] = []
    if said:
        message = f"{', '.join(said)}: the same program may take another time on a machine that is set up otherwise."
        findings.append(note(TUNING, message, ", ".join(said), "as in production"))
    if slow == "generator":
        message = f"the generator runs in a {UNOPTIMISED}: it reaches its limit sooner, and the target is no slower."
        findings.append(note(TUNING, message, f"generator in a {UNOPTIMISED}", "an optimised build"))
    return findings


def _slow_python(measurement: Measurement) -> Literal["target", "generator"] | None:
    """What runs in a Python that is slower than need be; of a command, Python only starts it and waits."""
    if measurement.environment is None or not measurement.environment.unoptimised_python:
        return None
    scheme = "py" if measurement.plan is None else measurement.plan.target.partition(":")[0]
    if scheme in ("http", "https"):
        return "generator"
    return None if scheme == "cmd" else "target"


def _tunables(environment: Environment) -> tuple[object, ...]:
    machine = (environment.governor, environment.turbo, environment.smt, environment.cpu_quota)
    return (*machine, environment.virtualization)


def _settings(environment: Environment) -> Iterator[str]:
    if environment.governor is not None and environment.governor not in QUIET_GOVERNORS:
        yield f"governor {environment.governor}"
    if environment.turbo:
        yield "turbo on"
    if environment.smt:
        yield "hyper-threads on"
    if environment.cpu_quota is not None and environment.cpu_count and environment.cpu_quota < environment.cpu_count:
        yield f"limited to {environment.cpu_quota:g} of {environment.cpu_count} cores"
    if environment.virtualization not in (None, "", "none"):
        yield f"virtual machine ({environment.virtualization})"
