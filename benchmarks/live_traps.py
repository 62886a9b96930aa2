"""Run targets and servers that lie about themselves through ``bizra-gate bench``, and audit what comes out.

    python benchmarks/live_traps.py                 all of them, some 8 s each
    python benchmarks/live_traps.py --only empty    those whose name has "empty" in it
    python benchmarks/live_traps.py --duration 10s --warmup 2s

Prints one line a trap: as it should be (ok), or what was said instead. A machine that is busy with something else is
found out by `environment.noise`; that finding alone makes no line wrong, and is shown. Exit status 0 when all hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIVE = ROOT / "tests" / "audit" / "live"
GATE = [sys.executable, "-m", "bizra_gate"]
DISTURBED = {"environment.noise"}
"""What a busy machine adds to any measurement; it never excuses an INVALID."""


@dataclass(frozen=True, slots=True)
class Said:
    """What ``bench`` and ``audit`` said of one trap."""

    exit_code: int
    verdict: str | None
    codes: frozenset[str]
    accused: tuple[str, ...]
    messages: tuple[str, ...]


def run(target: str, options: tuple[str, ...], asked: argparse.Namespace, folder: Path) -> Said:
    """Measure `target`, then audit the artifact under a policy as long as what was asked for."""
    artifact = folder / "artifact.json"
    artifact.unlink(missing_ok=True)
    bench = [*GATE, "bench", target, "--duration", asked.duration, "--warmup", asked.warmup, "--quiet"]
    done = _run([*bench, "--artifact", str(artifact), "--key", str(folder / "key.pem"), *options], folder)
    if not artifact.exists():
        return Said(done.returncode, None, frozenset(), (), (done.stderr.strip()[:200],))
    audit = [*GATE, "audit", str(artifact), "--format", "json", "--min-duration", asked.duration]
    report = json.loads(_run([*audit, "--min-warmup", asked.warmup], folder).stdout)
    return _read(done.returncode, report)


def _read(exit_code: int, report: dict[str, Any]) -> Said:
    findings = [f for f in report["findings"] if f["severity"] != "note"]
    disturbed = [f for f in findings if f["code"] in DISTURBED]
    rest = [f for f in findings if f["code"] not in DISTURBED]
    verdict = report["verdict"]
    if disturbed and not rest:
        verdict = "VALID"
    return Said(
        exit_code,
        verdict,
        frozenset(f["code"] for f in report["findings"]),
        tuple(dict.fromkeys(f["code"] for f in findings)),
        tuple(f["message"] for f in findings),
    )


def _run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=folder)


def short(trap: Any, said: Said) -> str:
    """What is wrong, or nothing."""
    if said.exit_code != trap.exit_code:
        return f"bench exits {said.exit_code}, expected {trap.exit_code}: {' '.join(said.messages)}"
    if said.verdict is None:
        return "" if not trap.verdicts else "no artifact"
    if said.verdict not in trap.verdicts:
        return f"{said.verdict}, expected {' or '.join(trap.verdicts)}: {' '.join(said.messages)}"
    false = [code for code in trap.never if code in said.codes]
    if false:
        return f"falsely accused of {', '.join(false)}: {' '.join(said.messages)}"
    missing = [code for code in trap.codes if code not in said.codes]
    return f"not told: {', '.join(missing)}" if missing else ""


def _traps() -> Iterator[tuple[Any, Callable[[argparse.Namespace, Path], Said]]]:
    """Every trap with how it is measured."""
    sys.path[:0] = [str(ROOT), str(LIVE)]
    from servers import SERVERS
    from targets import TRAPS

    for trap in TRAPS:
        yield trap, partial(run, f"py:{LIVE / 'targets.py'}:{trap.name}", trap.options)
    for script, trap in SERVERS:
        yield trap, partial(_serve, script, trap.options)


def _serve(script: Any, options: tuple[str, ...], asked: argparse.Namespace, folder: Path) -> Said:
    """A server of its own for each measurement, on 127.0.0.1."""
    from bizra_gate.targets.http.embedded import serve

    with serve(script) as server:
        return run(server.url, options, asked, folder)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--duration", default="6s")
    parser.add_argument("--warmup", default="2s")
    asked = parser.parse_args(argv)
    failed = held = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([*GATE, "keygen", "--out", str(folder / "key.pem"), "--quiet"], folder)
        for trap, measure in _traps():
            label = " ".join((trap.name, *trap.options))
            if asked.only not in label:
                continue
            said = measure(asked, folder)
            wrong = short(trap, said)
            failed, held = failed + bool(wrong), held + (not wrong)
            told = f"{said.verdict or f'exit {said.exit_code}'} {', '.join(said.accused)}"
            print(f"{'✗' if wrong else 'ok'}  {label:45} {wrong or told}", flush=True)
    print(f"{held} of {held + failed} live traps as they should be")
    return 1 if failed or not held else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
