"""The same signature in other tools' envelopes: DSSE, and the sigstore bundle."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from bizra_gate.attest.canonical import canonical
from bizra_gate.attest.dsse import PAYLOAD_TYPE, pae
from bizra_gate.attest.envelope import Sealed, Signature, write
from bizra_gate.attest.keys import PublicKey, is_fingerprint
from bizra_gate.attest.statement import validate
from bizra_gate.attest.strict import parse
from bizra_gate.errors import UntrustedError, UsageError

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def export_dsse(sealed: Sealed) -> bytes:
    """A DSSE v1 envelope (JSON, one line): verifiers for OpenSSL, securesystemslib and Go read it."""
    return canonical(_envelope(sealed, keyids=True)) + b"\n"


def export_sigstore_bundle(sealed: Sealed) -> bytes:
    """A sigstore bundle v0.3 with a public-key hint; a bundle holds exactly one signature, else `UsageError`."""
    if len(sealed.signatures) != 1:
        raise UsageError(
            f"{sealed.name} has {len(sealed.signatures)} signatures; a sigstore bundle holds exactly one",
            hint="export it as DSSE instead",
        )
    material = {"publicKey": {"hint": sealed.signatures[0].keyid}, "tlogEntries": []}
    envelope = _envelope(sealed, keyids=False)
    bundle = {"dsseEnvelope": envelope, "mediaType": BUNDLE_TYPE, "verificationMaterial": material}
    return canonical(bundle) + b"\n"


def import_dsse(data: bytes, keys: Iterable[PublicKey] = ()) -> bytes:
    """The artifact file that holds the statement and signatures of a DSSE envelope.

    Its payload must be the canonical form of an in-toto Statement v1, because the file keeps no other bytes to
    verify. A signature whose keyid is no OpenSSH fingerprint is given that of whichever of `keys` it verifies under.
    Raises `UntrustedError` otherwise. Importing is not trusting: `check` decides.
    """
    envelope = parse(data)
    if not isinstance(envelope, dict) or not {"payload", "payloadType", "signatures"} <= envelope.keys():
        raise UntrustedError("not a DSSE envelope: expected payload, payloadType and signatures")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise UntrustedError(f"payloadType is {envelope['payloadType']!r}; expected {PAYLOAD_TYPE!r}")
    body = _any_base64(envelope["payload"], "payload")
    if canonical(validate(parse(body))) != body:
        raise UntrustedError("payload is not canonical JSON (RFC 8785); it cannot be kept as a readable artifact")
    entries = envelope["signatures"]
    if not isinstance(entries, list) or not entries:
        raise UntrustedError("signatures: expected a list with at least one entry")
    message, candidates = pae(PAYLOAD_TYPE, body), tuple(keys)
    signatures = [_signature(entry, f"signatures[{i}]", message, candidates) for i, entry in enumerate(entries)]
    return write(body, signatures)


def _envelope(sealed: Sealed, *, keyids: bool) -> dict[str, Any]:
    signatures = [
        {"keyid": one.keyid if keyids else "", "sig": base64.b64encode(one.sig).decode("ascii")}
        for one in sealed.signatures
    ]
    payload = base64.b64encode(sealed.body).decode("ascii")
    return {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures}


def _signature(entry: object, where: str, message: bytes, keys: tuple[PublicKey, ...]) -> Signature:
    if not isinstance(entry, dict) or "sig" not in entry:
        raise UntrustedError(f"{where}: expected an object with sig")
    sig, keyid = _any_base64(entry["sig"], f"{where}.sig"), entry.get("keyid", "")
    if isinstance(keyid, str) and is_fingerprint(keyid):
        return Signature(keyid, sig)
    for key in keys:
        if key.verify(message, sig):
            return Signature(key.fingerprint, sig)
    raise UntrustedError(f"{where}: keyid {keyid!r} is no OpenSSH fingerprint, and no given key made this signature")


def _any_base64(text: object, where: str) -> bytes:
    """Standard or URL-safe base64, as DSSE asks of those who read."""
    try:
        if isinstance(text, str):
            return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise UntrustedError(f"{where}: expected base64")
