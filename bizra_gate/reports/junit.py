"""`verify` as JUnit XML: red exactly where the verdict is not SHIP.

A suite for each gate. A failed check is a failure; evidence that is missing, untrusted, not believed or undecided is
an error; a waived check is skipped, and so is one that fails without being required. Each suite ends in a case named
``verdict`` that mirrors the gate, and a suite of its own mirrors the report: no gates, or no checks, is never green.

The elements are those that both the Ant/Windy Road and the Jenkins schema know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ..model import CheckReport, EvidenceReport, GateReport, Report
from ..model.report import GateVerdict
from . import wording, wording_audit
from .neutral import markup

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
"""The schema knows neither zones nor fractions."""
Outcome = Literal["failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; `outcome` None is a pass."""

    name: str
    outcome: Outcome | None = None
    message: str = ""
    kind: str = ""


def render(report: Report) -> str:
    """The report as one `testsuites` document."""
    changes = [f"{wording.effect(change)}: {change}" for change in report.changes]
    notes = "\n".join(markup(note) for note in [*report.notes, *changes])
    whole = [_verdict(report.verdict, wording.headline(report))]
    suites = [_suite("bizra-gate", "bizra-gate", whole, report, 0, notes)]
    for at, gate in enumerate(report.gates, start=1):
        suites.append(_suite(gate.name, gate.file, list(_cases(gate)), report, at, _passed(gate)))
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>", ""])


def _verdict(verdict: GateVerdict, why: str) -> Case:
    if verdict == "SHIP":
        return Case("verdict")
    return Case("verdict", "failure" if verdict == "NO-SHIP" else "error", f"{verdict}: {why}", verdict)


def _cases(gate: GateReport) -> Iterator[Case]:
    for item in gate.evidence:
        yield from (_excused(case) if gate.verdict == "SHIP" else case for case in _evidence(item))
    for check in gate.checks:
        yield _check(check)
    yield _verdict(gate.verdict, wording.gate_reason(gate))


def _excused(case: Case) -> Case:
    """Evidence of a gate that ships may be missing where a quorum or the gate itself excuses it: told, and not red."""
    return case if case.outcome is None else replace(case, outcome="skipped", message=f"excused: {case.message}")


def _evidence(item: EvidenceReport) -> Iterator[Case]:
    trusted = f"evidence {item.file} is trusted"
    if item.trust.ok and not item.missing:
        yield Case(trusted)
    else:
        said = "; ".join(reason.message for reason in item.trust.reasons) or "not trusted, without a reason"
        yield Case(trusted, "error", said, "missing" if item.missing else "untrusted")
    if item.audit is not None:
        believed = f"evidence {item.file} is believable"
        if item.audit.verdict == "VALID":
            yield Case(believed)
        else:
            yield Case(believed, "error", wording_audit.audit_reason(item.audit), item.audit.verdict)


def _check(check: CheckReport) -> Case:
    name = f"{check.id}: {check.metric} {check.limit}"
    if check.verdict in ("pass", "warn"):
        return Case(name)
    said = f"{wording.cell(check)}: {wording.full_reason(check)}"
    if check.verdict == "waived":
        return Case(name, "skipped", said, "waived")
    if check.severity != "must":
        return Case(name, "skipped", f"{check.severity}, {check.verdict}: {said}", check.verdict)
    return Case(name, "failure" if check.verdict == "fail" else "error", said, check.verdict)


def _passed(gate: GateReport) -> str:
    """What a pass does not say: the figures, and warnings."""
    lines = [
        f"{check.id} {check.verdict}: {check.metric} {wording.cell(check)}, limit {wording.limit_text(check)}"
        for check in gate.checks
        if check.verdict in ("pass", "warn")
    ]
    return "\n".join(markup(line) for line in [*lines, *gate.notes])


def _suite(name: str, package: str, cases: list[Case], report: Report, at: int, said: str = "") -> str:
    outcomes = [case.outcome for case in cases]
    found = _STAMP.match(report.judged_at)
    stamp = found[0] if found else "1970-01-01T00:00:00"
    attributes = {
        "name": name, "package": package, "id": str(at), "timestamp": stamp, "hostname": "localhost",
        "tests": str(len(cases)), "failures": str(outcomes.count("failure")), "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")), "time": "0",
    }  # fmt: skip
    inside = [
        "<properties/>",
        *(_case(case, name) for case in cases),
        f"<system-out>{said}</system-out>",
        "<system-err></system-err>",
    ]
    return "\n".join([f"<testsuite {_attributes(attributes)}>", *inside, "</testsuite>"])


def _case(case: Case, suite: str) -> str:
    head = f"<testcase {_attributes({'classname': suite, 'name': case.name, 'time': '0'})}"
    if case.outcome is None:
        return f"{head}/>"
    if case.outcome == "skipped":
        return f"{head}><skipped {_attributes({'message': case.message})}/></testcase>"
    inner = _attributes({"message": case.message, "type": case.kind})
    return f"{head}><{case.outcome} {inner}>{markup(case.message)}</{case.outcome}></testcase>"


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f'{name}="{markup(value) or "-"}"' for name, value in values.items())
