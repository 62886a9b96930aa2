"""The ledger as people use it: append, verify, prove, withdraw, cosign, and ``verify --ledger``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from seal_builders import NOW, House, Run, judged, reasons

from bizra_gate.attest import PrivateKey, read

LATER = "2026-11-23T08:00:00Z"


def append(house: House, cli: Run, *arguments: object) -> str:
    code, out, err = cli("ledger", "append", "--key", house.key_file, "--now", NOW, *arguments)
    assert code == 0, err
    return out


def faults(cli: Run, *arguments: object) -> tuple[int, str]:
    code, out, _ = cli("ledger", "verify", "--now", LATER, *arguments)
    return code, out


def key_file(house: House, key: PrivateKey, name: str) -> Path:
    path = house.root.parent / name
    path.write_text(key.pem())
    path.chmod(0o600)
    return path


def test_a_listed_artifact_is_one_readable_line_and_a_signed_head(house: House, cli: Run) -> None:
    out = append(house, cli)
    (line,) = (house.root / "ledger" / "entries").read_text().splitlines()
    assert "artifacts/checkout.json sha256:" in line
    assert (house.root / "ledger" / "checkpoint").read_text().startswith("repo/evidence\n1\n")
    assert "1 line" in out
    assert faults(cli)[0] == 0
    before = (house.root / "ledger" / "entries").read_bytes()
    append(house, cli)
    assert (house.root / "ledger" / "entries").read_bytes() == before


def test_verify_demands_what_is_listed(house: House, cli: Run) -> None:
    assert reasons(judged(cli, "--ledger")[1]) == ["ledger.missing"]
    append(house, cli)
    assert judged(cli, "--ledger")[0] == 0
    house.seal(finished="2026-11-22T07:30:00Z")
    code, report = judged(cli, "--ledger")
    assert code == 4
    assert any(code.startswith("ledger.") for code in reasons(report))


def test_an_artifact_that_is_not_listed_is_untrusted_beside_one_that_is(house: House, cli: Run) -> None:
    append(house, cli)
    house.gate(name="basket")
    house.seal(name="basket")
    code, report = judged(cli, "--ledger")
    assert (code, reasons(report)) == (4, ["ledger.absent"])


def test_a_withdrawn_artifact_no_longer_counts(house: House, cli: Run) -> None:
    append(house, cli)
    withdraw = ("ledger", "withdraw", house.artifact, "--key", house.key_file, "--now", NOW, "--reason")
    assert cli(*withdraw, "wrong\x1b[2J server")[0] == 4
    assert cli(*withdraw, "measured the wrong server")[0] == 0
    assert faults(cli)[0] == 0
    assert reasons(judged(cli, "--ledger")[1]) == ["ledger.tombstone"]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("delete the file", "ledger.missing"),
        ("change the file", "ledger.changed"),
        ("change a line", "ledger.root"),
        ("drop a line", "ledger.size"),
        ("drop the checkpoint", "ledger.missing"),
        ("cut the last line", "ledger.missing"),
        ("sign by a stranger", "ledger.signature"),
    ],
)
def test_whatever_is_wrong_with_a_ledger_is_said(house: House, cli: Run, what: str, said: str) -> None:
    append(house, cli)
    entries, head = house.root / "ledger" / "entries", house.root / "ledger" / "checkpoint"
    if what == "delete the file":
        house.artifact.unlink()
    elif what == "change the file":
        house.seal(finished="2026-11-22T06:00:00Z")
    elif what == "change a line":
        entries.write_text(entries.read_text().replace("2026-11-22T07:00:00Z", "2026-11-22T07:00:01Z"))
    elif what == "drop a line":
        entries.write_text("")
    elif what == "drop the checkpoint":
        head.unlink()
    elif what == "cut the last line":
        entries.write_text(entries.read_text()[:-1])
    else:
        stranger = key_file(house, PrivateKey.generate(), "stranger.key")
        shutil.rmtree(house.root / "ledger")
        assert cli("ledger", "append", "--key", stranger, "--now", NOW)[0] == 0
    code, out = faults(cli)
    assert (code, said in out) == (4, True), out


def test_a_ledger_that_was_rewritten_since_the_base_is_noticed(house: House, cli: Run) -> None:
    append(house, cli)
    house.commit()
    shutil.rmtree(house.root / "ledger")
    house.seal(name="other", finished="2026-11-22T05:00:00Z")
    append(house, cli, house.root / "artifacts" / "other.json", house.artifact)
    assert faults(cli)[0] == 0
    code, out = faults(cli, "--base", "HEAD")
    assert (code, "ledger.rewritten" in out) == (4, True)


def test_a_ledger_that_grew_since_the_base_is_fine(house: House, cli: Run) -> None:
    append(house, cli)
    house.commit()
    house.seal(name="other")
    append(house, cli)
    assert faults(cli, "--base", "HEAD")[0] == 0
    assert judged(cli, "--ledger", "--base", "HEAD")[0] == 0


def test_a_proof_convinces_a_stranger_without_the_ledger(house: House, cli: Run, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        house.seal(name=name)
    append(house, cli)
    proof = tmp_path / "proof"
    assert cli("ledger", "prove", house.artifact, "--out", proof)[0] == 0
    shutil.rmtree(house.root / "ledger")
    code, out, _ = cli("ledger", "check-proof", house.artifact, proof, "--now", LATER)
    assert code == 0
    assert house.key.public.fingerprint in out
    code, out, _ = cli("ledger", "check-proof", house.root / "artifacts" / "a.json", proof, "--now", LATER)
    assert (code, "ledger.proof" in out) == (4, True)
    proof.write_bytes(proof.read_bytes()[:-9])
    assert cli("ledger", "check-proof", house.artifact, proof, "--now", LATER)[0] == 4


def test_a_proof_of_what_was_never_listed_is_refused(house: House, cli: Run) -> None:
    append(house, cli)
    house.seal(name="other")
    code, _, err = cli("ledger", "prove", house.root / "artifacts" / "other.json")
    assert code == 5
    assert "ledger append" in err


def test_a_cosigner_is_counted_only_when_the_keyring_knows_it(house: House, cli: Run) -> None:
    append(house, cli)
    witness = PrivateKey.generate()
    path = key_file(house, witness, "witness.key")
    assert faults(cli, "--cosigners", "1")[0] == 4
    assert cli("ledger", "cosign", "--name", "witness.example", "--key", path, "--now", NOW)[0] == 0
    assert faults(cli, "--cosigners", "1")[0] == 4
    house.trust(house.key, witness)
    assert faults(cli, "--cosigners", "1")[0] == 0
    assert faults(cli, "--cosigners", "2")[0] == 4
    append(house, cli)
    assert faults(cli, "--cosigners", "1")[0] == 0, "nothing new was listed, so it stays"
    house.seal(name="new")
    append(house, cli)
    assert faults(cli, "--cosigners", "1")[0] == 4, "the witness has not seen this head"


def test_a_witness_signs_no_head_that_is_not_trusted_or_was_rewritten(house: House, cli: Run) -> None:
    append(house, cli)
    house.commit()
    head, path = house.root / "ledger" / "checkpoint", key_file(house, PrivateKey.generate(), "other.key")
    cosign = ("ledger", "cosign", "--name", "witness.example", "--key", path, "--now", NOW)
    _, _, err = cli("ledger", "append", "--key", path, "--now", NOW)
    assert "verify will refuse this: no signature by the log" in err
    before = head.read_bytes()
    code, _, err = cli(*cosign)
    assert (code, "not cosigned: no signature by the log" in err, head.read_bytes()) == (4, True, before)
    shutil.rmtree(house.root / "ledger")
    house.seal(name="another")
    append(house, cli, house.root / "artifacts" / "another.json")
    before = head.read_bytes()
    code, _, err = cli(*cosign, "--base", "HEAD")
    assert (code, "ledger only grows" in err, head.read_bytes()) == (4, True, before)


def test_the_keys_of_the_base_decide_about_the_ledger_too(house: House, cli: Run) -> None:
    append(house, cli)
    house.commit()
    stranger = PrivateKey.generate()
    house.trust(house.key, stranger, version=2)
    path = key_file(house, stranger, "stranger.key")
    assert cli("ledger", "append", "--key", path, "--now", NOW)[0] == 0
    assert judged(cli, "--ledger")[0] == 0
    code, report = judged(cli, "--ledger", "--base", "HEAD")
    assert (code, reasons(report)) == (4, ["ledger.signature"])
    assert "ledger.signature" in faults(cli, "--base", "HEAD")[1]
    house.commit()
    house.trust(house.key, stranger, version=1)
    assert "keyring.rolled_back" in faults(cli, "--base", "HEAD")[1]


def test_an_artifact_outside_the_repository_is_not_listed(house: House, cli: Run, tmp_path: Path) -> None:
    outside = shutil.copy(house.artifact, tmp_path / "outside.json")
    link = house.root / "artifacts" / "link.json"
    link.symlink_to(outside)
    for path in (outside, link):
        code, _, err = cli("ledger", "append", path, "--key", house.key_file)
        assert code == 2, err
        assert "not below" in err


def test_a_log_does_not_change_its_name(house: House, cli: Run) -> None:
    append(house, cli, "--origin", "example.com/shop")
    code, _, err = cli("ledger", "append", "--origin", "example.com/other", "--key", house.key_file)
    assert code == 2
    assert "example.com/shop" in err


def test_a_ledger_without_artifacts_is_a_sentence(house: House, cli: Run) -> None:
    house.artifact.unlink()
    assert cli("ledger", "append", "--key", house.key_file)[0] == 2
    assert cli("ledger", "prove", house.artifact)[0] in (2, 4, 5)
    assert cli("ledger", "cosign", "--name", "w", "--key", house.key_file)[0] in (2, 4, 5)


# ── cut off between two files ────────────────────────────────────────────────────────────────────────────────────


def cut_off(house: House, cli: Run) -> bytes:
    """A ledger of two lines whose checkpoint covers the first, as after a crash; the entries that should be."""
    append(house, cli)
    head = house.root / "ledger" / "checkpoint"
    before = head.read_bytes()
    house.seal(name="basket")
    append(house, cli)
    head.write_bytes(before)
    return (house.root / "ledger" / "entries").read_bytes()


def test_a_ledger_that_was_cut_off_is_reported_and_the_next_change_mends_it(house: House, cli: Run) -> None:
    wanted = cut_off(house, cli)
    code, out = faults(cli)
    assert (code, "ledger.size" in out, "ledger append" in out) == (4, True, True)
    code, out, _ = cli("ledger", "append", house.artifact, "--key", house.key_file, "--now", NOW)
    assert (code, "1 line that nobody had signed, made anew" in out) == (0, True)
    assert (house.root / "ledger" / "entries").read_bytes() == wanted
    assert faults(cli)[0] == 0


def test_a_line_that_somebody_wrote_by_hand_is_not_signed_with_the_next_change(house: House, cli: Run) -> None:
    append(house, cli)
    entries = house.root / "ledger" / "entries"
    digest = read(house.artifact.read_bytes()).sha256
    with entries.open("a") as file:
        file.write(f"{NOW} tombstone artifacts/checkout.json sha256:{digest} because I say so\n")
    house.seal(name="basket")
    append(house, cli)
    assert "because I say so" not in entries.read_text()
    assert judged(cli, "--ledger")[0] == 0


def test_signed_lines_that_were_changed_are_not_signed_again(house: House, cli: Run) -> None:
    append(house, cli)
    entries = house.root / "ledger" / "entries"
    changed = entries.read_text().replace("2026-11-22T07:00:00Z", "2026-11-22T07:00:01Z")
    entries.write_text(changed)
    code, _, err = cli("ledger", "append", "--key", house.key_file, "--now", NOW)
    assert (code, "git checkout ledger" in err) == (4, True)
    assert entries.read_text() == changed
