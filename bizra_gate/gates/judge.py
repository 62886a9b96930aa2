"""One check against one piece of evidence.

A check passes only if the unfavourable end of its interval meets the limit, fails only if the favourable end
violates it, and is inconclusive in between. Whatever is missing, not finite, without an interval, or from evidence
that is not VALID never passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bizra_gate.model import Check, CheckReport, Limit, Metric, OpenedEvidence
from bizra_gate.units import format_quantity

from .baseline import Compare, rule_baseline
from .lateness import tempered
from .metrics import facts_of
from .rulings import Ruling, between, both, figure, obstacle, per_cent, report_of, worst
from .spans import Outcome, Span, span_of, weigh

CONFIDENCE_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may look at besides its own evidence."""

    references: Mapping[str, OpenedEvidence] = field(default_factory=dict)
    """Artifacts that limits refer to (``FILE#metric``), by the path in the gate file."""
    earlier: Sequence[OpenedEvidence] = ()
    """The check's baseline, opened; empty where there is none."""
    compare: Compare | None = None
    """The comparison of processes, from the room that knows statistics."""


def judge(
    check: Check, evidence: OpenedEvidence, context: Context | None = None, *, confidence: float | None = None
) -> CheckReport:
    """The outcome of `check` on `evidence`, with a sentence that holds the figures.

    `confidence` overrides the check's own (Holm asks for more).
    """
    return report_of(check, rule(check, evidence, context or Context(), confidence))


def rule(check: Check, evidence: OpenedEvidence, context: Context, confidence: float | None = None) -> Ruling:
    """As `judge`, before it is put into a report."""
    wanted = check.confidence if confidence is None else confidence
    metric = metric_of(evidence, check.metric, wanted)
    stop = obstacle(evidence) or _unusable(check, evidence, metric, wanted)
    if stop is not None:
        shown = metric if evidence.trust.ok and not evidence.missing else None
        return replace(stop, metric=shown)
    assert metric is not None
    rulings = []
    if check.limit is not None:
        rulings.append(_rule_limit(check, check.limit, metric, evidence, context, wanted))
    if check.baseline is not None:
        earlier = context.earlier
        held = rule_baseline(check, check.baseline, metric, evidence, earlier, context.compare, wanted)
        rulings.append(replace(held, metric=metric))
    if not rulings:
        return Ruling("inconclusive", f"{check.id} asks for nothing: it has neither a limit nor a baseline.", metric)
    ruling = rulings[0] if len(rulings) == 1 else both(*rulings)
    compared = [*context.earlier, *_referred(check, evidence, context)]
    return tempered(check, ruling, evidence, compared, lambda: _by_service(check, evidence, context, wanted))


def _by_service(check: Check, evidence: OpenedEvidence, context: Context, confidence: float) -> Ruling | None:
    """The limit of `check` held against the same statistic of the service time; None without either."""
    metric = metric_of(evidence, served(check.metric), confidence)
    if check.limit is None or metric is None or _too_little_of(check, evidence, metric, confidence):
        return None
    return _rule_limit(check, check.limit, metric, evidence, context, confidence)


def served(name: str) -> str:
    """The metric of the service time that holds the same statistic as the metric `name`."""
    return f"service.{name.partition('.')[2]}"


def _too_little_of(check: Check, evidence: OpenedEvidence, metric: Metric, confidence: float) -> bool:
    return _unusable(replace(check, metric=metric.name), evidence, metric, confidence) is not None


def _referred(check: Check, evidence: OpenedEvidence, context: Context) -> Iterator[OpenedEvidence]:
    """The other pieces of evidence that the limits of `check` refer to."""
    for limit in (check.limit, check.warn):
        if limit is not None and limit.reference is not None and limit.reference.artifact is not None:
            other = context.references.get(limit.reference.artifact)
            if other is not None and other is not evidence:
                yield other


