"""Gates and opened evidence in, one report out. The worst required outcome decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from bizra_gate.errors import UsageError
from bizra_gate.model import Change, CheckReport, EvidenceReport, Gate, GateReport, OpenedEvidence, Report
from bizra_gate.model.report import EXIT_CODES, PRECEDENCE, CheckVerdict, GateVerdict
from bizra_gate.units import format_time

from .admit import Exhibit, Merge, exhibits, instant, standing, without_reuse
from .baseline import Compare
from .families import Courtroom, check_reports
from .grade import JUDGED, grade, judged_all, score_of
from .sections import laxer_than_default
from .waivers import Waiver, unmatched, waived

MUST: Mapping[CheckVerdict, GateVerdict] = {
    "untrusted": "UNTRUSTED",
    "refused": "UNDER AUDIT",
    "fail": "NO-SHIP",
    "missing": "INCONCLUSIVE",
    "inconclusive": "INCONCLUSIVE",
    "warn": "SHIP",
    "waived": "SHIP",
    "pass": "SHIP",
}
"""What a must check's outcome leads to."""
SHOULD: Mapping[CheckVerdict, GateVerdict] = {"untrusted": "UNTRUSTED", "refused": "UNDER AUDIT"}
"""A should check lowers the score and decides nothing, unless what it looked at is untrusted or invalid."""


def evaluate(
    gates: Sequence[Gate],
    evidence: Mapping[str, Sequence[OpenedEvidence]],
    now: str,
    *,
    waivers: Sequence[Waiver] = (),
    references: Mapping[tuple[str, str], OpenedEvidence] | None = None,
    baselines: Mapping[tuple[str, str], Sequence[OpenedEvidence]] | None = None,
    compare: Compare | None = None,
    merge: Merge | None = None,
    notes: Sequence[str] = (),
    changes: Sequence[Change] = (),
) -> Report:
    """Judge `gates` on `evidence` (gate name → what was opened for it) as of `now` (RFC 3339).

    `references` holds the artifacts of `wanted_references` by (gate name, path), `baselines` those of
    `wanted_baselines` by (gate name, check id); `compare` and `merge` come from the rooms that know statistics.
    `notes` and `changes` (see `diff`) are added to the report. Raises `UsageError` where `now` is no instant or a name
    is used twice.
    """
    moment = instant(now)
    if len({gate.name for gate in gates}) < len(gates):
        raise UsageError("two gates have the same name; check_set says which")
    room = Courtroom(moment, references or {}, baselines or {}, compare, merge)
    admitted = without_reuse(gates, {gate.name: exhibits(gate, evidence.get(gate.name, ()), moment) for gate in gates})
    reports = tuple(_gate_report(gate, admitted[gate.name], room, waivers, moment) for gate in gates)
    return _report(reports, now, (*notes, *unmatched(gates, waivers)), tuple(changes))


def _report(gates: tuple[GateReport, ...], now: str, notes: tuple[str, ...], changes: tuple[Change, ...]) -> Report:
    verdict = _worst([gate.verdict for gate in gates])
    why = _unjudged(gates) if gates else _nothing(changes)
    marks = grade(verdict, [check for gate in gates for check in gate.checks], why)
    return Report(
        verdict=verdict,
        grade=marks.letter,
        grade_reason=marks.reason,
        score=marks.score,
        exit_code=EXIT_CODES[verdict],
        judged_at=now,
        gates=gates,
        notes=notes,
        changes=changes,
    )


def _worst(verdicts: Iterable[GateVerdict]) -> GateVerdict:
    """The worst of `verdicts`; nothing judged is INCONCLUSIVE."""
    return min(verdicts, key=PRECEDENCE.index, default="INCONCLUSIVE")


def _nothing(changes: Sequence[Change]) -> str:
    """Why there was no gate to judge."""
    new = [one.gate for one in changes if one.is_new_gate]
    if new:
        return f"the gate {new[0]} is new in the head, and the base has none to judge by"
    return "there is no gate, so nothing was judged"


def _unjudged(gates: Sequence[GateReport]) -> str | None:
    """What kept some of the `gates` (at least one) from being judged, in a few words; None where all were."""
    open_gates = [gate for gate in gates if gate.score is None]
    if not open_gates:
        return None
    first = open_gates[0]
    more = f" (and {len(open_gates) - 1} more gate{'s' * (len(open_gates) > 2)})" if len(open_gates) > 1 else ""
    check = next((one for one in first.checks if one.severity == "must" and one.verdict not in JUDGED), None)
    what = f"{check.id} of {first.name} is {check.verdict}" if check else f"{first.name} is {first.verdict}"
    return f"{what}{more}"


