"""`verify` as SARIF 2.1.0 for code scanning: a result for each check, finding and broken trust, on the gate file.

Passes are left out: code scanning shows every result as an alert. A waived check is a suppressed result.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from ..model import CheckReport, GateReport, Report
from ..version import __version__
from . import wording
from .json import text as json_text
from .neutral import line, sarif_message

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
Level = Literal["error", "warning", "note"]
_SEVERITY: dict[str, Level] = {"invalid": "error", "insufficient": "warning", "note": "note"}
_PROMISES: dict[str, str] = {
    "report.verdict": "The report as a whole is not SHIP.",
    "report.note": "Something that a reader of the verdict must be told, such as a gate that the head changes.",
    "change.loosens": "The head asks for less than the base that judges: of a gate, the keyring or the waivers.",
    "change.changes": "The head changes a gate, the keyring or a waiver; whether it asks for less nobody can say.",
    "change.tightens": "The head asks for more than the base that judges: of a gate, the keyring or the waivers.",
    "gate.note": "Something that a reader of the gate must be told, such as a policy that is laxer than the default.",
    "check.fail": "A measured figure violates its limit over its whole interval.",
    "check.warn": "A measured figure meets its warning band and not its limit.",
    "check.inconclusive": "The limit lies inside the interval: the evidence cannot decide.",
    "check.missing": "The evidence or the metric that the check needs is missing.",
    "check.refused": "The evidence is a measurement artifact, so its figures are not judged.",
    "check.untrusted": "The evidence is not trusted, so it is not judged.",
    "check.waived": "A failing check is excused by a signed waiver.",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One alert. `key` tells it from others of its rule in the same file and stays the same from run to run."""

    rule: str
    level: Level
    message: str
    file: str
    key: str
    justification: str | None = None


def render(report: Report) -> str:
    """The report as one SARIF log with one run."""
    results = list(_results(report))
    rules = sorted({result.rule for result in results})
    marked = zip(results, _marks(results), strict=True)
    run = {
        "tool": {"driver": {"name": "bizra-gate", "version": __version__, "rules": [_rule(one) for one in rules]}},
        "automationDetails": {"id": "bizra-gate/verify/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": report.exit_code}],
        "properties": {"verdict": report.verdict, "grade": report.grade, "judgedAt": report.judged_at},
        "results": [_result(result, rules, mark) for result, mark in marked],
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json_text(log)


def _results(report: Report) -> Iterator[Result]:
    if report.verdict != "SHIP" and not report.gates:
        yield Result("report.verdict", "error", wording.headline(report), "gates", "report")
    for note in report.notes:
        yield Result("report.note", "warning", note, "gates", "report")
    for change in report.changes:
        level: Level = "note" if change.loosens is False else "warning"
        effect = wording.effect(change)
        yield Result(f"change.{effect}", level, str(change), change.file, f"{change.gate}/{change.where}")
    for gate in wording.worst_first(report):
        yield from _trust(gate)
        yield from _audit(gate)
        for check in gate.checks:
            if check.verdict != "pass":
                yield _check(gate, check)
        if gate.verdict != "SHIP" and all(check.verdict == "pass" for check in gate.checks):
            said = f"{gate.verdict}: {wording.gate_reason(gate)}"
            yield Result("report.verdict", "error", said, gate.file, gate.name)
        for note in gate.notes:
            yield Result("gate.note", "note", note, gate.file, gate.name)


def _trust(gate: GateReport) -> Iterator[Result]:
    level: Level = "warning" if gate.verdict == "SHIP" else "error"
    for item in gate.evidence:
        for reason in () if item.trust.ok else item.trust.reasons:
            yield Result(f"trust.{reason.code}", level, f"{item.file}: {reason.message}", gate.file, item.file)


def _audit(gate: GateReport) -> Iterator[Result]:
    for item in gate.evidence:
        for found in () if item.audit is None else wording.sorted_findings(item.audit.findings):
            figures = wording.figures(found)
            said = f"{item.file}: {found.message}" + (f" ({figures})" if figures else "")
            yield Result(f"audit.{found.code}", _SEVERITY[found.severity], said, gate.file, item.file)


def _check(gate: GateReport, check: CheckReport) -> Result:
    said = f"{check.metric} {wording.cell(check)}, limit {wording.limit_text(check)}: {wording.full_reason(check)}"
    excuse = check.reason if check.verdict == "waived" else None
    return Result(f"check.{check.verdict}", _level(check), said, gate.file, f"{gate.name}/{check.id}", excuse)


def _level(check: CheckReport) -> Level:
    if check.severity == "info":
        return "note"
    return "warning" if check.severity == "should" or check.verdict in ("warn", "waived") else "error"


def _rule(rule: str) -> dict[str, Any]:
    family, _, name = rule.partition(".")
    promise = _PROMISES.get(rule)
    if promise is None:
        promise = "The evidence is not trusted." if family == "trust" else f"The audit rule {name} found something."
    text = {"text": sarif_message(promise, 1000)}
    return {"id": line(rule, 200), "shortDescription": text, "fullDescription": text, "help": text}


def _marks(results: list[Result]) -> Iterator[str]:
    """A fingerprint for each result: rule, file and key, and a number where a rule speaks of one thing twice."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        key = (result.rule, result.file, result.key)
        seen[key] += 1
        yield hashlib.sha256("\0".join((*key, str(seen[key]))).encode("utf-8", "replace")).hexdigest()


def _result(result: Result, rules: list[str], mark: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": line(result.rule, 200),
        "ruleIndex": rules.index(result.rule),
        "level": result.level,
        "message": {"text": sarif_message(result.message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(result.file)},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"bizraGate/v1": mark},
    }
    if result.justification is not None:
        found["suppressions"] = [{"kind": "external", "justification": sarif_message(result.justification)}]
    return found


def uri(file: str) -> str:
    """`file` as a relative URI reference; a colon in its first segment would read as a scheme and is escaped."""
    return quote(line(file), safe="/") or "gates"
