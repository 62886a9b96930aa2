"""The table of absence: every way in which a gate could be green for nothing, with what it must end in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gates_builders import FORGED, GATE, HEAD, INSUFFICIENT, INVALID, NOW, absent, check_gate, evidence, metric

from bizra_gate import gates
from bizra_gate.model import Gate, OpenedEvidence, Report, Trust
from bizra_gate.model.report import GateVerdict

P99 = 'metric = "latency.p99"\npass = "<= 2 ms"'
BASELINE = f'{P99}\nbaseline = {{ ref = "git:origin/main", max_regression = "5 %" }}'
ERRORS = 'metric = "error_rate"\npass = "<= 1 %"'
FAILURES = 'metric = "tests.failed"\npass = "== 0"'
OVERHEAD = 'metric = "latency.p99"\npass = "<= 1.05 x artifacts/bare.json#latency.p99"'
FRESH = '[evidence]\nmax_age = "7d"'
TESTS = '[evidence]\nkind = "tests"\nartifact = "artifacts/checkout.json"'


def ratio(value: float | None, low: float | None, high: float | None, n: int | None = 10) -> OpenedEvidence:
    return evidence(metric("error_rate", value, (low, high), unit="ratio", n=n))


def suite(count: int) -> OpenedEvidence:
    return evidence(metric("tests.failed", 0.0, None, unit="1", n=count), kind="tests")


@dataclass(frozen=True)
class Case:
    """One thing that is absent, the evidence (or none) in which it is, the verdict, and words of the reason."""

    absent: str
    pieces: list[OpenedEvidence]
    says: str
    verdict: GateVerdict = "INCONCLUSIVE"
    check: str = P99
    before: str = ""

    @property
    def gate(self) -> Gate:
        return check_gate(self.check, before=self.before)

    def report(self) -> Report:
        return gates.evaluate([self.gate], {"checkout": self.pieces}, NOW)


GOOD = [evidence()]
CASES = [
    Case("no artifact", [], "was not found"),
    Case("artifact deleted", [absent()], "is missing"),
    Case("another artifact", [evidence(file="artifacts/other.json")], "was not found"),
    Case("evidence without metrics", [evidence(metrics={})], "has no latency.p99"),
    Case("missing metric", [evidence(metric("latency.p50"))], "has no latency.p99"),
    Case("no estimate", [evidence(metric(estimate=None, interval=None))], "rests on nothing"),
    Case("empty histogram", [evidence(metric(estimate=0.0, interval=(0, 0), n=0))], "rests on nothing"),
    Case("zero operations", [ratio(0.0, 0.0, 0.0, 0)], "rests on nothing", check=ERRORS),
    Case("no error in 10 operations", [ratio(0.0, 0.0, 0.277)], "straddles", check=ERRORS),
    Case("no test was run", [suite(0)], "rests on nothing", check=FAILURES, before=TESTS),
    Case("NaN", [evidence(metric(estimate=math.nan))], "no measurement"),
    Case("NaN interval", [evidence(metric(interval=(math.nan, math.nan)))], "an interval that is none"),
    Case("minus infinity", [evidence(metric(estimate=-math.inf))], "no measurement"),
    Case("no interval", [evidence(metric(interval=None))], "without an interval"),
    Case("no upper bound", [evidence(metric(interval=(1.0, None)))], "unbounded above"),
    Case("wrong unit", [evidence(metric(unit="1/s"))], "limit is in 'ns'"),
    Case("fewer samples than asked", GOOD, "at least 1,000,000 samples", check=f"{P99}\nmin_samples = 1_000_000"),
    Case("no baseline", GOOD, "There is no baseline", check=BASELINE),
    Case("no reference", GOOD, "was not opened", check=OVERHEAD),
    Case("not audited", [evidence(audit=None)], "not audited"),
    Case("too short a measurement", [evidence(audit=INSUFFICIENT)], "0.36 s"),
    Case("impossible figures", [evidence(audit=INVALID)], "only 10 connections", "UNDER AUDIT"),
    Case("bad signature", [evidence(trust=FORGED)], "does not fit the content", "UNTRUSTED"),
    Case("no signature", [evidence(trust=Trust(True), signed_by=())], "signed by 0", "UNTRUSTED"),
    Case("no date, with max_age", [evidence(finished_at=None)], "does not say when", "UNTRUSTED", before=FRESH),
    Case("all checks are info", GOOD, "nothing decides", check=f'{P99}\nseverity = "info"'),
    Case("all checks are should", GOOD, "nothing decides", check=f'{P99}\nseverity = "should"'),
    Case("all weights are zero", GOOD, "any weight", check=f"{P99}\nweight = 0"),
]


def said(report: Report) -> str:
    """Everything that the report says, in one text."""
    (one,) = report.gates
    parts = [report.grade_reason, *report.notes, *one.notes, *(check.reason for check in one.checks)]
    return "\n".join(parts + [reason.message for piece in one.evidence for reason in piece.trust.reasons])


UNREADABLE = [
    ("empty file", "", "a name that no other gate has"),
    ("no check", HEAD, "a gate that checks nothing would be green for nothing"),
    ("an empty list of checks", f"check = []\n{HEAD}", "a gate that checks nothing would be green for nothing"),
    ("no artifact named", f"{HEAD}[evidence]\nartifacts = []\n[[check]]\n{P99}\n", "green for nothing"),
    ("unknown metric", GATE.replace("latency.p99", "latency.p199"), "a metric of kind"),
    ("no unit", GATE.replace("2 ms", "2"), "latency.p99 is a time"),
    ("wrong unit in the limit", GATE.replace("2 ms", "2 MiB"), "latency.p99 is a time"),
    ("NaN as a limit", GATE.replace("<= 2 ms", "<= nan ms"), "latency.p99 is a time"),
    ("a limit that everything meets", f"{HEAD}[[check]]\n{ERRORS.replace('1 %', '100 %')}\n", "every value of"),
    ("NaN as a weight", f"{GATE}weight = nan\n", "a number from 0 to 1000"),
]
"""What is absent, the gate file, and words of its refusal (exit 2: nothing was judged)."""
