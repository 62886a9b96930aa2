"""Whether an artifact's signatures count: known keys, right roles, in their time, enough of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bizra_gate.attest.envelope import Sealed, Signature, read
from bizra_gate.attest.instant import format_instant
from bizra_gate.attest.keyring import Keyring, TrustedKey
from bizra_gate.attest.keys import PublicKey
from bizra_gate.attest.statement import Statement, claimed_instant, kind_of
from bizra_gate.errors import UntrustedError
from bizra_gate.model import Reason, Trust


@dataclass(frozen=True, slots=True)
class Opened:
    """An artifact after its signatures held: the only thing that may be decoded and judged."""

    statement: Statement
    """The parse of the verified bytes."""
    signed_by: tuple[str, ...]
    """Fingerprints of the keys that count, computed from the keys."""
    sha256: str
    name: str = "artifact"


def check(sealed: Sealed, keyring: Keyring, now: datetime, *, role: str | None = None, threshold: int = 1) -> Trust:
    """Whether at least `threshold` different trusted keys that may sign such evidence have signed these bytes.

    `role` is what the gate asks for; the kind that the predicate type names must be among the key's roles as well.
    A threshold in the keyring counts where it is higher. A key must be valid at the time when the work ended (the
    statement's own account, `now` where it is silent) and must not lie in the future of `now`.

    A wrong signature by a known key refuses the file whatever the others say. Nothing here raises: what is wrong is
    in `Trust.reasons`.
    """
    known = keyring.by_fingerprint()
    bad = [one.keyid for one in sealed.signatures if one.keyid in known and not _holds(known[one.keyid], one, sealed)]
    if bad:
        return _refused(*(Reason("signature.invalid", f"the signature by {keyid} does not fit the content; "
                                 "the file was changed after it was signed") for keyid in bad))  # fmt: skip
    if keyring.expires and now >= keyring.expires:
        return _refused(Reason("keyring.expired", f"the keyring expired at {format_instant(keyring.expires)}"))
    if not any(one.keyid in known for one in sealed.signatures):
        keyids = ", ".join(one.keyid for one in sealed.signatures)
        return _refused(Reason("signature.unknown", f"signed by {keyids}, which is not in the keyring"))
    return _count(sealed, [known[one.keyid] for one in sealed.signatures if one.keyid in known], keyring, now,
                  role=role, threshold=threshold)  # fmt: skip


def open_artifact(
    data: bytes,
    keyring: Keyring,
    now: datetime,
    *,
    role: str | None = None,
    threshold: int = 1,
    name: str = "artifact",
) -> Opened:
    """Read `data` and check it; raises `UntrustedError` with the code of the first reason where it is not trusted."""
    sealed = read(data, name)
    return open_sealed(sealed, check(sealed, keyring, now, role=role, threshold=threshold))


def open_sealed(sealed: Sealed, trust: Trust) -> Opened:
    """The statement of `sealed` after `check` said that it is trusted; raises `UntrustedError` where it did not."""
    if not trust.ok:
        message = "; ".join(reason.message for reason in trust.reasons)
        raise UntrustedError(f"{sealed.name}: {message}", code=trust.reasons[0].code)
    return Opened(sealed.unverified_statement(), trust.signed_by, sealed.sha256, sealed.name)


def _count(
    sealed: Sealed, keys: list[TrustedKey], keyring: Keyring, now: datetime, *, role: str | None, threshold: int
) -> Trust:
    """Count the keys that may sign such evidence; their signatures have been verified."""
    statement = sealed.unverified_statement()
    kind = kind_of(statement["predicateType"])
    roles = sorted({one for one in (role, kind) if one is not None})
    try:
        moment = claimed_instant(statement) or now
    except UntrustedError as error:
        return _refused(Reason("malformed", error.message))
    reasons = [reason for key in keys for reason in objections(key, roles, moment, now)]
    objected = {key.public for key in keys if any(objections(key, roles, moment, now))}
    counted: set[PublicKey] = {key.public for key in keys} - objected
    signed_by = tuple(sorted(public.fingerprint for public in counted))
    owners = {key.fingerprint: key.owner for key in keys if key.public in counted}
    needed = max(threshold, keyring.threshold(roles), 1)
    if len(counted) < needed:
        shortage = f"{len(counted)} of the {needed} signatures that {' and '.join(roles) or 'any role'} asks for count"
        return Trust(False, (*reasons, Reason("signature.threshold", shortage)), signed_by, owners)
    return Trust(True, (), signed_by, owners)


def objections(key: TrustedKey, roles: list[str], moment: datetime, now: datetime) -> Iterator[Reason]:
    """Why a key whose signature holds does not count."""
    who = f"key {key.fingerprint} of {key.owner}"
    if not key.may_sign(roles):
        asked = " or ".join(sorted(set(roles) - set(key.roles))) or "this predicate type"
        yield Reason("key.role", f"{who} may sign {', '.join(key.roles)}, not {asked}")
    if key.revoked and key.revoked.reason == "compromised":
        yield Reason("key.revoked", f"{who} was compromised; nothing that it signed counts")
    elif key.revoked and moment > key.revoked.at:
        yield Reason("key.revoked", f"{who} was superseded at {format_instant(key.revoked.at)}, before this was made")
    if key.not_before and min(moment, now) < key.not_before:
        yield Reason("key.not_yet_valid", f"{who} is valid from {format_instant(key.not_before)}")
    if key.not_after and moment > key.not_after:
        yield Reason("key.expired", f"{who} was valid until {format_instant(key.not_after)}, before this was made")


def _holds(key: TrustedKey, signature: Signature, sealed: Sealed) -> bool:
    return key.public.verify(sealed.signed_bytes, signature.sig)


def _refused(*reasons: Reason) -> Trust:
    return Trust(False, reasons)
