"""The signed head of a ledger: made, cosigned, checked, and proofs of inclusion that need nothing else.

A proof is a C2SP tlog-proof: one artifact's index, the hashes up to the root, and the checkpoint verbatim.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bizra_gate.attest import merkle
from bizra_gate.attest.keyring import Keyring, TrustedKey
from bizra_gate.attest.keys import PrivateKey
from bizra_gate.attest.ledger import Entry, Ledger
from bizra_gate.attest.note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    NoteSignature,
    cosign_note,
    is_by,
    parse_checkpoint,
    parse_note,
    sign_note,
    verify_cosignature,
    verify_signature,
)
from bizra_gate.attest.trust import objections
from bizra_gate.errors import UntrustedError
from bizra_gate.model import Reason, Trust

ROLE = "checkpoint"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
CLOCK_SKEW = timedelta(minutes=5)
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


def sign_checkpoint(ledger: Ledger, origin: str, key: PrivateKey, earlier: str | None = None) -> str:
    """The text of ``ledger/checkpoint`` for `ledger` as it stands.

    Cosignatures of the `earlier` checkpoint stay only where it says the very same; they are about nothing else.
    """
    note = sign_note(Checkpoint(origin, len(ledger.records), ledger.root).text(), origin, key)
    before = parse_note(earlier) if earlier is not None else note
    kept = [one for one in before.signatures if one.name != origin] if before.text == note.text else []
    return replace(note, signatures=(*note.signatures, *kept)).render()


def cosign_checkpoint(text: str, ledger: Ledger, name: str, key: PrivateKey, at: datetime) -> str:
    """`text` with a cosignature by another party, who has seen that it is the head of `ledger`."""
    note = parse_note(text)
    reasons = _head_reasons(parse_checkpoint(note), ledger)
    if reasons:
        raise UntrustedError(reasons[0].message, code=reasons[0].code)
    return cosign_note(note, name, key, int(at.timestamp())).render()


def check_ledger(
    ledger: Ledger, text: str, keyring: Keyring, now: datetime, *, origin: str | None = None, cosigners: int = 0
) -> Trust:
    """Whether the checkpoint `text` is trusted and is the head of exactly this `ledger`. Nothing here raises."""
    try:
        note = parse_note(text)
        checkpoint = parse_checkpoint(note)
    except UntrustedError as error:
        return Trust(False, (Reason(error.code, error.message),))
    reasons = _head_reasons(checkpoint, ledger)
    if reasons:
        return Trust(False, reasons)
    moment = max((record.at for record in ledger.records), default=now)
    return _check_note(note, checkpoint, keyring, now, moment=moment, origin=origin, cosigners=cosigners)


def covered(ledger: Ledger, text: str | None) -> Ledger:
    """The lines of `ledger` that the checkpoint `text` was made of; none without a checkpoint.

    Raises `UntrustedError` where the first lines are others. What follows them was signed by nobody.
    """
    if text is None:
        return Ledger()
    head = parse_checkpoint(parse_note(text))
    part = Ledger(ledger.records[: head.size])
    if reasons := _head_reasons(head, part):
        raise UntrustedError(reasons[0].message, code=reasons[0].code)
    return part


def growth_reasons(base_text: str, ledger: Ledger) -> tuple[Reason, ...]:
    """Why `ledger` does not continue the log whose checkpoint was `base_text`: same prefix, by a consistency proof."""
    try:
        base = parse_checkpoint(parse_note(base_text))
    except UntrustedError as error:
        return (Reason(error.code, error.message),)
    if base.size > len(ledger.records):
        return (Reason("ledger.rolled_back", f"the ledger had {base.size} lines and has {len(ledger.records)} now"),)
    proof = merkle.consistency_proof(ledger.leaves, base.size)
    if merkle.verify_consistency(base.size, len(ledger.records), proof, base.root, ledger.root):
        return ()
    return (Reason("ledger.rewritten", f"the first {base.size} lines are not those that were signed before"),)


def prove(ledger: Ledger, text: str, index: int) -> str:
    """A proof that line `index` (from 0) is in the ledger whose checkpoint is `text`; checks without the ledger."""
    reasons = _head_reasons(parse_checkpoint(parse_note(text)), ledger)
    if reasons:
        raise UntrustedError(reasons[0].message, code=reasons[0].code)
    hashes = [base64.b64encode(one).decode("ascii") for one in merkle.inclusion_proof(ledger.leaves, index)]
    return "\n".join([PROOF_HEADER, f"index {index}", *hashes, "", text])


def check_proof(
    entry: Entry, proof: str, keyring: Keyring, now: datetime, *, origin: str | None = None, cosigners: int = 0
) -> Trust:
    """Whether `proof` shows that the line of `entry` is in a log whose checkpoint is trusted. Nothing here raises."""
    try:
        index, hashes, note = _parse_proof(proof)
        checkpoint = parse_checkpoint(note)
    except UntrustedError as error:
        return Trust(False, (Reason(error.code, error.message),))
    leaf = merkle.leaf_hash(entry.line().encode())
    if not merkle.verify_inclusion(leaf, index, checkpoint.size, hashes, checkpoint.root):
        message = (
            f"the proof does not lead from {entry.path} (sha256:{entry.file_sha256}) to the root of the checkpoint"
        )
        return Trust(False, (Reason("ledger.proof", message),))
    return _check_note(note, checkpoint, keyring, now, moment=entry.at, origin=origin, cosigners=cosigners)


def _head_reasons(checkpoint: Checkpoint, ledger: Ledger) -> tuple[Reason, ...]:
    if checkpoint.size != len(ledger.records):
        message = f"the checkpoint covers {checkpoint.size} lines; the ledger has {len(ledger.records)}"
        if checkpoint.size < len(ledger.records):
            message += "; if a run was cut off, `bizra-gate ledger append` mends this"
        return (Reason("ledger.size", message),)
    if checkpoint.root != ledger.root:
        return (Reason("ledger.root", "the lines of the ledger are not those that the checkpoint was made of"),)
    return ()


def _check_note(
    note: Note,
    checkpoint: Checkpoint,
    keyring: Keyring,
    now: datetime,
    *,
    moment: datetime,
    origin: str | None,
    cosigners: int,
) -> Trust:
    """One signature by the log itself under its origin, and `cosigners` more by other keys; all of role checkpoint."""
    if origin is not None and checkpoint.origin != origin:
        return _refused("ledger.origin", f"the checkpoint is of log {checkpoint.origin!r}; expected {origin!r}")
    if keyring.expires and now >= keyring.expires:
        return _refused("keyring.expired", "the keyring has expired")
    count = _Count(note, checkpoint.origin, keyring, now, moment)
    for signature in note.signatures:
        if not count.add(signature):
            return _refused("signature.invalid", f"the signature by {signature.name} does not fit the checkpoint")
    needed = max(1 + cosigners, keyring.threshold([ROLE]))
    if not count.logs:
        found = f"no signature by the log {checkpoint.origin!r} itself counts"
        found += "" if count.reasons else ": none under that name is by a key of the keyring"
    elif len(count.logs | count.witnesses) < needed:
        found = f"{len(count.logs | count.witnesses)} of the {needed} signatures that a checkpoint asks for count"
    else:
        return Trust(True, (), tuple(sorted(count.logs | count.witnesses)), count.owners)
    return Trust(
        False, (*count.reasons, Reason("ledger.signature", found)), tuple(sorted(count.logs | count.witnesses))
    )


class _Count:
    """Counts different trusted keys among the signatures of one checkpoint."""

    def __init__(self, note: Note, origin: str, keyring: Keyring, now: datetime, moment: datetime) -> None:
        self.note, self.origin, self.keyring, self.now, self.moment = note, origin, keyring, now, moment
        self.logs: set[str] = set()
        self.witnesses: set[str] = set()
        self.owners: dict[str, str] = {}
        self.reasons: list[Reason] = []

    def add(self, signature: NoteSignature) -> bool:
        """Look at one line; False where it is by a known key and wrong. Lines by unknown keys are passed over."""
        for key in self.keyring.keys:
            if is_by(signature, key.public, ED25519):
                if not verify_signature(self.note, signature, key.public):
                    return False
                if signature.name == self.origin:
                    self._count(key, self.moment, self.logs)
            if is_by(signature, key.public, COSIGNATURE):
                at_s = verify_cosignature(self.note, signature, key.public)
                if at_s is None:
                    return False
                self._count_witness(key, at_s)
        return True

    def _count_witness(self, key: TrustedKey, at_s: int) -> None:
        if at_s > (self.now + CLOCK_SKEW).timestamp():
            self.reasons.append(Reason("ledger.future", f"the cosignature by {key.owner} is dated in the future"))
        else:
            self._count(key, datetime.fromtimestamp(at_s, UTC), self.witnesses)

    def _count(self, key: TrustedKey, moment: datetime, counted: set[str]) -> None:
        reasons = list(objections(key, [ROLE], moment, self.now))
        self.reasons += reasons
        if not reasons:
            counted.add(key.fingerprint)
            self.owners[key.fingerprint] = key.owner


def _parse_proof(proof: str) -> tuple[int, list[bytes], Note]:
    head, gap, tail = proof.partition("\n\n")
    header, _, rest = head.partition("\n")
    line, *hashes = rest.split("\n")
    index = _INDEX.fullmatch(line)
    if not gap or header != PROOF_HEADER or index is None or len(hashes) > 64:
        raise UntrustedError(
            f"malformed proof: expected {PROOF_HEADER!r}, an index, hashes, an empty line, a checkpoint"
        )
    return int(index[1]), [_hash(one) for one in hashes], parse_note(tail)


def _hash(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != merkle.HASH_BYTES or base64.b64encode(raw).decode("ascii") != text:
        raise UntrustedError(f"malformed proof: {text[:60]!r} is not 32 bytes in standard base64")
    return raw


def _refused(code: str, message: str) -> Trust:
    return Trust(False, (Reason(code, message),))
