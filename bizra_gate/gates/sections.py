"""``[evidence]`` and ``[policy]``: where evidence lies, what is asked of it, and what the audit asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bizra_gate import units
from bizra_gate.model import EvidenceSpec, Plan, Policy, Signers

from .measure import DAY_NS, LONGEST_NS, read_sources
from .metrics import KINDS
from .paths import path_fault, slug
from .reader import Table, did_you_mean, shown

DEFAULTS = Policy()
OLDEST_NS = 3660 * DAY_NS
ROLES = (*KINDS, "waiver", "checkpoint")
"""What the keyring lets a key sign; a role that no key can have would be met by nobody."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────


def read_evidence(document: Table, gate: str, plan: Plan | None) -> tuple[EvidenceSpec, ...]:
    """The gate's evidence: one ``[evidence]``, several named ``[[evidence]]``, or by default its own artifact."""
    value = document.data.get("evidence")
    if value is None:
        document.take("evidence")
        return (EvidenceSpec((default_artifact(gate),), sources=plan.sources if plan else ()),)
    if not isinstance(value, list):
        one = document.table("evidence")
        return (_spec(one, gate, plan, named=False),) if one is not None else ()
    tables = document.tables("evidence")
    if not tables:
        document.refuse("evidence", "at least one [[evidence]]")
    specs = tuple(_spec(table, gate, plan, named=True) for table in tables)
    _distinct(document, tables, specs)
    return specs


def default_artifact(gate: str) -> str:
    """Where `bench` puts the artifact of a gate that does not say: ``artifacts/<name>.json``."""
    return f"artifacts/{slug(gate)}.json"


def _spec(table: Table, gate: str, plan: Plan | None, *, named: bool) -> EvidenceSpec:
    name = _spec_name(table, named=named)
    kind = table.choice("kind", tuple(KINDS), "benchmark")
    artifacts = _artifacts(table, gate, named=named)
    spec = EvidenceSpec(
        artifacts=artifacts,
        kind=kind,
        name=name,
        max_age_ns=table.optional_duration_ns("max_age", low_ns=1_000_000_000, high_ns=OLDEST_NS, suffix="d"),
        signers=_signers(table, kind),
        quorum=table.optional_whole("quorum", 1, max(1, len(artifacts))),
        aggregate=table.choice("aggregate", ("worst", "merge"), "worst"),
        allow_dirty=table.flag("allow_dirty", default=False),
        same_run_as=table.texts("same_run_as"),
        environment=table.mapping("environment"),
        sources=read_sources(table, "sources") or (plan.sources if plan and kind == "benchmark" else ()),
        required=table.flag("required", default=True),
    )
    if spec.aggregate == "merge" and kind != "benchmark":
        table.refuse("aggregate", '"worst": only benchmark evidence can be merged')
    table.done()
    return spec


def _spec_name(table: Table, *, named: bool) -> str:
    if named and not table.has("name"):
        table.required_text("name", why="a name, by which checks say which evidence they read")
    name = table.optional_text("name")
    if name is not None and not _NAME.match(name):
        table.refuse("name", "letters, digits, . _ and - only")
    return name or "evidence"


def _artifacts(table: Table, gate: str, *, named: bool) -> tuple[str, ...]:
    both = table.has("artifact") and table.has("artifacts")
    if both:
        table.refuse("artifacts", "either artifact or artifacts, not both")
    single, several = table.texts("artifact"), table.texts("artifacts")
    key = "artifacts" if table.has("artifacts") and not both else "artifact"
    paths = several if key == "artifacts" else single
    for i, path in enumerate(paths):
        fault = path_fault(path)
        if fault is not None:
            where = f"{table.at(key)}[{i}]" if len(paths) > 1 else table.at(key)
            table.problems.add(where, shown(path), fault)
    if not table.has("artifact") and not table.has("artifacts"):
        if not named:
            return (default_artifact(gate),)
        table.problems.add(table.at("artifact"), "nothing", 'the artifact, for example "artifacts/bare.json"')
    elif not paths and not table.data.get(key):
        table.refuse(key, "at least one artifact: a gate on no evidence would be green for nothing")
    return paths


