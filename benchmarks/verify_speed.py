"""How long `verify` takes over many artifacts: whole processes, beside ``python -c pass`` in the same run.

    python benchmarks/verify_speed.py [--artifacts 1000] [--rounds 3]

One honest measurement in fake time is signed again and again under different names; every file is read strictly,
verified, decoded, recomputed, audited and judged. Python's bytecode is compiled beforehand, as an installation does.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bizra_gate import load, pipeline
from bizra_gate.attest import Keyring, PrivateKey, TrustedKey, render_keyring
from bizra_gate.evidence.benchmark import Origin
from bizra_gate.load import FakeClock
from bizra_gate.model import Environment, Measurement, OpenLoop, Plan, Warmup
from bizra_gate.targets.fake import Answer, FakeTarget

SECOND = 1_000_000_000
GATE = """\
name = "gate-{n:04}"
claim = "Answers are quick"
[evidence]
artifact = "artifacts/a-{n:04}.json"
[[check]]
metric = "latency.p99"
pass = "<= 20 ms"
[[check]]
metric = "throughput"
pass = ">= 1900/s"
"""


def measurement() -> Measurement:
    """An open loop of 2,000/s for 120 s with log-normal answers: histograms of thousands of bins."""
    dice = random.Random(5)
    target = FakeTarget(lambda index: Answer(round(dice.lognormvariate(14, 0.5))), servers=64)
    plan = Plan("fake:script", OpenLoop(2000.0), Warmup(30 * SECOND), 120 * SECOND)
    return load.run(plan, target, FakeClock(), Environment(cpu_model="test", cpu_count=2))


def repository(root: Path, artifacts: int) -> int:
    """Lay out a repository; returns the size of one artifact in bytes."""
    key = PrivateKey.generate()
    (root / "gates").mkdir()
    ring = Keyring(version=1, keys=(TrustedKey(key.public, "bench", ("*",)),))
    (root / "gates" / "keyring.toml").write_text(render_keyring(ring))
    one, size = measurement(), 0
    for n in range(artifacts):
        (root / "gates" / f"g-{n:04}.toml").write_text(GATE.format(n=n))
        made = pipeline.seal(
            one,
            subject={"target": "fake:script"},
            origin=Origin(),
            signer=key,
            artifact=root / "artifacts" / f"a-{n:04}.json",
            finished_at="2026-11-22T07:00:00Z",
        )
        size = made.size
    return size


def timed(command: list[str], root: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and exit code of one process with its children."""
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    settings["PYTHONPYCACHEPREFIX"] = str(root / "bytecode")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=root, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        size = repository(root, options.artifacts)
        verify = [sys.executable, "-m", "bizra_gate", "verify", "--now", "2026-11-22T08:00:00Z", "--format", "json"]
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "bizra-gate --help": [sys.executable, "-m", "bizra_gate", "--help"],
            "verify, 1 gate": [*verify, "gates/g-0000.toml"],
            "verify, 9 gates": [*verify, *(f"gates/g-{n:04}.toml" for n in range(9))],
            f"verify, {options.artifacts} gates": [*verify, "gates"],
        }
        print(f"{os.cpu_count()} cores, artifacts of {size / 1024:.0f} KiB, median of {options.rounds}\n")
        print(f"{'':24}{'wall':>10}{'CPU':>10}{'÷ pass':>9}   exit")
        floor = 0.0
        for name, command in rows.items():
            timed(command, root)  # compiles what was not compiled yet
            taken = [timed(command, root) for _ in range(options.rounds)]
            seconds, cpu = (statistics.median(column) for column in list(zip(*taken, strict=True))[:2])
            floor = floor or seconds
            print(f"{name:24}{seconds * 1000:>7.0f} ms{cpu * 1000:>7.0f} ms{seconds / floor:>9.1f}   {taken[0][2]}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"\nlargest process: {peak / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
