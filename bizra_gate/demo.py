"""The whole loop in under a minute: one honest claim ships, one impossible claim is refused."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from . import opening, pipeline, store
from .attest import Keyring, TrustedKey, render_keyring
from .attest.keys import PrivateKey
from .errors import UsageError
from .evidence.benchmark import Origin
from .model import Environment, Figure, Gate, Latency, Measurement, Plan, Source
from .model.measurement import Caveat
from .reports import terminal
from .units import NS_PER_S

if TYPE_CHECKING:
    from .load import Snapshot

Say = Callable[[str], None]
Watch = Callable[[Plan, str], AbstractContextManager["Callable[[Snapshot], None] | None"]]

RATE_PER_S, SERVICE_MS = 1_000, 20
WARMUP_S, COUNTED_S = 5, 20
NOTE = (
    f"a demonstration: {COUNTED_S} s after {WARMUP_S} s on whatever machine, "
    "where real evidence takes 120 s after 30 s on a quiet one"
)

HONEST = f"""\
# Judge it again with:  bizra-gate verify gates/honest.toml
name  = "honest"
claim = "The embedded server answers {RATE_PER_S:,} requests a second, 95 in 100 within 250 ms"

[measure]
target   = "{{url}}"
load     = {{{{ loop = "open", rate = "{RATE_PER_S}/s" }}}}
warmup   = "{WARMUP_S}s"
duration = "{COUNTED_S}s"

[evidence]
artifact = "artifacts/honest.json"

[policy]
min_duration      = "{COUNTED_S}s"
min_warmup        = "{WARMUP_S}s"
max_competing_cpu = "100 %"
max_steal         = "100 %"
require_steady    = false
note              = "{NOTE}"

[[check]]
metric = "throughput"
pass   = ">= {RATE_PER_S * 0.95:.0f}/s"

[[check]]
metric = "latency.p50"
pass   = "<= 50 ms"

[[check]]
metric = "latency.p95"
pass   = "<= 250 ms"

[[check]]
metric   = "latency.p99"
pass     = "<= 500 ms"
severity = "info"
why      = "what a busy machine does to one request in a hundred is not this server's doing"

[[check]]
metric = "error_rate"
pass   = "<= 1 %"

[[check]]
metric   = "concurrency.mean"
pass     = "<= 64"
severity = "info"
why      = "Little's law: {RATE_PER_S:,}/s of {SERVICE_MS} ms are {RATE_PER_S * SERVICE_MS // 1000} requests in flight"
"""

IMPOSSIBLE = """\
# The record that this tool began with. Its limits are met with ease; that is the trouble.
name  = "impossible"
claim = "The circuit breaker serves 13,000,000 requests a second at p50 = p99 = 0 ms"

[evidence]
artifact = "artifacts/impossible.json"

[[check]]
metric = "throughput"
pass   = ">= 300k/s"

[[check]]
metric = "latency.p99"
pass   = "<= 1.5 ms"
"""


def impossible_record() -> Measurement:
    """The retracted claim as it was reported: 13,000,000 req/s, p50 = p99 = 0 ms, over 0.36 s, never warmed up."""
    rate, seconds, millisecond = 13_000_000, 0.36, 1e6
    return Measurement(
        source=Source(tool="in-house benchmark", version="1", format="report", foreign=True),
        name="circuit breaker",
        loop="closed",
        think_time=False,
        concurrency=64,
        rate_achieved_per_s=Figure(rate, 1),
        duration_ns=Figure(seconds * NS_PER_S, 1e7),
        warmup_ns=Figure(0),
        operations=round(rate * seconds),
        errors={},
        latency=Latency(
            mean=Figure(0, millisecond),
            percentiles=((50.0, Figure(0, millisecond)), (99.0, Figure(0, millisecond))),
            quantum_ns=millisecond,
            origin="send",
        ),
        environment=Environment(cpu_count=16, cpu_hz=3.5e9),
        caveats=(Caveat("source.report", "transcribed from a written report; the histogram was not kept"),),
        blind=("the report keeps no histogram, no time series and no number in flight",),
    )


def tell(directory: Path, *, say: Say, watch: Watch, width: int, color: bool) -> int:
    """Run the demonstration in `directory`; the exit code is 0 when both stories ended as they should."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is there already and is kept", hint="choose another with --directory")
    signer = PrivateKey.generate()
    _lay_out(directory, signer)
    first = (
        "1. An honest claim. An embedded server is measured in an open loop, after a warm-up, every request recorded. "
        f"It takes {SERVICE_MS} ms on average, exponentially spread: arithmetic expects "
        f"p50 {_expected_ms(0.5):.1f} ms, p95 {_expected_ms(0.95):.1f} ms, "
        f"and {RATE_PER_S * SERVICE_MS // 1000} in flight."
    )
    second = "2. An impossible claim. The same key signs 13,000,000 req/s at p50 = 0 ms, measured for 0.36 s."
    say(_story(first, width))
    honest = _measure(directory, signer, watch)
    honest_code = _judge(honest, say, width, color)
    say("\n" + _story(second, width))
    impossible = _plant(directory, signer)
    impossible_code = _judge(impossible, say, width, color)
    _farewell(directory, say, honest_code)
    return 0 if (honest_code, impossible_code) == (0, 3) else 1


