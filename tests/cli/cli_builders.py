"""A small repository with an honest measurement in it, made in fake time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from bizra_gate import load, pipeline
from bizra_gate.attest import Keyring, PrivateKey, TrustedKey, render_keyring
from bizra_gate.evidence.benchmark import Origin
from bizra_gate.load import FakeClock
from bizra_gate.model import ClosedLoop, Environment, Measurement, Plan, Warmup
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


def honest_measurement(*, seconds: int = 120, warmup: int = 30) -> Measurement:
    """Four users, answers after 5 to 15 ms."""
    dice = random.Random(7)
    answers = [Answer(round(dice.uniform(5e6, 15e6))) for _ in range(65536)]
    plan = Plan("fake:script", ClosedLoop(4), Warmup(warmup * SECOND), seconds * SECOND)
    target = FakeTarget(lambda index: answers[index % 65536], servers=4)
    return load.run(plan, target, FakeClock(), Environment(cpu_model="test", cpu_count=2, system="Linux"))


@dataclass
class Repository:
    """A folder with gates, keyring and artifacts, and the key that signs."""

    root: Path
    key: PrivateKey

    @classmethod
    def make(cls, root: Path) -> Repository:
        key = PrivateKey.generate()
        ring = Keyring(version=1, keys=(TrustedKey(key.public, "ci@example.com", ("*",)),))
        (root / "gates").mkdir(parents=True)
        (root / "gates" / "keyring.toml").write_text(render_keyring(ring))
        return cls(root, key)

    def gate(self, limit: str = "<= 100 ms", text: str = GATE) -> Path:
        path = self.root / "gates" / "checkout.toml"
        path.write_text(text.format(limit=limit))
        return path

    def seal(self, measurement: Measurement, name: str = "checkout", finished: str = FINISHED) -> Path:
        made = pipeline.seal(
            measurement,
            subject={"target": "fake:script"},
            origin=Origin(),
            signer=self.key,
            artifact=self.root / "artifacts" / f"{name}.json",
            finished_at=finished,
        )
        return made.artifact
