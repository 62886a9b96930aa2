"""`compare`: is the head worse, better, the same, or can't we tell? One pair per measurement, one row per metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .evidence.benchmark import AGAINST
from .model import Audit, Metric
from .reports.inputs import ComparedMetric, ComparedPair, CompareVerdict, Comparison

METRICS = ("throughput", "latency.mean", "latency.p50", "latency.p99", "error_rate", "cpu.per_op", "memory.peak")
MARGIN = 0.05
"""How much worse still counts as the same where nobody says."""
FEWEST_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One measurement of one side, opened and audited."""

    name: str
    metrics: Mapping[str, Metric]
    audit: Audit
    environment_key: str | None = None


def compare(
    base_name: str,
    head_name: str,
    base: Sequence[Side],
    head: Sequence[Side],
    *,
    margin: float,
    confidence: float = 0.95,
    metrics: Sequence[str] = METRICS,
) -> Comparison:
    """Pair the sides by name (or one with one) and compare each metric that either has.

    `margin` is how much worse still counts as the same, as a fraction.
    """
    partners, notes = _paired(base, head)
    return Comparison(
        base=base_name,
        head=head_name,
        pairs=tuple(_pair(one, other, margin, confidence, metrics) for one, other in partners),
        margin=margin,
        confidence=confidence,
        notes=tuple(notes),
    )


def in_turn(
    name: str,
    metrics: Mapping[str, Metric],
    audits: tuple[Audit, Audit],
    *,
    margin: float,
    confidence: float = 0.95,
    wanted: Sequence[str] = METRICS,
) -> ComparedPair:
    """One artifact with two targets that were measured in turn: the first against the second, pair by pair.

    `audits` are those of the first and of the second.
    """
    second = {key.removeprefix(AGAINST): metric for key, metric in metrics.items() if key.startswith(AGAINST)}
    first = {key: metric for key, metric in metrics.items() if not key.startswith(AGAINST)}
    return _pair(Side(name, second, audits[1]), Side(name, first, audits[0]), margin, confidence, wanted, in_turn=True)


def _paired(base: Sequence[Side], head: Sequence[Side]) -> tuple[list[tuple[Side, Side]], list[str]]:
    if len(base) == len(head) == 1:
        return [(base[0], head[0])], []
    by_name = {side.name: side for side in head}
    partners = [(side, by_name[side.name]) for side in base if side.name in by_name]
    alone = sorted({side.name for side in base} ^ {side.name for side in head})
    return partners, [f"{name} is on one side only, and was not compared" for name in alone]


def _pair(
    base: Side, head: Side, margin: float, confidence: float, metrics: Sequence[str], *, in_turn: bool = False
) -> ComparedPair:
    present = [name for name in metrics if name in base.metrics or name in head.metrics]
    rows = [_row(name, base, head, margin, confidence, in_turn=in_turn) for name in present]
    return ComparedPair(head.name, tuple(rows), base.audit, head.audit, tuple(_notes(base, head)))


def _notes(base: Side, head: Side) -> list[str]:
    if base.environment_key and head.environment_key and base.environment_key != head.environment_key:
        return [f"measured in different environments: {base.environment_key} against {head.environment_key}"]
    return []


def _row(
    name: str, base: Side, head: Side, margin: float, confidence: float, *, in_turn: bool = False
) -> ComparedMetric:
    before, after = base.metrics.get(name), head.metrics.get(name)
    known = after or before
    assert known is not None
    runs = [len(side.process_values) if side is not None else None for side in (before, after)]

    def row(verdict: CompareVerdict, reason: str, **figures: object) -> ComparedMetric:
        return ComparedMetric(
            name, known.unit, before, after, verdict, base_runs=runs[0], head_runs=runs[1], reason=reason, **figures  # type: ignore[arg-type]
        )  # fmt: skip

    obstacle = _obstacle(base, head, before, after)
    if obstacle is not None:
        return row("undecided", obstacle)
    assert before is not None
    assert after is not None
    from .stats.compare import compare_processes

    values = before.process_values, after.process_values
    paired = in_turn and len(values[0]) == len(values[1])
    found = compare_processes(*values, known.better, margin, confidence, paired=paired)
    return row(
        found.verdict,
        found.message,
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        needed_runs=found.needed_runs,
    )


def _obstacle(base: Side, head: Side, before: Metric | None, after: Metric | None) -> str | None:
    """Why nothing can be said, as a sentence; None where there is something to compare."""
    for side, metric, where in ((base, before, "base"), (head, after, "head")):
        if metric is None:
            return f"not measured in the {where}"
        if side.audit.verdict == "INVALID":
            return f"the {where} is INVALID: its numbers contradict each other"
    assert before is not None
    assert after is not None
    fewest = min(len(before.process_values), len(after.process_values))
    if fewest < FEWEST_PROCESSES:
        return "one process has no spread between processes: measure each side with --runs 5 or more"
    if before.better == "neither":
        return "neither direction of this metric is better"
    return None
