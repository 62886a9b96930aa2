"""Ed25519 keys (RFC 8032, pure) and their text forms; the only file that touches PyNaCl.

A private key is PKCS#8 PEM (RFC 8410), a public key is SPKI PEM or an OpenSSH line. Both DER forms of Ed25519 are a
constant prefix and 32 bytes, so they are matched exactly and no ASN.1 reader is needed. A key is named by its OpenSSH
fingerprint, always computed from the key itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import BadSignatureError, CryptoError

from bizra_gate.errors import KeyFileError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
PUBLIC_LABEL = "PUBLIC KEY"
PRIVATE_LABEL = "PRIVATE KEY"
ENCRYPTED_LABEL = "BIZRA-GATE ENCRYPTED PRIVATE KEY"

_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
_SPKI = bytes.fromhex("302a300506032b6570032100")
_SSH = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 -]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END ([A-Z0-9 -]+)-----\s*")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

_P = 2**255 - 19
_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y coordinates of the eight points of order 1, 2, 4 and 8: under such a key anybody can sign anything."""


_LOCKED = struct.Struct(">4sIQ16s24s")
"""Encrypted form: magic, Argon2id passes, Argon2id memory in bytes, salt, nonce; the box of the seed follows."""
_MAGIC = b"BGK1"


@dataclass(frozen=True, slots=True)
class Argon2id:
    """What one guess at a passphrase costs: passes over so many bytes of memory; by default most of a second."""

    passes: int = 3
    memory_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        if not (1 <= self.passes <= 16 and 2**13 <= self.memory_bytes <= 2**30):
            raise KeyFileError(
                f"Argon2id with {self.passes} passes over {self.memory_bytes:,} bytes; "
                "expected 1 to 16 passes over 8 KiB to 1 GiB"
            )


