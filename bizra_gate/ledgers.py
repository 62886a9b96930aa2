"""The ledger of a repository: ``ledger/entries`` (one line per artifact) and ``ledger/checkpoint`` (its signed head).

Entries are written first. A crash between the two leaves lines that no checkpoint covers: `verify` reports them, and
the next change makes them anew from the files that they name, so that nobody signs a line that somebody else wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import opening, repository, store
from .attest import checkpoint, envelope, ledger
from .attest.keyring import Keyring
from .attest.keys import PrivateKey
from .attest.note import parse_checkpoint, parse_note
from .errors import BizraGateError, MissingError, UntrustedError, UsageError
from .model import OpenedEvidence, Reason, Trust

FOLDER = "ledger"
ENTRIES = "ledger/entries"
CHECKPOINT = "ledger/checkpoint"


Change = Callable[[ledger.Ledger], ledger.Ledger]


@dataclass(frozen=True, slots=True)
class State:
    """A ledger as it stands in a repository."""

    ledger: ledger.Ledger
    text: str
    checkpoint: str | None
    loose: int = 0
    """Lines that no checkpoint covered before the change."""


def read(root: Path) -> State:
    """The ledger below `root`; an absent one is empty. Raises `UntrustedError` where it cannot be read."""
    text = _text(root / ENTRIES) or ""
    return State(ledger.parse_ledger(text), text, _text(root / CHECKPOINT))


def _text(path: Path) -> str | None:
    try:
        return store.read(path, limit=64 * 1024 * 1024).decode("utf-8", errors="surrogateescape")
    except MissingError:
        return None


def append(root: Path, artifacts: Sequence[Path], signer: PrivateKey, now: datetime, origin: str | None) -> State:
    """List `artifacts` and sign the new head. Entries that are live already are not repeated."""

    def change(listed: ledger.Ledger) -> ledger.Ledger:
        return ledger.append(listed, [_entry(root, path, now) for path in artifacts], now)

    return _changed(root, signer, origin, now, change)


def withdraw(root: Path, artifact: Path, reason: str, signer: PrivateKey, now: datetime) -> State:
    """Give the live entry of `artifact` a tombstone."""
    path = _relative(root, artifact)
    return _changed(root, signer, None, now, lambda listed: ledger.withdraw(listed, path, reason, now))


def _changed(root: Path, signer: PrivateKey, origin: str | None, now: datetime, change: Change) -> State:
    """Read, change and write under one lock, so that two writers at once lose nothing."""
    with store.locked(root / FOLDER):
        before = read(root)
        try:
            signed = checkpoint.covered(before.ledger, before.checkpoint)
        except UntrustedError as error:
            hint = f"nothing was written; restore it with: git checkout {FOLDER}"
            raise UntrustedError(f"{ENTRIES}: {error.message}", code=error.code, hint=hint) from error
        loose = before.ledger.records[len(signed.records) :]
        after = change(ledger.append(signed, _made_anew(root, loose, now), now))
        if not after.render().startswith(signed.render()):
            raise UsageError(f"{ENTRIES}: the new ledger does not continue the old one; nothing was written")
        head = checkpoint.sign_checkpoint(after, _origin(root, before, origin), signer, before.checkpoint)
        store.write(root / ENTRIES, after.render().encode())
        store.write(root / CHECKPOINT, head.encode())
    return State(after, after.render(), head, len(loose))


def _made_anew(root: Path, loose: Sequence[ledger.Entry | ledger.Tombstone], now: datetime) -> list[ledger.Entry]:
    """The entries of a run that was cut off, from the files as they are; of one that is gone there is none."""
    paths = dict.fromkeys(one.path for one in loose if isinstance(one, ledger.Entry))
    return [_entry(root, root / path, now) for path in paths if (root / path).is_file()]


def _entry(root: Path, path: Path, now: datetime) -> ledger.Entry:
    return ledger.entry_for(envelope.read(store.read_named(path), path.name), _relative(root, path), now)


def _origin(root: Path, before: State, asked: str | None) -> str:
    """A log keeps its name; the first checkpoint gives it one."""
    if before.checkpoint is None:
        return asked or f"{root.resolve().name}/evidence"
    named = parse_checkpoint(parse_note(before.checkpoint)).origin
    if asked not in (None, named):
        raise UsageError(f"--origin: this ledger is called {named!r}, and a log does not change its name")
    return named


def cosign(
    root: Path, name: str, signer: PrivateKey, ring: Keyring | None, now: datetime, *, base: str | None = None
) -> State:
    """Add another party's signature to a head that `ring` trusts and that continues the one of `base`.

    Raises `UntrustedError` for any other head: a witness who signs whatever lies there witnesses nothing.
    """
    with store.locked(root / FOLDER):
        state = _signed(root)
        assert state.checkpoint is not None
        if reasons := _head_reasons(root, state, ring, now, base=base, cosigners=0):
            raise UntrustedError(f"{CHECKPOINT}: not cosigned: {reasons[0].message}", code=reasons[0].code)
        text = checkpoint.cosign_checkpoint(state.checkpoint, state.ledger, name, signer, now)
        store.write(root / CHECKPOINT, text.encode())
    return dataclasses.replace(state, checkpoint=text)


def _signed(root: Path) -> State:
    state = read(root)
    if state.checkpoint is None:
        raise MissingError(f"{CHECKPOINT}: no such file", hint="begin with: bizra-gate ledger append artifacts/*.json")
    return state


def prove(root: Path, artifact: Path) -> str:
    """A proof that `artifact` is in the ledger; it checks without the ledger."""
    state, path = _signed(root), _relative(root, artifact)
    assert state.checkpoint is not None
    entry = state.ledger.live.get(path)
    if entry is None:
        raise MissingError(f"{path}: not in the ledger", hint=f"list it with: bizra-gate ledger append {artifact}")
    return checkpoint.prove(state.ledger, state.checkpoint, state.ledger.records.index(entry))


def check_proof(root: Path, artifact: Path, proof: str, now: datetime, cosigners: int = 0) -> Trust:
    """Whether `proof` shows that `artifact` is in a log that this repository's keyring trusts."""
    sealed = envelope.read(store.read_named(artifact), artifact.name)
    entry = ledger.entry_for(sealed, _relative(root, artifact), now)
    ring = opening.ring_of(root)
    if ring is None:
        return Trust(False, (Reason("keyring.missing", "no gates/keyring.toml: nobody is trusted"),))
    return checkpoint.check_proof(entry, proof, ring, now, cosigners=cosigners)


