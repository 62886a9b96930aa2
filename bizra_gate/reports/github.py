"""`verify` for GitHub Actions: annotations on the gate files, and a step summary.

GitHub shows ten annotations of a kind for a step, so the worst come first and the first of all is the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..model import CheckReport, GateReport, Report
from . import markdown, wording
from .neutral import annotation, annotation_property

Command = Literal["error", "warning", "notice"]
SUMMARY_BYTES = 900_000
"""A step summary may be 1 MiB long."""
_FIELD = 1_000
_LOUD = ("fail", "refused", "untrusted", "missing", "inconclusive")


def render(report: Report) -> str:
    """One workflow command a line."""
    return "".join(f"{line}\n" for line in _lines(report))


def step_summary(report: Report) -> str:
    """Markdown for the file that ``GITHUB_STEP_SUMMARY`` names; append it."""
    return markdown.render(report, SUMMARY_BYTES)


def _lines(report: Report) -> Iterator[str]:
    kind: Command = "notice" if report.verdict == "SHIP" else "error"
    title = f"bizra-gate: {wording.verdict_words(report.verdict)}, {wording.grade(report)}"
    yield command(kind, wording.headline(report), title)
    for note in report.notes:
        yield command("warning", note, "bizra-gate: note")
    for change in report.changes:
        said = f"bizra-gate: the head {wording.effect(change)} what judges it"
        yield command("notice" if change.loosens is False else "warning", str(change), said, change.file)
    gates = wording.worst_first(report)
    for gate in gates:
        yield from _gate(gate)
    for gate in gates:
        for note in gate.notes:
            yield command("notice", note, f"{gate.name}: note", gate.file)


def _gate(gate: GateReport) -> Iterator[str]:
    loud: Command = "warning" if gate.verdict == "SHIP" else "error"  # what a quorum excuses is no error
    for item in gate.evidence:
        if not item.trust.ok:
            for reason in item.trust.reasons:
                title = "evidence missing" if item.missing else "evidence not trusted"
                yield command(loud, reason.message, f"{gate.name}: {title}", gate.file)
        for found in () if item.audit is None else wording.sorted_findings(item.audit.findings):
            if found.severity != "note":
                kind: Command = loud if found.severity == "invalid" else "warning"
                said = ". ".join(part for part in (found.message.rstrip("."), wording.figures(found)) if part)
                yield command(kind, said, f"{gate.name}: {found.code} ({found.severity})", gate.file)
    for check in sorted(gate.checks, key=lambda check: wording.CHECK_ORDER.index(check.verdict)):
        if check.verdict != "pass":
            yield command(_kind(check), _message(check), f"{gate.name}: {check.id} {check.verdict}", gate.file)


def _kind(check: CheckReport) -> Command:
    if check.verdict == "waived" or check.severity == "info":
        return "notice"
    return "error" if check.verdict in _LOUD and check.severity == "must" else "warning"


def _message(check: CheckReport) -> str:
    if check.estimate is None:
        return f"{check.metric}, limit {wording.limit_text(check)}: {wording.full_reason(check)}"
    return f"{check.metric} {wording.cell(check)}, limit {wording.limit_text(check)}: {wording.full_reason(check)}"


def command(kind: Command, message: str, title: str, file: str = "") -> str:
    """``::error file=…,title=…::message`` with everything escaped."""
    properties = [f"file={annotation_property(file, _FIELD)}"] if file else []
    properties.append(f"title={annotation_property(title, 200)}")
    return f"::{kind} {','.join(properties)}::{annotation(message, _FIELD)}"
