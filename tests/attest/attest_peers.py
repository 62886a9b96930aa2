"""Other people's programs that verify our signatures and make ones that we verify, each as two functions.

`verify(public PEM, artifact, folder)` says whether the peer believes what we exported; `sign(private PEM, payload,
folder)` is a DSSE envelope that the peer signed. A peer that is not installed says what is missing.
"""

from __future__ import annotations

import base64
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bizra_gate.attest import PAYLOAD_TYPE, PublicKey, pae
from bizra_gate.exports import EXPORTERS

Envelope = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """One other program; `form` is what ``bizra-gate export --to`` gives it."""

    name: str
    form: str
    missing: Callable[[], str]
    version: Callable[[], str]
    verify: Callable[[str, bytes, Path], bool]
    """(public PEM, our artifact, an empty folder) → whether the peer believes what we exported."""
    sign: Callable[[str, bytes, Path], Envelope]
    """(private PEM, payload, an empty folder) → the DSSE envelope that the peer made."""


def said(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, cwd=folder,
                          check=False)  # fmt: skip


def envelope_of(artifact: bytes) -> Envelope:
    exported: Envelope = json.loads(EXPORTERS["dsse"](artifact, "a.json"))
    return exported


# ── OpenSSL ──────────────────────────────────────────────────────────────────────────────────────────────────────


def openssl_missing() -> str:
    return "" if shutil.which("openssl") else "openssl is not installed here"


def openssl_verify(public: str, artifact: bytes, folder: Path) -> bool:
    (folder / "public.pem").write_text(public)
    (folder / "pae").write_bytes(EXPORTERS["pae"](artifact, "a.json"))
    (folder / "sig").write_bytes(base64.b64decode(envelope_of(artifact)["signatures"][0]["sig"]))
    words = ("-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "pae", "-sigfile", "sig")
    return said("openssl", "pkeyutl", *words, folder=folder).returncode == 0


def openssl_sign(private: str, payload: bytes, folder: Path) -> Envelope:
    (folder / "private.pem").write_text(private)
    (folder / "pae").write_bytes(pae(PAYLOAD_TYPE, payload))
    words = ("-sign", "-inkey", "private.pem", "-rawin", "-in", "pae", "-out", "sig")
    done = said("openssl", "pkeyutl", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    signature = {"sig": base64.b64encode((folder / "sig").read_bytes()).decode()}
    return {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}


# ── securesystemslib ─────────────────────────────────────────────────────────────────────────────────────────────


def securesystemslib_missing() -> str:
    absent = [name for name in ("securesystemslib", "cryptography") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(absent)} not installed here" if absent else ""


def securesystemslib_verify(public: str, artifact: bytes, folder: Path) -> bool:
    from securesystemslib.dsse import Envelope as Theirs
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    envelope = envelope_of(artifact)
    keyid = envelope["signatures"][0]["keyid"]
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": PublicKey.parse(public).raw.hex()})
    try:
        return set(Theirs.from_dict(envelope).verify([key], 1)) == {keyid}
    except VerificationError:
        return False


def securesystemslib_sign(private: str, payload: bytes, folder: Path) -> Envelope:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope as Theirs
    from securesystemslib.signer import CryptoSigner, SSlibKey

    key: Any = load_pem_private_key(private.encode(), password=None)
    theirs = Theirs(payload, PAYLOAD_TYPE, {})
    theirs.sign(CryptoSigner(key, SSlibKey.from_crypto(key.public_key(), keyid="their own name")))
    envelope: Envelope = theirs.to_dict()
    return envelope


# ── sigstore for Node ────────────────────────────────────────────────────────────────────────────────────────────

_VERIFY = """
const {Verifier, toSignedEntity} = require("@sigstore/verify");
const {bundleFromJSON} = require("@sigstore/bundle");
const crypto = require("crypto"), fs = require("fs");
const [bundle, pem] = process.argv.slice(-2).map((file) => fs.readFileSync(file, "utf8"));
const publicKey = (hint) => ({publicKey: crypto.createPublicKey(pem), validFor: () => true});
const material = {certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey};
const verifier = new Verifier(material, {tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0});
verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle))));
console.log("verified");
"""
_SIGN = """
const {DSSEBundleBuilder} = require("@sigstore/sign");
const {bundleToJSON} = require("@sigstore/bundle");
const crypto = require("crypto"), fs = require("fs");
const [payload, pem, type] = process.argv.slice(-3);
const key = crypto.createPrivateKey(fs.readFileSync(pem, "utf8"));
const publicKey = crypto.createPublicKey(key).export({type: "spki", format: "pem"});
const owner = {$case: "publicKey", publicKey, hint: "theirs"};
const sign = async (data) => ({key: owner, signature: crypto.sign(null, data, key)});
new DSSEBundleBuilder({signer: {sign}, witnesses: []})
  .create({data: fs.readFileSync(payload), type})
  .then((bundle) => console.log(JSON.stringify(bundleToJSON(bundle))));
"""


def sigstore_missing() -> str:
    if shutil.which("node") is None:
        return "node is not installed here"
    for name in ("@sigstore/verify", "@sigstore/sign"):
        if said("node", "-e", f'require("{name}")').returncode:
            return f"{name} is not installed here (npm install @sigstore/verify @sigstore/sign; set NODE_PATH)"
    return ""


def sigstore_version() -> str:
    for folder in os.environ.get("NODE_PATH", "").split(os.pathsep):
        package = Path(folder) / "@sigstore" / "verify" / "package.json"
        if package.is_file():
            return str(json.loads(package.read_text())["version"])
    return "?"


def sigstore_verify(public: str, artifact: bytes, folder: Path) -> bool:
    (folder / "public.pem").write_text(public)
    (folder / "bundle.json").write_bytes(EXPORTERS["sigstore-bundle"](artifact, "a.json"))
    return said("node", "-e", _VERIFY, folder / "bundle.json", folder / "public.pem").stdout.strip() == "verified"


def sigstore_sign(private: str, payload: bytes, folder: Path) -> Envelope:
    (folder / "private.pem").write_text(private)
    (folder / "payload").write_bytes(payload)
    done = said("node", "-e", _SIGN, folder / "payload", folder / "private.pem", PAYLOAD_TYPE)
    assert done.returncode == 0, done.stderr
    envelope: Envelope = json.loads(done.stdout)["dsseEnvelope"]
    return envelope


PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("OpenSSL pkeyutl", "pae", openssl_missing, lambda: said("openssl", "version").stdout.split()[1],
             openssl_verify, openssl_sign),
        Peer("securesystemslib", "dsse", securesystemslib_missing,
             lambda: importlib.metadata.version("securesystemslib"), securesystemslib_verify, securesystemslib_sign),
        Peer("@sigstore/verify, @sigstore/sign", "sigstore-bundle", sigstore_missing, sigstore_version,
             sigstore_verify, sigstore_sign),
    )
}  # fmt: skip