def check(
    root: Path, ring: Keyring | None, now: datetime, *, base: str | None = None, cosigners: int = 0
) -> tuple[Reason, ...]:
    """Everything that is wrong with the ledger: its head, its growth since `base`, the files that it lists.

    `ring` says whose signatures count: that of the base where there is one, since the head must not choose its judge.
    """
    try:
        state = _signed(root)
    except BizraGateError as error:
        return (Reason("ledger.missing", error.message),)
    present = {path: store.digest(root / path) for path in state.ledger.live if (root / path).is_file()}
    reasons = _head_reasons(root, state, ring, now, base=base, cosigners=cosigners)
    return (*reasons, *ledger.file_reasons(state.ledger, present))


def _head_reasons(
    root: Path, state: State, ring: Keyring | None, now: datetime, *, base: str | None, cosigners: int
) -> tuple[Reason, ...]:
    """Why the signed head is not to be believed, or does not continue that of `base`."""
    if ring is None:
        return (Reason("keyring.missing", "no gates/keyring.toml: nobody is trusted"),)
    assert state.checkpoint is not None
    head = checkpoint.check_ledger(state.ledger, state.checkpoint, ring, now, cosigners=cosigners)
    return (*head.reasons, *(_growth(root, state, base) if base is not None else ()))


def _growth(root: Path, state: State, base: str) -> tuple[Reason, ...]:
    """A ledger only grows: the lines of the base are a prefix, and its checkpoint leads to this one."""
    before, head = _at(root, base, ENTRIES), _at(root, base, CHECKPOINT)
    lines = ledger.extension_reasons(before, state.text) if before is not None else ()
    return (*lines, *(checkpoint.growth_reasons(head, state.ledger) if head is not None else ()))


def _at(root: Path, base: str, name: str) -> str | None:
    try:
        return repository.show(root, base, name).decode("utf-8", errors="surrogateescape")
    except MissingError:
        return None


def included(evidence: OpenedEvidence, faults: Sequence[Reason], state: State | None) -> OpenedEvidence:
    """`evidence` as ``verify --ledger`` sees it: not trusted unless a sound ledger lists its very bytes."""
    if evidence.missing or evidence.sha256 is None:
        return evidence
    reasons = tuple(faults)
    if state is not None and not faults:
        reasons = ledger.inclusion_reasons(state.ledger, evidence.file, evidence.sha256)
    if not reasons:
        return evidence
    trust = Trust(False, (*evidence.trust.reasons, *reasons), evidence.trust.signed_by, evidence.trust.owners)
    return dataclasses.replace(evidence, trust=trust)


def _relative(root: Path, path: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise UsageError(f"{path}: not below {root}; the ledger lists artifacts of its own repository") from error
