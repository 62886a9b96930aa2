"""By which gates, keyring and waivers a case is judged: those here, or those of a base revision.

The judge is not in the dock: with a base, what a branch does to its own gates decides nothing and is told apart.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from . import gates, opening, repository, store
from .attest import envelope, format_instant, keyring, parse_instant, statement, subject, trust
from .attest.keys import PrivateKey
from .errors import BizraGateError, DefinitionError, MissingError, UntrustedError, UsageError
from .gates import Waiver
from .gates.paths import slug
from .gates.waivers import refusals
from .head_changes import RING, WAIVERS, head_changes, waived_gate
from .model import Change, Gate, Reason, Trust

WAIVER_TYPE = "https://bizra.dev/attestation/waiver/v1"
ROLE = "waiver"


@dataclass(frozen=True)
class Docket:
    """Gates with the keyring and the waiver files that go with them."""

    gates: list[Gate]
    rings: dict[Path, keyring.Keyring | None]
    waiver_files: list[tuple[str, bytes, Path]] = field(default_factory=list)
    """(name, bytes, repository root) of every waiver."""
    notes: list[str] = field(default_factory=list)
    faults: tuple[Reason, ...] = ()
    """Why nothing may be believed whatever the evidence says: the head's keyring may not follow the base's."""
    changes: tuple[Change, ...] = ()
    """What the head changes in gates, keyring and waivers; empty without a base."""

    def ring(self, root: Path) -> keyring.Keyring | None:
        return self.rings.get(root)

    def waivers(self, now: str) -> list[Waiver]:
        """Every waiver, opened; one that cannot be read is a note, and excuses nothing."""
        found: list[Waiver] = []
        for name, data, root in self.waiver_files:
            try:
                found.append(_waiver(name, data, self.ring(root), now))
            except BizraGateError as error:
                self.notes.append(f"Waiver {name} is refused: {error.message}")
        return found


def _waiver(name: str, data: bytes, ring: keyring.Keyring | None, now: str) -> Waiver:
    sealed = envelope.read(data, name)
    if ring is None:
        raise UntrustedError("no keyring: nobody may waive anything")
    verdict = trust.check(sealed, ring, parse_instant(now), role=ROLE)
    document = trust.open_sealed(sealed, verdict).statement
    if document["predicateType"] != WAIVER_TYPE:
        raise UntrustedError(f"predicate type {document['predicateType']!r} is no waiver", code="kind")
    return gates.parse_waiver(document["predicate"], name, verdict)


def waive(
    gate_file: Path,
    check: str,
    *,
    reason: str,
    ticket: str,
    approver: str,
    not_before: datetime,
    expires: datetime,
    signer: PrivateKey,
) -> Path:
    """Write a signed waiver for one check of the gate as it stands now; raises `UsageError` where it would not hold.

    Whether the key may waive is not asked here: `verify` asks the keyring.
    """
    (gate,) = opening.read_gates([gate_file])
    _require_check(gate, check)
    predicate = {
        "gate": gate.name,
        "check": check,
        "gate_digest": gate.sha256,
        "reason": reason,
        "ticket": ticket,
        "approver": approver,
        "not_before": format_instant(not_before),
        "expires": format_instant(expires),
    }
    file = opening.root_of(gate_file) / "gates" / WAIVERS / f"{slug(gate.name)}-{slug(check)}.json"
    given = gates.parse_waiver(predicate, str(file), Trust(True))
    if problems := list(refusals(given, gate, not_before)):
        raise UsageError(f"{gate.file}: {check} cannot be waived so: {'; '.join(problems)}")
    _require_same_waiver(file, gate.name, check)
    about = subject(gate.file, {"sha256": gate.sha256})
    store.write(file, envelope.seal(statement([about], WAIVER_TYPE, predicate), [signer]))
    return file


def _require_check(gate: Gate, check: str) -> None:
    known = [one.id for one in gate.checks]
    if check not in known:
        near = difflib.get_close_matches(check, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{gate.file} has no check {check!r}; it has {', '.join(known)}", hint=hint)


def _require_same_waiver(file: Path, gate: str, check: str) -> None:
    """A waiver may be renewed in its place; nothing else is overwritten."""
    if not file.exists():
        return
    try:
        said = envelope.read(store.read(file), str(file)).unverified_statement()["predicate"]
    except UntrustedError as error:
        raise UsageError(f"{file} exists and is no waiver of ours; it is kept") from error
    if (said.get("gate"), said.get("check")) != (gate, check):
        raise UsageError(f"{file} exists and waives {said.get('check')!r} of {said.get('gate')!r}; it is kept")


def here(
    paths: Sequence[Path],
    keyring_path: Path | None,
    meet: Callable[[Gate, Path, keyring.Keyring | None], None] | None = None,
) -> Docket:
    """The gates of the work tree; `meet` is told of each, with its root and keyring, while others are still read.

    What is wrong with a keyring is said where nothing is wrong with any gate.
    """
    rings: dict[Path, keyring.Keyring | None] = {}
    named: keyring.Keyring | None = None
    wrong: list[BizraGateError] = []
    try:
        named = _named(keyring_path) if keyring_path is not None else None
    except BizraGateError as error:
        wrong.append(error)

    def met(gate: Gate) -> None:
        root = opening.root_of(Path(gate.file))
        try:
            if root not in rings and not wrong:
                rings[root] = named or opening.ring_of(root)
        except BizraGateError as error:
            wrong.append(error)
        if meet is not None and not wrong:
            meet(gate, root, rings[root])

    judged = opening.read_gates(paths, met)
    if wrong:
        raise wrong[0]
    files = [
        (opening.shown(path), store.read(path), root)
        for root in rings
        for path in sorted((root / "gates" / WAIVERS).glob("*.json"))
    ]
    return Docket(judged, rings, _concerning(files, judged, paths))


def at_base(paths: Sequence[Path], revision: str, keyring_path: Path | None = None) -> Docket:
    """The gates of `revision`, and everything that the work tree changes in gates, keyring or waivers.

    A keyring from outside the repository decides where one is named; one inside would be the head's own judge.
    """
    root = _only_root(paths)
    repository.resolve(root, revision)
    listed = [name for name in repository.files(root, revision, "gates") if _wanted(root, name, paths)]
    for path in paths:
        if not path.exists() and not any(_wanted(root, name, [path]) for name in listed):
            raise UsageError(
                f"{path}: no such gate file or folder, neither here nor in {revision}",
                hint=opening.where_gates_are(path),
            )
    texts = {name: repository.show(root, revision, name) for name in listed}
    judged = _parse_all({name: data for name, data in texts.items() if _is_gate(name)}, root)
    ring_bytes = _optional(root, revision, RING)
    ring = _ring(ring_bytes, revision)
    waivers = [
        (name, repository.show(root, revision, name), root)
        for name in repository.files(root, revision, f"gates/{WAIVERS}")
    ]
    changes, unreadable = head_changes(judged, paths, root, ring_bytes, waivers)
    faults = succession_reasons(root, ring)
    changed = " What the head changes in them decides nothing here."
    told = changed if changes or unreadable else " The head changes none of them."
    judge = f"Judged by the gates, the keyring and the waivers of {revision}.{told}"
    notes = [judge, *_new(changes, revision), *unreadable]
    if keyring_path is not None:
        ring = _from_outside(root, keyring_path)
    return Docket(judged, {root: ring}, _concerning(waivers, judged, paths), notes, faults, changes)


def _new(changes: Sequence[Change], revision: str) -> Iterator[str]:
    """What to do about gates that only the head has: the base has no judge for them."""
    for change in changes:
        if change.is_new_gate:
            yield (
                f"{change.file} is new in the head: {revision} has no gate {change.gate}, so it is not judged here and "
                f"decides nothing before it is in {revision}. By its own word it is judged with: "
                f"bizra-gate verify {change.file}"
            )


def _concerning(
    waivers: Sequence[tuple[str, bytes, Path]], judged: Sequence[Gate], paths: Sequence[Path]
) -> list[tuple[str, bytes, Path]]:
    """The waivers of the gates that `paths` ask for. One for a gate that is nowhere is told where all are judged."""
    names = {gate.name for gate in judged}
    whole = [path.absolute() for path in paths if path.is_dir()]
    return [
        (name, data, root)
        for name, data, root in waivers
        if any((root / "gates").absolute().is_relative_to(path) for path in whole)
        or waived_gate(data, name) in (*names, None)
    ]


def ring_and_faults(root: Path, base: str | None) -> tuple[keyring.Keyring | None, tuple[Reason, ...]]:
    """The keyring that decides at `root`, that of `base` where one is named, and why the head's may not follow it."""
    if base is None:
        return opening.ring_of(root), ()
    ring = _ring(_optional(root, base, RING), base)
    return ring, succession_reasons(root, ring)


