"""`compare`: is the head worse, better, the same, or can't we tell? One pair per measurement, one row per metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .errors import UsageError
from .evidence.benchmark import AGAINST
from .gates.metrics import facts_of, nearest
from .model import Audit, Metric
from .model.metric import Better, percentile_of, slack_of
from .reports.inputs import ComparedMetric, ComparedPair, CompareVerdict, Comparison
from .sides import Side

METRICS = ("throughput", "latency.mean", "latency.p50", "latency.p99", "error_rate", "cpu.per_op", "memory.peak")
MARGIN = 0.05
"""How much worse still counts as the same where nobody says."""
FEWEST_PROCESSES = 2
TOO_GOOD = 0.5
"""As `max_improvement` of a gate's baseline where it says nothing."""
KIND = "benchmark"


def compare(
    base_name: str,
    head_name: str,
    base: Sequence[Side],
    head: Sequence[Side],
    *,
    margin: float,
    confidence: float = 0.95,
    metrics: Sequence[str] = (),
    signatures: str = "",
    notes: Sequence[str] = (),
) -> Comparison:
    """Pair the sides by name (or one with one) and compare `metrics`, or of the usual ones those that either has.

    `margin` is how much worse still counts as the same, as a fraction; `signatures` and `notes` are what whoever read
    the sides has to say. Raises `UsageError` on a metric that there is not.
    """
    for name in metrics:
        if facts_of(name, KIND) is None:
            raise UsageError(f"--metric: {name!r} is no metric of a benchmark", hint=nearest(name, KIND))
    partners = _paired(base, head)
    gone, new = (_alone(side, partners, at) for at, side in enumerate((base, head)))
    return Comparison(
        base=base_name,
        head=head_name,
        pairs=tuple(_pair(one, other, margin, confidence, metrics or _usual(one, other)) for one, other in partners),
        margin=margin,
        confidence=confidence,
        signatures=signatures,
        notes=(
            *notes,
            *(f"{name} is gone from the head: nobody can tell how it does now" for name in gone),
            *(f"{name} is new in the head: there is nothing to compare it with" for name in new),
        ),
        gone=gone,
    )


def percentiles(metrics: Sequence[str]) -> tuple[float, ...]:
    """The percentiles (0 < p < 100) that `metrics` speak of."""
    found = (percentile_of(name.partition(".")[2]) for name in metrics)
    return tuple(sorted({p for p in found if p is not None}))


def in_turn(
    name: str,
    metrics: Mapping[str, Metric],
    audits: tuple[Audit, Audit],
    *,
    margin: float,
    confidence: float = 0.95,
) -> ComparedPair:
    """One artifact with two targets that were measured in turn: the first against the second, pair by pair.

    `audits` are those of the first and of the second.
    """
    bare = {key: key.removeprefix(AGAINST) for key in metrics if key.startswith(AGAINST)}
    second = {name: replace(metrics[key], name=name) for key, name in bare.items()}
    first = {key: metric for key, metric in metrics.items() if key not in bare}
    base, head = Side(name, second, audits[1]), Side(name, first, audits[0])
    return _pair(base, head, margin, confidence, _usual(base, head), in_turn=True)


def _usual(base: Side, head: Side) -> list[str]:
    known = [name for name in METRICS if name in base.metrics or name in head.metrics]
    return [name for name in known if not (_of_one_value(base, name) and _of_one_value(head, name))]


def _of_one_value(side: Side, name: str) -> bool:
    """Whether each process of `side` is a single operation, which has a mean and no percentile of its own."""
    is_percentile = percentile_of(name.partition(".")[2]) is not None
    return is_percentile and _processes(side, "latency.mean") >= FEWEST_PROCESSES > _processes(side, name)


def _processes(side: Side, name: str) -> int:
    """How many processes have a value of metric `name`; one that was measured by a single process has that one."""
    metric = side.metrics.get(name)
    return 0 if metric is None else max(1, len(metric.process_values))


def _paired(base: Sequence[Side], head: Sequence[Side]) -> list[tuple[Side, Side]]:
    """One with one whatever they are called, several by their names."""
    if len(base) == len(head) == 1:
        return [(base[0], head[0])]
    by_name = {side.name: side for side in head}
    return [(side, by_name[side.name]) for side in base if side.name in by_name]


def _alone(sides: Sequence[Side], partners: Sequence[tuple[Side, Side]], at: int) -> tuple[str, ...]:
    """The names of those `sides` that have no partner; `at` is their place in a pair."""
    paired = {pair[at].name for pair in partners}
    return tuple(sorted({side.name for side in sides} - paired))


def _pair(
    base: Side, head: Side, margin: float, confidence: float, metrics: Sequence[str], *, in_turn: bool = False
) -> ComparedPair:
    rows = [_row(name, base, head, margin, confidence, in_turn=in_turn) for name in metrics]
    notes = (*_notes(base, head), *_too_good(rows))
    name = head.name if head.name == base.name else f"{head.name} against {base.name}"
    return ComparedPair(name, tuple(rows), base.audit, head.audit, notes)


