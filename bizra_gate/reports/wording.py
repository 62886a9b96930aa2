"""The words that every format shares: symbols, headlines, figures with their intervals, sentences on evidence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from ..model import Audit, Change, CheckReport, EvidenceReport, Finding, GateReport, Report
from ..model.report import PRECEDENCE, AuditVerdict, CheckVerdict, GateVerdict
from ..units import format_quantity

SYMBOLS: dict[str, str] = {
    "SHIP": "✓", "NO-SHIP": "✗", "UNDER AUDIT": "!", "UNTRUSTED": "✗", "INCONCLUSIVE": "?",
    "VALID": "✓", "INSUFFICIENT": "?", "INVALID": "✗",
    "pass": "✓", "warn": "!", "fail": "✗", "inconclusive": "?", "missing": "?", "refused": "✗", "untrusted": "✗",
    "waived": "!",
    "invalid": "✗", "insufficient": "?", "note": "!",
    "better": "✓", "worse": "✗", "same": "✓", "undecided": "?",
}  # fmt: skip
"""Verdict → symbol. The word always stands beside it: neither the symbol nor a colour carries the meaning alone."""

TONES: dict[str, str] = {"✓": "good", "✗": "bad", "?": "unsure", "!": "note"}
"""Symbol → tone, which a format maps to its colours."""


def tone(word: str) -> str:
    """The tone of a verdict: that of its symbol, but for UNDER AUDIT, which must not look like a remark."""
    return "bad" if word == "UNDER AUDIT" else TONES[SYMBOLS[word]]


CHECK_ORDER: tuple[CheckVerdict, ...] = (
    "untrusted", "refused", "fail", "missing", "inconclusive", "warn", "waived", "pass",
)  # fmt: skip
DO_NOT_SHIP = "UNDER AUDIT, do not ship"
EXTRA = "pip install 'bizra-gate[html]'"

_WORST_OF = re.compile(r"^Worst of \d+, [^:]*: ")
_CAPITALS = ("Against ", "There ", "The ", "Worst ", "Merged ", "Comparing ")
"""How the judge's sentences begin; a path is left as it is."""
_SUFFIX = re.compile(r"^(.*?\d)(/s| ?[^\d\s,.]+)$")


def worst_first(report: Report) -> list[GateReport]:
    """The gates in the order in which a reader needs them; equal verdicts keep the order of the files."""
    return sorted(report.gates, key=lambda gate: PRECEDENCE.index(gate.verdict))


def estimate(value: float | None, interval: tuple[float | None, float | None] | None, unit: str) -> str:
    """``1.92 ms [1.9, 1.95]``: the estimate with its interval, the unit said once where it is the same."""
    text = quantity(value, unit)
    span = bounds(value, interval, unit)
    return f"{text} {span}" if span else text


def bounds(value: float | None, interval: tuple[float | None, float | None] | None, unit: str) -> str:
    """``[1.9, 1.95]``, or ``[1.9, unbounded)`` where a side does not exist; empty without an interval.

    A side that needs another unit than the estimate has both sides written with theirs."""
    if interval is None or value is None or not math.isfinite(value):
        return ""
    suffix = _suffix(quantity(value, unit))
    sides = [quantity(side, unit) for side in interval if known(side)]
    if any(_suffix(side) != suffix for side in sides):
        suffix = ""
    low, high = (quantity(side, unit).removesuffix(suffix) if known(side) else "unbounded" for side in interval)
    return f"{'[' if known(interval[0]) else '('}{low}, {high}{']' if known(interval[1]) else ')'}"


def known(value: float | None) -> bool:
    """Measured and finite."""
    return value is not None and math.isfinite(value)


def quantity(value: float | None, unit: str) -> str:
    """A figure for people; ``not measured`` for None."""
    return "not measured" if value is None else format_quantity(value, unit)


def _suffix(text: str) -> str:
    found = _SUFFIX.match(text)
    return found[2] if found else ""


def count(n: int, noun: str, plural: str = "") -> str:
    """``1 check``, ``2 checks``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {plural or noun + 's'}"


def check_label(check: CheckReport) -> str:
    """The metric, with the check's own name where that says more, and its severity where it is not a must."""
    same = check.id == check.metric or check.metric.endswith(f".{check.id}")
    name = check.metric if same else f"{check.id}: {check.metric}"
    return name if check.severity == "must" else f"{name} ({check.severity})"


def limit_text(check: CheckReport) -> str:
    """What was asked of the metric."""
    return check.limit or "no limit"


