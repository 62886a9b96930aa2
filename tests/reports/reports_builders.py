"""Reports, audits and measurements of every kind, made by arithmetic: no clock, no random numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from statistics import NormalDist

from bizra_gate.model import (
    Audit,
    Caveat,
    Change,
    CheckReport,
    ClockFacts,
    Distribution,
    Environment,
    EvidenceReport,
    Figure,
    Finding,
    GateReport,
    InFlight,
    Intervals,
    Latency,
    Measurement,
    Metric,
    Reason,
    Report,
    Run,
    Source,
    Trust,
)
from bizra_gate.model.report import EXIT_CODES, GateVerdict
from bizra_gate.reports.inputs import AuditedMeasurement, ComparedMetric, ComparedPair, Comparison, Shown

KEY = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"
TRUSTED = Trust(True, (), (KEY,), {KEY: "ci-bench"})
VALID = Audit("VALID", (), ("coherence.order", "coherence.count", "littles_law.measured", "method.duration"))
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
JUDGED = "2026-11-22T04:00:00Z"
S = 1_000_000_000
SERVICE_NS = 1_133_221
"""Mean service time of `measurement`."""

THROUGHPUT = CheckReport(
    "throughput", "throughput", "1/s", ">= 300k/s", "pass", "the whole interval meets the limit",
    weight=2, estimate=523_793.0, interval=(521_010.5, 526_402.0), n=62_855_160, warn=">= 270k/s",
)  # fmt: skip
P99 = CheckReport(
    "p99", "latency.p99", "ns", "<= 1.5 ms", "pass", "the whole interval meets the limit",
    estimate=1_100_000.0, interval=(1_090_000.0, 1_120_000.0), n=62_855_160, controls=("soc2:CC7.2",), owner="payments",
)  # fmt: skip
SLOW_P99 = dataclasses.replace(
    P99, verdict="fail", estimate=1_920_000.0, interval=(1_901_000.0, 1_950_000.0),
    reason="even the favourable end of the interval, 1.901 ms, violates <= 1.5 ms",
    why="callers give up after 2 ms",
)  # fmt: skip
ERRORS = CheckReport(
    "error_rate", "error_rate", "ratio", "<= 0.1 %", "pass", "the upper bound meets the limit",
    severity="should", estimate=0.0, interval=(0.0, 6.1e-8), n=62_855_160,
)  # fmt: skip

LITTLE = Finding(
    "littles_law.zero", "invalid",
    "13,000,000 operations a second, each in 0 ns, leave 0 operations in flight: work was done in no time at all.",
    "λ·W = 0", "λ·W ≈ 1 (one thread, no think time)",
)  # fmt: skip
IMPOSSIBLE = Audit(
    "INVALID",
    (
        Finding(
            "method.duration", "insufficient",
            "The run lasted 0.36 s; the policy asks for 120 s.", "0.36 s", ">= 120 s",
        ),
        LITTLE,
        Finding(
            "clock.resolution", "invalid",
            "Every latency is 0 ns, below ten quanta of the clock (1 ms each): nothing was timed.", "0 ns", ">= 10 ms",
        ),
        Finding(
            "control.empty", "invalid",
            "The operation is no slower than calling nothing (0.07 ns against 0.07 ns): it was optimised away.",
            "0.07 ns", "> 0.09 ns",
        ),
        Finding("distribution.modes", "note", "The distribution has one mode.", "1 mode"),
    ),
    ("coherence.order", "coherence.count"),
    {
        "littles_law.measured": "no independently integrated number in flight",
        "generator.lag": "the generator's own lag was not recorded",
    },
)  # fmt: skip


def evidence(name: str, trust: Trust = TRUSTED, audit: Audit | None = VALID, **more: object) -> EvidenceReport:
    given: dict[str, object] = {
        "file": f"artifacts/{name}.json", "sha256": SHA, "kind": "benchmark", "trust": trust, "audit": audit,
        "signed_by": trust.signed_by, "measured_by": "bizra-gate 0.1.0", "finished_at": "2026-11-20T10:02:30Z",
    }  # fmt: skip
    return EvidenceReport(**{**given, **more})  # type: ignore[arg-type]


def gate(
    name: str,
    verdict: GateVerdict,
    checks: tuple[CheckReport, ...],
    items: tuple[EvidenceReport, ...] | None = None,
    score: float | None = None,
    claim: str = "A guarded call is served 300,000 times a second, 99 in 100 within 1.5 ms",
    notes: tuple[str, ...] = (),
) -> GateReport:
    found = (evidence(name),) if items is None else items
    return GateReport(name, claim, f"gates/{name}.toml", SHA, verdict, score, found, checks, notes)


def report(*gates: GateReport, grade: str | None = None, why: str = "", score: float | None = None) -> Report:
    order: list[GateVerdict] = ["UNTRUSTED", "UNDER AUDIT", "NO-SHIP", "INCONCLUSIVE", "SHIP"]
    verdict = min((one.verdict for one in gates), key=order.index, default="INCONCLUSIVE")
    return Report(verdict, grade, why, score, EXIT_CODES[verdict], JUDGED, gates)


def ship() -> Report:
    passed = gate("circuit-breaker", "SHIP", (THROUGHPUT, P99, ERRORS), score=1.0)
    return report(passed, grade="A+", why="A+: 3 of 3 checks pass.", score=1.0)


def no_ship() -> Report:
    failed = gate("circuit-breaker", "NO-SHIP", (THROUGHPUT, SLOW_P99, ERRORS), score=0.75)
    fine = gate("json-loads", "SHIP", (P99,), score=1.0, claim="A 20 kB document is parsed within 1.5 ms, 99 in 100")
    return report(fine, failed, grade="D", why="D: a required check failed (3.5 of 5 points)", score=0.7)


def under_audit() -> Report:
    refused = tuple(
        dataclasses.replace(
            check, verdict="refused", estimate=value, interval=None, n=4_680_000,
            reason="the evidence is a measurement artifact; its figures are not judged",
        )
        for check, value in ((THROUGHPUT, 13_000_000.0), (P99, 0.0))
    )  # fmt: skip
    item = evidence("impossible", audit=IMPOSSIBLE, measured_by="loopbench 1.0, not by bizra-gate")
    claim = "13,000,000 requests a second with p50 = p99 = 0 ms"
    return report(gate("impossible", "UNDER AUDIT", refused, (item,), claim=claim), why="no grade: evidence is INVALID")


def untrusted() -> Report:
    trust = Trust(False, (
        Reason("signature", "The signature of artifacts/checkout.json does not match its content: a byte was changed."),
        Reason("stale", "The measurement ended 200 d ago; the gate accepts 180 d."),
    ))  # fmt: skip
    checks = tuple(
        dataclasses.replace(
            check, verdict="untrusted", estimate=None, interval=None, n=None, reason="the evidence is not trusted"
        )
        for check in (THROUGHPUT, P99)
    )
    item = evidence("checkout", trust, None, measured_by=None, finished_at=None)
    return report(gate("checkout", "UNTRUSTED", checks, (item,)), why="no grade: evidence is not trusted")


def inconclusive() -> Report:
    wide = dataclasses.replace(
        P99, verdict="inconclusive", estimate=1_480_000.0, interval=(1_402_000.0, None), n=410,
        reason="the limit 1.5 ms lies inside the interval; about 7 more runs would decide it",
    )  # fmt: skip
    gone = dataclasses.replace(
        THROUGHPUT,
        verdict="missing",
        estimate=None,
        interval=None,
        n=None,
        reason="artifacts/search.json does not exist",
    )
    nothing = Trust(
        False, (Reason("missing", "artifacts/search.json does not exist; run: bizra-gate bench gates/search.toml"),)
    )
    lost = evidence("search", nothing, None, sha256=None, missing=True, measured_by=None, finished_at=None)
    short = Audit("INSUFFICIENT", (
        Finding("method.samples", "insufficient", "410 samples carry p99 barely.", "410", ">= 473"),
    ))  # fmt: skip
    return report(
        gate("search", "INCONCLUSIVE", (gone,), (lost,), claim="Search answers 300,000 times a second"),
        gate("checkout", "INCONCLUSIVE", (wide,), (evidence("checkout", audit=short),)),
        why="no grade: a required check could not be judged",
    )


def waived() -> Report:
    excused = dataclasses.replace(
        SLOW_P99, verdict="waived",
        reason="waived until 2026-12-01T00:00:00Z by release-board (OPS-1423): new region still warming its caches",
    )  # fmt: skip
    warned = dataclasses.replace(
        THROUGHPUT, verdict="warn", estimate=281_000.0, interval=(279_400.0, 282_100.0),
        reason="meets the warning band >= 270k/s, not the limit",
    )  # fmt: skip
    held = gate(
        "circuit-breaker", "SHIP", (warned, excused), score=0.75,
        notes=("policy is laxer than the default: 12 s measured, a demonstration",),
    )  # fmt: skip
    return report(held, grade="B", why="B: capped by a waiver (p99 of circuit-breaker)", score=0.75)


def changed() -> Report:
    """Judged by a base that the head changes in every way."""
    file, ring = "gates/circuit-breaker.toml", "gates/keyring.toml"
    changes = (
        Change("loosened", file, "circuit-breaker", "check p99: pass", "<= 1.5 ms", "<= 15 ms", True),
        Change("removed", file, "circuit-breaker", "check error_rate", "must error_rate <= 0.1 %", "nothing", True),
        Change("added", ring, None, f"key {KEY}", "nothing", "mallory, for every role", True),
        Change("changed", file, "circuit-breaker", "measure.target", "http://127.0.0.1/a", "http://127.0.0.1/b"),
        Change("tightened", file, "circuit-breaker", "evidence: max_age", "180 d", "30 d", False),
    )
    note = "Judged by the gates, the keyring and the waivers of origin/main. What the head changes decides nothing."
    return dataclasses.replace(ship(), notes=(note,), changes=changes)


def empty() -> Report:
    return report(why="no gate was found in gates/")


REPORTS: dict[str, Callable[[], Report]] = {
    "ship": ship, "no-ship": no_ship, "under-audit": under_audit, "untrusted": untrusted,
    "inconclusive": inconclusive, "waived": waived, "changed": changed,
    "empty": empty,
}  # fmt: skip


def lognormal(median_ns: float, sigma: float, n: int) -> Distribution:
    """`n` values in bins of about 2 % width, cumulative counts rounded from the exact distribution."""
    normal = NormalDist()
    low: list[int] = []
    high: list[int] = []
    counts: list[int] = []
    edge, seen = median_ns * math.exp(-4.5 * sigma), 0
    while seen < n:
        top = edge * 1.02 + 1
        upto = min(n, round(normal.cdf(math.log(top / median_ns) / sigma) * n))
        if top > median_ns * math.exp(5.6 * sigma):
            upto = n
        if upto > seen:
            low.append(round(edge))
            high.append(max(round(edge), round(top) - 1))
            counts.append(upto - seen)
        edge, seen = top, max(seen, upto)
    middle = sum((a + b) // 2 * c for a, b, c in zip(low, high, counts, strict=True))
    return Distribution(tuple(low), tuple(high), tuple(counts), low[0], high[-1], middle)


def intervals(seconds: int, rate: float, mean_ns: float, ramp: bool = False) -> Intervals:
    """A row a second with a gentle wave; with `ramp` it grows into `rate` as a warm-up does."""
    counts, totals, maxima, p50, p99, flight = [], [], [], [], [], []
    for second in range(seconds):
        wave = 1 + 0.02 * math.sin(second / 3)
        share = min(1.0, 0.3 + 0.7 * second / max(1, seconds - 5)) if ramp else 1.0
        count = round(rate * wave * share)
        slow = 1 + 0.05 * math.cos(second / 5) + (1 - share)
        counts.append(count)
        totals.append(round(count * mean_ns * slow))
        maxima.append(round(mean_ns * slow * 30))
        p50.append(round(mean_ns * slow * 0.85))
        p99.append(round(mean_ns * slow * 3.6))
        flight.append(round(count * SERVICE_NS * slow))
    return Intervals(
        S, tuple(second * S for second in range(seconds)), tuple(counts), (0,) * seconds, tuple(totals), tuple(maxima),
        tuple(p50), tuple(p99), tuple(flight),
    )  # fmt: skip


def measurement(loop: str = "open", seconds: int = 120, scale: float = 1.0) -> Measurement:
    """Two minutes at 5,000/s after 30 s of warm-up, response time a little above service time."""
    rows = intervals(seconds, 5_000, 1_300_000 * scale)
    n = sum(rows.count)
    service = Latency(lognormal(1_000_000 * scale, 0.5, n), n, bin_ratio=0.02, percentile_method="ceil-rank")
    response = Latency(
        lognormal(1_150_000 * scale, 0.62, n), n, bin_ratio=0.02, percentile_method="ceil-rank", origin="intended"
    )
    run = Run(
        0, seconds * S, 30 * S, n, response, service, intervals=rows,
        warmup_intervals=intervals(30, 5_000, 1.6e6, ramp=True),
        in_flight=InFlight(seconds * S, sum(rows.in_flight_ns)),
    )  # fmt: skip
    return Measurement(
        Source("bizra-gate", "0.1.0", foreign=False), "checkout", loop,  # type: ignore[arg-type]
        concurrency=64, rate_requested_per_s=Figure(5_000), duration_ns=Figure(seconds * S), warmup_ns=Figure(30 * S),
        operations=n, errors={"timeout": 3}, latency=response if loop == "open" else service, service=service,
        response=response, intervals=rows, in_flight=run.in_flight, clock=ClockFacts("monotonic", 25.0, 41.0, 1200, 0),
        environment=Environment("Example CPU", 8, 3e9, system="Linux", python="3.12.4"), runs=(run,),
        started_at="2026-11-20T10:00:00Z", finished_at="2026-11-20T10:02:30Z",
    )  # fmt: skip


def figures() -> dict[str, Metric]:
    rows = (
        Metric("throughput", "1/s", "higher", 5_003.2, (4_990.1, 5_016.0), n=600_388, method="batch means, 24 batches"),
        Metric("latency.p50", "ns", "lower", 1_150_000.0, (1_146_000.0, 1_155_000.0), n=600_388),
        Metric("latency.p99", "ns", "lower", 4_870_000.0, (4_790_000.0, 4_960_000.0), n=600_388),
        Metric("latency.p99.99", "ns", "lower", 11_500_000.0, (10_900_000.0, None), n=600_388),
        Metric("error_rate", "ratio", "lower", 5e-6, (1.7e-6, 1.47e-5), n=600_391, method="Wilson"),
    )
    return {row.name: row for row in rows}


def impossible_measurement() -> Measurement:
    zero = Latency(
        None, 4_680_000, Figure(0), Figure(0), Figure(0), None, ((50.0, Figure(0, 1e6)), (99.0, Figure(0, 1e6)))
    )
    return Measurement(
        Source("loopbench", "1.0", "text", "impossible.txt"), None, "closed", concurrency=1,
        duration_ns=Figure(0.36 * S), rate_achieved_per_s=Figure(13e6), operations=4_680_000, latency=zero,
        stated={"connections": "1"},
        caveats=(Caveat("percentile.printed", "Percentiles are as printed; no histogram was kept."),),
        blind=("The tool keeps no histogram, so nothing can be recomputed from counts.",),
    )  # fmt: skip


def audited() -> tuple[AuditedMeasurement, ...]:
    return (AuditedMeasurement("artifacts/checkout.json", measurement(), VALID, figures()),)


def audited_impossible() -> tuple[AuditedMeasurement, ...]:
    return (AuditedMeasurement("impossible.txt", impossible_measurement(), IMPOSSIBLE),)


def shown() -> Shown:
    return Shown("artifacts/checkout.json", measurement(), figures(), VALID, TRUSTED, SHA)


def comparison() -> Comparison:
    def metric(name: str, unit: str, value: float, spread: float) -> Metric:
        return Metric(name, unit, "lower", value, (value * (1 - spread), value * (1 + spread)), n=10)

    rows = (
        ComparedMetric(
            "latency.p99", "ns", metric("latency.p99", "ns", 1.1e6, 0.02), metric("latency.p99", "ns", 1.32e6, 0.03),
            "worse", 1.2, 1.15, 1.26, 10, 10, reason="the upper bound of the ratio, 1.26, exceeds 1.05",
        ),
        ComparedMetric(
            "latency.p50", "ns", metric("latency.p50", "ns", 2e5, 0.01), metric("latency.p50", "ns", 2.01e5, 0.01),
            "same", 1.005, 0.991, 1.019, 10, 10,
        ),
        ComparedMetric(
            "throughput", "1/s", metric("throughput", "1/s", 5e3, 0.04), metric("throughput", "1/s", 4.9e3, 0.05),
            "undecided", 0.98, 0.92, 1.044, 10, 4, 7, "the margin lies inside the interval",
        ),
        ComparedMetric(
            "cpu.per_op", "ns", None, metric("cpu.per_op", "ns", 8e3, 0.02),
            "undecided", None, None, None, None, 10, reason="not measured in the base",
        ),
    )  # fmt: skip
    better = ComparedMetric(
        "latency.p99", "ns", metric("latency.p99", "ns", 9e6, 0.01), metric("latency.p99", "ns", 6e6, 0.01),
        "better", 0.667, 0.66, 0.674, 12, 12,
    )  # fmt: skip
    return Comparison(
        "base.json", "head.json",
        (ComparedPair("checkout", rows, VALID, VALID), ComparedPair("search", (better,), VALID, IMPOSSIBLE)), 0.05,
        notes=("The environments differ: cpu_model.",),
    )  # fmt: skip
