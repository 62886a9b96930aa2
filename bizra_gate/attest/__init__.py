"""Evidence that a stranger can check: strict JSON, canonical bytes, signatures, keys, thresholds.

Bytes in, bytes out. Nothing here reads a file or a clock, and nothing here knows what a benchmark is.
"""

from __future__ import annotations

from bizra_gate.attest.canonical import canonical, render
from bizra_gate.attest.digest import manifest_sha256, sha256_hex
from bizra_gate.attest.dsse import PAYLOAD_TYPE, pae
from bizra_gate.attest.envelope import FORMAT, Sealed, Signature, cosign, read, relayout, seal
from bizra_gate.attest.exchange import export_dsse, export_sigstore_bundle, import_dsse
from bizra_gate.attest.instant import format_instant, parse_instant
from bizra_gate.attest.keyring import Keyring, Revocation, TrustedKey, parse_keyring, succession_problems
from bizra_gate.attest.keyring_text import add_key, render_keyring
from bizra_gate.attest.keys import Argon2id, PrivateKey, PublicKey
from bizra_gate.attest.statement import Statement, statement, subject
from bizra_gate.attest.strict import parse
from bizra_gate.attest.trust import Opened, check, open_artifact, open_sealed

__all__ = [
    "FORMAT",
    "PAYLOAD_TYPE",
    "Argon2id",
    "Keyring",
    "Opened",
    "PrivateKey",
    "PublicKey",
    "Revocation",
    "Sealed",
    "Signature",
    "Statement",
    "TrustedKey",
    "add_key",
    "canonical",
    "check",
    "cosign",
    "export_dsse",
    "export_sigstore_bundle",
    "format_instant",
    "import_dsse",
    "manifest_sha256",
    "open_artifact",
    "open_sealed",
    "pae",
    "parse",
    "parse_instant",
    "parse_keyring",
    "read",
    "relayout",
    "render",
    "render_keyring",
    "seal",
    "sha256_hex",
    "statement",
    "subject",
    "succession_problems",
]