def _notes(base: Side, head: Side) -> Iterator[str]:
    for where, side in (("base", base), ("head", head)):
        if side.untrusted is not None:
            yield f"the {where} is not trusted: {side.untrusted}"
        yield from (f"{where}: {note}" for note in side.notes)
    both = base.identities & head.identities
    if both and base.identities == head.identities:
        yield "both sides are one and the same run: it is compared with itself"
    elif both:
        yield f"{len(both)} of the runs stand on both sides: compared with themselves they are the same"
    if base.target and head.target and base.target != head.target:
        yield f"different targets ({base.target} against {head.target}): a difference may be theirs"
    if apart := _apart(base.setup, head.setup):
        yield f"measured under different load ({apart}): a difference may be the load's"
    if apart := _apart(base.environment, head.environment):
        yield f"measured in different environments ({apart}): a difference may be the machine's"


def _apart(base: Mapping[str, str], head: Mapping[str, str]) -> str:
    """``cores 2 against 4``: what both know and do not agree on."""
    return ", ".join(
        f"{name} {base[name]} against {head[name]}" for name in base if base[name] != head.get(name, base[name])
    )


def _too_good(rows: Sequence[ComparedMetric]) -> Iterator[str]:
    """An improvement beyond what a gate would take without a question."""
    names = [row.metric for row in rows if row.verdict == "better" and row.ratio and _gain(row) > TOO_GOOD]
    if names:
        said = f"better by more than {TOO_GOOD:.0%} in {', '.join(names)}".replace("%", " %")
        yield f"{said}: too good to be true until somebody says why"


def _gain(row: ComparedMetric) -> float:
    facts, ratio = facts_of(row.metric, KIND), row.ratio or 1.0
    return ratio - 1 if facts is not None and facts.better == "higher" else 1 - ratio


def _row(
    name: str, base: Side, head: Side, margin: float, confidence: float, *, in_turn: bool = False
) -> ComparedMetric:
    before, after = base.metrics.get(name), head.metrics.get(name)
    facts = facts_of(name, KIND)
    assert facts is not None
    runs = [_processes(side, name) or None for side in (base, head)]

    def row(verdict: CompareVerdict, reason: str, **figures: object) -> ComparedMetric:
        return ComparedMetric(
            name, facts.unit, before, after, verdict, base_runs=runs[0], head_runs=runs[1], reason=reason, **figures  # type: ignore[arg-type]
        )  # fmt: skip

    obstacle = _obstacle(base, head, before, after)
    if obstacle is not None:
        return row("undecided", obstacle)
    assert before is not None
    assert after is not None
    values = before.process_values, after.process_values
    if facts.unit == "ratio" and min(*values[0], *values[1]) <= 0:
        return row(*_shares(before, after, facts.better, margin))
    from .stats.compare import compare_processes

    paired = in_turn and len(values[0]) == len(values[1])
    found = compare_processes(*values, facts.better, margin, confidence, paired=paired, slack=slack_of(before, after))
    if found.ratio is not None:
        before, after = _between(before, confidence), _between(after, confidence)
    return row(
        found.verdict,
        found.message,
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        needed_runs=found.needed_runs,
    )


def _between(metric: Metric, confidence: float) -> Metric:
    """`metric` as the mean over its processes, which is what is compared: head over base is then the ratio beside it.

    Percentiles of all operations together are another figure, and can even move the other way.
    """
    from .stats.compare import center

    mean, low, high = center(metric.process_values, confidence)
    return replace(metric, estimate=mean, interval=(low, high), confidence=confidence)


def _shares(before: Metric, after: Metric, better: Better, margin: float) -> tuple[CompareVerdict, str]:
    """Shares of which a process had none have no ratio: their intervals are set against each other.

    Two intervals that do not touch differ at less than the error rate of either.
    """
    if before.estimate == after.estimate == 0:
        return "same", "none on either side"
    (low, high), (low_after, high_after) = (side.interval or (None, None) for side in (before, after))
    above = None not in (high, low_after) and (low_after or 0.0) > (high or 0.0) * (1 + margin)
    below = None not in (low, high_after) and (high_after or 0.0) < (low or 0.0) * (1 - margin)
    if not above and not below:
        return "undecided", "a share of nothing has no ratio, and the intervals of both sides overlap"
    word: CompareVerdict = "worse" if (above if better == "lower" else below) else "better"
    return word, "the intervals of both sides lie apart by more than the margin"


def because(audit: Audit) -> str:
    """The rules that refuse a measurement, by their codes."""
    return ", ".join(dict.fromkeys(found.code for found in audit.findings if found.severity == "invalid"))


def _obstacle(base: Side, head: Side, before: Metric | None, after: Metric | None) -> str | None:
    """Why nothing can be said, as a sentence; None where there is something to compare."""
    for side, metric, where in ((base, before, "base"), (head, after, "head")):
        if metric is None:
            return f"not measured in the {where}"
        if side.audit.verdict == "INVALID":
            return f"the {where} is INVALID: {because(side.audit)}"
    assert before is not None
    assert after is not None
    alone = [side for side in (base, head) if _processes(side, before.name) < FEWEST_PROCESSES]
    if alone:
        which = "each side" if len(alone) > 1 else f"the {'base' if alone[0] is base else 'head'}"
        return _too_few(before.name, alone, which)
    if before.better == "neither":
        return "neither direction of this metric is better"
    return None


def _too_few(name: str, alone: Sequence[Side], which: str) -> str:
    """Why single processes cannot be compared, and what to do about it."""
    more = f"for {which} give a folder with the outputs of 5 runs or more"
    if any(_of_one_value(side, name) for side in alone):
        return f"a process of one operation has no percentile of its own: compare latency.mean, or {more}"
    if any(side.foreign for side in alone):
        return f"one run has no spread between runs: {more}"
    return f"one process has no spread between processes: measure {which} in 5 or more (bench: --runs 5)"
