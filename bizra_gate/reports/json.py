"""The contract's `bizra-gate/report/v1`: every field of it, then what a reader must be told besides.

A number that is not measured, not finite, or one side of an interval that does not exist, is ``null``; never NaN.
"""

from __future__ import annotations

import json
import math
from typing import Any

from ..model import Change, CheckReport, Compared, EvidenceReport, Finding, GateReport, Report, Trust
from . import neutral

SCHEMA = "bizra-gate/report/v1"


def render(report: Report) -> str:
    """The report as JSON text, two spaces, with a final newline."""
    return text(document(report))


def document(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "verdict": report.verdict,
        "grade": report.grade,
        "score": fraction(report.score),
        "exit_code": report.exit_code,
        "judged_at": report.judged_at,
        "gates": [_gate(gate) for gate in report.gates],
        "grade_reason": report.grade_reason,
        "notes": list(report.notes),
        "changes": [_change(change) for change in report.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "loosens": change.loosens,
        "file": change.file,
        "gate": change.gate,
        "where": change.where,
        "before": change.before,
        "after": change.after,
        "message": str(change),
    }


def _gate(gate: GateReport) -> dict[str, Any]:
    return {
        "name": gate.name,
        "claim": gate.claim,
        "file": gate.file,
        "sha256": gate.sha256,
        "verdict": gate.verdict,
        "score": fraction(gate.score),
        "evidence": [_evidence(item) for item in gate.evidence],
        "checks": [_check(check) for check in gate.checks],
        "notes": list(gate.notes),
    }


def _evidence(item: EvidenceReport) -> dict[str, Any]:
    audit = item.audit
    return {
        "file": item.file,
        "sha256": item.sha256,
        "kind": item.kind,
        "signed_by": list(item.signed_by or item.trust.signed_by),
        "trust": _trust(item.trust),
        "audit": None
        if audit is None
        else {"verdict": audit.verdict, "findings": [finding(found) for found in audit.findings]},
    }


def _trust(trust: Trust) -> dict[str, Any]:
    return {
        "ok": trust.ok,
        "reasons": [{"code": reason.code, "message": reason.message} for reason in trust.reasons],
    }


def finding(found: Finding) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "observed": found.observed,
        "expected": found.expected,
    }


def _check(check: CheckReport) -> dict[str, Any]:
    return {
        "id": check.id,
        "metric": check.metric,
        "unit": check.unit,
        "limit": check.limit,
        "estimate": number(check.estimate),
        "interval": interval(check.interval),
        "confidence": number(check.confidence),
        "n": check.n,
        "verdict": check.verdict,
        "severity": check.severity,
        "weight": number(check.weight),
        "reason": check.reason,
        "warn": check.warn,
        "controls": list(check.controls),
        "why": check.why,
        "owner": check.owner,
        "compared": None if check.compared is None else _compared(check.compared),
    }


def _compared(found: Compared) -> dict[str, Any]:
    return {"ratio": number(found.ratio), "interval": interval((found.low, found.high)), "margin": number(found.margin)}


def interval(sides: tuple[float | None, float | None] | None) -> list[float | int | None] | None:
    """Two sides, each null where it is unbounded; null where there is no interval."""
    return None if sides is None else [number(side) for side in sides]


def number(value: float | None) -> float | int | None:
    """A plain number: whole ones without a fraction, none for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def fraction(value: float | None) -> float | None:
    """A score: always with its point, so that 1.0 reads as one of 0.0 … 1.0."""
    return None if value is None or not math.isfinite(value) else float(value)


def text(document: dict[str, Any]) -> str:
    """Canonical layout of every JSON report; harmless on a terminal and in a log."""
    return neutral.json_text(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
