"""The same signature in other tools' hands, and theirs in ours."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attest_keys import ALICE, BOB, NOW, keyring, small_statement, trusted

from bizra_gate.attest import (
    PAYLOAD_TYPE,
    canonical,
    check,
    cosign,
    export_dsse,
    export_sigstore_bundle,
    import_dsse,
    open_artifact,
    pae,
    read,
    seal,
)
from bizra_gate.errors import UntrustedError, UsageError

_STATEMENT = small_statement(note="naïve 😀")
_FILE = seal(_STATEMENT, [ALICE])
_SEALED = read(_FILE)


def _envelope(**changes: Any) -> bytes:
    return json.dumps({**json.loads(export_dsse(_SEALED)), **changes}).encode()


def test_a_dsse_envelope_carries_the_same_bytes_and_the_same_signature() -> None:
    envelope = json.loads(export_dsse(_SEALED))
    assert base64.b64decode(envelope["payload"]) == canonical(_STATEMENT)
    assert envelope["payloadType"] == PAYLOAD_TYPE
    assert envelope["signatures"] == json.loads(_FILE)["signatures"]
    assert export_dsse(_SEALED).count(b"\n") == 1


def test_there_and_back_again_gives_the_same_file() -> None:
    assert import_dsse(export_dsse(_SEALED)) == _FILE
    both = cosign(_SEALED, BOB)
    assert import_dsse(export_dsse(read(both))) == both


def test_a_bundle_holds_exactly_one_signature() -> None:
    bundle = json.loads(export_sigstore_bundle(_SEALED))
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"] == {"publicKey": {"hint": ALICE.public.fingerprint}, "tlogEntries": []}
    assert bundle["dsseEnvelope"]["signatures"] == [{"keyid": "", "sig": json.loads(_FILE)["signatures"][0]["sig"]}]
    with pytest.raises(UsageError, match="2 signatures"):
        export_sigstore_bundle(read(cosign(_SEALED, BOB)))


def test_an_envelope_without_key_ids_is_imported_with_the_keys_that_made_it() -> None:
    signature = json.loads(export_dsse(_SEALED))["signatures"][0]["sig"]
    for entry in ({"sig": signature}, {"sig": signature, "keyid": ""}, {"sig": signature, "keyid": "ci"}):
        assert import_dsse(_envelope(signatures=[entry]), [BOB.public, ALICE.public]) == _FILE
        with pytest.raises(UntrustedError, match="no given key"):
            import_dsse(_envelope(signatures=[entry]), [BOB.public])


def test_url_safe_base64_is_imported_as_dsse_demands() -> None:
    envelope = json.loads(export_dsse(_SEALED))
    payload = envelope["payload"].replace("+", "-").replace("/", "_")
    entry = {**envelope["signatures"][0], "sig": envelope["signatures"][0]["sig"].replace("+", "-").replace("/", "_")}
    assert import_dsse(_envelope(payload=payload, signatures=[entry])) == _FILE


def test_importing_is_not_trusting() -> None:
    other = json.loads(export_dsse(read(seal(small_statement(value=9.9), [ALICE]))))
    forged = import_dsse(_envelope(payload=other["payload"]))
    assert [reason.code for reason in check(read(forged), keyring(), NOW).reasons] == ["signature.invalid"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"[]", "not a DSSE envelope"),
        (_FILE, "not a DSSE envelope"),
        (b'{"payload":1,"payload":2}', "twice"),
        (_envelope(payloadType="application/vnd.in-toto.test-result+json"), "payloadType"),
        (_envelope(payload="!"), "payload: expected base64"),
        (_envelope(payload=3), "payload: expected base64"),
        (_envelope(payload=base64.b64encode(b"{}").decode()), "not an in-toto Statement"),
        (_envelope(payload=base64.b64encode(json.dumps(_STATEMENT).encode()).decode()), "not canonical JSON"),
        (_envelope(signatures=[]), "at least one entry"),
        (_envelope(signatures="x"), "at least one entry"),
        (_envelope(signatures=["x"]), "an object with sig"),
        (_envelope(signatures=[{"sig": "AAAA", "keyid": ALICE.public.fingerprint}]), "64 bytes"),
        (_envelope(signatures=json.loads(_FILE)["signatures"] * 2), "every keyid once"),
    ],
)
def test_an_envelope_that_cannot_be_kept_faithfully_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(UntrustedError, match=complaint):
        import_dsse(data)


def test_openssl_accepts_the_signature_of_an_exported_envelope(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed here")
    envelope = json.loads(export_dsse(_SEALED))
    (tmp_path / "public.pem").write_text(ALICE.public.pem())
    (tmp_path / "sig.bin").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    body = base64.b64decode(envelope["payload"])
    for message, accepted in ((pae(PAYLOAD_TYPE, body), True), (pae(PAYLOAD_TYPE, body + b" "), False)):
        (tmp_path / "pae.bin").write_bytes(message)
        done = subprocess.run(
            [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "public.pem", "-rawin",
             "-in", tmp_path / "pae.bin", "-sigfile", tmp_path / "sig.bin"],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) == accepted


def test_securesystemslib_verifies_ours() -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="securesystemslib is not installed here")
    signer = pytest.importorskip("securesystemslib.signer")
    keyid = ALICE.public.fingerprint
    key = signer.SSlibKey(keyid, "ed25519", "ed25519", {"public": ALICE.public.raw.hex()})
    envelope = dsse.Envelope.from_dict(json.loads(export_dsse(_SEALED)))
    assert set(envelope.verify([key], 1)) == {keyid}
    envelope.payload += b" "
    with pytest.raises(Exception, match=r"threshold|signatures"):
        envelope.verify([key], 1)


def test_we_verify_what_securesystemslib_signed() -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="securesystemslib is not installed here")
    signer = pytest.importorskip("securesystemslib.signer")
    serialization = pytest.importorskip(
        "cryptography.hazmat.primitives.serialization", reason="cryptography is not installed here"
    )
    private = serialization.load_pem_private_key(ALICE.pem().encode(), password=None)
    theirs = dsse.Envelope(canonical(_STATEMENT), PAYLOAD_TYPE, {})
    theirs.sign(signer.CryptoSigner(private, signer.SSlibKey.from_crypto(private.public_key(), keyid="their own name")))
    imported = import_dsse(json.dumps(theirs.to_dict()).encode(), [ALICE.public])
    assert open_artifact(imported, keyring(trusted(ALICE)), NOW).statement == _STATEMENT
    assert imported == _FILE


_VERIFY_JS = """
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


def test_the_sigstore_library_for_node_verifies_our_bundle_and_refuses_a_changed_one(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", 'require("@sigstore/verify")'], capture_output=True).returncode != 0:
        pytest.skip("node with @sigstore/verify is not installed here (npm install @sigstore/verify; set NODE_PATH)")
    (tmp_path / "public.pem").write_text(ALICE.public.pem())
    bundle = json.loads(export_sigstore_bundle(_SEALED))
    changed = json.loads(json.dumps(bundle))
    changed["dsseEnvelope"]["payload"] = base64.b64encode(canonical({**_STATEMENT, "predicate": {}})).decode()
    for number, (content, accepted) in enumerate([(bundle, True), (changed, False)]):
        path = tmp_path / f"bundle{number}.json"
        path.write_text(json.dumps(content))
        done = subprocess.run(
            [node, "-e", _VERIFY_JS, path, tmp_path / "public.pem"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout.strip() == "verified") == accepted, done.stderr
