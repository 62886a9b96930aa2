"""A metric against an earlier measurement: no worse than a margin, on the means of processes.

A baseline that is missing, unsigned, stale, invalid or from another environment is never a pass, and neither is an
improvement that is too good to be true. The statistic itself is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

from bizra_gate.model import Baseline, Check, Compared, Metric, OpenedEvidence
from bizra_gate.model.metric import Better, slack_of
from bizra_gate.units import format_quantity

from .admit import run_of
from .metrics import AGAINST, facts_of
from .rulings import Ruling, obstacle, worst

FEWEST_PROCESSES = 2
"""One process has no spread between processes, and so no interval."""


class Comparison(Protocol):
    """HEAD against BASE as a ratio of means (head / base), its interval, and whether HEAD is no worse than a margin."""

    @property
    def ratio(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def regression(self) -> Literal["pass", "fail", "inconclusive"]: ...
    @property
    def regression_runs(self) -> int | None: ...


class Compare(Protocol):
    """``stats.compare.compare_processes``, or something that answers as it does."""

    def __call__(
        self,
        base: Sequence[float],
        head: Sequence[float],
        better: Better,
        margin: float,
        confidence: float = 0.95,
        *,
        paired: bool = False,
        slack: float = 0.0,
    ) -> Comparison: ...


def rule_baseline(
    check: Check,
    baseline: Baseline,
    metric: Metric,
    evidence: OpenedEvidence,
    earlier: Sequence[OpenedEvidence],
    compare: Compare | None,
    confidence: float,
) -> Ruling:
    """Whether `metric` is no worse than the baseline by more than its margin."""
    within = _within(baseline)
    sources: Sequence[OpenedEvidence] = (evidence,) if within else _window(baseline, evidence, earlier)
    stop = _unfit(baseline, evidence, sources, within=within)
    if stop is not None:
        return stop
    left_out = "" if within else _left_out(evidence, earlier, sources)
    if not within:
        sources = [source for source in distinct(sources) if not same_run(source, evidence)]
        if not sources:
            return _itself(baseline)
    name = f"{AGAINST}{check.metric}" if within else check.metric
    found = [source.metrics.get(name) for source in sources]
    base = pooled([one for one in found if one is not None], name)
    if base is None or None in found:
        return Ruling("missing", f"{_named(baseline, 'T')} has no {check.metric}, so nothing can be compared.")
    values = base.process_values
    if compare is None or not _comparable(values) or not _comparable(metric.process_values):
        return Ruling("inconclusive", _too_few(baseline, values, metric.process_values), baseline=base)
    facts = facts_of(check.metric, evidence.kind)
    better: Better = facts.better if facts else metric.better
    paired = within and len(values) == len(metric.process_values)
    margin, slack = baseline.max_regression, slack_of(base, metric)
    comparison = compare(values, metric.process_values, better, margin, confidence, paired=paired, slack=slack)
    ruling = _decide(baseline, better, comparison, base, metric, _which(baseline, sources))
    return replace(ruling, reason=f"{ruling.reason}{left_out}")


def _which(baseline: Baseline, sources: Sequence[OpenedEvidence]) -> str:
    """``, of git:0123456789ab`` where the reference itself does not say which version it comes to."""
    named = baseline.ref == "last-shipped" and len(sources) == 1 and sources[0].file.startswith("git:")
    return f", of {':'.join(sources[0].file.split(':')[:2])}" if named else ""


def _left_out(evidence: OpenedEvidence, earlier: Sequence[OpenedEvidence], used: Sequence[OpenedEvidence]) -> str:
    """What fell out of a window of history and why the first of it did; empty where nothing did."""
    out = [piece for piece in earlier if piece not in used]
    if not out:
        return ""
    stop = obstacle(out[0], "the version")
    why = stop.reason if stop else f"{out[0].file} was measured on another environment than {evidence.file}."
    return f" Left out of the window: {len(out)} of {len(earlier)} versions; {why}"


def _within(baseline: Baseline) -> bool:
    """Whether the baseline was measured in turn with what is judged, and lies in the same artifact."""
    return baseline.ref == AGAINST.rstrip(".")


def _named(baseline: Baseline, the: str = "t") -> str:
    return f"{the}he second target" if _within(baseline) else f"{the}he baseline {baseline.ref}"


def _window(
    baseline: Baseline, evidence: OpenedEvidence, earlier: Sequence[OpenedEvidence]
) -> Sequence[OpenedEvidence]:
    """The pieces to compare with. A window of history is what can be believed of it, and was measured here.

    Old artifacts fall out of a window when their keys expire or the machine is replaced; where nothing is left, all
    of it stays, so that the reason is told.
    """
    if not baseline.ref.startswith("history:"):
        return earlier
    here = evidence.environment_key
    fit = [piece for piece in earlier if obstacle(piece) is None and here is not None and piece.environment_key == here]
    return fit or earlier


def _unfit(
    baseline: Baseline, evidence: OpenedEvidence, sources: Sequence[OpenedEvidence], *, within: bool
) -> Ruling | None:
    """Why the baseline cannot be compared with at all; None where it can."""
    if within:
        return None
    if not sources or all(source.missing for source in sources):
        return Ruling("missing", _none_found(baseline, sources))
    stops = [stop for stop in (obstacle(source, "The baseline") for source in sources) if stop is not None]
    if stops:
        stop = worst(stops)
        return replace(stop, reason=f"{stop.reason} {_another(baseline)}")
    here = evidence.environment_key
    others = {source.environment_key for source in sources}
    if here is None or others != {here}:
        other = next((key or "an unknown machine" for key in others if key != here), "an unknown machine")
        said = f"The baseline {baseline.ref} was measured on another environment ({other}; here {here or 'unknown'})"
        return Ruling("inconclusive", f"{said}: measure both on one machine.")
    return None


def _another(baseline: Baseline) -> str:
    """What to do about a baseline that does not hold."""
    looked_up = baseline.ref.startswith(("git:", "history:")) or baseline.ref == "last-shipped"
    where = "let it reach the base" if looked_up else f"put it at {baseline.ref}"
    return f"Measure a new baseline and {where}, or name another in baseline.ref."


def _none_found(baseline: Baseline, sources: Sequence[OpenedEvidence]) -> str:
    """Nobody can be no worse than nothing; what to do about it comes from the room that looked."""
    reasons = [reason.message for source in sources for reason in source.trust.reasons]
    why = reasons[0].removesuffix(".") if reasons else "nothing was found there"
    return f"There is no baseline {baseline.ref}: {why}."


def distinct(sources: Sequence[OpenedEvidence]) -> list[OpenedEvidence]:
    """Each run once: one that is counted twice looks more certain than it is."""
    runs = {run_of(source) or source.file: source for source in reversed(sources)}
    return list(reversed(runs.values()))


def same_run(one: OpenedEvidence, other: OpenedEvidence) -> bool:
    """Whether both pieces of evidence record one and the same run."""
    run = run_of(one)
    return run is not None and run == run_of(other)


def _itself(baseline: Baseline) -> Ruling:
    """The baseline is the very run that is judged: on a branch that measured nothing new, that is no regression.

    A file named as the baseline is another matter: somebody put the run there to be compared with itself.
    """
    if baseline.ref.startswith(("git:", "history:")) or baseline.ref == "last-shipped":
        return Ruling("pass", f"This evidence is the baseline {baseline.ref} itself: nothing was measured since.")
    return Ruling("inconclusive", f"The baseline {baseline.ref} is the very run that it should judge.")


def pooled(metrics: Sequence[Metric], name: str) -> Metric | None:
    """One metric for a baseline of several measurements: all their processes side by side."""
    if len(metrics) <= 1:
        return metrics[0] if metrics else None
    values = tuple(value for metric in metrics for value in metric.process_values)
    first = metrics[0]
    mean = math.fsum(values) / len(values) if values else None
    coarse = max(metric.resolution for metric in metrics)
    return Metric(name, first.unit, first.better, mean, n=len(values), process_values=values, resolution=coarse)


def _comparable(values: Sequence[float]) -> bool:
    """At least two processes, each with a finite value above zero: the comparison works on logarithms."""
    return len(values) >= FEWEST_PROCESSES and all(math.isfinite(value) and value > 0 for value in values)


def _too_few(baseline: Baseline, base: Sequence[float], head: Sequence[float]) -> str:
    if base and head and min(*base, *head) <= 0:
        said = f"{_named(baseline, 'T')} or this evidence has processes with a value of 0, and 0 has no ratio"
        return f"{said}: give this metric an absolute limit instead."
    need = f"at least {FEWEST_PROCESSES} processes with a value above zero on each side"
    said = f"{_processes(base)} in {_named(baseline)}, {_processes(head)} here"
    return f"Comparing needs {need}, and there are {said}: measure with more runs."


def _processes(values: Sequence[float]) -> str:
    return f"{len(values)} process" + ("" if len(values) == 1 else "es")


def _decide(
    baseline: Baseline, better: Better, comparison: Comparison, base: Metric, head: Metric, which: str
) -> Ruling:
    """The comparison's own three outcomes, unless it has no interval or is too good to be true."""
    ratio, bounds = comparison.ratio, (comparison.low, comparison.high)
    if ratio is None or not math.isfinite(ratio) or better == "neither":
        return Ruling("inconclusive", f"The comparison with {_named(baseline)} gives no ratio.", baseline=base)
    said = _said(baseline, comparison, base, head, which)
    margin = format_quantity(baseline.max_regression, "ratio")
    gain = 1 - ratio if better == "lower" else ratio - 1
    if any(side is None or math.isnan(side) for side in bounds):
        return Ruling("inconclusive", f"{said}: without an interval nobody can tell.", baseline=base)
    compared = Compared(ratio, *bounds, baseline.max_regression)
    if gain > baseline.max_improvement:
        return Ruling("inconclusive", f"{said}: {_too_good(baseline)}", baseline=base, compared=compared)
    if comparison.regression == "pass":
        return Ruling("pass", f"{said}: surely no more than {margin} worse.", baseline=base, compared=compared)
    if comparison.regression == "fail":
        return Ruling("fail", f"{said}: surely more than {margin} worse.", baseline=base, compared=compared)
    reason = f"{said}: it could be more than {margin} worse or not{_advice(comparison.regression_runs)}."
    return Ruling("inconclusive", reason, baseline=base, compared=compared)


def _advice(more: int | None) -> str:
    """How many further runs would decide, as far as that can be said."""
    if more is None:
        return ", and it is too near the margin for more runs to decide"
    return f"; about {more} more run{'s' * (more != 1)} would decide it" if more else ""


def _said(baseline: Baseline, comparison: Comparison, base: Metric, head: Metric, which: str) -> str:
    low, high = ("unknown" if side is None else f"{side:.4g}" for side in (comparison.low, comparison.high))
    counts = f"{_processes(head.process_values)} against {len(base.process_values)}{which}"
    if _within(baseline):
        counts = f"{len(base.process_values)} runs of each in turn"
    other = "the second target" if _within(baseline) else baseline.ref
    return f"Against {other} it is {comparison.ratio:.4g} times as much (interval {low} to {high}, {counts})"


def _too_good(baseline: Baseline) -> str:
    limit = format_quantity(baseline.max_improvement, "ratio")
    return (
        f"an improvement of more than {limit} is too good to be true until somebody says why; "
        "if it is real, raise max_improvement or ship a new baseline."
    )
