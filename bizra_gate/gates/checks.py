"""``[[check]]``: one metric against one limit, one baseline, or both."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from bizra_gate import units
from bizra_gate.model import Baseline, Check, EvidenceSpec, Limit, Policy
from bizra_gate.model.report import CheckSeverity

from .limits import LimitFault, laxness, parse_limit
from .metrics import MetricFacts, facts_of, names_of, nearest
from .paths import path_fault
from .reader import Table, did_you_mean, plain

_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}\Z")
_CONTROL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9:._/ -]{0,79}\Z")
_BASELINE = re.compile(r"^(?:git:[^\s-]\S*|last-shipped|history:[1-9]\d{0,3}|against)\Z")
BASELINE_FORMS = '"git:origin/main", "last-shipped", "history:10", "against" or an artifact\'s path'


def read_checks(document: Table, specs: Sequence[EvidenceSpec], policy: Policy) -> tuple[Check, ...]:
    """Every check of the gate; a file without any is refused, because it would be green for nothing."""
    tables = document.tables("check")
    if not tables and (not document.has("check") or document.data["check"] == []):
        expected = "at least one [[check]]: a gate that checks nothing would be green for nothing"
        document.problems.add("check", "nothing", expected)
    checks = tuple(_check(table, specs, policy) for table in tables)
    _distinct(tables, checks)
    return checks


def _check(table: Table, specs: Sequence[EvidenceSpec], policy: Policy) -> Check:
    spec = _evidence(table, specs)
    kinds = {one.kind for one in specs} if spec is None else {spec.kind}
    kind = kinds.pop() if len(kinds) == 1 else None  # else what the metric means depends on the evidence, which is told
    metric = table.required_text("metric", why="the metric that this check is about")
    facts = _facts(table, metric, kind)
    baseline = _baseline(table, facts)
    limit, warn = _limit(table, "pass", facts, kind), _limit(table, "warn", facts, kind)
    _limits_fit(table, limit, warn)
    severity: CheckSeverity = table.choice("severity", ("must", "should", "info"), "must")
    if severity == "must" and spec is not None and not spec.required:
        expected = f'"should" or "info": the evidence "{spec.name}" is not required'
        table.problems.add(table.at("severity"), '"must"', expected)
    check = Check(
        id=_id(table, metric),
        metric=metric,
        unit=facts.unit if facts else "1",
        limit=limit,
        warn=warn,
        severity=severity,
        weight=table.number("weight", 1.0, 0.0, 1000.0),
        confidence=table.ratio("confidence", policy.confidence, 0.8, 0.9999),
        min_samples=table.optional_whole("min_samples", 1, 2**53 - 1),
        baseline=baseline,
        controls=_controls(table),
        why=table.optional_text("why"),
        owner=table.optional_text("owner", longest=200),
        evidence=spec.name if spec is not None and len(specs) > 1 else None,
    )
    table.done()
    return check


def default_id(metric: str) -> str:
    """``latency.p99`` is simply ``p99``, as people say; every other metric keeps its whole name."""
    return metric.removeprefix("latency.")


def _id(table: Table, metric: str) -> str:
    given = table.optional_text("id")
    if given is not None and not _ID.match(given):
        table.refuse("id", "letters, digits, . _ / and - only, at most 80")
    return given or default_id(metric)


def _evidence(table: Table, specs: Sequence[EvidenceSpec]) -> EvidenceSpec | None:
    """The evidence that the check reads; with several, the check has to say which."""
    name = table.optional_text("evidence")
    names = [spec.name for spec in specs]
    if name is None:
        if len(specs) > 1:
            expected = "the name of one of this gate's evidence: " + ", ".join(f'"{known}"' for known in names)
            table.problems.add(table.at("evidence"), "nothing", expected)
            return None
        return specs[0] if specs else None
    if name not in names:
        expected = "the name of one of this gate's evidence: " + ", ".join(f'"{known}"' for known in names)
        table.refuse("evidence", expected, did_you_mean(name, names))
        return None
    return specs[names.index(name)]


def _facts(table: Table, metric: str, kind: str | None) -> MetricFacts | None:
    if not metric or kind is None:
        return None
    facts = facts_of(metric, kind)
    if facts is None:
        some = ", ".join(names_of(kind)[:8])
        table.refuse("metric", f'a metric of kind = "{kind}": {some} …', nearest(metric, kind))
    return facts


def _limit(table: Table, key: str, facts: MetricFacts | None, kind: str | None) -> Limit | None:
    value = table.take(key)
    if value is None:
        return None
    if not isinstance(value, str):
        _refuse_bare(table, key, value, facts)
        return None
    if facts is None or kind is None:
        return None  # without the metric's unit nothing more can be said; the metric's own problem is noted
    try:
        return parse_limit(value, facts, kind)
    except LimitFault as fault:
        table.refuse(key, fault.expected, fault.hint)
        return None


def _refuse_bare(table: Table, key: str, value: object, facts: MetricFacts | None) -> None:
    example = units.EXAMPLES[facts.unit] if facts else "1.5 ms"
    operator = ">=" if facts and facts.better == "higher" else "<="
    table.refuse(key, f'a limit as text, such as "{operator} {example}"')


def _limits_fit(table: Table, limit: Limit | None, warn: Limit | None) -> None:
    if not any(table.has(key) for key in ("pass", "baseline")):
        where = table.at("pass")
        table.problems.add(where, "nothing", 'a limit such as "<= 1.5 ms", or a baseline, or both')
    if table.has("warn") and not table.has("pass"):
        table.refuse("warn", "a pass beside it: warn is the band between passing and failing")
    if limit is not None and warn is not None:
        fault = laxness(limit, warn)
        if fault is not None:
            table.refuse("warn", fault)


def _baseline(table: Table, facts: MetricFacts | None) -> Baseline | None:
    inner = table.table("baseline")
    if inner is None:
        return None
    ref = inner.required_text("ref", why=f"what to compare with: {BASELINE_FORMS}")
    if ref and not _BASELINE.match(ref) and not _is_artifact(ref):
        inner.refuse("ref", BASELINE_FORMS, _meant(ref))
    if not inner.has("max_regression"):
        inner.problems.add(inner.at("max_regression"), "nothing", "how much worse is still acceptable", 'Write "5 %".')
    if facts is not None and facts.better == "neither":
        expected = f"no baseline: {facts.name} is neither better when lower nor when higher"
        table.problems.add(table.at("baseline"), plain(facts.name), expected)
    baseline = Baseline(
        ref=ref,
        max_regression=inner.ratio("max_regression", 0.0, 0.0, 0.999),
        max_improvement=inner.ratio("max_improvement", 0.5, 0.001, 1000.0),
    )
    inner.done()
    return baseline


def _is_artifact(ref: str) -> bool:
    """Whether `ref` is a path, and not a slip of one of the other forms: those have no folder and no suffix."""
    return path_fault(ref) is None and ":" not in ref and ("/" in ref or "." in ref)


def _meant(ref: str) -> str:
    form, colon, rest = ref.partition(":")
    if not colon:
        return did_you_mean(ref, ("last-shipped", "against"))
    near = difflib.get_close_matches(form, ("git", "history"), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}:{plain(rest)}"?' if near and near[0] != form else ""


def _controls(table: Table) -> tuple[str, ...]:
    controls = table.texts("controls")
    bad = [control for control in controls if not _CONTROL.match(control)]
    if bad:
        table.refuse("controls", 'names of controls such as "soc2:CC7.2"')
    return controls


def _distinct(tables: Sequence[Table], checks: Sequence[Check]) -> None:
    """Each id once: a waiver or a report that names one must mean one."""
    first: dict[str, int] = {}
    for i, (table, check) in enumerate(zip(tables, checks, strict=True)):
        if check.id and first.setdefault(check.id, i) != i:
            got = f'"{plain(check.id)}" again (see check[{first[check.id]}])'
            hint = "" if table.has("id") else f'Give this check an id, for example "{plain(check.id)}-strict".'
            table.problems.add(table.at("id"), got, "each id once in a gate", hint)
