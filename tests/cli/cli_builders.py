"""A small repository with an honest measurement in it, made in fake time."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typer.main

from bizra_gate import load, opening, pipeline, store
from bizra_gate.attest import Keyring, PrivateKey, TrustedKey, render_keyring
from bizra_gate.cli.app import app
from bizra_gate.cli.commands import register
from bizra_gate.evidence.benchmark import Origin, against_plan
from bizra_gate.load import FakeClock
from bizra_gate.model import ClosedLoop, Environment, Gate, Measurement, Plan, Warmup
from bizra_gate.targets.fake import Answer, FakeTarget

SECOND = 1_000_000_000
NOW = "2026-11-22T08:00:00Z"
FINISHED = "2026-11-22T07:00:00Z"

GATE = """\
name = "checkout"
claim = "Checkout is quick"
[evidence]
artifact = "artifacts/checkout.json"
[[check]]
metric = "latency.p99"
pass = "{limit}"
"""


MEASURED = """\
name = "checkout"
claim = "Checkout is quick"
[measure]
target = "http://127.0.0.1:8080/a"
{measure}
load = {{ loop = "closed", concurrency = 1 }}
warmup = "2s"
duration = "12s"
[evidence]
artifact = "artifacts/checkout.json"
{evidence}
[policy]
min_duration = "12s"
min_warmup = "2s"
[[check]]
metric = "latency.mean"
{check}
"""
"""A gate whose evidence takes little time to make, even in fake time."""
MACHINE = Environment(cpu_model="test", cpu_count=2, system="Linux")


@cache
def _table() -> Callable[..., object]:
    """The command line's table, which takes as long to make as many a command takes to run."""
    register()
    return typer.main.get_command(app)


def exit_code_of(*arguments: str) -> int:
    """Run a command in this process."""
    try:
        _table()(list(arguments), standalone_mode=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def answers(factor: float = 1.0, seed: int = 7, spread: float = 0.01) -> FakeTarget:
    """Answers after 5 to 15 ms times `factor`; every run is up to `spread` quicker or slower than the others."""
    dice = random.Random(seed)
    pace = [1.0]

    def script(index: int) -> Answer:
        if index == 0:
            pace[0] = dice.uniform(1 - spread, 1 + spread)
        return Answer(round(dice.uniform(5e6, 15e6) * factor * pace[0]))

    return FakeTarget(script, servers=4)


@cache
def measured(plan: Plan, factor: float = 1.0, seed: int = 7) -> Measurement:
    """`plan` in fake time, `factor` times as slow as usual."""
    return load.run(plan, answers(factor, seed), FakeClock(), MACHINE)


@cache
def in_turn(plan: Plan, factor: float, second: float = 1.0) -> tuple[Measurement, Measurement]:
    """Both targets of `plan` in fake time, the first `factor` and the second `second` times as slow as usual."""
    pairs = [(plan, answers(factor)), (against_plan(plan), answers(second, seed=8))]
    first, other = load.run_many(pairs, FakeClock(), MACHINE)
    return first, other


def honest_measurement(*, seconds: int = 120, warmup: int = 30) -> Measurement:
    """Two users, answers after 5 to 15 ms."""
    dice = random.Random(7)
    answers = [Answer(round(dice.uniform(5e6, 15e6))) for _ in range(65536)]
    plan = Plan("fake:script", ClosedLoop(2), Warmup(warmup * SECOND), seconds * SECOND)
    target = FakeTarget(lambda index: answers[index % 65536], servers=4)
    return load.run(plan, target, FakeClock(), Environment(cpu_model="test", cpu_count=2, system="Linux"))


@cache
def usual_key() -> PrivateKey:
    """Who signs in every repository that a test makes, so that what was signed once can be laid into the next."""
    return PrivateKey.generate()


_SEALED: dict[tuple[object, ...], tuple[object, bytes]] = {}
_SEALED_AT_MOST = 64


def sealed(
    artifact: Path,
    turn: int,
    measurement: Measurement,
    finished: str,
    key: PrivateKey,
    *,
    origin: Origin | None = None,
    against: Measurement | None = None,
) -> Path:
    """`measurement` as signed evidence in `artifact`.

    What is sealed at the same `turn` of two repositories is the same bytes, made once; within one repository every
    turn has a run id of its own.
    """
    known = (id(measurement), id(against), repr(origin), finished, key.seed, turn)
    if known in _SEALED:
        store.write(artifact, _SEALED[known][1])
        return artifact
    pipeline.seal(
        measurement,
        against=against,
        subject={"target": "fake:script"},
        origin=origin or Origin(),
        signer=key,
        artifact=artifact,
        finished_at=finished,
    )
    if len(_SEALED) >= _SEALED_AT_MOST:
        del _SEALED[next(iter(_SEALED))]
    _SEALED[known] = (measurement, against), artifact.read_bytes()  # they stay, or another would get their number
    return artifact


@dataclass
class Repository:
    """A folder with gates, keyring and artifacts, and the key that signs."""

    root: Path
    key: PrivateKey
    turns: int = 0

    @classmethod
    def make(cls, root: Path) -> Repository:
        key = usual_key()
        ring = Keyring(version=1, keys=(TrustedKey(key.public, "ci@example.com", ("*",)),))
        (root / "gates").mkdir(parents=True)
        (root / "gates" / "keyring.toml").write_text(render_keyring(ring))
        return cls(root, key)

    def gate(self, limit: str = "<= 100 ms", text: str = GATE) -> Path:
        path = self.root / "gates" / "checkout.toml"
        path.write_text(text.format(limit=limit))
        return path

    def measured_gate(self, check: str, *, measure: str = "", evidence: str = "") -> Gate:
        path = self.root / "gates" / "checkout.toml"
        path.write_text(MEASURED.format(measure=measure, evidence=evidence, check=check))
        return opening.read_gates([path])[0]

    def git(self, *arguments: str) -> str:
        """git in this repository, as a person without any configuration of their own."""
        said = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *said, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str = "x") -> str:
        """Everything as a commit, in a repository that is made where there is none."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main", "--template=")  # no sample hooks
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def seal(
        self,
        measurement: Measurement,
        name: str = "checkout",
        finished: str = FINISHED,
        against: Measurement | None = None,
    ) -> Path:
        self.turns += 1
        return sealed(
            self.root / "artifacts" / f"{name}.json", self.turns, measurement, finished, self.key, against=against
        )