def metric_of(evidence: OpenedEvidence, name: str, confidence: float) -> Metric | None:
    """Metric `name` with the narrowest interval that still has at least `confidence`, or the widest there is."""
    found = [evidence.metrics.get(name), *(metrics.get(name) for metrics in evidence.metrics_at.values())]
    known = sorted((metric for metric in found if metric is not None), key=lambda metric: metric.confidence)
    enough = (metric for metric in known if metric.confidence >= confidence - CONFIDENCE_SLACK)
    return next(enough, known[-1] if known else None)


# ── a metric that cannot be judged ───────────────────────────────────────────────────────────────────────────────


def _unusable(check: Check, evidence: OpenedEvidence, metric: Metric | None, confidence: float) -> Ruling | None:
    """Why `metric` cannot be held against any limit; None where it can."""
    if metric is None:
        return Ruling("missing", f"{evidence.file} has no {check.metric}: it was not measured.")
    if metric.estimate is None or metric.n == 0:
        return Ruling("missing", f"{check.metric} rests on nothing: {evidence.file} has no value for it.")
    if not math.isfinite(metric.estimate):
        return Ruling("inconclusive", f"{check.metric} is {_not_finite(metric.estimate)}, which is no measurement.")
    if metric.unit != check.unit:
        said = f"{check.metric} is in {metric.unit!r} in {evidence.file}, but the limit is in {check.unit!r}."
        return Ruling("inconclusive", said)
    return next(_too_little(check, evidence, metric, confidence), None)


def _too_little(check: Check, evidence: OpenedEvidence, metric: Metric, confidence: float) -> Iterator[Ruling]:
    if check.min_samples is not None and (metric.n is None or metric.n < check.min_samples):
        have = "an unknown number" if metric.n is None else f"{metric.n:,}"
        said = f"{figure(metric, evidence.kind)}: at least {check.min_samples:,} samples are asked for, not {have}."
        yield Ruling("inconclusive", said)
    facts = facts_of(check.metric, evidence.kind)
    if metric.interval is None:
        if facts is None or not facts.exact:
            said = f"{figure(metric, evidence.kind)}, without an interval: nobody can tell how sure that is."
            yield Ruling("inconclusive", said)
        return
    if span_of(metric.estimate or 0.0, metric.interval) is None:
        yield Ruling("inconclusive", f"{check.metric} comes with an interval that is none: {metric.interval}.")
    if metric.confidence < confidence - CONFIDENCE_SLACK:
        have, want = per_cent(metric.confidence), per_cent(confidence)
        said = f"an interval at {want} is asked for, the evidence was read at {have}."
        yield Ruling("inconclusive", f"{figure(metric, evidence.kind)}: {said}")


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _rule_limit(
    check: Check, limit: Limit, metric: Metric, evidence: OpenedEvidence, context: Context, confidence: float
) -> Ruling:
    span = _span(metric)
    said = figure(metric, evidence.kind)
    passing = _bound(limit, evidence, context, confidence)
    warning = _bound(check.warn, evidence, context, confidence) if check.warn else None
    stops = [bound for bound in (passing, warning) if isinstance(bound, Ruling)]
    if stops:
        return replace(worst(stops), metric=metric)
    assert isinstance(passing, Span)
    outcome = weigh(limit, span, passing)
    asked = limit.text + _comes_to(limit, passing)
    if outcome == "meets":
        return Ruling("pass", f"{said}: {_whole(metric, 'meets')} {asked}.", metric)
    if check.warn is not None and isinstance(warning, Span):
        return _rule_band(limit, check.warn, weigh(check.warn, span, warning), metric, said)
    if outcome == "violates":
        return Ruling("fail", f"{said}: {_whole(metric, 'violates')} {asked}.", metric)
    return Ruling("inconclusive", f"{said}: {_cannot_tell(metric)} {asked}.", metric)