def _story(text: str, width: int) -> str:
    """A numbered paragraph that fits the terminal."""
    return textwrap.fill(text, min(width, 100), subsequent_indent="   ") + "\n"


def _expected_ms(q: float) -> float:
    """Quantile `q` of an exponential service time, −ln(1 − q) means, with nobody waiting for anybody."""
    return -math.log1p(-q) * SERVICE_MS


def _lay_out(directory: Path, signer: PrivateKey) -> None:
    ring = Keyring(version=1, keys=(TrustedKey(signer.public, "demo (its private key was never written)", ("*",)),))
    store.write(directory / "gates" / "keyring.toml", render_keyring(ring).encode())


def _measure(directory: Path, signer: PrivateKey, watch: Watch) -> Path:
    """Start the embedded server, measure it under the gate, stop it."""
    from .load.clock import MonotonicClock
    from .targets.http.embedded import EmbeddedServer
    from .targets.http.script import Script

    script = Script(service_ns=SERVICE_MS * 1_000_000, law="exponential")
    with EmbeddedServer(script, MonotonicClock().now_ns) as server:
        file = directory / "gates" / "honest.toml"
        store.write(file, HONEST.format(url=server.url).encode())
        gate = opening.read_gates([file])[0]
        assert gate.plan is not None
        _bench(gate, gate.plan, directory, signer, watch)
    return file


def _bench(gate: Gate, plan: Plan, directory: Path, signer: PrivateKey, watch: Watch) -> None:
    with watch(plan, gate.name) as progress:
        pipeline.bench(
            plan,
            root=directory,
            artifact=directory / gate.evidence[0].artifacts[0],
            signer=signer,
            gate=gate,
            progress=progress,
        )


def _plant(directory: Path, signer: PrivateKey) -> Path:
    from .load.clock import MonotonicClock

    file = directory / "gates" / "impossible.toml"
    store.write(file, IMPOSSIBLE.encode())
    pipeline.seal(
        impossible_record(),
        subject={"target": "circuit breaker"},
        origin=Origin(),
        signer=signer,
        artifact=directory / "artifacts" / "impossible.json",
        finished_at=MonotonicClock().wall(),
    )
    return file


def _judge(file: Path, say: Say, width: int, color: bool) -> int:
    from .load.clock import MonotonicClock

    report = pipeline.verify([file], now=MonotonicClock().wall()).report
    say(terminal.render(report, width=width, color=color))
    return report.exit_code


def _farewell(directory: Path, say: Say, honest_code: int) -> None:
    ended = "SHIP" if honest_code == 0 else "not SHIP: the report above says why; this machine may be too busy"
    say(f"\nEverything lies in {directory}/: two gates, two signed artifacts, the keyring.")
    say("Look inside, and try:")
    say(f"  bizra-gate verify {directory}/gates/honest.toml\n      # {ended}, exit {honest_code}")
    say(f"  bizra-gate verify {directory}/gates\n      # UNDER AUDIT, exit 3")
    say(f"  bizra-gate show {directory}/artifacts/honest.json --keyring {directory}/gates/keyring.toml")
    say("      # percentiles, time series; INSUFFICIENT under the default policy: 120 s after 30 s")
    say("  change one digit in that artifact and verify again\n      # UNTRUSTED, exit 4")
