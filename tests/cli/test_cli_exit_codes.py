"""Every exit code of the contract is reached, and says why."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_builders import NOW, Repository

from bizra_gate import demo, load
from bizra_gate.errors import Interrupted
from bizra_gate.model import Measurement

Run = Callable[..., tuple[int, str, str]]


def verify(cli: Run, *arguments: str) -> tuple[int, dict]:
    code, out, err = cli("verify", "--now", NOW, "--format", "json", *arguments)
    assert "Traceback" not in err
    return code, json.loads(out) if out else {}


def test_honest_evidence_that_meets_its_limit_ships(repository: Repository, honest: Measurement, cli: Run) -> None:
    repository.gate()
    repository.seal(honest)
    code, report = verify(cli)
    assert (code, report["verdict"], report["grade"]) == (0, "SHIP", "A+")


def test_a_limit_below_what_was_measured_does_not_ship(repository: Repository, honest: Measurement, cli: Run) -> None:
    repository.gate("<= 6 ms")
    repository.seal(honest)
    code, report = verify(cli)
    assert (code, report["verdict"]) == (1, "NO-SHIP")
    assert report["gates"][0]["checks"][0]["verdict"] == "fail"


def test_a_gate_that_cannot_be_read_judges_nothing(repository: Repository, cli: Run) -> None:
    repository.gate("<= 6")
    code, out, err = cli("verify", "--now", NOW)
    assert (code, out) == (2, "")
    assert "check[0].pass" in err
    assert "ms" in err


def test_a_folder_without_gates_never_ships(repository: Repository, cli: Run) -> None:
    code, _, _ = cli("verify", "--now", NOW)
    assert code in (2, 5)


def test_the_impossible_record_signed_by_a_trusted_key_is_under_audit(repository: Repository, cli: Run) -> None:
    repository.gate("<= 1.5 ms")
    repository.seal(demo.impossible_record())
    code, report = verify(cli)
    assert (code, report["verdict"], report["grade"]) == (3, "UNDER AUDIT", None)
    codes = {finding["code"] for finding in report["gates"][0]["evidence"][0]["audit"]["findings"]}
    assert {"littles_law.zero", "clock.resolution", "method.duration", "method.warmup"} <= codes


@pytest.mark.parametrize("place", [100, 900, 3000, -200])
def test_one_changed_byte_is_untrusted(repository: Repository, honest: Measurement, cli: Run, place: int) -> None:
    repository.gate()
    artifact = repository.seal(honest)
    data = bytearray(artifact.read_bytes())
    data[place] ^= 1
    artifact.write_bytes(data)
    code, report = verify(cli)
    assert (code, report["verdict"]) == (4, "UNTRUSTED")


def test_evidence_that_nobody_trusts_is_untrusted(repository: Repository, honest: Measurement, cli: Run) -> None:
    repository.gate()
    repository.seal(honest)
    (repository.root / "gates" / "keyring.toml").unlink()
    assert verify(cli)[0] == 4


def test_missing_evidence_is_inconclusive(repository: Repository, cli: Run) -> None:
    repository.gate()
    code, report = verify(cli)
    assert (code, report["verdict"], report["grade"], report["score"]) == (5, "INCONCLUSIVE", None, None)


def test_an_interval_that_straddles_its_limit_is_inconclusive(
    repository: Repository, honest: Measurement, cli: Run
) -> None:
    repository.gate()
    repository.seal(honest)
    _, report = verify(cli)
    low, high = report["gates"][0]["checks"][0]["interval"]
    repository.gate(f"<= {(low + high) / 2:.0f} ns")
    code, report = verify(cli)
    assert (code, report["gates"][0]["checks"][0]["verdict"]) == (5, "inconclusive")


def test_a_target_that_refuses_connections_cannot_be_driven(repository: Repository, cli: Run) -> None:
    cli("keygen", "--out", str(repository.root.parent / "k.key"))
    code, _, err = cli(
        "bench", "http://127.0.0.1:9/", "--warmup", "100ms", "--duration", "200ms", "--quiet",
        "--key", str(repository.root.parent / "k.key"),
    )  # fmt: skip
    assert code == 6, err
    assert "127.0.0.1:9" in err
    assert not list(Path("artifacts").glob("*"))


def test_a_module_that_does_not_exist_cannot_be_driven(repository: Repository, cli: Run) -> None:
    cli("keygen", "--out", str(repository.root.parent / "k.key"))
    code, _, err = cli(
        "bench", "py:no_such_module_here:f", "--warmup", "100ms", "--duration", "200ms", "--quiet",
        "--key", str(repository.root.parent / "k.key"),
    )  # fmt: skip
    assert code == 6
    assert "no_such_module_here" in err


def test_a_python_file_that_does_not_exist_is_as_undrivable_as_a_module(repository: Repository, cli: Run) -> None:
    key = repository.root.parent / "k.key"
    cli("keygen", "--out", str(key))
    (repository.root / "t.py").write_text("def op(): ...\n")
    for target in ("py:nope.py:op", "py:t.py:nope"):
        code, _, err = cli("bench", target, "--warmup", "0s", "--duration", "200ms", "--quiet", "--key", str(key))
        assert (code, "nope" in err) == (6, True)


@pytest.mark.parametrize(
    "command",
    [
        ("export", "--to", "dsse"), ("fmt",), ("show",), ("audit",), ("import",), ("cosign",),
        ("compare", "artifacts/checkout.json"), ("ledger", "append"),
        ("ledger", "check-proof", "artifacts/checkout.json"),
    ],
)  # fmt: skip
def test_a_file_that_is_named_and_not_there_is_a_slip_with_the_file_that_was_meant(
    repository: Repository, honest: Measurement, cli: Run, command: tuple[str, ...]
) -> None:
    """Missing evidence is what a gate asks for; nobody looks for it under a name that was mistyped."""
    repository.seal(honest)
    key = repository.root.parent / "k.key"
    cli("keygen", "--out", str(key))
    keyed = ("--key", str(key)) if command[0] in ("import", "cosign") or command[1:] == ("append",) else ()
    code, _, err = cli(*command, "artifacts/chekout.json", *keyed)
    assert code == 2, err
    assert "artifacts/chekout.json: no such file" in err
    assert "Did you mean artifacts/checkout.json?" in err


@pytest.mark.parametrize("command", [("export", "--to", "dsse"), ("fmt",), ("show",), ("audit",)])
def test_a_folder_in_place_of_an_artifact_is_a_slip_with_a_file_in_it(
    repository: Repository, honest: Measurement, cli: Run, command: tuple[str, ...]
) -> None:
    repository.seal(honest)
    code, _, err = cli(*command, "artifacts")
    assert (code, "artifacts/checkout.json" in err) == (2, True)


@pytest.mark.parametrize("command", ["show", "audit", "fmt"])
def test_an_artifact_that_was_cut_says_what_to_do(
    repository: Repository, honest: Measurement, cli: Run, command: str
) -> None:
    artifact = repository.seal(honest)
    artifact.write_bytes(artifact.read_bytes()[:2000])
    code, _, err = cli(command, str(artifact))
    assert (code, "malformed JSON: line" in err) == (4, True)
    assert "restore it from version control, or make it anew" in err
    repository.gate()
    assert "restore it from version control" in " ".join(cli("verify", "--now", NOW, "--format", "markdown")[1].split())


def test_an_interrupted_measurement_leaves_nothing_and_exits_130(
    repository: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Interrupted("interrupted; nothing was written")

    monkeypatch.setattr(load, "run_many", stop)
    cli("keygen", "--out", str(repository.root.parent / "k.key"))
    code, _, err = cli("bench", "py:json:dumps", "--quiet", "--key", str(repository.root.parent / "k.key"))
    assert (code, "interrupted" in err) == (130, True)
    assert not list(Path("artifacts").glob("*"))


def test_untrusted_outweighs_under_audit_outweighs_failed(
    repository: Repository, honest: Measurement, cli: Run
) -> None:
    text = repository.gate("<= 6 ms").read_text()
    repository.seal(honest)
    (repository.root / "gates" / "b.toml").write_text(text.replace("checkout", "impossible"))
    repository.seal(demo.impossible_record(), "impossible")
    assert verify(cli)[0] == 3
    (repository.root / "gates" / "c.toml").write_text(text.replace("checkout", "broken"))
    (repository.root / "artifacts" / "broken.json").write_text("{}")
    assert verify(cli)[0] == 4


def test_bench_without_a_key_says_what_to_run(repository: Repository, cli: Run) -> None:
    code, _, err = cli("bench", "py:json:dumps")
    assert code == 2
    assert "bizra-gate keygen && bizra-gate trust" in err


@pytest.mark.parametrize(("option", "value"), [("--duration", "120"), ("--rate", "1000"), ("--warmup", "-1s")])
def test_a_number_without_its_unit_is_refused(repository: Repository, cli: Run, option: str, value: str) -> None:
    code, _, err = cli("bench", "py:json:dumps", f"{option}={value}")
    assert code == 2
    assert option in err


def test_audit_says_valid_insufficient_and_invalid_by_its_exit_code(
    repository: Repository, honest: Measurement, cli: Run
) -> None:
    artifact = str(repository.seal(honest))
    assert cli("audit", artifact)[0] == 0
    assert cli("audit", artifact, "--min-duration", "300s")[0] == 5
    assert cli("audit", str(repository.seal(demo.impossible_record(), "x")))[0] == 3


def unwritable(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """Standard output that takes nothing; standard error still does."""
    echo = typer.echo

    def refuse(message: object = None, *, err: bool = False, **kwargs: Any) -> None:
        if not err:
            raise error
        echo(message, err=True, **kwargs)

    monkeypatch.setattr(typer, "echo", refuse)


@pytest.mark.parametrize(("limit", "code"), [("<= 6 ms", 1), ("<= 100 ms", 0)])
def test_a_reader_who_goes_away_does_not_change_the_verdict(
    repository: Repository, honest: Measurement, cli: Run, monkeypatch: pytest.MonkeyPatch, limit: str, code: int
) -> None:
    repository.gate(limit)
    repository.seal(honest)
    unwritable(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert cli("verify", "--now", NOW) == (code, "", "")


def test_a_fault_that_nobody_reads_is_still_no_success(
    repository: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwritable(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert cli("ledger", "verify")[0] != 0


def test_a_full_disk_below_standard_output_is_a_sentence(
    repository: Repository, honest: Measurement, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.gate()
    repository.seal(honest)
    unwritable(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    code, out, err = cli("verify", "--now", NOW)
    assert (code, out) == (2, "")
    assert "standard output: No space left on device" in err
    assert "internal error" not in err