def tally(gate: GateReport) -> str:
    """``2 of 3 checks pass, 1 fail``."""
    counts = Counter(check.verdict for check in gate.checks)
    rest = [f"{counts[verdict]} {verdict}" for verdict in CHECK_ORDER if verdict != "pass" and counts[verdict]]
    first = f"{counts['pass']} of {len(gate.checks)} {'check passes' if len(gate.checks) == 1 else 'checks pass'}"
    return ", ".join([first, *rest])


def plain(gate: GateReport) -> bool:
    """Whether every check simply passes."""
    return all(check.verdict == "pass" for check in gate.checks)


def totals(report: Report) -> str:
    """``2 gates, 5 checks: 4 pass, 1 fail``."""
    counts = Counter(check.verdict for gate in report.gates for check in gate.checks)
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in reversed(CHECK_ORDER) if counts[verdict]]
    said = f"{count(len(report.gates), 'gate')}, {count(counts.total(), 'check')}"
    return f"{said}: {', '.join(parts)}" if parts else said


def grade(report: Report) -> str:
    """``grade A+``, or ``no grade``."""
    return f"grade {report.grade}" if report.grade else "no grade"


def grade_reason(report: Report) -> str:
    """Why the grade is what it is, without the letter, which stands before it everywhere."""
    reason = report.grade_reason
    for known in (f"{report.grade}: ", "No grade: "):
        reason = reason.removeprefix(known)
    return reason


def verdict_words(verdict: GateVerdict) -> str:
    """The verdict as it heads a page."""
    return DO_NOT_SHIP if verdict == "UNDER AUDIT" else verdict


def headline(report: Report) -> str:
    """Why the verdict is what it is, in one line that names the gate."""
    if report.verdict == "SHIP":
        return grade_reason(report) or totals(report)
    deciding = [gate for gate in worst_first(report) if gate.verdict == report.verdict]
    if not deciding:
        return grade_reason(report) or "nothing was judged"
    more = f" (and {count(len(deciding) - 1, 'more gate')})" if len(deciding) > 1 else ""
    return f"{deciding[0].name}: {gate_reason(deciding[0])}{more}"


def gate_reason(gate: GateReport) -> str:
    """The most important reason for a gate's verdict, in one line."""
    if gate.verdict == "SHIP":
        return tally(gate)
    reasons = list(dict.fromkeys(reason for reason in (*_reasons(gate), *_referred(gate)) if reason))
    if not reasons:
        return gate.notes[0] if gate.notes else tally(gate)
    more = f" (+{len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def _reasons(gate: GateReport) -> Iterator[str]:
    if gate.verdict == "UNTRUSTED":
        untrusted = (item for item in gate.evidence if not item.trust.ok and not item.missing)
        yield from (reason.brief for item in untrusted for reason in item.trust.reasons)
    elif gate.verdict == "UNDER AUDIT":
        yield from (found.message for found in findings(gate) if found.severity == "invalid")
    elif gate.verdict == "NO-SHIP":
        yield from (failure(check) for check in gate.checks if check.verdict == "fail")
    else:
        decisive = (check for check in gate.checks if check.severity == "must")
        unsure = (check for check in decisive if check.verdict in ("missing", "inconclusive"))
        yield from (doubt(check) for check in unsure if not _told(check, gate))
        yield from (f"{item.file} is missing" for item in gate.evidence if item.missing)
        yield from (found.message for found in findings(gate) if found.severity == "insufficient")


def _told(check: CheckReport, gate: GateReport) -> bool:
    """Whether the check only repeats what is told of the evidence itself."""
    reason = _WORST_OF.sub("", check.reason, count=1)
    unfit = (item for item in gate.evidence if item.missing or item.audit is None or item.audit.verdict != "VALID")
    return reason.startswith(tuple(f"{item.file} " for item in unfit))


def _referred(gate: GateReport) -> Iterator[str]:
    """Reasons of checks whose own evidence holds, but not what they are compared with."""
    if all(item.trust.ok and (item.audit is None or item.audit.verdict != "INVALID") for item in gate.evidence):
        yield from (check.reason for check in gate.checks if check.verdict in ("untrusted", "refused"))


def findings(gate: GateReport) -> Iterator[Finding]:
    """Every finding on every piece of the gate's evidence."""
    for item in gate.evidence:
        if item.audit is not None:
            yield from sorted_findings(item.audit.findings)


def sorted_findings(found: tuple[Finding, ...]) -> list[Finding]:
    """Worst first, else as the rules gave them."""
    order = ("invalid", "insufficient", "note")
    return sorted(found, key=lambda finding: order.index(finding.severity))


def severities(found: list[Finding]) -> str:
    """``3 invalid, 2 notes``."""
    counts = Counter(finding.severity for finding in found)
    return ", ".join(count(n, severity, "" if severity == "note" else severity) for severity, n in counts.items())


