"""Which evidence may be looked at: one piece per artifact named, trusted, fresh, of the right kind, used once.

The signature and the binding were checked before; what follows from the gate file alone is checked here again, so
that no caller can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bizra_gate.errors import UsageError
from bizra_gate.model import EvidenceSpec, Gate, OpenedEvidence, Reason, Trust
from bizra_gate.model.quick import quick
from bizra_gate.model.report import GateVerdict
from bizra_gate.units import format_time

SKEW = timedelta(minutes=5)
"""Clocks of two machines differ by less; a forged date by more."""

Merge = Callable[[Sequence[OpenedEvidence]], OpenedEvidence]
"""Several artifacts into one, where a gate asks for ``aggregate = "merge"``."""


@quick
@dataclass(frozen=True, slots=True)
class Exhibit:
    """The evidence that one `EvidenceSpec` asks for, one piece per artifact, in the order of the gate file."""

    spec: EvidenceSpec
    pieces: tuple[OpenedEvidence, ...]

    @property
    def usable(self) -> tuple[OpenedEvidence, ...]:
        return tuple(piece for piece in self.pieces if is_usable(piece))

    @property
    def needed(self) -> int:
        """How many pieces have to be usable: the quorum, or all of them."""
        return self.spec.quorum or max(1, len(self.pieces))

    @property
    def complete(self) -> bool:
        return len(self.usable) >= self.needed

    @property
    def judged(self) -> tuple[OpenedEvidence, ...]:
        """What checks are judged on. A quorum excuses what is absent or insufficient, never what is untrusted or
        invalid: a lie beside two truths is still looked at."""
        if not self.complete:
            return self.pieces
        return tuple(piece for piece in self.pieces if is_usable(piece) or _accused(piece))


def is_usable(piece: OpenedEvidence) -> bool:
    """Present, trusted and VALID."""
    return not piece.missing and piece.trust.ok and piece.audit is not None and piece.audit.verdict == "VALID"


def _accused(piece: OpenedEvidence) -> bool:
    if piece.missing:
        return False
    return not piece.trust.ok or (piece.audit is not None and piece.audit.verdict == "INVALID")


def exhibits(gate: Gate, opened: Sequence[OpenedEvidence], now: datetime) -> tuple[Exhibit, ...]:
    """What was opened, sorted by what the gate asks for; an artifact that nobody opened is missing."""
    by_file = {piece.file: piece for piece in opened}
    return tuple(
        Exhibit(spec, tuple(admitted(spec, by_file.get(path) or _absent(path, spec), now) for path in spec.artifacts))
        for spec in gate.evidence
    )


def _absent(path: str, spec: EvidenceSpec) -> OpenedEvidence:
    reason = Reason("missing", f"{path} was not found")
    return OpenedEvidence(path, None, spec.kind, Trust(False, (reason,)), None, {}, missing=True)


def admitted(spec: EvidenceSpec, piece: OpenedEvidence, now: datetime) -> OpenedEvidence:
    """`piece` as `spec` lets it stand: with a reason not to believe it for everything that the spec forbids."""
    if piece.missing or not piece.trust.ok:
        return piece
    return distrusted(piece, tuple(_objections(spec, piece, now)))


def distrusted(piece: OpenedEvidence, reasons: tuple[Reason, ...]) -> OpenedEvidence:
    """`piece` with further reasons not to believe it; unchanged without any."""
    if not reasons:
        return piece
    trust = piece.trust
    return replace(piece, trust=replace(trust, ok=False, reasons=(*trust.reasons, *reasons)))


def _objections(spec: EvidenceSpec, piece: OpenedEvidence, now: datetime) -> Iterator[Reason]:
    if piece.kind != spec.kind:
        yield Reason("binding.kind", f'it is {piece.kind} evidence; the gate asks for kind = "{spec.kind}"')
    signers = {*piece.signed_by, *piece.trust.signed_by}
    if len(signers) < spec.signers.threshold:
        asked = f"{spec.signers.threshold} of role {spec.signers.role}"
        yield Reason("signature.threshold", f"signed by {len(signers)} trusted keys; the gate asks for {asked}")
    yield from _age(spec, piece.finished_at, now)


def _age(spec: EvidenceSpec, finished_at: str | None, now: datetime) -> Iterator[Reason]:
    if finished_at is None:
        if spec.max_age_ns is not None:
            yield Reason("freshness.unknown", "it does not say when it was made, and the gate limits its age")
        return
    try:
        finished = instant(finished_at)
    except UsageError as error:
        yield Reason("freshness.unreadable", error.message)
        return
    age_ns = (now - finished) / timedelta(microseconds=1) * 1000
    if finished - now > SKEW:
        yield Reason("freshness.future", f"it was made at {finished_at}, which has not come yet")
    if spec.max_age_ns is not None and age_ns > spec.max_age_ns:
        accepted = format_time(spec.max_age_ns)
        yield Reason("freshness.stale", f"it was made {format_time(age_ns)} ago; the gate accepts {accepted}")


def instant(text: str) -> datetime:
    """An RFC 3339 instant with its zone; raises `UsageError` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text:
        raise UsageError(f"{text!r} is no instant; write it like 2026-11-22T04:00:00Z")
    return moment


