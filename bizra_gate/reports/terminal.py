"""`verify` for people: verdict, grade and reason in the first line, then each gate, the worst one first."""

from __future__ import annotations

from itertools import groupby

from rich.text import Text

from ..model import Audit, Change, CheckReport, EvidenceReport, Finding, GateReport, Report
from . import wording
from .terminal_page import Page, fit, longest_word

FEW = 20
"""Up to so many gates each is told in full, also those that pass."""
MOST = 50
"""Most gates that are told in full where there are many."""
LABEL = 10
"""Cells of the column of labels (Claim, Evidence, …)."""


def render(report: Report, width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """The report as a page `width` cells wide; `unicode` False keeps to ASCII."""
    page = Page(width, color, unicode)
    _head(page, report)
    gates = wording.worst_first(report)
    if len(gates) > 1:
        _overview(page, gates)
    told = _told(gates)
    for gate in told:
        _gate(page, gate)
    if len(told) < len(gates):
        page.blank()
        left = wording.count(len(gates) - len(told), "gate")
        page.say(f"{left} above without details here; --format json, html or junit has them all.", indent=2)
    return page.text()


def _told(gates: list[GateReport]) -> list[GateReport]:
    """The gates that are told in full: all of a few; of many those that a reader must look into, up to a bound."""
    if len(gates) <= FEW:
        return gates
    return [gate for gate in gates if gate.verdict != "SHIP" or not wording.plain(gate)][:MOST]


def _head(page: Page, report: Report) -> None:
    why = wording.headline(report)
    reason = wording.grade_reason(report)
    verdict = page.verdict(report.verdict, wording.verdict_words(report.verdict))
    page.put(Text.assemble(verdict, page.words(f" · {wording.grade(report)} · {why}")), hang=2)
    page.say((f"{wording.totals(report)} · judged {report.judged_at} · exit code {report.exit_code}", "dim"), indent=2)
    if reason and reason != why:
        page.say((report.grade_reason, "dim"), indent=2)
    for note in report.notes:
        page.say(f"! {note}", indent=2, hang=2)
    _changes(page, report.changes)


def _changes(page: Page, changes: tuple[Change, ...]) -> None:
    """What the head changes in what judges, what loosens first and marked."""
    if changes:
        page.say(f"! {wording.changes_total(changes)}", indent=2, hang=2)
    for change in changes:
        loose = change.loosens is True
        lead = page.words(("! loosens", "bad")) if loose else Text(f"  {wording.effect(change)}")
        page.item(lead, page.words(str(change)), 4, 12)


def _overview(page: Page, gates: list[GateReport]) -> None:
    page.blank()
    rows = [
        (page.verdict(gate.verdict), page.words((gate.name, "strong")), page.words(wording.tally(gate)))
        for gate in gates
    ]
    page.table(rows, fit(rows, page.width - 2, ((2, 24), (1, 12))), frozenset(), 2)


def _gate(page: Page, gate: GateReport) -> None:
    page.blank()
    title = Text.assemble(page.verdict(gate.verdict, f"{gate.name}: {wording.verdict_words(gate.verdict)}"))
    page.rule(title)
    label(page, "Claim", page.words((gate.claim, "strong")))
    label(page, "Gate", page.words(gate.file))
    for item in gate.evidence:
        evidence(page, item)
        if item.audit is not None:
            findings(page, item.audit)
    checks(page, gate.checks)
    _scopes(page, gate)
    for note in gate.notes:
        label(page, "Note", page.words(note))


def _scopes(page: Page, gate: GateReport) -> None:
    """What the audits looked at: once where it was the same for several pieces of evidence, else a line for each."""
    audited = [(item.file, item.audit) for item in gate.evidence if item.audit is not None]
    scopes = [(audit.clean, tuple(audit.not_applicable)) for _, audit in audited]
    if len(set(scopes)) == 1:
        audited = audited[:1]
    for file, audit in audited:
        clean = wording.count(len(audit.clean), "rule")
        named = f"{file}: " if len(audited) > 1 else ""
        if audit.clean:
            label(page, "Clean", page.words(f"{named}{clean} found nothing to say"))
        if audit.not_applicable:
            label(page, "Not seen", page.words(f"{wording.blind_spots(audit)}: {', '.join(audit.not_applicable)}"))


def label(page: Page, name: str, body: Text) -> None:
    """A labelled paragraph."""
    page.item(page.words((name, "dim")), body, 2, LABEL)


def evidence(page: Page, item: EvidenceReport) -> None:
    """File, origin, signature, trust and audit of one piece of evidence."""
    label(page, "Evidence", page.words((item.file, "strong")))
    inner = 2 + LABEL
    page.say(wording.origin(item), indent=inner)
    symbol, word = wording.trust_words(item)
    signed = wording.signers(item)
    said = f", signed by {', '.join(signed)}" if signed else ""
    page.say((f"{symbol} {word}", wording.TONES[symbol]), said, indent=inner, hang=2)
    for reason in item.trust.reasons:
        page.say(reason.message, indent=inner + 2)
    if item.trust.ok or item.audit is not None:
        symbol, word = wording.audit_words(None if item.audit is None else item.audit.verdict)
        page.say((f"{symbol} {word}", wording.TONES[symbol]), indent=inner)


def checks(page: Page, reported: tuple[CheckReport, ...]) -> None:
    """A row for each check; below it the reason, unless it passed."""
    if not reported:
        label(page, "Checks", page.words("none: a gate without checks is never a pass"))
        return
    levels = {check.confidence for check in reported}
    head = f"measured [{levels.pop() * 100:g} % interval]" if len(levels) == 1 else "measured [interval]"
    header = tuple(page.words((name, "dim")) for name in ("check", "metric", "limit", head, "n"))
    rows = [_row(page, check) for check in reported]
    whole = max(15, longest_word(rows, 1, 30))
    shrink = ((1, whole), (3, 24), (2, 15), (3, 15), (2, 10), (1, 10), (3, 12), (4, 6))
    widths = fit([header, *rows], page.width - 2, shrink)
    right = frozenset({4})
    page.table([header], widths, right, 2)
    paired = list(zip(reported, rows, strict=True))
    for (verdict, reason), group in groupby(paired, key=lambda pair: (pair[0].verdict, pair[0].reason)):
        members = list(group)
        page.table([row for _, row in members], widths, right, 2)
        if verdict != "pass":
            _reason(page, reason, [check for check, _ in members])
        elif said := wording.comparison(members[0][0]):
            page.say(said, indent=4)


def _row(page: Page, check: CheckReport) -> tuple[Text, ...]:
    figure = wording.cell(check)
    return (
        page.verdict(check.verdict),
        page.words(wording.check_label(check)),
        page.words(wording.limit_text(check)),
        page.words(figure),
        page.words("—" if check.n is None else f"{check.n:,}"),
    )


def _reason(page: Page, reason: str, members: list[CheckReport]) -> None:
    """The reason that `members` share, then what the gate file says of each of them."""
    if reason:
        page.say(reason, indent=4)
    for check in members:
        whose = f" ({check.id})" if len(members) > 1 else ""
        for name, said in (("why", check.why), ("owner", check.owner), ("controls", ", ".join(check.controls))):
            if said:
                page.say((f"{name}{whose}: {said}", "dim"), indent=4)


def findings(page: Page, audited: Audit) -> None:
    """Every finding, the worst first, with its figures."""
    found = wording.sorted_findings(audited.findings)
    if found:
        label(page, "Findings", page.words(wording.severities(found)))
    for one in found:
        finding(page, one)


def finding(page: Page, one: Finding) -> None:
    """Severity and code, the sentence, observed beside expected."""
    page.put(Text.assemble(page.verdict(one.severity), page.words(f": {one.code}")), 4)
    page.say(one.message, indent=6)
    said = wording.figures(one)
    if said:
        page.say((said, "dim"), indent=6, hang=2)


def scope(page: Page, audited: Audit) -> None:
    """Which rules found nothing to say, and which could not look and why, a line each."""
    if audited.clean:
        label(page, "Clean", page.words(f"{wording.count(len(audited.clean), 'rule')}: {', '.join(audited.clean)}"))
    if not audited.not_applicable:
        return
    label(page, "Not seen", page.words(f"{wording.blind_spots(audited)}:"))
    for code, why in audited.not_applicable.items():
        page.put(page.words((f"{code}:", "strong"), f" {why}"), 4, 2)
