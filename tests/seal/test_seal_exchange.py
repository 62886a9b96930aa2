"""The same signature outside our tool: fmt, export, OpenSSL, and a verdict as a SLSA summary."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from seal_builders import NOW, House, Run, judged

from bizra_gate.attest import PrivateKey, import_dsse, open_artifact, parse_instant, parse_keyring, read


def openssl(house: House, message: bytes, signature: bytes, folder: Path) -> bool:
    """What ``openssl pkeyutl`` says, with nothing of ours but the files."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed here")
    (folder / "pub.pem").write_text(house.key.public.pem())
    (folder / "pae.bin").write_bytes(message)
    (folder / "sig.bin").write_bytes(signature)
    command = [program, "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "pae.bin",
               "-sigfile", "sig.bin"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False).returncode == 0


def test_openssl_verifies_what_export_writes_and_refuses_one_changed_byte(
    house: House, cli: Run, tmp_path: Path
) -> None:
    assert cli("export", "--to", "dsse", "--out", tmp_path / "e.json", house.artifact)[0] == 0
    assert cli("export", "--to", "pae", "--out", tmp_path / "pae", house.artifact)[0] == 0
    envelope = json.loads((tmp_path / "e.json").read_text())
    message, signature = (tmp_path / "pae").read_bytes(), base64.b64decode(envelope["signatures"][0]["sig"])
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    assert message == b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    assert openssl(house, message, signature, tmp_path)
    assert not openssl(house, message[:-1] + b" ", signature, tmp_path)


def test_an_exported_envelope_comes_back_as_the_same_file(house: House, cli: Run) -> None:
    code, out, _ = cli("export", "--to", "dsse", house.artifact)
    assert code == 0
    assert import_dsse(out.encode()) == house.artifact.read_bytes()


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
