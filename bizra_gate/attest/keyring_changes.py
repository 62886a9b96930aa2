"""What one keyring says differently from another: whose signatures count more than before, and whose less."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bizra_gate.attest.instant import format_instant
from bizra_gate.attest.keyring import EVERY_ROLE, FILE, Keyring, Revocation, TrustedKey
from bizra_gate.model import Change

NOBODY = Keyring(0)
"""No keyring at all: nobody is trusted."""
NOTHING = "nothing"


def differences(base: Keyring | None, head: Keyring | None, file: str = FILE) -> Iterator[Change]:
    """Every difference between two keyrings, keys matched by themselves; `loosens` where the head trusts more."""
    old, new = base or NOBODY, head or NOBODY
    if old.version and new.version and old.version != new.version:
        yield _change(file, "version", str(old.version), str(new.version), None)
    yield from _later(file, "expires", old.expires, new.expires)
    for role in sorted({*old.thresholds, *new.thresholds}):
        was, now = old.thresholds.get(role, 1), new.thresholds.get(role, 1)
        if was != now:
            yield _change(file, f"roles.{role}.threshold", str(was), str(now), now < was)
    before, after = old.by_fingerprint(), new.by_fingerprint()
    for fingerprint in {**before, **after}:
        yield from _key(file, before.get(fingerprint), after.get(fingerprint))


def _key(file: str, old: TrustedKey | None, new: TrustedKey | None) -> Iterator[Change]:
    if old is None or new is None:
        key = old or new
        assert key is not None
        where, said = f"key {key.fingerprint}", f"{key.owner}, for {_roles(key)}"
        if old is None:
            yield Change("added", file, None, where, NOTHING, said, True)
        else:
            yield Change("removed", file, None, where, said, NOTHING, False)
        return
    where = f"key {new.fingerprint} of {new.owner}"
    if old.owner != new.owner:
        yield _change(file, f"{where}: owner", old.owner, new.owner, None)
    if set(old.roles) != set(new.roles):
        yield _change(file, f"{where}: roles", _roles(old), _roles(new), _may_more(old, new))
    yield from _later(file, f"{where}: not_after", old.not_after, new.not_after)
    if old.not_before != new.not_before:
        before, after = old.not_before, new.not_before
        earlier = after is None or (before is not None and after < before)
        yield _change(file, f"{where}: not_before", _when(before), _when(after), earlier)
    if old.revoked != new.revoked:
        laxer = _severity(new.revoked) < _severity(old.revoked)
        yield _change(file, f"{where}: revoked", _revocation(old.revoked), _revocation(new.revoked), laxer)


def _may_more(old: TrustedKey, new: TrustedKey) -> bool:
    return EVERY_ROLE not in old.roles and not set(new.roles) <= set(old.roles)


def _later(file: str, where: str, old: datetime | None, new: datetime | None) -> Iterator[Change]:
    """An end that comes later, or never, trusts longer."""
    if old != new:
        yield _change(file, where, _when(old), _when(new), new is None or (old is not None and new > old))


def _severity(revoked: Revocation | None) -> tuple[int, float]:
    """How little of what a key signed still counts: a stolen one's nothing, else the less the earlier it ended."""
    if revoked is None:
        return 0, 0.0
    return (2, 0.0) if revoked.reason == "compromised" else (1, -revoked.at.timestamp())


def _change(file: str, where: str, before: str, after: str, loosens: bool | None) -> Change:
    kind = "changed" if loosens is None else "loosened" if loosens else "tightened"
    return Change(kind, file, None, where, before, after, loosens)  # type: ignore[arg-type]


def _roles(key: TrustedKey) -> str:
    return "every role" if EVERY_ROLE in key.roles else ", ".join(key.roles)


def _when(moment: datetime | None) -> str:
    return "no limit" if moment is None else format_instant(moment)


def _revocation(revoked: Revocation | None) -> str:
    return "not revoked" if revoked is None else f"{revoked.reason} at {format_instant(revoked.at)}"