def figures(found: Finding) -> str:
    """``observed 0.36 s · expected >= 120 s``; nothing of a quirk of a tool, which was not observed but is known."""
    if found.code == "source.traps":
        return ""
    said = (("observed", found.observed), ("expected", found.expected))
    return " · ".join(f"{name} {value}" for name, value in said if value)


def failure(check: CheckReport) -> str:
    """``latency.p99 is 1.92 ms, limit <= 1.5 ms``; where an earlier measurement decides, how they compare."""
    if check.baseline is not None and check.reason.startswith("Against "):
        return f"{check.metric}: a{_first_sentence(check.reason)[1:]}"
    return f"{check.metric} is {quantity(check.estimate, check.unit)}, limit {limit_text(check)}"


def doubt(check: CheckReport) -> str:
    """Why a check came to no result, in one sentence that names the metric."""
    first = _first_sentence(check.reason)
    if check.metric in first:
        return first
    start = first if not first.startswith(_CAPITALS) else first[0].lower() + first[1:]
    return f"{check.metric}: {start}"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def signers(item: EvidenceReport) -> list[str]:
    """``ci-bench SHA256:…``: owner as the keyring names it, then the fingerprint."""
    return named(item.signed_by or item.trust.signed_by, item.trust.owners)


def named(fingerprints: tuple[str, ...], owners: Mapping[str, str]) -> list[str]:
    """Each fingerprint with its owner before it, where the keyring names one."""
    return [f"{owners[one]} {one}" if one in owners else one for one in fingerprints]


def origin(item: EvidenceReport) -> str:
    """``benchmark measured by bizra-gate, finished 2026-11-20T10:02:30Z``."""
    said = f"{item.kind} evidence"
    if item.measured_by:
        said += f" measured by {item.measured_by}"
    return f"{said}, finished {item.finished_at}" if item.finished_at else said


def trust_words(item: EvidenceReport) -> tuple[str, str]:
    """Symbol and word on whether the evidence is trusted."""
    if item.missing:
        return "?", "missing"
    return ("✓", "trusted") if item.trust.ok else ("✗", "UNTRUSTED")


def audit_words(verdict: AuditVerdict | None) -> tuple[str, str]:
    """Symbol and words on an audit; None where the evidence was never opened."""
    if verdict is None:
        return "?", "not audited"
    return SYMBOLS[verdict], f"audit {verdict}"


def cell(check: CheckReport) -> str:
    """The measured figure of a check for a table; a dash where there is none (the reason says why)."""
    if check.estimate is None:
        return "—"
    return estimate(check.estimate, check.interval, check.unit)


def blind_spots(audit: Audit) -> str:
    """``2 rules lack their facts``."""
    n = len(audit.not_applicable)
    return f"{n} rule lacks its facts" if n == 1 else f"{n} rules lack their facts"


def full_reason(check: CheckReport) -> str:
    """The reason of an outcome, why the limit is there, and who owns it."""
    parts = [check.reason]
    if check.why:
        parts.append(f"Why this limit: {check.why}.")
    if check.owner:
        parts.append(f"Owner: {check.owner}.")
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


def shown_reason(check: CheckReport) -> str:
    """What stands beside a check: its reason, or for a pass how it compares with its baseline, if it has one."""
    return comparison(check) if check.verdict == "pass" else full_reason(check)


def comparison(check: CheckReport) -> str:
    """``Against git:main it is 0.99 times as much …``: how a check with a baseline compares; empty without one."""
    start = check.reason.find("Against ")
    return check.reason[start:] if check.baseline is not None and start >= 0 else ""


def reasons(checks: tuple[CheckReport, ...]) -> Iterator[str]:
    """What stands beside each check in a table: nothing for a pass, and a reason in full only where it is new."""
    last = ""
    for check in checks:
        said = shown_reason(check)
        yield "as above" if said and said == last else said
        last = said


# ── what the head changes in what judges ─────────────────────────────────────────────────────────────────────────


def effect(change: Change) -> str:
    """Which way a change goes: ``loosens``, ``tightens``, or ``changes`` where nobody can say."""
    return {True: "loosens", False: "tightens", None: "changes"}[change.loosens]


def changes_total(changes: tuple[Change, ...]) -> str:
    """``The head makes 3 changes in what judges: 1 loosens, 2 tighten.``"""
    counts = Counter(effect(change) for change in changes)
    kinds = [(counts[kind], f"{counts[kind]} {kind if counts[kind] == 1 else kind.removesuffix('s')}")
             for kind in ("loosens", "tightens")]  # fmt: skip
    said = [text for n, text in kinds if n]
    if counts["changes"]:
        said.append(f"{counts['changes']} of unknown direction")
    return f"The head makes {count(len(changes), 'change')} in what judges: {', '.join(said)}."
