"""The artifact: a readable file around a signed statement, sealed and opened here and nowhere else.

    read(bytes) -> Sealed                  strict JSON, closed shape, bytes equal to their one rendering
    check(sealed, keyring, now) -> Trust   signatures, keys, roles, thresholds; reasons instead of exceptions
    open_artifact(bytes, keyring, now)     both, or `UntrustedError`

The signature is Ed25519 over the DSSE PAE of the canonical statement. Only the format, the payload type and the
signatures are looked at before it holds, and what is handed out afterwards is the parse of the bytes that it covers.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bizra_gate.attest.canonical import canonical_parsed, cross_checked, render_parsed
from bizra_gate.attest.digest import sha256_hex
from bizra_gate.attest.dsse import PAYLOAD_TYPE, pae
from bizra_gate.attest.keys import SIGNATURE_BYTES, PrivateKey, is_fingerprint
from bizra_gate.attest.rendered import Recognised, recognise
from bizra_gate.attest.statement import Statement, validate
from bizra_gate.attest.strict import parse
from bizra_gate.errors import UntrustedError

FORMAT = "bizra-gate/artifact/v1"
MAX_SIGNATURES = 16
_MEMBERS = {"format", "payloadType", "signatures", "statement"}
_BEFORE_STATEMENT = b',"statement":'


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as it stands in the file. `keyid` is a hint for finding the key, never a proof of anything."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Sealed:
    """An artifact whose form is right and whose signatures have not been looked at yet."""

    body: bytes
    """The canonical statement: the bytes that are signed."""
    signatures: tuple[Signature, ...]
    sha256: str
    """Digest of the whole file, in hexadecimal."""
    name: str
    _statement: Statement = field(repr=False)
    """What `body` says: `read` makes it from bytes that it has found to be the one rendering of this."""

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are made over."""
        return pae(PAYLOAD_TYPE, self.body)

    def unverified_statement(self) -> Statement:
        """What the file says, whoever wrote it: for looking at it, never for a verdict."""
        return self._statement


def is_artifact(data: bytes) -> bool:
    """Whether `data` (its first 4,096 bytes do) claims to be an artifact of ours."""
    return f'"{FORMAT}"'.encode() in data[:4096]


def read(data: bytes, name: str = "artifact") -> Sealed:
    """`data` as an artifact of right form; `name` (a path) appears in messages.

    Raises `UntrustedError` for anything else, above all for bytes that differ from the one rendering of what they
    say: then a person would have reviewed something other than what was signed.
    """
    found = recognise(data)
    document, signatures = _shaped(data, name, found)
    if found is None and render_parsed(document) != data:
        raise UntrustedError(
            f"{name}: the bytes are not the one rendering of their content (layout, key order, or number spelling)",
            hint=f"if only the layout changed: bizra-gate fmt {name}",
        )
    body = canonical_parsed(document["statement"]) if found is None else _cut_out(found.canonical)
    return Sealed(body, signatures, sha256_hex(data), name, document["statement"])


def _cut_out(whole: bytes) -> bytes:
    """The statement in the canonical bytes of an artifact without a backslash: its last member.

    Only strings precede it, in none of which a quote can stand, and signatures, which have no member of that name.
    """
    return whole[whole.index(_BEFORE_STATEMENT) + len(_BEFORE_STATEMENT) : -1]


def seal(statement: Statement, signers: Sequence[PrivateKey]) -> bytes:
    """The file: `statement` signed by every one of `signers` (at least one) and rendered.

    Raises `UntrustedError` where the statement has no canonical form, is no Statement v1, or would not open again.
    """
    if not signers:
        raise UntrustedError("an artifact without a signature proves nothing; give at least one key")
    body = cross_checked(validate(statement))
    message = pae(PAYLOAD_TYPE, body)
    unique = {key.public.fingerprint: key for key in signers}
    return write(body, [Signature(keyid, key.sign(message)) for keyid, key in unique.items()])