def _signers(table: Table, kind: str) -> Signers:
    inner = table.table("signers")
    if inner is None:
        return Signers(kind)
    role = inner.optional_text("role") or kind
    if role not in ROLES and inner.has("role"):
        inner.refuse("role", f"a role of the keyring: {', '.join(ROLES)}", did_you_mean(role, ROLES))
    signers = Signers(role, inner.whole("threshold", 1, 1, 16))
    inner.done()
    return signers


def _distinct(document: Table, tables: list[Table], specs: tuple[EvidenceSpec, ...]) -> None:
    """Each name once, and each artifact once: the same file twice is one piece of evidence, not two."""
    names: dict[str, int] = {}
    for i, (table, spec) in enumerate(zip(tables, specs, strict=True)):
        if table.has("name") and names.setdefault(spec.name, i) != i:
            table.refuse("name", f"a name of its own: evidence[{names[spec.name]}] has this one")


def repeated_artifacts(specs: tuple[EvidenceSpec, ...]) -> Iterator[str]:
    """Artifacts that a gate names more than once."""
    seen: set[str] = set()
    for path in (path for spec in specs for path in spec.artifacts):
        if path in seen:
            yield path
        seen.add(path)


# ── policy ───────────────────────────────────────────────────────────────────────────────────────────────────────


def read_policy(document: Table) -> Policy:
    """What the audit asks; what is not said is the strict default."""
    table = document.table("policy")
    if table is None:
        return DEFAULTS
    policy = Policy(
        min_duration_ns=table.duration_ns("min_duration", DEFAULTS.min_duration_ns, high_ns=LONGEST_NS),
        min_warmup_ns=table.duration_ns("min_warmup", DEFAULTS.min_warmup_ns, high_ns=LONGEST_NS),
        max_error_rate=table.ratio("max_error_rate", DEFAULTS.max_error_rate, 0.0, 1.0),
        min_runs=table.whole("min_runs", DEFAULTS.min_runs, 1, 1000),
        confidence=table.ratio("confidence", DEFAULTS.confidence, 0.8, 0.9999),
        rate_tolerance=table.ratio("rate_tolerance", DEFAULTS.rate_tolerance, 0.0, 0.5),
        max_competing_cpu=table.ratio("max_competing_cpu", DEFAULTS.max_competing_cpu, 0.0, 1.0),
        max_steal=table.ratio("max_steal", DEFAULTS.max_steal, 0.0, 1.0),
        require_steady=table.flag("require_steady", default=DEFAULTS.require_steady),
        note=table.optional_text("note"),
    )
    table.done()
    return policy


def laxer_than_default(policy: Policy) -> Iterator[str]:
    """Each way in which `policy` asks for less than the default, as it would be said in a report."""
    time = units.format_time
    for name, asked, usual in (
        ("min_duration", policy.min_duration_ns, DEFAULTS.min_duration_ns),
        ("min_warmup", policy.min_warmup_ns, DEFAULTS.min_warmup_ns),
    ):
        if asked < usual:
            yield f"{name} {time(asked)} instead of {time(usual)}"
    for name, share, default in (
        ("max_error_rate", policy.max_error_rate, DEFAULTS.max_error_rate),
        ("rate_tolerance", policy.rate_tolerance, DEFAULTS.rate_tolerance),
        ("max_competing_cpu", policy.max_competing_cpu, DEFAULTS.max_competing_cpu),
        ("max_steal", policy.max_steal, DEFAULTS.max_steal),
    ):
        if share > default:
            yield f"{name} {units.format_quantity(share, 'ratio')} instead of {units.format_quantity(default, 'ratio')}"
    if policy.confidence < DEFAULTS.confidence:
        yield f"confidence {100 * policy.confidence:g} % instead of {100 * DEFAULTS.confidence:g} %"
    if not policy.require_steady:
        yield "no steady state is asked for"