# ── one gate ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _gate_report(
    gate: Gate, evidence: Sequence[Exhibit], room: Courtroom, waivers: Sequence[Waiver], now: datetime
) -> GateReport:
    judged = check_reports(gate, evidence, room)
    checks, waiver_notes = waived(gate, judged, waivers, now)
    standings = [standing(exhibit) for exhibit in evidence]
    nothing = _decides_nothing(checks)
    hollow: GateVerdict = "INCONCLUSIVE" if nothing else "SHIP"
    verdict = _worst([*standings, *_outcomes(checks), hollow])
    complete = all(one == "SHIP" for one in standings) and judged_all(checks) and nothing is None
    return GateReport(
        name=gate.name,
        claim=gate.claim,
        file=gate.file,
        sha256=gate.sha256,
        verdict=verdict,
        score=score_of(checks) if complete else None,
        evidence=tuple(evidence_report(piece) for exhibit in evidence for piece in exhibit.pieces),
        checks=checks,
        notes=(*([nothing] if nothing else []), *waiver_notes, *_notes(gate, evidence)),
    )


def _outcomes(checks: Sequence[CheckReport]) -> Iterator[GateVerdict]:
    for check in checks:
        if check.severity == "must":
            yield MUST[check.verdict]
        elif check.severity == "should":
            yield SHOULD.get(check.verdict, "SHIP")


def _decides_nothing(checks: Sequence[CheckReport]) -> str | None:
    """Why a gate whose checks all pass may still not ship: it asks for nothing."""
    if not any(check.severity == "must" for check in checks):
        return "No check of this gate is a must, so nothing decides whether to ship."
    if score_of(checks) is None:
        return "No check of this gate has any weight, so there is nothing to score."
    return None


def evidence_report(piece: OpenedEvidence) -> EvidenceReport:
    """One piece of evidence as it stood before the judge."""
    return EvidenceReport(
        file=piece.file,
        sha256=piece.sha256,
        kind=piece.kind,
        trust=piece.trust,
        audit=piece.audit,
        signed_by=piece.signed_by,
        measured_by=piece.measured_by,
        finished_at=piece.finished_at,
        missing=piece.missing,
    )


# ── what a reader must be told ───────────────────────────────────────────────────────────────────────────────────


def _notes(gate: Gate, evidence: Sequence[Exhibit]) -> Iterator[str]:
    lax = "; ".join(laxer_than_default(gate.policy))
    if lax:
        why = gate.policy.note or "no reason is given (policy.note)"
        yield f"The policy is laxer than the default: {lax}. Why: {why}"
    elif gate.policy.note:
        yield f"Policy: {gate.policy.note}"
    yield from _contradictions(gate)
    yield from (note for exhibit in evidence for note in _evidence_notes(exhibit))
    if gate.family == "holm":
        yield "The checks with intervals are decided as one family, by Holm's method."


def _contradictions(gate: Gate) -> Iterator[str]:
    """A ``[measure]`` that can never give what ``[policy]`` asks."""
    if gate.plan is None:
        return
    for name, asked, least in (
        ("duration", gate.plan.duration_ns, gate.policy.min_duration_ns),
        ("warmup", gate.plan.warmup.at_least_ns, gate.policy.min_warmup_ns),
    ):
        if asked < least:
            said = f"measure.{name} is {format_time(asked)}, and policy.min_{name} asks for {format_time(least)}"
            yield f"{said}: such evidence is never enough."


def _evidence_notes(exhibit: Exhibit) -> Iterator[str]:
    spec = exhibit.spec
    name = f"Evidence {spec.name}" if spec.name != "evidence" else "The evidence"
    if spec.max_age_ns is None:
        yield f"{name} may be of any age: the gate sets no max_age."
    if spec.allow_dirty:
        yield f"{name} may come from a tree with uncommitted changes (allow_dirty)."
    absent = [piece.file for piece in exhibit.pieces if piece not in exhibit.usable]
    if absent and exhibit.complete:
        yield f"{name} has its quorum of {exhibit.needed}; not usable: {', '.join(absent)}."
    elif absent and not spec.required:
        yield f"{name} is not required and could not be used: {', '.join(absent)}."
