"""Small builders: a gate file with one thing changed, and evidence with one thing wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bizra_gate import gates
from bizra_gate.errors import DefinitionError
from bizra_gate.model import Audit, Finding, Gate, Metric, OpenedEvidence, Reason, Report, Trust
from bizra_gate.model.metric import Better

NOW = "2026-11-22T04:00:00Z"
DAY_BEFORE = "2026-11-21T04:00:00Z"
SHA = "ab" * 32
KEY = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"

HEAD = 'name = "checkout"\nclaim = "An order is taken within 2 ms, 99 times in 100"\n'
P99 = '[[check]]\nmetric = "latency.p99"\npass = "<= 2 ms"\n'
GATE = HEAD + P99


def gate(text: str = GATE, *, file: str = "gates/checkout.toml", sha256: str = SHA) -> Gate:
    return gates.parse(text, file, sha256)


def check_gate(check: str, *, before: str = "") -> Gate:
    """A gate with one [[check]] whose lines are `check`."""
    return gate(f"{HEAD}{before}\n[[check]]\n{check}\n")


def problems(text: str) -> list[str]:
    """What is wrong with `text`, each problem as its sentence."""
    with pytest.raises(DefinitionError) as caught:
        gate(text)
    return [str(problem) for problem in caught.value.problems]


def problem(text: str) -> str:
    """The only problem of `text`."""
    (only,) = problems(text)
    return only


def metric(
    name: str = "latency.p99",
    estimate: float | None = 1_000_000.0,
    interval: tuple[float | None, float | None] | None = (900_000.0, 1_100_000.0),
    *,
    unit: str = "ns",
    better: Better = "lower",
    n: int | None = 100_000,
    confidence: float = 0.95,
    processes: Sequence[float] = (),
) -> Metric:
    return Metric(name, unit, better, estimate, interval, confidence, n, process_values=tuple(processes))


VALID = Audit("VALID")
INVALID = Audit("INVALID", (Finding("littles_law.excess", "invalid", "λ·W = 14.6, but only 10 connections existed"),))
INSUFFICIENT = Audit("INSUFFICIENT", (Finding("method.duration", "insufficient", "0.36 s; the policy asks for 120 s"),))
TRUSTED = Trust(True, signed_by=(KEY,))
FORGED = Trust(False, (Reason("signature.invalid", "the signature does not fit the content"),))


def evidence(*metrics: Metric, file: str = "artifacts/checkout.json", **changes: Any) -> OpenedEvidence:
    """VALID, trusted, fresh evidence that holds `metrics` (by default one p99 of 1 ms ± 0.1 ms)."""
    known: Mapping[str, Metric] = {one.name: one for one in (metrics or (metric(),))}
    whole = OpenedEvidence(
        file=file,
        sha256="cd" * 32,
        kind="benchmark",
        trust=TRUSTED,
        audit=VALID,
        metrics=known,
        signed_by=(KEY,),
        finished_at=DAY_BEFORE,
        run_id=f"run of {file}",
        environment_key="one machine",
    )
    return replace(whole, **changes)


def absent(file: str = "artifacts/checkout.json") -> OpenedEvidence:
    return evidence(file=file, missing=True, sha256=None, audit=None, metrics={}, trust=Trust(False), signed_by=())


def verdict(judged: Gate, *pieces: OpenedEvidence, now: str = NOW, **room: Any) -> Report:
    """The report on one gate."""
    return gates.evaluate([judged], {judged.name: pieces}, now, **room)


def outcome(check: str, *pieces: OpenedEvidence, **room: Any) -> tuple[str, str]:
    """Verdict and reason of the only check of a gate whose [[check]] lines are `check`."""
    report = verdict(check_gate(check), *(pieces or (evidence(),)), **room)
    (only,) = report.gates[0].checks
    return only.verdict, only.reason
