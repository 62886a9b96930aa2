"""What a branch changes in its own gates: the judge is not in the dock.

With ``--base REF`` the gates of the base judge; what the head did to them is told apart, the loosened first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from bizra_gate.model import Baseline, Change, Check, EvidenceSpec, Gate, Limit, Policy
from bizra_gate.model.report import ChangeKind as Kind
from bizra_gate.units import format_quantity, format_time

from .limits import laxness
from .plans import plan_document
from .reader import plain

LOOSENS: Mapping[Kind, bool | None] = {
    "loosened": True,
    "removed": True,
    "changed": None,
    "added": False,
    "tightened": False,
}
"""In a gate whatever is there asks for something: what is removed is no longer asked, what is added is asked too."""
SEVERITIES = ("info", "should", "must")
NOTHING = "nothing"

T = TypeVar("T")


Difference = tuple[Kind, str, str, str]
"""kind, where, before, after"""


def diff(base: Sequence[Gate], head: Sequence[Gate]) -> tuple[Change, ...]:
    """Every difference between two sets of gates, matched by name; what is laxer in the head comes first."""
    before, after = {gate.name: gate for gate in base}, {gate.name: gate for gate in head}
    found = [
        Change(kind, gate.file, gate.name, where, plain(was), plain(now), LOOSENS[kind])
        for gate in (after.get(name) or before[name] for name in {**before, **after})
        for kind, where, was, now in _gate(before.get(gate.name), after.get(gate.name))
    ]
    return loosening_first(found)


def loosening_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    """What loosens, then what nobody can say, then what only tightens; else in the order given."""
    return tuple(sorted(changes, key=lambda change: (True, None, False).index(change.loosens)))


def _gate(base: Gate | None, head: Gate | None) -> Iterator[Difference]:
    if base is None and head is not None:
        yield "added", "", NOTHING, _gate_text(head)
    elif head is None and base is not None:
        yield "removed", "", _gate_text(base), NOTHING
    elif base is not None and head is not None:
        yield from _changed("claim", base.claim, head.claim)
        yield from _changed("owner", base.owner, head.owner)
        yield from _ordered("family", base.family, head.family, ("each", "holm").index, str)
        yield from _plan(base, head)
        yield from _policy(base.policy, head.policy)
        yield from _each("evidence", _by_name(base), _by_name(head), _evidence, _evidence_text)
        yield from _each("check", _by_id(base), _by_id(head), _check, _check_text)


def _by_id(gate: Gate) -> dict[str, Check]:
    return {check.id: check for check in gate.checks}


def _by_name(gate: Gate) -> dict[str, EvidenceSpec]:
    return {spec.name: spec for spec in gate.evidence}


def _each(
    what: str,
    base: Mapping[str, T],
    head: Mapping[str, T],
    compare: Callable[[str, T, T], Iterator[Difference]],
    text: Callable[[T], str],
) -> Iterator[Difference]:
    for key in {**base, **head}:
        where = what if key == what else f"{what} {key}"
        if key not in head:
            yield "removed", where, text(base[key]), NOTHING
        elif key not in base:
            yield "added", where, NOTHING, text(head[key])
        else:
            yield from compare(where, base[key], head[key])


# ── what is stricter than what ───────────────────────────────────────────────────────────────────────────────────


def _changed(where: str, before: object, after: object) -> Iterator[Difference]:
    """A difference that is neither stricter nor laxer by itself."""
    if before != after:
        yield "changed", where, _text(before), _text(after)


def _ordered(
    where: str, before: T, after: T, strictness: Callable[[T], float], text: Callable[[T], str]
) -> Iterator[Difference]:
    """A difference on a scale: `strictness` grows with what is asked."""
    if before != after:
        kind: Kind = "tightened" if strictness(after) > strictness(before) else "loosened"
        yield kind, where, text(before), text(after)


def _text(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(str(item) for item in value) or NOTHING
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {item}" for key, item in sorted(value.items())) or NOTHING
    if isinstance(value, float):
        return f"{value:g}"
    return NOTHING if value is None else str(value)


def _maybe_time(value: int | None) -> str:
    return "no limit" if value is None else format_time(value)


def _ratio(value: float) -> str:
    return format_quantity(value, "ratio")


def _less_is_stricter(value: float | None) -> float:
    return -float("inf") if value is None else -value


def _more_is_stricter(value: float | None) -> float:
    return -float("inf") if value is None else value


# ── the parts of a gate ──────────────────────────────────────────────────────────────────────────────────────────


def _plan(base: Gate, head: Gate) -> Iterator[Difference]:
    if base.plan is None or head.plan is None:
        if base.plan is not head.plan:
            kind: Kind = "added" if base.plan is None else "removed"
            before, after = (NOTHING if gate.plan is None else gate.plan.target for gate in (base, head))
            yield kind, "measure", before, after
        return
    yield from _ordered(
        "measure.duration", base.plan.duration_ns, head.plan.duration_ns, _more_is_stricter, format_time
    )
    was, now = plan_document(base.plan), plan_document(head.plan)
    for name in sorted({*was, *now} - {"name", "duration_ns"}):
        yield from _changed(f"measure.{name}", was.get(name), now.get(name))


def _policy(base: Policy, head: Policy) -> Iterator[Difference]:
    for name, was, now in (
        ("min_duration", base.min_duration_ns, head.min_duration_ns),
        ("min_warmup", base.min_warmup_ns, head.min_warmup_ns),
    ):
        yield from _ordered(f"policy.{name}", was, now, _more_is_stricter, format_time)
    for name, share, share_now in (
        ("max_error_rate", base.max_error_rate, head.max_error_rate),
        ("rate_tolerance", base.rate_tolerance, head.rate_tolerance),
        ("max_competing_cpu", base.max_competing_cpu, head.max_competing_cpu),
        ("max_steal", base.max_steal, head.max_steal),
    ):
        yield from _ordered(f"policy.{name}", share, share_now, _less_is_stricter, _ratio)
    yield from _ordered("policy.min_runs", base.min_runs, head.min_runs, _more_is_stricter, str)
    yield from _ordered("policy.confidence", base.confidence, head.confidence, _more_is_stricter, _ratio)
    yield from _ordered("policy.require_steady", base.require_steady, head.require_steady, float, _text)
    yield from _changed("policy.note", base.note, head.note)


def _evidence(where: str, base: EvidenceSpec, head: EvidenceSpec) -> Iterator[Difference]:
    yield from _changed(f"{where}: artifacts", base.artifacts, head.artifacts)
    yield from _changed(f"{where}: kind", base.kind, head.kind)
    yield from _changed(f"{where}: aggregate", base.aggregate, head.aggregate)
    yield from _ordered(f"{where}: max_age", base.max_age_ns, head.max_age_ns, _less_is_stricter, _maybe_time)
    yield from _changed(f"{where}: signers.role", base.signers.role, head.signers.role)
    signed = base.signers.threshold, head.signers.threshold
    yield from _ordered(f"{where}: signers.threshold", *signed, _more_is_stricter, str)
    quorums = base.quorum or len(base.artifacts), head.quorum or len(head.artifacts)
    yield from _ordered(f"{where}: quorum", *quorums, _more_is_stricter, str)
    yield from _ordered(f"{where}: allow_dirty", base.allow_dirty, head.allow_dirty, lambda on: -float(on), _text)
    yield from _ordered(f"{where}: required", base.required, head.required, float, _text)
    yield from _set(f"{where}: same_run_as", base.same_run_as, head.same_run_as, more_is_stricter=False)
    yield from _set(f"{where}: sources", base.sources, head.sources, more_is_stricter=True)
    facts = tuple(sorted(base.environment.items())), tuple(sorted(head.environment.items()))
    named = tuple(tuple(f"{name} = {value}" for name, value in side) for side in facts)
    yield from _set(f"{where}: environment", named[0], named[1], more_is_stricter=True)


def _set(
    where: str, before: tuple[str, ...], after: tuple[str, ...], *, more_is_stricter: bool
) -> Iterator[Difference]:
    """A list of which each entry asks for more (or allows more); one that only grows or only shrinks has a side."""
    old, new = set(before), set(after)
    if old == new:
        return
    kind: Kind = "changed"
    if old < new or new < old:
        kind = "tightened" if (old < new) == more_is_stricter else "loosened"
    yield kind, where, _text(before), _text(after)


def _check(where: str, base: Check, head: Check) -> Iterator[Difference]:
    yield from _changed(f"{where}: metric", base.metric, head.metric)
    yield from _changed(f"{where}: evidence", base.evidence, head.evidence)
    yield from _limit(f"{where}: pass", base.limit, head.limit)
    yield from _warn(f"{where}: warn", base.warn, head.warn)
    yield from _ordered(f"{where}: severity", base.severity, head.severity, SEVERITIES.index, str)
    yield from _changed(f"{where}: weight", base.weight, head.weight)
    yield from _ordered(f"{where}: confidence", base.confidence, head.confidence, _more_is_stricter, _ratio)
    yield from _ordered(f"{where}: min_samples", base.min_samples, head.min_samples, _more_is_stricter, _text)
    yield from _changed(f"{where}: controls", base.controls, head.controls)
    yield from _changed(f"{where}: why", base.why, head.why)
    yield from _changed(f"{where}: owner", base.owner, head.owner)
    yield from _baseline(f"{where}: baseline", base.baseline, head.baseline)


def _limit(where: str, base: Limit | None, head: Limit | None) -> Iterator[Difference]:
    """Taking a limit away loosens, adding one tightens; two limits are compared where they can be."""
    before, after = (NOTHING if limit is None else limit.text for limit in (base, head))
    if base is None or head is None:
        if base is not head:
            yield "loosened" if head is None else "tightened", where, before, after
    elif _meaning(base) != _meaning(head):
        yield _limit_change(base, head), where, before, after


def _meaning(limit: Limit) -> tuple[object, ...]:
    """A limit without its spelling: ``<= 1.5 ms`` and ``<= 1500 us`` ask for the same."""
    return limit.operator, limit.bound, limit.upper, limit.unit, limit.reference


def _limit_change(base: Limit, head: Limit) -> Kind:
    same_form = base.operator == head.operator != "==" and (base.reference is None) == (head.reference is None)
    if not same_form or _target(base) != _target(head):
        return "changed"
    if laxness(base, head) is None:
        return "loosened"
    return "tightened" if laxness(head, base) is None else "changed"


def _target(limit: Limit) -> tuple[str | None, str] | None:
    return None if limit.reference is None else (limit.reference.artifact, limit.reference.metric)


def _warn(where: str, base: Limit | None, head: Limit | None) -> Iterator[Difference]:
    """A warning band lets ship what would fail without it: adding one loosens."""
    if (base is None) != (head is None):
        kind: Kind = "loosened" if base is None else "tightened"
        before, after = (NOTHING if limit is None else limit.text for limit in (base, head))
        yield kind, where, before, after
    else:
        yield from _limit(where, base, head)


def _baseline(where: str, base: Baseline | None, head: Baseline | None) -> Iterator[Difference]:
    if base is None or head is None:
        if base is not head:
            before, after = (NOTHING if one is None else one.ref for one in (base, head))
            yield "loosened" if head is None else "tightened", where, before, after
        return
    yield from _changed(f"{where}.ref", base.ref, head.ref)
    margins = base.max_regression, head.max_regression
    yield from _ordered(f"{where}.max_regression", *margins, _less_is_stricter, _ratio)
    gains = base.max_improvement, head.max_improvement
    yield from _ordered(f"{where}.max_improvement", *gains, _less_is_stricter, _ratio)


def _gate_text(gate: Gate) -> str:
    return f"the gate {gate.name} with {len(gate.checks)} check{'s' * (len(gate.checks) != 1)}"


def _check_text(check: Check) -> str:
    limit = f" {check.limit.text}" if check.limit else ""
    return f"{check.severity} {check.metric}{limit}"


def _evidence_text(spec: EvidenceSpec) -> str:
    return f"{spec.kind} evidence in {', '.join(spec.artifacts)}"
