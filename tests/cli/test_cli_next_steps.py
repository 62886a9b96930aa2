"""What a newcomer does wrong, and whether the sentence that comes back says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_builders import NOW, Repository

from bizra_gate import demo
from bizra_gate.attest import PrivateKey
from bizra_gate.load.liveness import next_step
from bizra_gate.model import Measurement

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_gate_that_is_spelled_otherwise_is_named(repository: Repository, cli: Run, command: str) -> None:
    repository.gate()
    code, _, err = cli(command, "gates/chekout.toml")
    assert (code, "Did you mean gates/checkout.toml?" in err) == (2, True)


def test_the_gates_that_there_are_are_listed_where_none_is_similar(repository: Repository, cli: Run) -> None:
    repository.gate()
    assert "there are gates/checkout.toml" in cli("verify", "gates/x.toml")[2]


@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_folder_further_down_is_told_where_the_gates_are(
    repository: Repository, cli: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second gates/ made by init there would judge nothing."""
    repository.gate()
    (repository.root / "src" / "app").mkdir(parents=True)
    monkeypatch.chdir(repository.root / "src" / "app")
    code, _, err = cli(command)
    assert (code, "../../gates" in err, "init" in err) == (2, True, False)


def test_without_any_gate_the_first_one_is_made_by_init(
    tmp_path: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "bizra-gate init" in cli("verify")[2]


def test_a_target_is_repeated_as_it_was_written(repository: Repository, cli: Run) -> None:
    assert "htp://127.0.0.1:80/: neither" in cli("bench", "htp://127.0.0.1:80/")[2]


def test_a_gate_that_neither_side_has_is_a_mistake_and_no_judgement(
    repository: Repository, honest: Measurement, cli: Run
) -> None:
    repository.gate()
    repository.seal(honest)
    repository.commit()
    code, _, err = cli("verify", "gates/chekout.toml", "--base", "main", "--now", NOW)
    assert (code, "neither here nor in main" in err, "gates/checkout.toml" in err) == (2, True, True)


def test_a_gate_that_only_the_base_has_is_judged(repository: Repository, honest: Measurement, cli: Run) -> None:
    gate = repository.gate()
    repository.seal(honest)
    repository.commit()
    gate.unlink()
    assert cli("verify", "gates/checkout.toml", "--base", "main", "--now", NOW)[0] == 0


def test_a_changed_layout_is_told_with_the_command_that_restores_it(
    repository: Repository, honest: Measurement, cli: Run
) -> None:
    repository.gate()
    file = repository.seal(honest)
    file.write_text(json.dumps(json.loads(file.read_text())))
    code, out, _ = cli("verify", "--now", NOW, "--format", "json")
    (evidence,) = json.loads(out)["gates"][0]["evidence"]
    assert code == 4
    assert "bizra-gate fmt artifacts/checkout.json" in str(evidence["trust"]["reasons"])


def test_show_says_which_keyring_does_not_know_the_key(repository: Repository, honest: Measurement, cli: Run) -> None:
    repository.key = PrivateKey.generate()
    file = repository.seal(honest)
    out = cli("show", str(file), "--now", NOW)[1]
    assert "gates/keyring.toml; --keyring names" in " ".join(out.split())


def test_the_demonstration_names_its_own_keyring(tmp_path: Path) -> None:
    said: list[str] = []
    demo._farewell(tmp_path, said.append, 0)
    assert any("show" in line and f"--keyring {tmp_path}/gates/keyring.toml" in line for line in said)


def test_an_end_of_a_waiver_without_unit_is_told_with_examples_of_an_end(repository: Repository, cli: Run) -> None:
    repository.gate()
    code, _, err = cli(
        "waive", "gates/checkout.toml", "p99", "--reason", "x", "--ticket", "T-1", "--expires", "7", "--approver", "a"
    )
    assert (code, "such as 7d" in err) == (2, True)


def test_a_margin_without_its_sign_is_told_with_it(repository: Repository, cli: Run) -> None:
    code, _, err = cli("compare", "a.json", "b.json", "--margin", "5")
    assert (code, "'5 %'" in err) == (2, True)


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("bad_status", "--expect-status"),
        ("bad_body", "--expect-body"),
        ("timeout", "--timeout"),
        ("exit 2", "--shell"),
        ("ValueError", "by hand"),
    ],
)
def test_where_everything_failed_the_way_on_fits_how_it_failed(kind: str, option: str) -> None:
    assert option in next_step(kind)


def test_a_ledger_of_one_artifact_has_one_line(repository: Repository, honest: Measurement, cli: Run) -> None:
    file = repository.seal(honest)
    key = repository.root.parent / "signing.key"
    assert cli("keygen", "--out", str(key))[0] == 0
    assert ": 1 line, root " in cli("ledger", "append", str(file), "--key", str(key), "--now", NOW)[1]
