"""The keyring: whose signatures count, for which kinds of evidence, and when (`gates/keyring.toml`)."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bizra_gate.attest.instant import EXAMPLE, format_instant, parse_instant
from bizra_gate.attest.keys import PublicKey
from bizra_gate.attest.statement import KINDS
from bizra_gate.errors import DefinitionError, KeyFileError, Problem

EVERY_ROLE = "*"
ROLES = (*KINDS, EVERY_ROLE)
REASONS = ("compromised", "superseded")
FILE = "gates/keyring.toml"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Since when a key is out of use, and why.

    ``compromised``: nothing that it ever signed counts. ``superseded``: what it signed before still does.
    """

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, its owner, and the kinds of evidence it may sign (``*``: all) within its time."""

    public: PublicKey
    owner: str
    roles: tuple[str, ...]
    not_before: datetime | None = None
    not_after: datetime | None = None
    revoked: Revocation | None = None

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    def may_sign(self, roles: Iterable[str]) -> bool:
        """Whether this key holds every one of `roles`; without any named role only a key with all roles will do."""
        wanted = set(roles)
        return EVERY_ROLE in self.roles or (bool(wanted) and wanted <= set(self.roles))


@dataclass(frozen=True, slots=True)
class Keyring:
    """The trusted keys as they stood in one version of the file."""

    version: int
    keys: tuple[TrustedKey, ...] = ()
    expires: datetime | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)

    def threshold(self, roles: Iterable[str]) -> int:
        """How many different keys must have signed evidence of these roles: the largest that is asked, at least 1."""
        return max((self.thresholds.get(role, 1) for role in roles), default=1)

    def by_fingerprint(self) -> dict[str, TrustedKey]:
        return {key.fingerprint: key for key in self.keys}


def parse_keyring(text: str, file: str = FILE) -> Keyring:
    """The keyring that `text` (TOML) describes; raises `DefinitionError` with every problem in it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError([Problem(file, str(error), "a TOML document")]) from None
    except RecursionError:
        raise DefinitionError([Problem(file, "brackets within brackets without end", "a TOML document")]) from None
    reader = _Reader(file)
    keyring = reader.keyring(document)
    if reader.problems:
        raise DefinitionError(reader.problems)
    return keyring


def succession_problems(old: Keyring, new: Keyring, file: str = FILE) -> tuple[Problem, ...]:
    """Why `new` may not follow `old`: the version of a keyring only rises, unless nothing changed."""
    if new.version > old.version or new == old:
        return ()
    where = f"{file}: version"
    if new.version == old.version:
        got = f"{new.version}, as before, but the contents differ"
    else:
        got = f"{new.version} after {old.version}"
    return (Problem(where, got, f"at least {old.version + 1}", "A keyring is never rolled back; raise its version."),)


