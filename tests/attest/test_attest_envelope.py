"""The sealed file: what a person reviews is what was signed, and nothing else opens."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from attest_keys import ALICE, BOB, NOW, keyring, small_statement, trusted
from attest_mutations import bit_flips, mutations

from bizra_gate.attest import (
    FORMAT,
    PAYLOAD_TYPE,
    canonical,
    check,
    cosign,
    open_artifact,
    pae,
    read,
    relayout,
    render,
    seal,
    sha256_hex,
    statement,
    subject,
)
from bizra_gate.attest.statement import claimed_instant, kind_of, validate
from bizra_gate.errors import UntrustedError

_STATEMENT = small_statement(counts=list(range(40)), note="naïve 😀", nested={"a": [1.5, None, True]})
_FILE = seal(_STATEMENT, [ALICE])


def _edited(**changes: Any) -> bytes:
    return render({**json.loads(_FILE), **changes})


def test_a_sealed_statement_opens_as_what_was_signed() -> None:
    opened = open_artifact(_FILE, keyring(), NOW, role="benchmark")
    assert opened.statement == _STATEMENT
    assert opened.signed_by == (ALICE.public.fingerprint,)
    assert opened.sha256 == sha256_hex(_FILE)


def test_the_file_is_readable_and_is_not_a_dsse_envelope() -> None:
    document = json.loads(_FILE)
    assert list(document) == ["format", "payloadType", "signatures", "statement"]
    assert (document["format"], document["payloadType"]) == (FORMAT, PAYLOAD_TYPE)
    assert "payload" not in document
    assert _FILE.startswith(b'{\n  "format": "bizra-gate/artifact/v1",\n')
    assert _FILE.endswith(b"}\n")


def test_the_signature_is_over_the_encoding_of_the_canonical_statement() -> None:
    sealed = read(_FILE)
    assert sealed.body == canonical(_STATEMENT)
    assert sealed.signed_bytes == pae(PAYLOAD_TYPE, canonical(_STATEMENT))
    assert sealed.signatures[0].sig == ALICE.sign(sealed.signed_bytes)


def test_sealing_twice_gives_the_same_bytes() -> None:
    assert seal(_STATEMENT, [ALICE]) == _FILE
    assert seal(_STATEMENT, [BOB, ALICE]) == seal(_STATEMENT, [ALICE, BOB, ALICE])


def test_sealing_without_a_key_is_refused() -> None:
    with pytest.raises(UntrustedError, match="at least one key"):
        seal(_STATEMENT, [])


def test_what_could_be_signed_but_never_verified_is_not_sealed() -> None:
    for value in (1e16, 2**53, float("nan"), "\ud800"):
        with pytest.raises(UntrustedError, match=r"\$\.predicate\.value"):
            seal(small_statement(value=value), [ALICE])


def test_cosigning_adds_a_signature_over_the_same_statement() -> None:
    both = cosign(read(_FILE), BOB)
    assert both == seal(_STATEMENT, [ALICE, BOB])
    keys = keyring(trusted(ALICE), trusted(BOB))
    assert set(open_artifact(both, keys, NOW, threshold=2).signed_by) == {
        ALICE.public.fingerprint,
        BOB.public.fingerprint,
    }
    with pytest.raises(UntrustedError, match="signed it already"):
        cosign(read(both), ALICE)


def test_every_single_bit_flip_of_a_small_artifact_is_refused() -> None:
    data = seal(small_statement(), [ALICE])
    assert not [what for what, flipped in bit_flips(data) if _refusal(flipped) is None]


def test_two_thousand_random_mutations_are_refused_each_with_a_sentence() -> None:
    refusals = [(what, _refusal(data)) for what, data in mutations(_FILE, seed=6, count=2000)]
    assert not [what for what, refusal in refusals if refusal is None]
    assert not [what for what, refusal in refusals if refusal is not None and len(refusal.message) <= 20]
    assert {refusal.code for _, refusal in refusals if refusal} >= {
        "malformed",
        "signature.invalid",
        "signature.unknown",
    }


def _refusal(data: bytes) -> UntrustedError | None:
    try:
        open_artifact(data, keyring(), NOW, role="benchmark")
    except UntrustedError as refusal:
        return refusal
    return None


_OTHER_LAYOUTS = {
    "compact": json.dumps(json.loads(_FILE), separators=(",", ":"), ensure_ascii=False).encode(),
    "four spaces": json.dumps(json.loads(_FILE), indent=4, ensure_ascii=False, sort_keys=True).encode(),
    "escaped": json.dumps(json.loads(_FILE), indent=2).encode() + b"\n",
    "no newline": _FILE.rstrip(),
    "two newlines": _FILE + b"\n",
    "carriage returns": _FILE.replace(b"\n", b"\r\n"),
    "tab": _FILE.replace(b"  ", b"\t"),
    "other number": _FILE.replace(b'"value": 1.5', b'"value": 1.50'),
    "exponent": _FILE.replace(b'"value": 1.5', b'"value": 15e-1'),
    "escape": _FILE.replace("naïve".encode(), b"na\\u00efve"),
    "slash": _FILE.replace(b"https://in-toto", b"https:\\/\\/in-toto"),
    "space": _FILE.replace(b'": "bizra', b'" : "bizra'),
}


@pytest.mark.parametrize("name", _OTHER_LAYOUTS)
def test_another_spelling_of_the_same_content_is_refused_and_fmt_restores_it(name: str) -> None:
    other = _OTHER_LAYOUTS[name]
    assert other != _FILE
    assert json.loads(other) == json.loads(_FILE)
    with pytest.raises(UntrustedError, match="not the one rendering") as refusal:
        read(other, "artifacts/x.json")
    assert refusal.value.hint.endswith("bizra-gate fmt artifacts/x.json")
    assert relayout(other) == _FILE


_ENTRY = json.loads(_FILE)["signatures"][0]
_SHAPES: dict[str, tuple[bytes, str]] = {
    "list": (b"[]\n", "expected an object"),
    "empty": (b"{}\n", "missing members"),
    "extra member": (_edited(comment="hello"), r"unknown members \['comment'\]"),
    "missing signatures": (
        render({k: v for k, v in json.loads(_FILE).items() if k != "signatures"}),
        "missing members",
    ),
    "other format": (_edited(format="bizra-gate/artifact/v2"), "format is 'bizra-gate/artifact/v2'"),
    "other payload type": (_edited(payloadType="application/json"), "payloadType is"),
    "no signatures": (_edited(signatures=[]), "nobody has signed it"),
    "signatures as object": (_edited(signatures={}), "list of 1 to 16"),
    "seventeen signatures": (_edited(signatures=[_ENTRY] * 17), "list of 1 to 16"),
    "twice the same": (_edited(signatures=[_ENTRY, _ENTRY]), "every keyid once"),
    "extra in signature": (_edited(signatures=[{**_ENTRY, "cert": ""}]), "exactly keyid and sig"),
    "missing keyid": (_edited(signatures=[{"sig": _ENTRY["sig"]}]), "exactly keyid and sig"),
    "empty keyid": (_edited(signatures=[{**_ENTRY, "keyid": ""}]), "OpenSSH fingerprint"),
    "keyid number": (_edited(signatures=[{**_ENTRY, "keyid": 1}]), "OpenSSH fingerprint"),
    "keyid with padding": (_edited(signatures=[{**_ENTRY, "keyid": _ENTRY["keyid"] + "="}]), "OpenSSH fingerprint"),
    "url-safe base64": (
        _edited(signatures=[{**_ENTRY, "sig": base64.urlsafe_b64encode(b"\xff" * 64).decode()}]),
        "standard base64",
    ),
    "short signature": (_edited(signatures=[{**_ENTRY, "sig": base64.b64encode(bytes(63)).decode()}]), "64 bytes"),
    "long signature": (_edited(signatures=[{**_ENTRY, "sig": base64.b64encode(bytes(65)).decode()}]), "64 bytes"),
    "signature null": (_edited(signatures=[{**_ENTRY, "sig": None}]), "64 bytes"),
    "signature spaced": (_edited(signatures=[{**_ENTRY, "sig": _ENTRY["sig"] + "\n"}]), "64 bytes"),
    "signature stray bits": (_edited(signatures=[{**_ENTRY, "sig": "A" * 85 + "B=="}]), "64 bytes"),
    "statement text": (_edited(statement="x"), "got str, expected an object"),
    "statement extra": (_edited(statement={**_STATEMENT, "unsigned": 1}), "unknown member 'unsigned'"),
    "bundle": (render({"mediaType": "x", "dsseEnvelope": {}}), "unknown members"),
}


@pytest.mark.parametrize("name", _SHAPES)
def test_a_file_of_another_shape_is_refused_before_any_signature_is_looked_at(name: str) -> None:
    data, complaint = _SHAPES[name]
    with pytest.raises(UntrustedError, match=complaint) as refusal:
        read(data, "artifacts/x.json")
    assert refusal.value.message.startswith("artifacts/x.json: ")
    assert refusal.value.code == "malformed"


def test_a_giant_file_is_refused_without_being_parsed() -> None:
    with pytest.raises(UntrustedError, match="at most 8,388,608"):
        read(b"[" * (8 * 2**20 + 1))


def test_a_statement_that_binds_nothing_is_refused_with_every_problem() -> None:
    with pytest.raises(UntrustedError) as refusal:
        validate(
            {"_type": "x", "predicate": [], "predicateType": 3, "subject": [{"digest": {}, "size": 1}, 4], "more": 1}
        )
    for complaint in ("_type is 'x'", "predicate is not", "predicateType 3", "subject[0].digest is missing or empty",
                      "unknown member 'size'", "subject[1] is not an object", "unknown member 'more'"):  # fmt: skip
        assert complaint in refusal.value.message


@pytest.mark.parametrize(
    "digest", [{"sha256": "AB" * 32}, {"sha256": "ab"}, {"sha256": 1}, {"gitCommit": "ab" * 32}, {}]
)
def test_a_subject_with_a_digest_that_is_none_is_refused(digest: dict[str, Any]) -> None:
    with pytest.raises(UntrustedError, match="digest"):
        statement([subject("source", digest)], "https://x/benchmark/v1", {})


def test_a_statement_about_nothing_is_refused() -> None:
    with pytest.raises(UntrustedError, match="about nothing"):
        statement([], "https://x/benchmark/v1", {})


@pytest.mark.parametrize(
    ("predicate_type", "kind"),
    [
        ("https://bizra.dev/attestation/benchmark/v1", "benchmark"),
        ("https://bizra.dev/attestation/sbom/v0.1", "sbom"),
        ("https://in-toto.io/attestation/test-result/v0.1", "tests"),
        ("https://bizra.dev/attestation/benchmark/v1/x", None),
        ("https://bizra.dev/attestation/other/v1", None),
        ("https://bizra.dev/benchmark", None),
        ("https://slsa.dev/verification_summary/v1", None),
    ],
)
def test_the_kind_of_evidence_is_read_from_the_predicate_type(predicate_type: str, kind: str | None) -> None:
    assert kind_of(predicate_type) == kind


def test_the_time_that_a_statement_claims_is_found_or_refused() -> None:
    assert claimed_instant(small_statement(None)) is None
    assert claimed_instant(small_statement("2026-11-22T04:00:00Z")) == NOW
    assert claimed_instant(small_statement(None, measurement={"finished_at": "2026-11-22T04:00:00Z"})) == NOW
    with pytest.raises(UntrustedError, match=r"predicate\.finished_at"):
        claimed_instant(small_statement("yesterday"))


def test_reading_says_nothing_about_trust() -> None:
    forged = read(seal(_STATEMENT, [BOB]))
    assert forged.unverified_statement() == _STATEMENT
    assert not check(forged, keyring(), NOW).ok


def test_mutations_are_the_same_for_the_same_seed_and_never_the_original() -> None:
    one, other = list(mutations(_FILE, seed=3, count=200)), list(mutations(_FILE, seed=3, count=200))
    assert one == other
    assert _FILE not in [data for _, data in one]
    assert len({what for what, _ in one}) > 15
