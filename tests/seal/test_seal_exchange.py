"""The same signature outside our tool: fmt, export, OpenSSL, and a verdict as a SLSA summary."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from seal_builders import NOW, House, Run, judged

from bizra_gate.attest import PrivateKey, export_dsse, import_dsse, open_artifact, parse_instant, parse_keyring, read

REPOSITORY = Path(__file__).parents[2]


def recipe() -> tuple[list[list[str]], str]:
    """The commands of the page: those of ours as words, and what is left to the shell."""
    page = (REPOSITORY / "docs" / "interop.md").read_text()
    lines = page.partition("```bash\n")[2].partition("```")[0].splitlines()
    ours = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("bizra-gate ")]
    return ours, "\n".join(line for line in lines if not line.startswith("bizra-gate "))


def test_the_commands_of_the_page_verify_our_own_evidence_with_openssl_and_refuse_one_changed_byte(
    house: House, cli: Run
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    house.write("artifacts/nginx.json", (REPOSITORY / "artifacts" / "nginx.json").read_bytes())
    house.write("gates/keyring.toml", (REPOSITORY / "gates" / "keyring.toml").read_bytes())
    ours, theirs = recipe()
    assert len(ours) == 2
    for words in ours:
        assert cli(*words)[0] == 0
    run = ["bash", "-euo", "pipefail", "-c", theirs]
    done = subprocess.run(run, cwd=house.root, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Signature Verified Successfully"), done.stderr
    message = (house.root / "pae").read_bytes()
    payload = base64.b64decode(json.loads((house.root / "dsse").read_text())["payload"])
    assert message == b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    (house.root / "pae").write_bytes(message[:-1] + b" ")
    assert subprocess.run(run, cwd=house.root, capture_output=True, timeout=60, check=False).returncode != 0


def test_an_exported_envelope_comes_back_as_the_same_file(house: House, cli: Run) -> None:
    code, out, _ = cli("export", "--to", "dsse", house.artifact)
    assert code == 0
    assert import_dsse(out.encode()) == house.artifact.read_bytes()


def stranger(house: House, name: str = "second.key") -> tuple[PrivateKey, Path]:
    key, path = PrivateKey.generate(), house.root.parent / name
    path.write_text(key.pem())
    path.chmod(0o600)
    return key, path


def test_a_gate_that_asks_for_two_signers_ships_once_the_second_has_signed(house: House, cli: Run) -> None:
    second, path = stranger(house)
    house.gate(evidence='signers = { role = "benchmark", threshold = 2 }')
    house.trust(house.key, second)
    assert judged(cli)[0] == 4
    code, out, _ = cli("cosign", house.artifact, "--key", path)
    assert (code, second.public.fingerprint in out, judged(cli)[0]) == (0, True, 0)
    before = house.artifact.read_bytes()
    code, _, err = cli("cosign", house.artifact, "--key", path)
    assert (code, "has signed it already" in err, house.artifact.read_bytes()) == (4, True, before)


def test_a_signature_that_was_made_elsewhere_comes_in_by_an_envelope(house: House, cli: Run) -> None:
    second, _ = stranger(house)
    house.gate(evidence='signers = { role = "benchmark", threshold = 2 }')
    house.trust(house.key, second)
    sealed = read(house.artifact.read_bytes())
    sig = base64.b64encode(second.sign(sealed.signed_bytes)).decode()
    payload = base64.b64encode(sealed.body).decode()
    envelope = {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": sig}]}
    file = house.write("envelope.json", json.dumps(envelope))
    assert cli("cosign", house.artifact, "--envelope", file)[0] == 0
    assert judged(cli)[0] == 0
    assert cli("cosign", "artifacts/new.json", "--envelope", file)[0] == 0
    assert [one.keyid for one in read((house.root / "artifacts/new.json").read_bytes()).signatures] == [
        second.public.fingerprint
    ]


@pytest.mark.parametrize("what", ["another statement", "a wrong signature", "no envelope", "a changed artifact"])
def test_a_signature_that_does_not_belong_there_is_not_added(house: House, cli: Run, what: str) -> None:
    house.seal(name="other")
    other = read((house.root / "artifacts" / "other.json").read_bytes())
    envelope = json.loads(export_dsse(other if what == "another statement" else read(house.artifact.read_bytes())))
    if what == "a wrong signature":
        envelope["signatures"][0]["sig"] = base64.b64encode(other.signatures[0].sig).decode()
    file = house.write("envelope.json", "{}" if what == "no envelope" else json.dumps(envelope))
    if what == "a changed artifact":
        house.write("artifacts/checkout.json", house.artifact.read_bytes().replace(b"fake:script", b"fake:other1"))
    before = house.artifact.read_bytes()
    words = ("--key", stranger(house)[1]) if what == "a changed artifact" else ("--envelope", file)
    code, _, err = cli("cosign", house.artifact, *words)
    assert (code, house.artifact.read_bytes()) == (4, before), err
    assert ("checkout.json" if what == "a changed artifact" else "envelope.json") in err


def test_a_bundle_names_its_format_and_carries_the_envelope(house: House, cli: Run) -> None:
    bundle = json.loads(cli("export", "--to", "sigstore-bundle", house.artifact)[1])
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == house.key.public.fingerprint
    assert json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"])) == house.statement()


def test_exporting_to_an_unknown_form_lists_the_known_ones(house: House, cli: Run) -> None:
    code, _, err = cli("export", "--to", "cbor", house.artifact)
    assert code == 2
    assert "dsse" in err


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 5000, b'{"bizra-gate/artifact/v1": NaN}'])
@pytest.mark.parametrize(
    "command", [("export", "--to", "dsse"), ("fmt",), ("show",), ("ledger", "append", "--key", "../house.key")]
)
def test_what_is_no_artifact_is_refused_by_every_command_with_a_sentence(
    house: House, cli: Run, command: tuple[str, ...], content: bytes
) -> None:
    code, _, err = cli(*command, house.write("artifacts/x.json", content))
    assert code in (2, 4)
    assert "x.json" in err


def other_layouts(data: bytes) -> dict[str, bytes]:
    document = json.loads(data)
    return {
        "compact": json.dumps(document, separators=(",", ":")).encode(),
        "four spaces": json.dumps(document, indent=4, ensure_ascii=False).encode(),
        "windows": data.replace(b"\n", b"\r\n"),
        "no last newline": data.rstrip(b"\n"),
        "reversed": json.dumps(dict(reversed(document.items())), indent=2).encode(),
    }


@pytest.mark.parametrize("layout", ["compact", "four spaces", "windows", "no last newline", "reversed"])
def test_another_layout_is_untrusted_until_fmt_restores_it_without_a_key(house: House, cli: Run, layout: str) -> None:
    original = house.artifact.read_bytes()
    house.artifact.write_bytes(other_layouts(original)[layout])
    assert judged(cli)[0] == 4
    assert cli("fmt", "--check", house.artifact)[0] == 4
    assert house.artifact.read_bytes() != original
    code, out, _ = cli("fmt", house.artifact)
    assert (code, house.artifact.read_bytes()) == (0, original)
    assert "laid out again" in out
    assert judged(cli)[0] == 0
    assert cli("fmt", "--check", house.artifact) == (0, "", "")


def test_fmt_does_not_make_changed_content_believable(house: House, cli: Run) -> None:
    document = json.loads(house.artifact.read_bytes())
    document["statement"]["predicate"]["summary"][0]["n"] = 1
    house.artifact.write_text(json.dumps(document))
    assert cli("fmt", house.artifact)[0] == 0
    assert judged(cli)[0] == 4


# ── a verdict for other tools ────────────────────────────────────────────────────────────────────────────────────


def summary(house: House, cli: Run, *arguments: object) -> tuple[int, dict[str, Any]]:
    place = house.root.parent / "vsa.json"
    code, _, err = cli("verify", "--now", NOW, "--quiet", "--emit-vsa", place, "--key", house.key_file, *arguments)
    assert place.exists(), err
    ring = parse_keyring((house.root / "gates" / "keyring.toml").read_text())
    opened = open_artifact(import_dsse(place.read_bytes()), ring, parse_instant(NOW))
    assert opened.statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    return code, opened.statement


def test_a_verdict_is_a_signed_verification_summary_about_the_commit(house: House, cli: Run) -> None:
    commit = house.commit()
    code, statement = summary(house, cli, "--resource-uri", "pkg:pypi/shop@1.0")
    predicate = statement["predicate"]
    assert code == 0
    assert statement["subject"] == [{"name": "commit", "digest": {"gitCommit": commit}}]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["BIZRA_GATE_SHIP", "BIZRA_GATE_GRADE_A+"]
    assert predicate["resourceUri"] == "pkg:pypi/shop@1.0"
    assert predicate["timeVerified"] == NOW
    assert predicate["policy"]["uri"] == "gates/checkout.toml"
    digest = read(house.artifact.read_bytes()).sha256
    assert predicate["inputAttestations"] == [{"digest": {"sha256": digest}, "uri": "artifacts/checkout.json"}]


def test_a_verdict_against_shipping_is_a_summary_that_failed(house: House, cli: Run) -> None:
    house.gate("<= 1 ms")
    code, statement = summary(house, cli)
    assert code == 1
    assert statement["predicate"]["verificationResult"] == "FAILED"
    assert statement["predicate"]["verifiedLevels"] == ["FAILED"]


def test_a_tree_with_changes_is_not_called_by_its_commit(house: House, cli: Run) -> None:
    house.commit()
    house.gate("<= 99 ms")
    _, statement = summary(house, cli)
    assert [one["name"] for one in statement["subject"]] == ["gates/checkout.toml"]


def test_several_gates_are_one_policy_by_its_manifest(house: House, cli: Run) -> None:
    house.gate(name="basket")
    _, statement = summary(house, cli)
    assert statement["predicate"]["policy"]["uri"] == "gates"
    assert len(statement["subject"]) == 2


def test_without_a_key_nothing_is_judged(house: House, cli: Run) -> None:
    code, out, err = cli("verify", "--now", NOW, "--emit-vsa", house.root.parent / "vsa.json")
    assert (code, out) == (2, "")
    assert "bizra-gate keygen" in err


def test_a_summary_by_a_key_for_benchmarks_alone_convinces_nobody(house: House, cli: Run) -> None:
    other = PrivateKey.generate()
    house.trust(house.key, other, roles=("benchmark",))
    place = house.root.parent / "vsa.json"
    cli("verify", "--now", NOW, "--quiet", "--emit-vsa", place, "--key", house.key_file)
    ring = parse_keyring((house.root / "gates" / "keyring.toml").read_text())
    with pytest.raises(Exception, match="predicate type"):
        open_artifact(import_dsse(place.read_bytes()), ring, parse_instant(NOW))


@pytest.mark.parametrize(
    ("limit", "result", "named"), [("<= 99 ms", "PASSED", "passedTests"), ("<= 1 ms", "FAILED", "failedTests")]
)
def test_checks_are_a_signed_result_of_tests(house: House, cli: Run, limit: str, result: str, named: str) -> None:
    house.gate(limit)
    commit = house.commit()
    place = house.root.parent / "tests.json"
    code, _, err = cli("verify", "--now", NOW, "--quiet", "--emit-test-result", place, "--key", house.key_file)
    assert code == (0 if result == "PASSED" else 1), err
    ring = parse_keyring((house.root / "gates" / "keyring.toml").read_text())
    statement = open_artifact(import_dsse(place.read_bytes()), ring, parse_instant(NOW)).statement
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["subject"] == [{"name": "commit", "digest": {"gitCommit": commit}}]
    assert statement["predicate"]["result"] == result
    assert any(one.startswith("checkout/") for one in statement["predicate"][named])


def test_what_could_not_be_judged_is_no_passed_test(house: House, cli: Run) -> None:
    house.artifact.unlink()
    place = house.root.parent / "tests.json"
    code, _, _ = cli("verify", "--now", NOW, "--quiet", "--emit-test-result", place, "--key", house.key_file)
    ring = parse_keyring((house.root / "gates" / "keyring.toml").read_text())
    predicate = open_artifact(import_dsse(place.read_bytes()), ring, parse_instant(NOW)).statement["predicate"]
    assert (code, predicate["result"], predicate["passedTests"]) == (5, "FAILED", [])
