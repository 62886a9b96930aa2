"""A repository whose evidence can be bent in one place at a time, and signed again or not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_builders import sealed, usual_key

from bizra_gate.attest import Keyring, PrivateKey, TrustedKey, read, render_keyring, seal
from bizra_gate.evidence.benchmark import Origin
from bizra_gate.gates import parse
from bizra_gate.model import Measurement

NOW = "2026-11-22T08:00:00Z"
FINISHED = "2026-11-22T07:00:00Z"
Run = Callable[..., tuple[int, str, str]]

GATE = """\
name = "checkout"
claim = "Checkout is quick"
{measure}
[evidence]
artifact = "artifacts/checkout.json"
{evidence}
[policy]
min_duration = "5s"
min_warmup = "1s"
note = "a measurement in fake time, short so that the tests are"
[[check]]
metric = "latency.p99"
pass = "{limit}"
"""


def gate_text(limit: str = "<= 100 ms", *, evidence: str = "", measure: str = "", name: str = "checkout") -> str:
    return GATE.replace("checkout", name).format(limit=limit, evidence=evidence, measure=measure)


@dataclass
class House:
    """A folder with a gate, a keyring and an artifact; `key` signs and lies outside, in `key_file`."""

    root: Path
    key: PrivateKey
    key_file: Path
    measurement: Measurement
    turns: int = 0

    @classmethod
    def make(cls, root: Path, measurement: Measurement) -> House:
        key = usual_key()
        key_file = root.parent / "house.key"
        root.mkdir(parents=True)
        key_file.write_text(key.pem())
        key_file.chmod(0o600)
        made = cls(root, key, key_file, measurement)
        made.trust(key)
        made.gate()
        made.seal()
        return made

    @property
    def artifact(self) -> Path:
        return self.root / "artifacts" / "checkout.json"

    def trust(self, *keys: PrivateKey, roles: tuple[str, ...] = ("*",), version: int = 1, **facts: Any) -> Path:
        entries = tuple(TrustedKey(key.public, "ci@example.com", roles) for key in keys)
        return self.write("gates/keyring.toml", render_keyring(Keyring(version, entries, **facts)))

    def gate(self, limit: str = "<= 100 ms", *, name: str = "checkout", **parts: str) -> Path:
        return self.write(f"gates/{name}.toml", gate_text(limit, name=name, **parts))

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def seal(
        self,
        *,
        name: str = "checkout",
        finished: str = FINISHED,
        origin: Origin | None = None,
        measurement: Measurement | None = None,
        key: PrivateKey | None = None,
    ) -> Path:
        self.turns += 1
        return sealed(
            self.root / "artifacts" / f"{name}.json",
            self.turns,
            measurement or self.measurement,
            finished,
            key or self.key,
            origin=origin,
        )

    def statement(self, name: str = "checkout") -> dict[str, Any]:
        return read((self.root / "artifacts" / f"{name}.json").read_bytes()).unverified_statement()

    def bend(self, change: Callable[[dict[str, Any]], None], name: str = "checkout") -> Path:
        """Change what the artifact's predicate says, and sign that with the trusted key."""
        document = self.statement(name)
        change(document["predicate"])
        return self.write(f"artifacts/{name}.json", seal(document, [self.key]))

    def planned(self, **changes: Any) -> Measurement:
        """The measurement as if made by the plan that the gate's ``[measure]`` describes, with `changes`."""
        gate = parse((self.root / "gates" / "checkout.toml").read_text(), "gates/checkout.toml", "0" * 64)
        assert gate.plan is not None
        return dataclasses.replace(self.measurement, plan=dataclasses.replace(gate.plan, **changes))

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), "-c", "user.name=T", "-c", "user.email=t@example.com", *arguments],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self) -> str:
        """Everything in the work tree, committed; makes the repository where there is none."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main", "--template=")  # no sample hooks
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "c")
        return self.git("rev-parse", "HEAD")


def judged(cli: Run, *arguments: object) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON report of ``verify``."""
    code, out, err = cli("verify", "--now", NOW, "--format", "json", *arguments)
    assert out, err
    return code, json.loads(out)


def reasons(report: dict[str, Any]) -> list[str]:
    """Codes of everything that keeps the evidence from being trusted."""
    return [r["code"] for gate in report["gates"] for e in gate["evidence"] for r in e["trust"]["reasons"]]


def told(cli: Run, *arguments: object) -> str:
    """What ``verify`` says to a person, on one line."""
    out, err = cli("verify", "--now", NOW, "--format", "markdown", *arguments)[1:]
    assert out, err
    return " ".join(out.replace("\\", "").split())
