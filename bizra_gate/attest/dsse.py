"""Dead Simple Signing Envelope: the bytes that a signature is made over (DSSE protocol v1)."""

from __future__ import annotations

from bizra_gate.errors import UntrustedError

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def pae(payload_type: str, body: bytes) -> bytes:
    """Pre-Authentication Encoding ``DSSEv1 SP LEN(type) SP type SP LEN(body) SP body``; lengths count bytes.

    `payload_type` must be ASCII: implementations disagree on whether its length counts characters or bytes, and
    only there do the two agree.
    """
    if not payload_type.isascii():
        raise UntrustedError(f"payloadType {payload_type!r} is not ASCII")
    kind = payload_type.encode("ascii")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)
