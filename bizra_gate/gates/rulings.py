"""A ruling: what one look at one piece of evidence came to, and the order of what is worse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bizra_gate.model import Check, CheckReport, Compared, Metric, OpenedEvidence
from bizra_gate.model.quick import quick
from bizra_gate.model.report import CheckVerdict
from bizra_gate.units import format_quantity

from .metrics import counted
from .spans import Span

WORST_FIRST: tuple[CheckVerdict, ...] = (
    "untrusted",
    "refused",
    "fail",
    "missing",
    "inconclusive",
    "warn",
    "waived",
    "pass",
)
"""The order of the exit codes: 4 over 3 over 1 over 5 over 0."""


@quick
@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its reason, and what it rests on as far as there was anything."""

    verdict: CheckVerdict
    reason: str
    metric: Metric | None = None
    baseline: Metric | None = None
    compared: Compared | None = None


def worst(rulings: Iterable[Ruling]) -> Ruling:
    """The worst of `rulings`, the first of equals; there is at least one."""
    return min(rulings, key=lambda ruling: WORST_FIRST.index(ruling.verdict))


def both(one: Ruling, other: Ruling) -> Ruling:
    """The worse verdict of two looks at the same metric, with both reasons, the deciding one first."""
    first = worst((one, other))
    second = other if first is one else one
    reason = f"{first.reason} {second.reason}"
    return replace(
        first,
        reason=reason,
        metric=first.metric or second.metric,
        baseline=first.baseline or second.baseline,
        compared=first.compared or second.compared,
    )


def report_of(check: Check, ruling: Ruling) -> CheckReport:
    """The ruling as it stands in a report. A figure that is not finite is not a figure: it is left out."""
    metric = ruling.metric
    return CheckReport(
        id=check.id,
        metric=check.metric,
        unit=check.unit,
        limit=asked(check),
        verdict=ruling.verdict,
        reason=ruling.reason,
        severity=check.severity,
        weight=check.weight,
        estimate=_finite(metric.estimate) if metric else None,
        interval=_sides(metric) if metric else None,
        confidence=metric.confidence if metric and metric.interval else check.confidence,
        n=metric.n if metric else None,
        warn=check.warn.text if check.warn else None,
        baseline=ruling.baseline,
        compared=ruling.compared,
        controls=check.controls,
        why=check.why,
        owner=check.owner,
    )


def asked(check: Check) -> str:
    """What the check asks, as the gate file says it."""
    parts = [check.limit.text] if check.limit else []
    if check.baseline is not None:
        margin = format_quantity(check.baseline.max_regression, "ratio")
        parts.append(f"at most {margin} worse than {check.baseline.ref}")
    return " and ".join(parts)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _sides(metric: Metric) -> tuple[float | None, float | None] | None:
    return (_finite(metric.interval[0]), _finite(metric.interval[1])) if metric.interval else None


# ── figures in sentences ─────────────────────────────────────────────────────────────────────────────────────────


def figure(metric: Metric, kind: str) -> str:
    """``latency.p99 is 1.1 ms (95 % interval 1.09 ms to 1.12 ms, 62,855,160 operations)``."""
    facts: list[str] = []
    if metric.interval is not None:
        facts.append(f"{per_cent(metric.confidence)} interval {_between(metric)}")
    if metric.n is not None:
        facts.append(f"{metric.n:,} {counted(kind)}")
    beside = f" ({', '.join(facts)})" if facts else ""
    return f"{metric.name} is {format_quantity(metric.estimate, metric.unit)}{beside}"


def _between(metric: Metric) -> str:
    assert metric.interval is not None
    return between(Span(*metric.interval), metric.unit)


def between(span: Span, unit: str) -> str:
    """``1.09 ms to 1.12 ms``, or ``from 1.09 ms, unbounded above``."""
    low, high = (None if side is None else format_quantity(side, unit) for side in (span.low, span.high))
    if low is None:
        return f"up to {high}, unbounded below" if high is not None else "unbounded on both sides"
    return f"{low} to {high}" if high is not None else f"from {low}, unbounded above"


def per_cent(confidence: float) -> str:
    return f"{100 * confidence:.6g} %"


# ── evidence that cannot be judged ───────────────────────────────────────────────────────────────────────────────


def obstacle(evidence: OpenedEvidence, what: str = "") -> Ruling | None:
    """Why nothing may be read from `evidence`, whatever its figures say; None where they may be read.

    `what` names its part where it is not the check's own evidence (``baseline``, ``reference``). The report tells of
    the check's own in full elsewhere, once, so the check only refers to that.
    """
    name = f"{what} {evidence.file}".strip()
    reasons = [reason.message if what else reason.brief for reason in evidence.trust.reasons]
    if evidence.missing:
        return Ruling("missing", _sentence(f"{name} is missing", reasons))
    if not evidence.trust.ok:
        return Ruling("untrusted", _sentence(f"{name} is not trusted", reasons))
    if evidence.audit is None:
        return Ruling("inconclusive", f"{name} was not audited, so nothing says that it can be believed.")
    if evidence.audit.verdict == "INVALID":
        return Ruling("refused", _sentence(f"{name} is under audit", _findings(evidence, "invalid")))
    if evidence.audit.verdict == "INSUFFICIENT":
        return Ruling("inconclusive", _sentence(f"{name} is not enough", _findings(evidence, "insufficient")))
    return None


def _findings(evidence: OpenedEvidence, severity: str) -> Iterator[str]:
    findings = evidence.audit.findings if evidence.audit else ()
    return (f"{finding.code}: {finding.message}" for finding in findings if finding.severity == severity)


def _sentence(start: str, reasons: Iterable[str]) -> str:
    """``start: first reason (and 2 more).``"""
    said = list(reasons)
    if not said:
        return f"{start}."
    more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
    return f"{start}: {said[0].rstrip('.')}{more}."
