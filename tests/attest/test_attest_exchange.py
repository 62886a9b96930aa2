"""The same signature in other tools' hands, and theirs in ours."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from attest_keys import ALICE, BOB, NOW, keyring, small_statement

from bizra_gate.attest import (
    PAYLOAD_TYPE,
    canonical,
    check,
    cosign,
    export_dsse,
    export_sigstore_bundle,
    import_dsse,
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