@dataclass(frozen=True, slots=True)
class PublicKey:
    """32 bytes of Ed25519 public key, of full order; equal exactly where the bytes are."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise KeyFileError(f"an Ed25519 public key has {KEY_BYTES} bytes; got {len(self.raw)}")
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if y % _P in _SMALL_ORDER:
            raise KeyFileError("a small-order Ed25519 key: anybody can forge its signatures; it is never trusted")
        if y >= _P or not _on_curve(self.raw):
            raise KeyFileError("these 32 bytes are not a point of Ed25519; the key is damaged")

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """A key from SPKI PEM (``-----BEGIN PUBLIC KEY-----``) or from an OpenSSH line (``ssh-ed25519 AAAA…``)."""
        return cls.from_pem(text) if "-----BEGIN" in text else cls.from_openssh(text)

    @classmethod
    def from_pem(cls, text: str) -> PublicKey:
        label, der = unwrap_pem(text)
        if label != PUBLIC_LABEL:
            raise KeyFileError(f"got a PEM block {label!r}; expected {PUBLIC_LABEL!r}")
        if len(der) != len(_SPKI) + KEY_BYTES or not der.startswith(_SPKI):
            raise KeyFileError("not an Ed25519 public key (SPKI); other algorithms are not used here")
        return cls(der[len(_SPKI) :])

    @classmethod
    def from_openssh(cls, line: str) -> PublicKey:
        words = line.split(maxsplit=2)
        if len(words) < 2 or words[0] != "ssh-ed25519" or "\n" in line.strip():
            raise KeyFileError(
                f"got {line.strip()[:40]!r}; expected one line 'ssh-ed25519 AAAA… comment'",
                hint="make a key with: bizra-gate keygen",
            )
        blob = _base64(words[1])
        if len(blob) != len(_SSH) + KEY_BYTES or not blob.startswith(_SSH):
            raise KeyFileError("the ssh-ed25519 line does not hold an Ed25519 key; it is damaged or cut off")
        return cls(blob[len(_SSH) :])

    @property
    def fingerprint(self) -> str:
        """``SHA256:…`` as ``ssh-keygen -lf`` prints it: unpadded base64 of SHA-256 over the OpenSSH blob."""
        return _fingerprint(self.raw)

    def pem(self) -> str:
        """SPKI PEM, as OpenSSL, cosign and Go read it."""
        return wrap_pem(PUBLIC_LABEL, _SPKI + self.raw)

    def openssh(self, comment: str = "") -> str:
        """One line ``ssh-ed25519 AAAA… comment``, without a line break."""
        return f"ssh-ed25519 {base64.b64encode(_SSH + self.raw).decode('ascii')} {' '.join(comment.split())}".rstrip()

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) over `message` was made by this key; libsodium refuses malleable ones."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            bindings.crypto_sign_open(signature + message, self.raw)
        except BadSignatureError:
            return False
        return True


@lru_cache(maxsize=1024)
def _fingerprint(raw: bytes) -> str:
    """Kept, because a keyring is asked for the names of all its keys with every artifact."""
    digest = hashlib.sha256(_SSH + raw).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The 32-byte seed of an Ed25519 private key; never shown by ``repr``."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_BYTES:
            raise KeyFileError(f"an Ed25519 seed has {KEY_BYTES} bytes; got {len(self.seed)}")

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new key from the operating system's random source."""
        return cls(bindings.randombytes(KEY_BYTES))

    @classmethod
    def from_pem(cls, text: str, passphrase: str | None = None) -> PrivateKey:
        """A key from PKCS#8 PEM, or from the encrypted form that `pem` writes when given a passphrase."""
        label, body = unwrap_pem(text)
        if label == ENCRYPTED_LABEL:
            return cls(_unlock(body, passphrase))
        if label != PRIVATE_LABEL:
            raise KeyFileError(
                f"got a PEM block {label!r}; expected {PRIVATE_LABEL!r} (PKCS#8, Ed25519)",
                hint="make a key with: bizra-gate keygen",
            )
        if len(body) != len(_PKCS8) + KEY_BYTES or not body.startswith(_PKCS8):
            raise KeyFileError("not an Ed25519 private key (PKCS#8); other algorithms are not used here")
        return cls(body[len(_PKCS8) :])

    @property
    def public(self) -> PublicKey:
        return PublicKey(bindings.crypto_sign_seed_keypair(self.seed)[0])

    def pem(self) -> str:
        """Unencrypted PKCS#8 PEM, as OpenSSL reads it. Whoever writes it to a file gives that file mode 0600."""
        return wrap_pem(PRIVATE_LABEL, _PKCS8 + self.seed)

    def encrypted_pem(self, passphrase: str, cost: Argon2id | None = None) -> str:
        """The seed in a box (XSalsa20-Poly1305) under Argon2id of `passphrase`; the parameters lie beside it."""
        return wrap_pem(ENCRYPTED_LABEL, _lock(self.seed, passphrase, cost or Argon2id()))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`: deterministic, pure Ed25519."""
        secret = bindings.crypto_sign_seed_keypair(self.seed)[1]
        return bindings.crypto_sign(message, secret)[:SIGNATURE_BYTES]


def is_fingerprint(text: str) -> bool:
    """Whether `text` has the shape of an OpenSSH SHA-256 fingerprint."""
    return _FINGERPRINT.fullmatch(text) is not None


def wrap_pem(label: str, body: bytes) -> str:
    """`body` as one PEM block (RFC 7468), 64 columns wide."""
    text = base64.b64encode(body).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def unwrap_pem(text: str) -> tuple[str, bytes]:
    """Label and body of the one PEM block that `text` is; raises `KeyFileError`."""
    match = _PEM.fullmatch(text) if len(text) <= 65536 else None
    if match is None or match[1] != match[3]:
        raise KeyFileError("not a PEM file: expected exactly one block between -----BEGIN …----- and -----END …-----")
    return match[1], _base64("".join(match[2].split()))


def _lock(seed: bytes, passphrase: str, cost: Argon2id) -> bytes:
    if not passphrase:
        raise KeyFileError("an empty passphrase protects nothing; give one, or store the key unencrypted on purpose")
    salt, nonce = bindings.randombytes(16), bindings.randombytes(24)
    header = _LOCKED.pack(_MAGIC, cost.passes, cost.memory_bytes, salt, nonce)
    return header + bindings.crypto_secretbox(seed, nonce, _stretch(passphrase, salt, cost))


def _unlock(body: bytes, passphrase: str | None) -> bytes:
    if len(body) != _LOCKED.size + KEY_BYTES + bindings.crypto_secretbox_MACBYTES or not body.startswith(_MAGIC):
        raise KeyFileError("the encrypted private key is damaged or of an unknown version")
    if not passphrase:
        raise KeyFileError(
            "the private key is encrypted", hint="set BIZRA_GATE_PASSPHRASE, or run this at a terminal and type it"
        )
    _, passes, memory_bytes, salt, nonce = _LOCKED.unpack(body[: _LOCKED.size])
    key = _stretch(passphrase, salt, Argon2id(passes, memory_bytes))
    try:
        return bindings.crypto_secretbox_open(body[_LOCKED.size :], nonce, key)
    except CryptoError:
        raise KeyFileError("wrong passphrase for this private key, or the file is damaged") from None


def _stretch(passphrase: str, salt: bytes, cost: Argon2id) -> bytes:
    try:
        return bindings.crypto_pwhash_alg(
            bindings.crypto_secretbox_KEYBYTES,
            passphrase.encode("utf-8"),
            salt,
            cost.passes,
            cost.memory_bytes,
            bindings.crypto_pwhash_ALG_ARGON2ID13,
        )
    except CryptoError:
        raise KeyFileError(
            f"Argon2id needs {cost.memory_bytes // 2**20} MiB of memory, which was not to be had"
        ) from None


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFileError(f"the key is not base64: {error}") from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise KeyFileError("the key's base64 has stray bits at its end; it is damaged")
    return raw


def _on_curve(raw: bytes) -> bool:
    """Whether libsodium accepts `raw` as a point of the main subgroup; True where it was built without the check."""
    return not bindings.has_crypto_core_ed25519 or bool(bindings.crypto_core_ed25519_is_valid_point(raw))