# ── one run, one gate ────────────────────────────────────────────────────────────────────────────────────────────


def without_reuse(
    gates: Sequence[Gate], all_exhibits: Mapping[str, tuple[Exhibit, ...]]
) -> dict[str, tuple[Exhibit, ...]]:
    """Refuse a run that serves twice: in two gates that do not say so, or as two pieces of one gate's evidence.

    One that was made for another gate serves twice even where that gate is not judged, or is gone.
    """
    users: dict[str, list[tuple[Gate, EvidenceSpec, OpenedEvidence]]] = {}
    for gate in gates:
        for exhibit in all_exhibits[gate.name]:
            for piece in exhibit.pieces:
                identity = run_of(piece)
                if identity is not None and not piece.missing:
                    users.setdefault(identity, []).append((gate, exhibit.spec, piece))
    refused = {key: reason for used in users.values() for key, reason in _made_for_others(gates, used)}
    for used in users.values():
        refused |= _clashes(used)
    if not refused:
        return dict(all_exhibits)
    return {
        name: tuple(_with_refusals(name, exhibit, refused) for exhibit in gate_exhibits)
        for name, gate_exhibits in all_exhibits.items()
    }


def _made_for_others(
    gates: Sequence[Gate], used: Sequence[tuple[Gate, EvidenceSpec, OpenedEvidence]]
) -> Iterator[tuple[tuple[str, str], Reason]]:
    """((gate, file), why) for every use by a gate that the run was not made for and that no gate allows."""
    for gate, spec, piece in used:
        made_for = piece.made_for
        if made_for is None or made_for == gate.name or made_for in spec.same_run_as:
            continue
        makers = [one for other in gates if other.name == made_for for one in other.evidence]
        if not any(gate.name in one.same_run_as for one in makers):
            message = f'measured for the gate {made_for}; if that is meant, say same_run_as = ["{made_for}"]'
            yield (gate.name, piece.file), Reason("binding.gate", message)


def _clashes(used: Sequence[tuple[Gate, EvidenceSpec, OpenedEvidence]]) -> dict[tuple[str, str], Reason]:
    """(gate, file) → why, for every pair of uses of one run that no gate allows."""
    found: dict[tuple[str, str], Reason] = {}
    for i, (gate, spec, piece) in enumerate(used):
        for other, other_spec, other_piece in used[:i]:
            allowed = other.name in spec.same_run_as or gate.name in other_spec.same_run_as
            if other.name == gate.name:
                message = f"the same run as {other_piece.file}: a copy is no second piece of evidence"
                found[gate.name, piece.file] = Reason("binding.run_reused", message)
            elif not allowed:
                for here, file, there in ((gate, piece.file, other), (other, other_piece.file, gate)):
                    message = f"its run serves the gate {there.name} too; if that is meant, say same_run_as"
                    found[here.name, file] = Reason("binding.run_reused", message)
    return found


def _with_refusals(gate: str, exhibit: Exhibit, refused: Mapping[tuple[str, str], Reason]) -> Exhibit:
    pieces = (
        distrusted(piece, tuple(reason for reason in (refused.get((gate, piece.file)),) if reason))
        for piece in exhibit.pieces
    )
    return replace(exhibit, pieces=tuple(pieces))


def run_of(piece: OpenedEvidence) -> str | None:
    """What tells one run from another: its id, and where it has none the digest of its file."""
    return piece.run_id or piece.sha256


# ── what evidence alone decides ──────────────────────────────────────────────────────────────────────────────────


def standing(exhibit: Exhibit) -> GateVerdict:
    """The best verdict that a gate can still have with this evidence, whatever its checks say."""
    present = [piece for piece in exhibit.pieces if not piece.missing]
    if any(not piece.trust.ok for piece in present):
        return "UNTRUSTED"
    if any(piece.audit is not None and piece.audit.verdict == "INVALID" for piece in present):
        return "UNDER AUDIT"
    return "SHIP" if exhibit.complete or not exhibit.spec.required else "INCONCLUSIVE"
