"""Signed notes, checkpoints and cosignatures as C2SP specifies them (signed-note, tlog-checkpoint, tlog-cosignature).

A note is text, an empty line, and signature lines ``— <name> <base64(key id ‖ signature)>``. A checkpoint is a note
whose text is origin, tree size and root. A cosignature is a signature with a time in it, by somebody other than the
log, over the same text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace

from bizra_gate.attest.keys import SIGNATURE_BYTES, PrivateKey, PublicKey
from bizra_gate.attest.merkle import HASH_BYTES
from bizra_gate.errors import UntrustedError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_SIGNATURES = 64
MAX_CHARACTERS = 64 * 1024
_DASH = "\u2014"
_LINE = re.compile(rf"{_DASH} ([^\s+]+) ([A-Za-z0-9+/]+={{0,2}})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who says they signed, a four-byte hint at the key, and the signature."""

    name: str
    key_id: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Text (it ends in a line break) and its signatures, none of them verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def render(self) -> str:
        lines = [f"{_DASH} {one.name} {_base64(one.key_id + one.sig)}\n" for one in self.signatures]
        return f"{self.text}\n{''.join(lines)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: whose it is, how many leaves, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def parse_note(text: str) -> Note:
    """The note that `text` is; raises `UntrustedError` (``malformed``) unless it would render as the same text."""
    if len(text) > MAX_CHARACTERS:
        raise _malformed(f"longer than {MAX_CHARACTERS:,} characters")
    body, gap, rest = text.rpartition("\n\n")
    lines = rest.removesuffix("\n").split("\n")
    if not gap or not body or not rest.endswith("\n"):
        raise _malformed("expected text, an empty line, and at least one signature line")
    if any((character < " " and character != "\n") or "\ud800" <= character < "\ue000" for character in text):
        raise _malformed("it holds control characters or is not UTF-8")
    if len(lines) > MAX_SIGNATURES:
        raise _malformed(f"more than {MAX_SIGNATURES} signatures")
    note = Note(body + "\n", tuple(_signature(line) for line in lines))
    if note.render() != text:
        raise _malformed("its signature lines are not spelled canonically")
    return note


def parse_checkpoint(note: Note) -> Checkpoint:
    """The checkpoint that a note's text is; extension lines are refused, because nobody here could audit them."""
    lines = note.text.removesuffix("\n").split("\n")
    if len(lines) != 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise _malformed("a checkpoint has three lines: origin, tree size, root")
    checkpoint = Checkpoint(lines[0], int(lines[1]), _decoded(lines[2]))
    if len(checkpoint.root) != HASH_BYTES or checkpoint.text() != note.text:
        raise _malformed("the root of a checkpoint is 32 bytes in standard base64")
    return checkpoint


def key_id(name: str, public: PublicKey, kind: int = ED25519) -> bytes:
    """SHA-256(name ‖ LF ‖ kind ‖ key)[:4]: a hint, short on purpose, that any attacker can collide."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public.raw).digest()[:4]


def verifier_key(name: str, public: PublicKey, kind: int = ED25519) -> str:
    """The one-line ``name+id+key`` form (vkey) that other log tools are configured with."""
    _require_name(name)
    return f"{name}+{key_id(name, public, kind).hex()}+{_base64(bytes([kind]) + public.raw)}"


def sign_note(text: str, name: str, key: PrivateKey) -> Note:
    """A note over `text` with the one signature of `key` under `name`."""
    _require_name(name)
    if not text.endswith("\n"):
        raise _malformed("the text of a note ends in a line break")
    return Note(text, (NoteSignature(name, key_id(name, key.public), key.sign(text.encode())),))


def cosign_note(note: Note, name: str, key: PrivateKey, at_s: int) -> Note:
    """`note` with a timestamped cosignature more; `at_s` is seconds since 1970 (POSIX)."""
    _require_name(name)
    stamp = at_s.to_bytes(8, "big")
    signature = NoteSignature(name, key_id(name, key.public, COSIGNATURE), stamp + key.sign(_cosigned(note, at_s)))
    return replace(note, signatures=(*note.signatures, signature))


def is_by(signature: NoteSignature, public: PublicKey, kind: int) -> bool:
    """Whether the line claims to be of this key and kind; if so it must verify."""
    return signature.key_id == key_id(signature.name, public, kind)


def verify_signature(note: Note, signature: NoteSignature, public: PublicKey) -> bool:
    """Whether a plain signature line holds under `public`."""
    return public.verify(note.text.encode(), signature.sig)


def verify_cosignature(note: Note, signature: NoteSignature, public: PublicKey) -> int | None:
    """When (seconds since 1970) `public` cosigned the note, or None where the line does not hold."""
    stamp, sig = signature.sig[:8], signature.sig[8:]
    at_s = int.from_bytes(stamp, "big")
    if len(sig) != SIGNATURE_BYTES or at_s >= 2**63 or not public.verify(_cosigned(note, at_s), sig):
        return None
    return at_s


def _cosigned(note: Note, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{note.text}".encode()


def _signature(line: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    raw = _decoded(match[2]) if match else b""
    if match is None or len(raw) <= 4:
        raise _malformed(f"expected a signature line '{_DASH} name base64', got {line[:60]!r}")
    return NoteSignature(match[1], raw[:4], raw[4:])


def _require_name(name: str) -> None:
    if not re.fullmatch(r"[^\s+]+", name) or any(ord(character) < 32 for character in name):
        raise _malformed(f"{name!r} is no key name; write one without spaces and plus signs, such as example.com/log")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _malformed(reason: str) -> UntrustedError:
    return UntrustedError(f"malformed note: {reason}", code="malformed")
