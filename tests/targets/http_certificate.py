"""A self-signed Ed25519 certificate, written out in DER: no key lies in the repository and none is downloaded."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

from nacl.signing import SigningKey

_ED25519 = bytes.fromhex("300506032b6570")
_COMMON_NAME = bytes.fromhex("0603550403")
_SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")
_BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def certificate(key: SigningKey, host: str) -> bytes:
    """RFC 5280, version 3, valid from 2020 to 2120, for one DNS name."""
    name = sequence(der(0x31, sequence(_COMMON_NAME, der(0x0C, host.encode()))))
    alternative = sequence(_SUBJECT_ALT_NAME, der(0x04, sequence(der(0x82, host.encode()))))
    authority = sequence(_BASIC_CONSTRAINTS, der(0x01, b"\xff"), der(0x04, sequence(der(0x01, b"\xff"))))
    to_be_signed = sequence(
        der(0xA0, der(0x02, b"\x02")),
        der(0x02, b"\x01"),
        _ED25519,
        name,
        sequence(der(0x17, b"200101000000Z"), der(0x18, b"21200101000000Z")),
        name,
        sequence(_ED25519, der(0x03, b"\x00" + bytes(key.verify_key))),
        der(0xA3, sequence(alternative, authority)),
    )
    return sequence(to_be_signed, _ED25519, der(0x03, b"\x00" + key.sign(to_be_signed).signature))


def pem(kind: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"


def server_context(directory: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context for `host`, and the file that a client would trust."""
    key = SigningKey(bytes(range(32)))
    private = sequence(der(0x02, b"\x00"), _ED25519, der(0x04, der(0x04, bytes(key))))
    trusted, secret = directory / "certificate.pem", directory / "key.pem"
    trusted.write_text(pem("CERTIFICATE", certificate(key, host)))
    secret.write_text(pem("PRIVATE KEY", private))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted
