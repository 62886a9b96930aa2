"""What the work tree changes in what judges, against a base revision: gates, keyring and waivers, key by key.

None of it decides anything; a reader of the report must see it all the same, what loosens first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import gates, opening, store
from .attest import envelope, keyring, parse_instant
from .attest.keyring_changes import differences
from .errors import DefinitionError, UntrustedError
from .gates.changes import NOTHING
from .model import Change, Gate

RING = f"gates/{opening.KEYRING}"
WAIVERS = "waivers"


def head_changes(
    base: Sequence[Gate],
    paths: Sequence[Path],
    root: Path,
    ring: bytes | None,
    waivers: Sequence[tuple[str, bytes, Path]],
) -> tuple[tuple[Change, ...], list[str]]:
    """Every change of the head, and a sentence for each thing in it that cannot be read."""
    head, unreadable, faults = _read_gates(paths)
    compared = [gate for gate in base if gate.file not in unreadable]
    found = [*gates.diff(compared, head)]
    keys, ring_faults = _keyring(root, ring)
    found += [*keys, *_waivers(root, {name: data for name, data, _ in waivers})]
    return gates.loosening_first(found), [*faults, *ring_faults]


def _read_gates(paths: Sequence[Path]) -> tuple[list[Gate], set[str], list[str]]:
    """The head's gates, the files that hold none that can be read, and why; one of them hides no change of another."""
    read: list[Gate] = []
    unreadable: set[str] = set()
    faults: list[str] = []
    for file in opening.gate_files([path for path in paths if path.exists()]):
        try:
            read += opening.read_gates([file])
        except DefinitionError as error:
            unreadable.add(opening.shown(file))
            faults += [f"The head's gates cannot be read: {problem}" for problem in error.problems]
    try:
        gates.check_set(read)
    except DefinitionError as error:
        faults += [f"The head's gates cannot be read: {problem}" for problem in error.problems]
    return read, unreadable, faults


def _keyring(root: Path, before: bytes | None) -> tuple[list[Change], list[str]]:
    """What the head does to the keyring; one that cannot be read is a reason for distrust, told elsewhere."""
    file = root / "gates" / opening.KEYRING
    after = store.read(file) if file.exists() else None
    if before == after:
        return [], []
    try:
        changes = list(differences(_parsed(before), _parsed(after), RING))
    except (DefinitionError, UnicodeDecodeError):
        return [], [f"{RING} is changed and cannot be read: the keys of the base decide."]
    return changes, [] if changes else [f"{RING} is only laid out anew: the same keys for the same roles."]


def _parsed(data: bytes | None) -> keyring.Keyring | None:
    return None if data is None else keyring.parse_keyring(data.decode("utf-8"), RING)


# ── waivers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _waivers(root: Path, before: Mapping[str, bytes]) -> Iterator[Change]:
    """What the head does to the waivers of the base, by their paths."""
    files = {file.relative_to(root).as_posix(): file for file in (root / "gates" / WAIVERS).glob("*.json")}
    for name in sorted({*before, *files}):
        old = before.get(name)
        new = store.read(files[name]) if name in files else None
        if old == new:
            continue
        was, now = _said(old, name), _said(new, name)
        gate = str((now or was).get("gate", "")) or None
        if new is None:
            removed = f"{_terms(was)}; it holds until that is in the base"
            yield Change("removed", name, gate, "", removed, NOTHING, False)
        elif old is None:
            yield Change("added", name, gate, "", NOTHING, f"{_terms(now)}; it holds once it is in the base", True)
        else:
            yield _renewed(name, gate, was, now)


def _renewed(name: str, gate: str | None, was: Mapping[str, Any], now: Mapping[str, Any]) -> Change:
    """A waiver in the place of another: it loosens unless it only ends earlier, or only its signatures differ."""
    if was == now:
        return Change("changed", name, gate, "", _terms(was), "the same, signed otherwise")
    shorter = all(was.get(key) == now.get(key) for key in ("gate", "check", "gate_digest")) and _ends(now) < _ends(was)
    return Change("tightened" if shorter else "loosened", name, gate, "", _terms(was), _terms(now), not shorter)


def waived_gate(data: bytes, name: str) -> str | None:
    """The gate that a waiver says it is for, whoever signed it; None where it cannot be read."""
    gate = _said(data, name).get("gate")
    return gate if isinstance(gate, str) else None


def _said(data: bytes | None, name: str) -> Mapping[str, Any]:
    """What a waiver says of itself, whoever signed it; empty where it cannot be read."""
    try:
        predicate = envelope.read(data, name).unverified_statement()["predicate"] if data is not None else {}
    except UntrustedError:
        return {}
    return predicate if isinstance(predicate, dict) else {}


def _terms(said: Mapping[str, Any]) -> str:
    """``p99 of checkout until 2026-11-30T00:00:00Z (OPS-1, Ada): the new disk arrives on Monday``."""
    if not said:
        return "a file that is no waiver"
    known = {name: str(said.get(name, "?")) for name in ("check", "gate", "expires", "ticket", "approver", "reason")}
    return "{check} of {gate} until {expires} ({ticket}, {approver}): {reason}".format(**known).rstrip(".")


def _ends(said: Mapping[str, Any]) -> float:
    try:
        return parse_instant(str(said.get("expires"))).timestamp()
    except ValueError:
        return float("inf")
