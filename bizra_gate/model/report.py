"""Findings, verdicts and the report that `verify` and `audit` end in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .metric import Metric
from .quick import quick

Severity = Literal["invalid", "insufficient", "note"]
AuditVerdict = Literal["VALID", "INSUFFICIENT", "INVALID"]
CheckVerdict = Literal["pass", "warn", "fail", "inconclusive", "missing", "refused", "untrusted", "waived"]
GateVerdict = Literal["SHIP", "NO-SHIP", "UNDER AUDIT", "UNTRUSTED", "INCONCLUSIVE"]
CheckSeverity = Literal["must", "should", "info"]

EXIT_CODES: Mapping[GateVerdict, int] = {
    "SHIP": 0,
    "NO-SHIP": 1,
    "UNDER AUDIT": 3,
    "UNTRUSTED": 4,
    "INCONCLUSIVE": 5,
}
AUDIT_EXIT_CODES: Mapping[AuditVerdict, int] = {"VALID": 0, "INVALID": 3, "INSUFFICIENT": 5}
WORST_AUDIT: tuple[AuditVerdict, ...] = ("INVALID", "INSUFFICIENT", "VALID")
PRECEDENCE: tuple[GateVerdict, ...] = ("UNTRUSTED", "UNDER AUDIT", "NO-SHIP", "INCONCLUSIVE", "SHIP")
"""Worst first: 4 over 3 over 1 over 5 over 0."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule applied to an observation, with its reason. `message` is a whole sentence for a person."""

    code: str
    severity: Severity
    message: str
    observed: str = ""
    expected: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, what it looked at and found clean, and what it could not look at (code → why)."""

    verdict: AuditVerdict
    findings: tuple[Finding, ...] = ()
    clean: tuple[str, ...] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why evidence is not trusted."""

    code: str
    message: str
    short: str = ""
    """The message without its particulars, for places that only refer to it; empty where it is short already."""

    @property
    def brief(self) -> str:
        return self.short or self.message


@quick
@dataclass(frozen=True, slots=True)
class Trust:
    """Whether a signature, its key, the binding and the freshness hold."""

    ok: bool
    reasons: tuple[Reason, ...] = ()
    signed_by: tuple[str, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint → owner, as the keyring names them; for people, never for a decision."""


@quick
@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """One piece of evidence as it stood before the judge. `sha256` is None where the file is missing."""

    file: str
    sha256: str | None
    kind: str
    trust: Trust
    audit: Audit | None
    signed_by: tuple[str, ...] = ()
    measured_by: str | None = None
    """``wrk2 4.x, not by bizra-gate`` for imported evidence."""
    finished_at: str | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure over its baseline's, as means of processes. A side of the interval that does not exist is None."""

    ratio: float
    low: float | None
    high: float | None
    margin: float
    """How much worse is still accepted, as a fraction."""


@quick
@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check and its outcome."""

    id: str
    metric: str
    unit: str
    limit: str
    verdict: CheckVerdict
    reason: str
    severity: CheckSeverity = "must"
    weight: float = 1.0
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None
    confidence: float = 0.95
    n: int | None = None
    warn: str | None = None
    baseline: Metric | None = None
    compared: Compared | None = None
    controls: tuple[str, ...] = ()
    why: str | None = None
    owner: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class GateReport:
    name: str
    claim: str
    file: str
    sha256: str
    verdict: GateVerdict
    score: float | None
    evidence: tuple[EvidenceReport, ...]
    checks: tuple[CheckReport, ...]
    notes: tuple[str, ...] = ()


ChangeKind = Literal["loosened", "removed", "changed", "added", "tightened"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the base and the head in what judges: a gate, the keyring or a waiver."""

    kind: ChangeKind
    file: str
    gate: str | None
    """The gate that it concerns; None for the keyring."""
    where: str
    """The key within the file, empty where it is about the whole."""
    before: str
    after: str
    loosens: bool | None = None
    """Whether less is asked in the head than in the base; None where nobody can say."""

    @property
    def is_new_gate(self) -> bool:
        """Whether the head has a gate here that the base does not have at all; the keyring is about none."""
        return self.kind == "added" and not self.where and self.gate is not None and self.file.endswith(".toml")

    def __str__(self) -> str:
        place = f"{self.file}: {self.where}" if self.where else self.file
        if self.kind in ("added", "removed"):
            return f"{place} is {self.kind}: {self.after if self.kind == 'added' else self.before}."
        return f"{place} is {self.kind}: {self.before} → {self.after}."


@dataclass(frozen=True, slots=True)
class Report:
    """The end of the line: what `verify` says, in every format."""

    verdict: GateVerdict
    grade: str | None
    grade_reason: str
    score: float | None
    exit_code: int
    judged_at: str
    gates: tuple[GateReport, ...]
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    """What the head changes in gates, keyring and waivers against the base that judges; what loosens comes first."""