def cosign(sealed: Sealed, signer: PrivateKey) -> bytes:
    """The file of `sealed` with one more signature over the same statement."""
    keyid = signer.public.fingerprint
    if any(signature.keyid == keyid for signature in sealed.signatures):
        raise UntrustedError(f"{sealed.name}: {keyid} has signed it already", code="signature.duplicate")
    return write(sealed.body, [*sealed.signatures, Signature(keyid, signer.sign(sealed.signed_bytes))])


def relayout(data: bytes, name: str = "artifact") -> bytes:
    """The one rendering of an artifact whose layout was changed; nothing is signed again."""
    document, signatures = _shaped(data, name)
    return write(canonical_parsed(document["statement"]), signatures)


def write(body: bytes, signatures: Sequence[Signature]) -> bytes:
    """The rendered file around the canonical statement `body`; reads back as exactly that, or `UntrustedError`."""
    ordered = sorted(signatures, key=lambda signature: signature.keyid)
    document = {
        "format": FORMAT,
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": signature.keyid, "sig": base64.b64encode(signature.sig).decode("ascii")} for signature in ordered
        ],
        "statement": parse(body),
    }
    data = render_parsed(document)
    sealed = read(data)
    if sealed.body != body or sealed.signatures != tuple(ordered):
        raise UntrustedError("the artifact does not read back as what was signed; nothing was written")
    return data


def _shaped(data: bytes, name: str, found: Recognised | None = None) -> tuple[dict[str, Any], tuple[Signature, ...]]:
    try:
        document = _closed(parse(data) if found is None else found.document)
        validate(document["statement"])
        return document, _signatures(document["signatures"])
    except UntrustedError as error:
        raise UntrustedError(f"{name}: {error.message}", code=error.code, hint=error.hint) from None


def _closed(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise UntrustedError(f"got {type(document).__name__}; expected an object with {', '.join(sorted(_MEMBERS))}")
    if document.keys() != _MEMBERS:
        unknown, missing = sorted(document.keys() - _MEMBERS), sorted(_MEMBERS - document.keys())
        raise UntrustedError(f"not an artifact: unknown members {unknown}, missing members {missing}")
    if document["format"] != FORMAT:
        raise UntrustedError(f"format is {document['format']!r}; expected {FORMAT!r}")
    if document["payloadType"] != PAYLOAD_TYPE:
        raise UntrustedError(f"payloadType is {document['payloadType']!r}; expected {PAYLOAD_TYPE!r}")
    return document


def _signatures(entries: object) -> tuple[Signature, ...]:
    if entries == []:
        raise UntrustedError("signatures is empty: nobody has signed it")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_SIGNATURES:
        raise UntrustedError(f"signatures: expected a list of 1 to {MAX_SIGNATURES}")
    signatures = tuple(_signature(entry, f"signatures[{index}]") for index, entry in enumerate(entries))
    keyids = [signature.keyid for signature in signatures]
    if keyids != sorted(set(keyids)):
        raise UntrustedError("signatures: expected every keyid once, in ascending order")
    return signatures


def _signature(entry: object, where: str) -> Signature:
    if not isinstance(entry, dict) or entry.keys() != {"keyid", "sig"}:
        raise UntrustedError(f"{where}: expected an object with exactly keyid and sig")
    keyid, text = entry["keyid"], entry["sig"]
    if not isinstance(keyid, str) or not is_fingerprint(keyid):
        raise UntrustedError(f"{where}.keyid: got {str(keyid)[:60]!r}; expected an OpenSSH fingerprint SHA256:…")
    return Signature(keyid, decode_signature(text, where))


def decode_signature(text: object, where: str) -> bytes:
    """The 64 bytes behind canonical standard base64; anything else is refused: one signature has one spelling."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != SIGNATURE_BYTES or base64.b64encode(raw).decode("ascii") != text:
        raise UntrustedError(f"{where}.sig: expected {SIGNATURE_BYTES} bytes in standard base64, canonically padded")
    return raw
