"""A report as an in-toto test result (v0.1): every check is a test, for policy engines that read such statements."""

from __future__ import annotations

from ..attest.statement import Statement, subject
from ..attest.vsa import Reference, result_of_tests
from ..errors import UsageError
from ..model import CheckReport, Report


def statement(report: Report, *, commit: str | None = None) -> Statement:
    """The checks of `report` about `commit` (a git revision's full hash; without one, about the gate files).

    A check that could not be judged is failed; a waived one, and a failed one that is only shown, is warned of.
    """
    if not report.gates:
        raise UsageError("a verdict about no gate says nothing, so no test result is written")
    gates = [subject(gate.file, {"sha256": gate.sha256}) for gate in report.gates]
    sorted_out: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for gate in report.gates:
        for check in gate.checks:
            sorted_out[_as_test(check)].append(f"{gate.name}/{check.id}")
    if report.verdict != "SHIP" and not sorted_out["failed"]:
        sorted_out["failed"].append(f"verdict/{report.verdict}")  # what keeps it from shipping is not one check
    return result_of_tests(
        [subject("commit", {"gitCommit": commit})] if commit else gates,
        configuration=[Reference(gate.file, gate.sha256) for gate in report.gates],
        passed=sorted_out["passed"],
        warned=sorted_out["warned"],
        failed=sorted_out["failed"],
    )


def _as_test(check: CheckReport) -> str:
    if check.verdict == "pass":
        return "passed"
    if check.verdict in ("warn", "waived") or check.severity == "info":
        return "warned"
    return "failed"
