"""Is this measurement believable? VALID, INSUFFICIENT or INVALID, before anybody asks whether it is fast.

`examine` runs every rule of `RULES` over one measurement. Each rule is a pure function, documented with its formula,
tolerance, source, a worked example that runs as a test, a violator and an honest neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Audit, Finding, Measurement, Policy
from ..model.report import AuditVerdict
from . import (
    clock,
    coherence_count,
    coherence_order,
    coherence_overflow,
    coherence_summary,
    coherence_time,
    control,
    distribution,
    environment,
    generator,
    littles_law,
    method,
    omission,
    physics,
    samples,
    source,
    steady,
)
from .rule import Answer, Check, NotApplicable, Rule

__all__ = ["RULES", "Answer", "Check", "NotApplicable", "Rule", "examine", "examine_all"]

RULES: tuple[Rule, ...] = (
    Rule(coherence_order.CODE, coherence_order.order),
    Rule(coherence_count.CODE, coherence_count.counts),
    Rule(coherence_summary.CODE, coherence_summary.summary),
    Rule(coherence_time.CODE, coherence_time.times),
    Rule(coherence_overflow.CODE, coherence_overflow.overflow),
    Rule(littles_law.EXCESS, littles_law.excess),
    Rule(littles_law.DEFICIT, littles_law.deficit),
    Rule(littles_law.MEASURED, littles_law.measured),
    Rule(littles_law.ZERO, littles_law.zero),
    Rule(clock.RESOLUTION, clock.resolution),
    Rule(clock.OVERHEAD, clock.overhead),
    Rule(physics.CODE, physics.machine),
    Rule(control.EMPTY, control.empty),
    Rule(control.SCALING, control.scaling),
    Rule(control.RESULT, control.result),
    Rule(method.DURATION, method.duration),
    Rule(method.WARMUP, method.warmup),
    Rule(steady.CODE, steady.steady),
    Rule(samples.CODE, samples.samples),
    Rule(method.RUNS, method.runs),
    Rule(omission.CODE, omission.omission),
    Rule(method.RATE, method.achieved),
    Rule(method.ERRORS, method.failures),
    Rule(generator.SATURATED, generator.saturated),
    Rule(generator.LAG, generator.lag),
    Rule(environment.NOISE, environment.noise),
    Rule(distribution.CODE, distribution.modes),
    Rule(environment.TUNING, environment.tuning),
    Rule(source.CODE, source.traps),
)
"""Every rule, in the order in which findings are told: contradictions first, then what is too little, then notes."""


def examine(measurement: Measurement, policy: Policy) -> Audit:
    """All findings of all rules, what was found clean, and what could not be looked at with the reason.

    INVALID if anything contradicts, else INSUFFICIENT if anything is too little, else VALID.
    """
    return examine_all([(measurement, policy)])[0]


def examine_all(cases: Sequence[tuple[Measurement, Policy]]) -> list[Audit]:
    """As `examine` for each of `cases`, rule by rule for all of them, which is quicker than all rules for each."""
    findings: list[list[Finding]] = [[] for _ in cases]
    clean: list[list[str]] = [[] for _ in cases]
    skipped: list[dict[str, str]] = [{} for _ in cases]
    for rule in RULES:
        for place, (measurement, policy) in enumerate(cases):
            answer = rule.check(measurement, policy)
            if isinstance(answer, NotApplicable):
                skipped[place][rule.code] = answer.reason
            elif found := list(answer):
                findings[place] += found
            else:
                clean[place].append(rule.code)
    told = zip(findings, clean, skipped, strict=True)
    return [Audit(verdict_of(found), tuple(found), tuple(sound), unseen) for found, sound, unseen in told]


def verdict_of(findings: list[Finding]) -> AuditVerdict:
    """The worst severity decides; notes decide nothing."""
    severities = {finding.severity for finding in findings}
    if "invalid" in severities:
        return "INVALID"
    return "INSUFFICIENT" if "insufficient" in severities else "VALID"
