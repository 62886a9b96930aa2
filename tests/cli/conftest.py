from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_builders import Repository, exit_code_of, honest_measurement

from bizra_gate.model import Measurement


@pytest.fixture(scope="session")
def honest() -> Measurement:
    return honest_measurement()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BIZRA_GATE_KEY", raising=False)
    made = Repository.make(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    return made


class Cli:
    """Runs a command in this process: exit code, standard output, standard error."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capfd.readouterr()
        code = exit_code_of(*arguments)
        out, err = self._capfd.readouterr()
        return code, out, err


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    return Cli(capfd)