def succession_reasons(root: Path, base: keyring.Keyring | None) -> tuple[Reason, ...]:
    """Why the keyring that lies at `root` may not follow `base`; a revocation would be undone by rolling it back."""
    if base is None:
        return ()
    try:
        head = opening.ring_of(root)
    except DefinitionError as error:
        return tuple(Reason("keyring.unreadable", f"the head's keyring: {problem}") for problem in error.problems)
    if head is None:
        return (Reason("keyring.rolled_back", f"{RING} of the base is gone; a keyring is never taken away"),)
    problems = keyring.succession_problems(base, head, RING)
    return tuple(Reason("keyring.rolled_back", str(problem)) for problem in problems)


def _ring(data: bytes | None, revision: str) -> keyring.Keyring | None:
    return keyring.parse_keyring(_text(data, RING), f"{revision}:{RING}") if data is not None else None


def _named(path: Path) -> keyring.Keyring:
    """The keyring that somebody asked for by name; without it nothing is judged."""
    ring = opening.read_keyring(path)
    if ring is None:
        raise UsageError(f"--keyring: {path}: no such file")
    return ring


def _from_outside(root: Path, path: Path) -> keyring.Keyring:
    if path.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"--keyring: {path} lies in the repository, whose head is what is judged",
            hint="leave --keyring out: the keyring of the base decides; or name one outside the repository",
        )
    return _named(path)


