from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from cli_builders import exit_code_of, honest_measurement
from seal_builders import House

from bizra_gate.model import Measurement


@pytest.fixture(scope="session")
def honest() -> Measurement:
    return honest_measurement(seconds=10, warmup=1)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process: exit code, standard output, standard error; a traceback fails the test."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = exit_code_of(*map(str, arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err, err
        assert "internal error" not in out + err, err
        return code, out, err

    return run


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, honest: Measurement) -> House:
    """A repository with one gate, its evidence, and a keyring that trusts the key in `house.key_file`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    for name in ("BIZRA_GATE_KEY", "BIZRA_GATE_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    made = House.make(tmp_path / "repo", honest)
    monkeypatch.chdir(made.root)
    return made
