"""A gate: a claim, how its evidence is made, and the checks that it must pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .metric import Metric
from .plan import Plan
from .quick import quick
from .report import Audit, CheckSeverity, Trust

Operator = Literal["<=", "<", ">=", ">", "==", "in"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A limit relative to something else: ``1.05 x artifacts/bare.json#latency.mean`` or ``1.2 x service.p50``."""

    factor: float
    metric: str
    artifact: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Limit:
    """``<= 1.5 ms`` parsed: operator and bound in base units. ``in [a, b]`` has both bounds.

    `text` is what the gate file says, for reports.
    """

    operator: Operator
    bound: float | None
    unit: str
    text: str
    upper: float | None = None
    """Upper end of an ``in`` range."""
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """Compare with an earlier measurement; a margin says how much worse is still acceptable."""

    ref: str
    """A file, ``git:REV``, ``last-shipped`` or ``history:N``."""
    max_regression: float
    """Relative margin as a fraction."""
    max_improvement: float = 0.5
    """An improvement beyond this fraction is flagged as too good to be true."""


@quick
@dataclass(frozen=True, slots=True)
class Check:
    id: str
    metric: str
    unit: str
    limit: Limit | None
    warn: Limit | None = None
    severity: CheckSeverity = "must"
    weight: float = 1.0
    confidence: float = 0.95
    min_samples: int | None = None
    baseline: Baseline | None = None
    controls: tuple[str, ...] = ()
    why: str | None = None
    owner: str | None = None
    evidence: str | None = None
    """Name of the evidence it reads, where a gate has several; None: the only one."""


@quick
@dataclass(frozen=True, slots=True)
class Signers:
    role: str
    threshold: int = 1


@quick
@dataclass(frozen=True, slots=True)
class EvidenceSpec:
    """Where evidence lies and what is asked of it."""

    artifacts: tuple[str, ...]
    kind: str = "benchmark"
    name: str = "evidence"
    max_age_ns: int | None = None
    signers: Signers = Signers("benchmark")
    quorum: int | None = None
    """How many of several artifacts must be present and valid; None: all."""
    aggregate: Literal["worst", "merge"] = "worst"
    allow_dirty: bool = False
    same_run_as: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    """Files whose manifest digest the evidence is bound to."""
    required: bool = True


@quick
@dataclass(frozen=True, slots=True)
class Policy:
    """What the audit asks; the defaults are the strict ones."""

    min_duration_ns: int = 120_000_000_000
    min_warmup_ns: int = 30_000_000_000
    max_error_rate: float = 0.01
    min_runs: int = 1
    confidence: float = 0.95
    rate_tolerance: float = 0.02
    """Achieved may fall short of requested by this fraction."""
    max_competing_cpu: float = 0.20
    """CPU time of other programs, as a share of all cores: a fifth of a core each is more than a scheduler hides."""
    max_steal: float = 0.02
    """Time that the hypervisor gave to others, as a share of all cores; twice what reaches into the p99 of one core."""
    require_steady: bool = True
    note: str | None = None
    """Why a policy is laxer than the default; shown in every report."""


@quick
@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    claim: str
    file: str
    sha256: str
    checks: tuple[Check, ...]
    evidence: tuple[EvidenceSpec, ...]
    policy: Policy = Policy()
    plan: Plan | None = None
    plan_digest: str | None = None
    owner: str | None = None
    family: Literal["each", "holm"] = "each"


@quick
@dataclass(frozen=True, slots=True)
class OpenedEvidence:
    """Evidence that was already opened, decoded, recomputed and audited: all that the judge may see."""

    file: str
    sha256: str | None
    kind: str
    trust: Trust
    audit: Audit | None
    metrics: Mapping[str, Metric]
    missing: bool = False
    signed_by: tuple[str, ...] = ()
    measured_by: str | None = None
    finished_at: str | None = None
    run_id: str | None = None
    made_for: str | None = None
    """The gate whose `[measure]` asked for it, by its own account."""
    environment_key: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics_at: Mapping[float, Mapping[str, Metric]] = field(default_factory=dict)
    """The same metrics with intervals at other confidences, for checks that ask for them."""
    stands_for: str | None = None
    """Of a baseline: the artifact that it is an earlier measurement of; None for evidence itself."""