def _only_root(paths: Sequence[Path]) -> Path:
    roots = {opening.root_of(path / "x" if path.is_dir() else path) for path in paths}
    if len(roots) != 1:
        raise UsageError("--base judges one repository at a time")
    root = roots.pop()
    if repository.top(root) is None:
        raise UsageError("--base needs a git work tree")
    return root


def _is_gate(name: str) -> bool:
    path = Path(name)
    return path.suffix == ".toml" and path.name != opening.KEYRING and WAIVERS not in path.parts


def _wanted(root: Path, name: str, paths: Sequence[Path]) -> bool:
    place = (root / name).absolute()
    return any(place == path.absolute() or path.absolute() in place.parents for path in paths)


def _parse_all(texts: dict[str, bytes], root: Path) -> list[Gate]:
    parsed = []
    for name, data in sorted(texts.items()):
        shown = opening.shown(root / name)
        parsed.append(gates.parse(_text(data, name), shown, hashlib.sha256(data).hexdigest()))
    gates.check_set(parsed)
    return parsed


def _text(data: bytes, name: str) -> str:
    """A definition out of git, within the limits of one that is read from disk."""
    if len(data) > store.MAX_DEFINITION_BYTES:
        raise UsageError(f"{name}: larger than {store.MAX_DEFINITION_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _optional(root: Path, revision: str, name: str) -> bytes | None:
    try:
        return repository.show(root, revision, name)
    except MissingError:
        return None