class _Reader:
    """Reads one document and collects what is wrong with it, so that all problems are told at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def keyring(self, document: Mapping[str, Any]) -> Keyring:
        self._known(document, "", ("version", "expires", "keys", "roles"))
        return Keyring(
            version=self._version(document),
            expires=self._instant(document, "", "expires"),
            keys=self._keys(document.get("keys", [])),
            thresholds=self._thresholds(document.get("roles", {})),
        )

    def _version(self, document: Mapping[str, Any]) -> int:
        version = document.get("version")
        if type(version) is int and version >= 1:
            return version
        self._problem("version", _shown(version), "a whole number, at least 1", "It rises with every change.")
        return 1

    def _keys(self, tables: object) -> tuple[TrustedKey, ...]:
        if not isinstance(tables, list):
            self._problem("keys", _shown(tables), "[[keys]] tables")
            return ()
        found = [self._key(table, f"keys[{index}]") for index, table in enumerate(tables)]
        keys = tuple(key for key in found if key is not None)
        seen: dict[PublicKey, int] = {}
        for index, key in enumerate(found):
            if key is not None and seen.setdefault(key.public, index) != index:
                self._problem(
                    f"keys[{index}].public",
                    f"{key.fingerprint} again (see keys[{seen[key.public]}])",
                    "every key once",
                    "Write all its roles in one place.",
                )
        return keys

    def _key(self, table: object, where: str) -> TrustedKey | None:
        if not isinstance(table, dict):
            self._problem(where, _shown(table), "a table")
            return None
        self._known(table, where, ("public", "owner", "roles", "not_before", "not_after", "revoked"))
        public = self._public(table, where)
        owner = table.get("owner")
        if not isinstance(owner, str) or not owner.strip():
            self._problem(f"{where}.owner", _shown(owner), "who answers for this key, as text")
        roles = self._roles(table, where)
        start, end = self._instant(table, where, "not_before"), self._instant(table, where, "not_after")
        if start and end and start >= end:
            self._problem(
                f"{where}.not_after", format_instant(end), f"an instant after not_before {format_instant(start)}"
            )
        revoked = self._revocation(table.get("revoked"), f"{where}.revoked")
        return TrustedKey(public, str(owner), roles, start, end, revoked) if public else None

    def _public(self, table: Mapping[str, Any], where: str) -> PublicKey | None:
        line = table.get("public")
        try:
            if isinstance(line, str):
                return PublicKey.from_openssh(line)
            problem = _shown(line)
        except KeyFileError as error:
            problem = error.message
        self._problem(
            f"{where}.public", problem, "an OpenSSH line 'ssh-ed25519 AAAA…'", "`bizra-gate trust` writes it."
        )
        return None

    def _roles(self, table: Mapping[str, Any], where: str) -> tuple[str, ...]:
        roles = table.get("roles")
        if not isinstance(roles, list) or not roles:
            self._problem(f"{where}.roles", _shown(roles), f"a list of roles, from {', '.join(ROLES)}")
            return ()
        for index, role in enumerate(roles):
            if role not in ROLES:
                self._problem(
                    f"{where}.roles[{index}]", _shown(role), f"one of {', '.join(ROLES)}", _nearest(role, ROLES)
                )
        return tuple(role for role in roles if role in ROLES)

    def _revocation(self, table: object, where: str) -> Revocation | None:
        if table is None:
            return None
        if not isinstance(table, dict):
            self._problem(where, _shown(table), f'{{ at = "{EXAMPLE}", reason = "compromised" }}')
            return None
        self._known(table, where, ("at", "reason"))
        at = self._instant(table, where, "at", required=True)
        reason = table.get("reason")
        if reason not in REASONS:
            self._problem(f"{where}.reason", _shown(reason), " or ".join(REASONS), _nearest(reason, REASONS))
        return Revocation(at, str(reason)) if at else None

    def _thresholds(self, tables: object) -> dict[str, int]:
        if not isinstance(tables, dict):
            self._problem("roles", _shown(tables), "tables such as [roles.benchmark]")
            return {}
        self._known(tables, "roles", KINDS)
        thresholds: dict[str, int] = {}
        for role, table in tables.items():
            where = f"roles.{role}"
            if not isinstance(table, dict):
                self._problem(where, _shown(table), "a table with a threshold")
                continue
            self._known(table, where, ("threshold",))
            threshold = table.get("threshold")
            if type(threshold) is int and 1 <= threshold <= 16:
                thresholds[role] = threshold
            else:
                self._problem(f"{where}.threshold", _shown(threshold), "a whole number from 1 to 16")
        return thresholds

    def _instant(self, table: Mapping[str, Any], where: str, name: str, *, required: bool = False) -> datetime | None:
        value = table.get(name)
        if value is None and not required:
            return None
        try:
            if isinstance(value, datetime) and value.tzinfo is not None:
                return parse_instant(format_instant(value))
            if isinstance(value, str):
                return parse_instant(value)
        except ValueError:
            pass
        self._problem(
            f"{where}.{name}".lstrip("."), _shown(value), f"an RFC 3339 instant with a zone, such as {EXAMPLE}"
        )
        return None

    def _known(self, table: Mapping[str, Any], where: str, names: tuple[str, ...]) -> None:
        for name in table:
            if name not in names:
                place = f"{where}.{name}".lstrip(".")
                self._problem(place, f"the unknown key {name!r}", f"one of {', '.join(names)}", _nearest(name, names))

    def _problem(self, place: str, got: str, expected: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.file}: {place}", got, expected, hint))


def _nearest(got: object, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(got, list(names), n=1) if isinstance(got, str) else []
    return f"Did you mean {near[0]!r}?" if near else ""


def _shown(value: object) -> str:
    return "nothing" if value is None else (repr(value) if len(repr(value)) <= 80 else repr(value)[:79] + "…")
