"""A verdict as a SLSA Verification Summary (VSA v1), for tools that gate on such statements and not on our report."""

from __future__ import annotations

from ..attest.digest import manifest_sha256
from ..attest.instant import parse_instant
from ..attest.statement import Statement, subject
from ..attest.vsa import Reference, Verifier, verification_summary
from ..errors import UsageError
from ..model import Report
from ..version import __version__

VERIFIER = "https://bizra.dev/bizra-gate"
LEVEL = "BIZRA_GATE"


def statement(report: Report, *, commit: str | None = None, resource_uri: str | None = None) -> Statement:
    """What `report` says: its verdict about `commit` (a git revision's full hash), by its gates, from its evidence.

    Without a commit the gate files themselves are the subject. `resource_uri` names the thing that ships; a consumer
    compares it, so the default says only what is known here: the commit, or the digest of the gates.
    """
    if not report.gates:
        raise UsageError("a verdict about no gate says nothing, so no summary is written")
    policy = _policy(report)
    uri = resource_uri or (f"git:{commit}" if commit else f"sha256:{policy.sha256}")
    gates = [subject(gate.file, {"sha256": gate.sha256}) for gate in report.gates]
    return verification_summary(
        [subject("commit", {"gitCommit": commit})] if commit else gates,
        verifier=Verifier(VERIFIER, {"bizra-gate": __version__}),
        at=parse_instant(report.judged_at),
        resource_uri=uri,
        policy=policy,
        inputs=_inputs(report),
        passed=report.verdict == "SHIP",
        levels=_levels(report),
    )


def _policy(report: Report) -> Reference:
    """One gate by its digest, several by the digest of their manifest."""
    if len(report.gates) == 1:
        return Reference(report.gates[0].file, report.gates[0].sha256)
    entries = [("100644", gate.sha256, gate.file) for gate in report.gates]
    return Reference("gates", manifest_sha256(entries))


def _inputs(report: Report) -> list[Reference]:
    pieces = {piece.file: piece.sha256 for gate in report.gates for piece in gate.evidence}
    return [Reference(file, sha256) for file, sha256 in sorted(pieces.items()) if sha256 is not None]


def _levels(report: Report) -> list[str]:
    if report.verdict != "SHIP":
        return []
    return [f"{LEVEL}_SHIP", *([f"{LEVEL}_GRADE_{report.grade}"] if report.grade else [])]
