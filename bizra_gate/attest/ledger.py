"""The ledger: one readable line per artifact, a Merkle tree over the lines, and a signed checkpoint of its head.

    ledger/entries      <finished> <predicate type> <path> sha256:<file> sha256:<canonical statement>
                        <when> tombstone <path> sha256:<file> <why>
    ledger/checkpoint   a C2SP signed note: origin, number of lines, RFC 6962 root; room for cosigners

Lines are only ever added. A file that is withdrawn or replaced gets a tombstone, so that a listed file which is gone
or different is noticed. Everything here is a function of text; who stores it is someone else's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NoReturn
from urllib.parse import quote, unquote

from bizra_gate.attest import merkle
from bizra_gate.attest.digest import SHA256_HEX, sha256_hex
from bizra_gate.attest.envelope import Sealed
from bizra_gate.attest.instant import format_instant, parse_instant
from bizra_gate.attest.statement import claimed_instant
from bizra_gate.errors import UntrustedError
from bizra_gate.model import Reason

FILE = "ledger/entries"
TOMBSTONE = "tombstone"
SUPERSEDED = "superseded by a newer artifact at the same path"
MAX_BYTES = 64 * 2**20
_SAFE_IN_PATH = "/!$&'()*,;=:@~-._"
_PREDICATE_TYPE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One artifact: when its work ended, what it speaks of, where it lies, and the digests of file and statement."""

    at: datetime
    predicate_type: str
    path: str
    file_sha256: str
    body_sha256: str

    def line(self) -> str:
        path = quote(self.path, safe=_SAFE_IN_PATH)
        digests = f"sha256:{self.file_sha256} sha256:{self.body_sha256}"
        return f"{format_instant(self.at)} {self.predicate_type} {path} {digests}"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A listed artifact that no longer counts, and why."""

    at: datetime
    path: str
    file_sha256: str
    reason: str

    def line(self) -> str:
        path = quote(self.path, safe=_SAFE_IN_PATH)
        return f"{format_instant(self.at)} {TOMBSTONE} {path} sha256:{self.file_sha256} {self.reason}"


@dataclass(frozen=True)
class Ledger:
    """The records of a ledger in their order."""

    records: tuple[Entry | Tombstone, ...] = ()

    @cached_property
    def leaves(self) -> list[bytes]:
        """Leaf hashes over the lines without their line breaks."""
        return [merkle.leaf_hash(record.line().encode()) for record in self.records]

    @cached_property
    def root(self) -> bytes:
        return merkle.root(self.leaves)

    @cached_property
    def live(self) -> dict[str, Entry]:
        """Path → entry, for every artifact that is listed and has no later tombstone."""
        found: dict[str, Entry] = {}
        for record in self.records:
            if isinstance(record, Entry):
                found[record.path] = record
            elif record.path in found and found[record.path].file_sha256 == record.file_sha256:
                del found[record.path]
        return found

    def render(self) -> str:
        return "".join(record.line() + "\n" for record in self.records)

    def index_of(self, file_sha256: str) -> int | None:
        """Where the artifact with this digest was listed last, or None."""
        matching = [
            i for i, one in enumerate(self.records) if isinstance(one, Entry) and one.file_sha256 == file_sha256
        ]
        return matching[-1] if matching else None


def entry_for(sealed: Sealed, path: str, default_at: datetime) -> Entry:
    """The line that would list an artifact at `path`; `default_at` where its statement claims no time."""
    statement = sealed.unverified_statement()
    at = claimed_instant(statement) or default_at
    return _checked_entry(Entry(at, statement["predicateType"], path, sealed.sha256, sha256_hex(sealed.body)))


def parse_ledger(text: str, file: str = FILE) -> Ledger:
    """The ledger that `text` is; every line must be spelled the one way. Raises `UntrustedError` naming the line."""
    if len(text) > MAX_BYTES:
        raise UntrustedError(f"{file}: {len(text):,} characters; at most {MAX_BYTES:,} are read")
    if not text.isascii() and any(0xD800 <= ord(character) < 0xE000 for character in text):
        raise UntrustedError(f"{file}: not UTF-8")
    if text and not text.endswith("\n"):
        raise UntrustedError(f"{file}: the last line has no line break; the file was cut off")
    records = tuple(_record(line, f"{file}: line {n}") for n, line in enumerate(text.split("\n")[:-1], start=1))
    ledger = Ledger(records)
    _require_tombstones_to_name_entries(ledger, file)
    return ledger


def append(ledger: Ledger, entries: Iterable[Entry], at: datetime) -> Ledger:
    """`ledger` with `entries` at its end; one that is live already is not repeated.

    An artifact that takes the place of another at its path gives that one a tombstone, dated `at`.
    """
    records, live = list(ledger.records), dict(ledger.live)
    for entry in entries:
        _checked_entry(entry)
        old = live.get(entry.path)
        if old is not None and old.file_sha256 == entry.file_sha256:
            continue
        if old is not None:
            records.append(Tombstone(at, old.path, old.file_sha256, SUPERSEDED))
        records.append(entry)
        live[entry.path] = entry
    return Ledger(tuple(records))


def withdraw(ledger: Ledger, path: str, reason: str, at: datetime) -> Ledger:
    """`ledger` with a tombstone for the live artifact at `path`; raises `UntrustedError` where none is live."""
    entry = ledger.live.get(path)
    if entry is None:
        raise UntrustedError(f"{FILE}: no live artifact {path!r} to withdraw", code="ledger.absent")
    words = " ".join(reason.split())
    if not words or not words.isprintable():
        raise UntrustedError(f"{FILE}: a tombstone needs a reason in plain words, got {reason!r}")
    return Ledger((*ledger.records, Tombstone(at, path, entry.file_sha256, words)))


def extension_reasons(base: str, head: str) -> tuple[Reason, ...]:
    """Why the text `head` does not follow from the text `base`: lines are added at the end, never changed."""
    if head.startswith(base):
        return ()
    base_lines, head_lines = base.split("\n"), head.split("\n")
    same = next((n for n, (one, other) in enumerate(zip(base_lines, head_lines, strict=False)) if one != other), None)
    at = min(len(base_lines), len(head_lines)) if same is None else same + 1
    return (Reason("ledger.rewritten", f"{FILE}: line {at} is not as it was at the base; a ledger only grows"),)


def inclusion_reasons(ledger: Ledger, path: str, file_sha256: str) -> tuple[Reason, ...]:
    """Why the artifact at `path` is not live in the ledger; nothing where it is."""
    entry = ledger.live.get(path)
    if entry is not None and entry.file_sha256 == file_sha256:
        return ()
    if any(one.path == path and one.file_sha256 == file_sha256 for one in ledger.records):
        return (Reason("ledger.tombstone", f"{path} was withdrawn from the ledger"),)
    listed = f"with another digest sha256:{entry.file_sha256}" if entry else "nowhere"
    return (Reason("ledger.absent", f"{path} (sha256:{file_sha256}) is listed in the ledger {listed}"),)


def file_reasons(ledger: Ledger, digests: Mapping[str, str]) -> tuple[Reason, ...]:
    """Which live artifacts are gone or different; `digests` maps the paths that exist to their SHA-256."""
    reasons: list[Reason] = []
    for path, entry in sorted(ledger.live.items()):
        found = digests.get(path)
        if found is None:
            hint = "restore it, or withdraw it with a tombstone"
            reasons.append(Reason("ledger.missing", f"{path} is listed in the ledger and is not there; {hint}"))
        elif found != entry.file_sha256:
            got = f"sha256:{found}, the ledger says sha256:{entry.file_sha256}"
            reasons.append(Reason("ledger.changed", f"{path}: got {got}"))
    return tuple(reasons)


def _record(line: str, where: str) -> Entry | Tombstone:
    fields = line.split(" ", 4)
    if len(fields) != 5:
        _refuse(where, "expected five fields: time, predicate type, path, file digest, statement digest")
    try:
        at = parse_instant(fields[0])
    except ValueError as error:
        _refuse(where, str(error))
    path, digest = unquote(fields[2]), fields[3].removeprefix("sha256:")
    record: Entry | Tombstone
    if fields[1] == TOMBSTONE:
        record = Tombstone(at, path, digest, fields[4])
        if not fields[4].strip() or not fields[4].isprintable():
            _refuse(where, "a tombstone needs a reason in plain words")
    else:
        record = Entry(at, fields[1], path, digest, fields[4].removeprefix("sha256:"))
    problem = _problem(record)
    if problem or record.line() != line:
        _refuse(where, problem or "not spelled the one way")
    return record


def _checked_entry(entry: Entry) -> Entry:
    problem = _problem(entry)
    if problem:
        _refuse(entry.path, problem)
    return entry


def _problem(record: Entry | Tombstone) -> str:
    if not is_inside(record.path):
        return f"path {record.path!r} leaves the repository or is not relative"
    digests = [record.file_sha256] + ([record.body_sha256] if isinstance(record, Entry) else [])
    if not all(SHA256_HEX.fullmatch(digest) for digest in digests):
        return "a digest is not 64 lowercase hexadecimal digits"
    if isinstance(record, Entry) and not _PREDICATE_TYPE.fullmatch(record.predicate_type):
        return f"predicate type {record.predicate_type!r} is not a URI in plain ASCII"
    if isinstance(record, Entry) and record.predicate_type == TOMBSTONE:
        return f"{TOMBSTONE!r} is not a predicate type"
    return ""


def is_inside(path: str) -> bool:
    """Whether a path is relative, stays below where it starts, and is spelled plainly."""
    parts = path.split("/")
    return not re.search(r"[\\\x00-\x1f]", path) and ":" not in parts[0] and not {"", ".", ".."} & set(parts)


def _require_tombstones_to_name_entries(ledger: Ledger, file: str) -> None:
    listed: set[tuple[str, str]] = set()
    for number, record in enumerate(ledger.records, start=1):
        if isinstance(record, Entry):
            listed.add((record.path, record.file_sha256))
        elif (record.path, record.file_sha256) not in listed:
            _refuse(f"{file}: line {number}", "a tombstone for an artifact that was never listed")


def _refuse(where: str, reason: str) -> NoReturn:
    raise UntrustedError(f"{where}: {reason}", code="malformed")
