"""Waivers: a signed, dated, bounded exception for one check of one version of one gate.

A waiver excuses a result. It never stands in for evidence: a check whose evidence is missing, untrusted or invalid
stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bizra_gate.errors import DefinitionError, UsageError
from bizra_gate.model import CheckReport, Gate, Trust
from bizra_gate.model.report import CheckSeverity

from .admit import instant
from .reader import Problems, Table

LONGEST: Mapping[CheckSeverity, timedelta] = {
    "must": timedelta(days=14),
    "should": timedelta(days=90),
    "info": timedelta(days=90),
}
"""How long an exception may last: long enough to mend it, too short to forget it."""

EXCUSED = ("fail", "inconclusive")
_SHA256 = re.compile(r"^[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver as its signed statement has it, and whether its signature is trusted."""

    file: str
    gate: str
    check: str
    gate_digest: str
    """SHA-256 of the gate file for which it was given; a gate that changed needs a new one."""
    reason: str
    ticket: str
    approver: str
    not_before: datetime
    expires: datetime
    trust: Trust


def parse_waiver(predicate: Mapping[str, object], file: str, trust: Trust) -> Waiver:
    """The waiver in an opened statement's `predicate`; raises `DefinitionError` with every problem in it."""
    problems = Problems(file)
    table = Table(predicate, "", problems)
    waiver = Waiver(
        file=file,
        gate=table.required_text("gate", why="the name of the gate"),
        check=table.required_text("check", why="the id of the check"),
        gate_digest=_digest(table),
        reason=table.required_text("reason", why="why the check may be excused"),
        ticket=table.required_text("ticket", why="where the mending is tracked"),
        approver=table.required_text("approver", why="who answers for it"),
        not_before=_instant(table, "not_before"),
        expires=_instant(table, "expires"),
        trust=trust,
    )
    table.done()
    if not problems.items and waiver.expires <= waiver.not_before:
        table.refuse("expires", "a time after not_before")
    if problems.items:
        raise DefinitionError(problems.items)
    return waiver


def _digest(table: Table) -> str:
    digest = table.required_text("gate_digest", why="the SHA-256 of the gate file")
    if digest and not _SHA256.match(digest):
        table.refuse("gate_digest", "64 lower-case hexadecimal digits")
    return digest


def _instant(table: Table, key: str) -> datetime:
    text = table.required_text(key, why="an instant such as 2026-11-22T04:00:00Z; no waiver lasts for ever")
    try:
        return instant(text) if text else instant("1970-01-01T00:00:00Z")
    except UsageError:
        table.refuse(key, "an instant such as 2026-11-22T04:00:00Z")
        return instant("1970-01-01T00:00:00Z")


def refusals(waiver: Waiver, gate: Gate, now: datetime) -> Iterator[str]:
    """Why `waiver` does not hold for `gate` at `now`; nothing where it does."""
    check = next((one for one in gate.checks if one.id == waiver.check), None)
    if not waiver.trust.ok:
        said = "; ".join(reason.message for reason in waiver.trust.reasons) or "its signature is not trusted"
        yield f"it is not trusted: {said}"
    if waiver.gate_digest != gate.sha256:
        yield f"{gate.file} has changed since it was given"
    if check is None:
        yield f"the gate has no check {waiver.check}"
        return
    longest = LONGEST[check.severity]
    if waiver.expires - waiver.not_before > longest:
        yield f"it lasts longer than the {longest.days} days that a {check.severity} check may be waived"
    if now < waiver.not_before:
        yield f"it does not begin before {_said(waiver.not_before)}"
    if now >= waiver.expires:
        yield f"it expired at {_said(waiver.expires)}"


def waived(
    gate: Gate, checks: Sequence[CheckReport], waivers: Sequence[Waiver], now: datetime
) -> tuple[tuple[CheckReport, ...], tuple[str, ...]]:
    """The checks of `gate` with those that a waiver excuses marked so, and a note on every waiver for this gate."""
    notes: list[str] = []
    reports = {check.id: check for check in checks}
    for waiver in (one for one in waivers if one.gate == gate.name):
        why_not = list(refusals(waiver, gate, now))
        report = reports.get(waiver.check)
        if why_not or report is None:
            notes.append(f"Waiver {waiver.file} for {waiver.check} is refused: {'; '.join(why_not)}.")
        elif report.verdict in EXCUSED:
            reports[report.id] = replace(report, verdict="waived", reason=_reason(report, waiver))
            notes.append(f"Check {waiver.check} is WAIVED until {_said(waiver.expires)} ({waiver.ticket}).")
        else:
            notes.append(_unused(waiver, report))
    return tuple(reports[check.id] for check in checks), tuple(notes)


def unmatched(gates: Sequence[Gate], waivers: Sequence[Waiver]) -> tuple[str, ...]:
    """A note on every waiver for a gate that is not here."""
    names = {gate.name for gate in gates}
    return tuple(
        f"Waiver {waiver.file} is for the gate {waiver.gate}, which is not among those judged."
        for waiver in waivers
        if waiver.gate not in names
    )


def _reason(report: CheckReport, waiver: Waiver) -> str:
    who = f"{waiver.approver} until {_said(waiver.expires)} ({waiver.ticket})"
    return f"WAIVED by {who}: {waiver.reason.rstrip('. ')}. Without the waiver: {report.verdict}. {report.reason}"


def _said(moment: datetime) -> str:
    """An instant as reports write it, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _unused(waiver: Waiver, report: CheckReport) -> str:
    if report.verdict in ("pass", "warn"):
        return f"Waiver {waiver.file} is not needed: {waiver.check} is {report.verdict}."
    return (
        f"Waiver {waiver.file} does not help {waiver.check}, which is {report.verdict}: "
        "a waiver excuses a result and never stands in for evidence."
    )
