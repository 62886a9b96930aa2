"""Key pairs as people meet them: made once, kept private, found in CI, refused where they would leak."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from seal_builders import House, Run

from bizra_gate import keystore
from bizra_gate.attest import Argon2id, PrivateKey, parse_keyring


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost of a guess takes most of a second."""
    monkeypatch.setattr("bizra_gate.attest.keys.Argon2id", lambda *cost: Argon2id(*(cost or (1, 2**13))))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_keygen_keeps_the_private_key_private_and_the_public_one_readable(house: House, cli: Run) -> None:
    code, out, _ = cli("keygen")
    path = keystore.default_path()
    assert (code, mode(path)) == (0, 0o600)
    assert path.is_relative_to(house.root.parent / "config")
    public = PrivateKey.from_pem(path.read_text()).public
    assert public.fingerprint in out
    assert path.with_suffix(".pub.pem").read_text() == public.pem()
    assert path.with_suffix(".pub").read_text().startswith(public.openssh())
    assert "PRIVATE" not in out


def test_keygen_never_overwrites_a_key(house: House, cli: Run) -> None:
    cli("keygen")
    before = keystore.default_path().read_bytes()
    code, _, err = cli("keygen")
    assert (code, keystore.default_path().read_bytes()) == (2, before)
    assert "exists already and is kept" in err


def test_a_key_is_not_made_inside_a_work_tree_unless_git_ignores_it(house: House, cli: Run) -> None:
    house.commit()
    inside = house.root / "ci.key"
    code, _, err = cli("keygen", "--out", inside)
    assert (code, inside.exists()) == (2, False)
    assert "inside the git work tree" in err
    assert "echo '/ci.key' >> .gitignore" in err
    house.write(".gitignore", "/ci.key\n")
    assert cli("keygen", "--out", inside)[0] == 0
    assert mode(inside) == 0o600


def test_a_key_that_came_to_lie_in_a_work_tree_is_not_used(house: House, cli: Run) -> None:
    house.commit()
    inside = house.write("ci.key", house.key.pem())
    inside.chmod(0o600)
    code, _, err = cli("ledger", "append", "--key", inside)
    assert code == 2
    assert "inside the git work tree" in err


def test_a_key_that_others_can_read_is_refused_with_the_command_to_mend_it(house: House, cli: Run) -> None:
    house.key_file.chmod(0o644)
    code, _, err = cli("ledger", "append", "--key", house.key_file)
    assert code == 2
    assert f"chmod 600 {house.key_file}" in err
    assert subprocess.run(["chmod", "600", str(house.key_file)], check=True).returncode == 0
    assert cli("ledger", "append", "--key", house.key_file)[0] == 0


@pytest.mark.parametrize("form", ["text", "one line", "path"])
def test_ci_gives_the_key_by_variable(house: House, cli: Run, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    said = {"text": house.key.pem(), "one line": house.key.pem().replace("\n", "\\n"), "path": str(house.key_file)}
    monkeypatch.setenv("BIZRA_GATE_KEY", said[form])
    code, out, err = cli("ledger", "append")
    assert code == 0, err
    assert "1 line," in out


def test_the_option_comes_before_the_variable(house: House, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIZRA_GATE_KEY", PrivateKey.generate().pem())
    assert cli("ledger", "append", "--key", house.key_file)[0] == 0
    assert cli("ledger", "verify")[0] == 0


def test_what_to_ignore_is_named_from_the_top_of_the_work_tree(
    house: House, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.commit()
    monkeypatch.chdir(house.root / "gates")
    code, _, err = cli("keygen", "--out", "keys/ci.key")
    assert code == 2
    assert "echo '/gates/keys/ci.key' >> ../.gitignore" in err
    house.write(".gitignore", "/gates/keys/ci.key\n")
    assert cli("keygen", "--out", "keys/ci.key")[0] == 0


def test_a_link_is_judged_by_where_the_key_itself_lies(house: House, cli: Run, tmp_path: Path) -> None:
    house.commit()
    (house.root / "linked.key").symlink_to(house.key_file)
    assert cli("ledger", "append", "--key", house.root / "linked.key")[0] == 0
    inside = house.write("ci.key", house.key.pem())
    inside.chmod(0o600)
    (tmp_path / "outside.key").symlink_to(inside)
    assert cli("ledger", "append", "--key", tmp_path / "outside.key")[0] == 2


@pytest.mark.parametrize(
    "said",
    [
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n",
        "/no/such/key",
        "-----BEGIN PRIVATE KEY----- nonsense",
    ],
)
def test_a_variable_that_holds_no_key_is_a_sentence(
    house: House, cli: Run, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("BIZRA_GATE_KEY", said)
    code, _, err = cli("ledger", "append")
    assert code == 2
    assert "BIZRA_GATE_KEY: " in err
    assert "nonsense" not in err


def test_an_encrypted_key_opens_with_a_passphrase_from_the_environment_or_the_terminal(
    house: House, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = house.root.parent / "locked.key"
    keystore.create(path, "correct horse")
    assert "ENCRYPTED" in path.read_text()
    code, _, err = cli("ledger", "append", "--key", path)
    assert code == 2
    assert "BIZRA_GATE_PASSPHRASE" in err
    monkeypatch.setenv("BIZRA_GATE_PASSPHRASE", "wrong")
    assert "wrong passphrase" in cli("ledger", "append", "--key", path)[2]
    monkeypatch.setenv("BIZRA_GATE_PASSPHRASE", "correct horse")
    assert cli("ledger", "append", "--key", path)[0] == 0
    monkeypatch.delenv("BIZRA_GATE_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda asked: {f"Passphrase of {path}: ": "correct horse"}[asked])
    assert cli("ledger", "append", "--key", path)[0] == 0


def test_trust_writes_a_keyring_that_reads_back_and_rises(house: House, cli: Run) -> None:
    cli("keygen", "--out", house.root.parent / "second.key")
    code, out, _ = cli("trust", house.root.parent / "second.pub", "--owner", "Bob", "--role", "benchmark", "--role",
                       "waiver", "--not-after", "2027-11-22T00:00:00Z")  # fmt: skip
    ring = parse_keyring((house.root / "gates" / "keyring.toml").read_text())
    assert (code, ring.version, len(ring.keys)) == (0, 2, 2)
    assert (ring.keys[1].owner, ring.keys[1].roles) == ("Bob", ("benchmark", "waiver"))
    assert ring.keys[1].fingerprint in out
    code, _, err = cli("trust", house.root.parent / "second.pub.pem")
    assert code == 2
    assert "in the keyring already" in err


def test_trust_never_takes_a_private_key(house: House, cli: Run) -> None:
    before = (house.root / "gates" / "keyring.toml").read_bytes()
    code, _, err = cli("trust", house.key_file)
    assert (code, (house.root / "gates" / "keyring.toml").read_bytes()) == (2, before)
    assert "a private key" in err


@pytest.mark.parametrize("role", ["benchmarks", "admin", ""])
def test_trust_refuses_a_role_that_does_not_exist(house: House, cli: Run, role: str) -> None:
    cli("keygen", "--out", house.root.parent / "second.key")
    code, _, err = cli("trust", house.root.parent / "second.pub", "--role", role)
    assert code == 2
    assert "roles[0]" in err