def _rule_band(limit: Limit, warn: Limit, outcome: Outcome, metric: Metric, said: str) -> Ruling:
    """Between `pass` and `warn`: the warning limit is where failing begins."""
    if outcome == "meets":
        surely = f"it meets the warning limit {warn.text}, but not surely {limit.text}"
        return Ruling("warn", f"{said}: {surely}.", metric)
    if outcome == "violates":
        return Ruling("fail", f"{said}: {_whole(metric, 'violates')} even the warning limit {warn.text}.", metric)
    return Ruling("inconclusive", f"{said}: {_cannot_tell(metric)} {warn.text}.", metric)


def _span(metric: Metric) -> Span:
    span = span_of(metric.estimate if metric.estimate is not None else math.nan, metric.interval)
    assert span is not None, "checked by _unusable"
    return span


def _bound(limit: Limit, evidence: OpenedEvidence, context: Context, confidence: float) -> Span | Ruling:
    """What the limit demands, in base units: a number, or the span of another metric times a factor."""
    reference = limit.reference
    if reference is None:
        return Span.exact(limit.bound if limit.bound is not None else math.nan)
    other = evidence if reference.artifact is None else context.references.get(reference.artifact)
    if other is None:
        return Ruling("missing", f"{reference.artifact}, to which {limit.text} refers, was not opened.")
    stop = None if other is evidence else obstacle(other, "the reference") or _elsewhere(limit, evidence, other)
    metric = metric_of(other, reference.metric, confidence)
    if stop is None and metric is None:
        stop = Ruling("missing", f"{other.file} has no {reference.metric}, to which {limit.text} refers.")
    return stop or _reference_span(limit, metric, other, confidence)


def _elsewhere(limit: Limit, evidence: OpenedEvidence, other: OpenedEvidence) -> Ruling | None:
    """A machine's speed must not stand in for a program's: what is measured is held against the same machine."""
    here, there = evidence.environment_key, other.environment_key
    if evidence.kind != "benchmark" or (here is not None and here == there):
        return None
    where = f"({there or 'an unknown machine'}; here {here or 'unknown'})"
    said = f"{other.file}, to which {limit.text} refers, was measured on another environment {where}"
    return Ruling("inconclusive", f"{said}: measure both on one machine.")


def _reference_span(limit: Limit, metric: Metric | None, other: OpenedEvidence, confidence: float) -> Span | Ruling:
    assert metric is not None
    assert limit.reference is not None
    facts = facts_of(limit.reference.metric, other.kind)
    span = None if metric.estimate is None else span_of(metric.estimate, metric.interval)
    unsure = metric.interval is None and (facts is None or not facts.exact)
    weak = metric.interval is not None and metric.confidence < confidence - CONFIDENCE_SLACK
    if span is None or unsure or weak or metric.unit != limit.unit or metric.n == 0:
        said = f"{limit.reference.metric} of {other.file} is no figure to measure against"
        return Ruling("inconclusive", f"{said}: it has no finite value with an interval at {per_cent(confidence)}.")
    return span.times(limit.reference.factor)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _whole(metric: Metric, verb: str) -> str:
    return f"the whole interval {verb}" if metric.interval is not None else f"it {verb}"


def _cannot_tell(metric: Metric) -> str:
    if _span(metric).bounded:
        return "the interval straddles"
    return f"too few samples{_worth(metric)} to say whether it meets"


def _worth(metric: Metric) -> str:
    """`` (12,000 that hang together are worth 210)`` where values follow each other too closely to count in full."""
    if metric.n is None or metric.effective_n is None or metric.effective_n >= metric.n - 1:
        return ""
    return f" ({metric.n:,} that hang together are worth {math.floor(metric.effective_n):,})"


def _comes_to(limit: Limit, bound: Span) -> str:
    if limit.reference is None:
        return ""
    if bound.low is not None and bound.low == bound.high:
        return f" (which is {format_quantity(bound.low, limit.unit)})"
    return f" (which is {between(bound, limit.unit)})"
