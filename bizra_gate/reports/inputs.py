"""What `audit`, `show` and `compare` hand to their renderers, where the model has no noun for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..model import Audit, Measurement, Metric, Trust
from ..model.report import WORST_AUDIT, AuditVerdict

CompareVerdict = Literal["worse", "undecided", "same", "better"]
WORST_COMPARE: tuple[CompareVerdict, ...] = ("worse", "undecided", "better", "same")


@dataclass(frozen=True, slots=True)
class AuditedMeasurement:
    """One measurement with what the audit said of it. `metrics` are recomputed, keyed by name, in reading order."""

    file: str
    measurement: Measurement
    audit: Audit
    metrics: Mapping[str, Metric] = field(default_factory=dict)


def worst_verdict(audited: tuple[AuditedMeasurement, ...]) -> AuditVerdict:
    """The verdict that decides the exit code; nothing audited is INSUFFICIENT, never VALID."""
    verdicts = {one.audit.verdict for one in audited}
    return next((verdict for verdict in WORST_AUDIT if verdict in verdicts), "INSUFFICIENT")


@dataclass(frozen=True, slots=True)
class Shown:
    """One artifact for people: what `show` draws."""

    file: str
    measurement: Measurement
    metrics: Mapping[str, Metric]
    audit: Audit | None = None
    trust: Trust | None = None
    """None where nobody asked whether the signature holds."""
    sha256: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """One metric of a base and a head. `ratio` is head over base; sides of its interval may be unbounded (None)."""

    metric: str
    unit: str
    base: Metric | None
    """None: not measured there."""
    head: Metric | None
    verdict: CompareVerdict
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    base_runs: int | None = None
    head_runs: int | None = None
    needed_runs: int | None = None
    """How many more processes would decide it, where it is undecided and that can be said."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """One measurement of the base beside the same one of the head."""

    name: str
    rows: tuple[ComparedMetric, ...]
    base_audit: Audit | None = None
    head_audit: Audit | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> CompareVerdict:
        """The worst of the rows; no better than undecided where either side is a measurement artifact."""
        refused = any(audit is not None and audit.verdict == "INVALID" for audit in (self.base_audit, self.head_audit))
        return _worst({row.verdict for row in self.rows} | ({"undecided"} if refused else set()))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that `compare` says. `verdict` is the worst of the rows; what is gone or not compared is undecided."""

    base: str
    head: str
    pairs: tuple[ComparedPair, ...]
    margin: float
    """How much worse is still the same, as a fraction."""
    confidence: float = 0.95
    signatures: str = ""
    """What was looked at of the signatures, as a sentence; empty where neither side bears any."""
    notes: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Measurements of the base that the head does not have: what became of them nobody can tell."""

    @property
    def verdict(self) -> CompareVerdict:
        return _worst({pair.verdict for pair in self.pairs} | ({"undecided"} if self.gone else set()))


def _worst(verdicts: set[CompareVerdict]) -> CompareVerdict:
    return next((verdict for verdict in WORST_COMPARE if verdict in verdicts), "undecided")
