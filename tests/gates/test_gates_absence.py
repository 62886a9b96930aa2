"""The table of absence: whatever is not there, none of it is SHIP, and each says what is missing."""

from __future__ import annotations

import math

import pytest
from gates_builders import (
    FORGED,
    GATE,
    HEAD,
    INSUFFICIENT,
    INVALID,
    NOW,
    absent,
    check_gate,
    evidence,
    gate,
    metric,
    problem,
)

from bizra_gate import gates
from bizra_gate.model import Audit, Gate, OpenedEvidence, Report, Trust

P99 = 'metric = "latency.p99"\npass = "<= 2 ms"'
BASELINE = f'{P99}\nbaseline = {{ ref = "git:origin/main", max_regression = "5 %" }}'
ERRORS = 'metric = "error_rate"\npass = "<= 1 %"'
TESTS = '[evidence]\nkind = "tests"\nartifact = "artifacts/checkout.json"'


def ratio(value: float | None, low: float | None, high: float | None, n: int | None = 10) -> OpenedEvidence:
    return evidence(metric("error_rate", value, (low, high), unit="ratio", n=n))


def suite(count: int) -> OpenedEvidence:
    return evidence(metric("tests.failed", 0.0, None, unit="1", n=count), kind="tests")


CASES = [
    ("no artifact", check_gate(P99), [], "INCONCLUSIVE", "was not found"),
    ("artifact not there", check_gate(P99), [absent()], "INCONCLUSIVE", "is missing"),
    ("another artifact", check_gate(P99), [evidence(file="artifacts/other.json")], "INCONCLUSIVE", "was not found"),
    ("no metrics", check_gate(P99), [evidence(metrics={})], "INCONCLUSIVE", "has no latency.p99"),
    ("missing metric", check_gate(P99), [evidence(metric("latency.p50"))], "INCONCLUSIVE", "has no latency.p99"),
    ("no estimate", check_gate(P99), [evidence(metric(estimate=None, interval=None))], "INCONCLUSIVE", "rests on nothing"),
    ("empty histogram", check_gate(P99), [evidence(metric(estimate=0.0, interval=(0, 0), n=0))], "INCONCLUSIVE", "nothing"),
    ("zero operations", check_gate(ERRORS), [ratio(0.0, 0.0, 0.0, 0)], "INCONCLUSIVE", "rests on nothing"),
    ("no errors of 10", check_gate(ERRORS), [ratio(0.0, 0.0, 0.277)], "INCONCLUSIVE", "straddles"),
    ("no tests", check_gate('metric = "tests.failed"\npass = "== 0"', before=TESTS), [suite(0)], "INCONCLUSIVE", "nothing"),
    ("NaN", check_gate(P99), [evidence(metric(estimate=math.nan))], "INCONCLUSIVE", "no measurement"),
    ("NaN interval", check_gate(P99), [evidence(metric(interval=(math.nan, math.nan)))], "INCONCLUSIVE", "interval"),
    ("minus infinity", check_gate(P99), [evidence(metric(estimate=-math.inf))], "INCONCLUSIVE", "no measurement"),
    ("no interval", check_gate(P99), [evidence(metric(interval=None))], "INCONCLUSIVE", "without an interval"),
    ("no upper bound", check_gate(P99), [evidence(metric(interval=(1.0, None)))], "INCONCLUSIVE", "unbounded above"),
    ("wrong unit", check_gate(P99), [evidence(metric(unit="1/s"))], "INCONCLUSIVE", "limit is in 'ns'"),
    ("no baseline", check_gate(BASELINE), [evidence()], "INCONCLUSIVE", "There is no baseline"),
    ("not audited", check_gate(P99), [evidence(audit=None)], "INCONCLUSIVE", "not audited"),
    ("insufficient", check_gate(P99), [evidence(audit=INSUFFICIENT)], "INCONCLUSIVE", "0.36 s"),
    ("invalid", check_gate(P99), [evidence(audit=INVALID)], "UNDER AUDIT", "only 10 connections"),
    ("forged", check_gate(P99), [evidence(trust=FORGED)], "UNTRUSTED", "does not fit the content"),
    ("unsigned", check_gate(P99), [evidence(trust=Trust(True), signed_by=())], "UNTRUSTED", "signed by 0"),
    ("all info", check_gate(f'{P99}\nseverity = "info"'), [evidence()], "INCONCLUSIVE", "nothing decides"),
    ("all should", check_gate(f'{P99}\nseverity = "should"'), [evidence()], "INCONCLUSIVE", "nothing decides"),
    ("zero weight", check_gate(f"{P99}\nweight = 0"), [evidence()], "INCONCLUSIVE", "any weight"),
]  # fmt: skip


def said(report: Report) -> str:
    """Everything that the report says, in one text."""
    (one,) = report.gates
    parts = [report.grade_reason, *report.notes, *one.notes, *(check.reason for check in one.checks)]
    return "\n".join(parts + [reason.message for piece in one.evidence for reason in piece.trust.reasons])


@pytest.mark.parametrize(("case", "judged", "pieces", "expected", "says"), CASES, ids=[case[0] for case in CASES])
def test_what_is_absent_is_never_ship(
    case: str, judged: Gate, pieces: list[OpenedEvidence], expected: str, says: str
) -> None:
    report = gates.evaluate([judged], {judged.name: pieces}, NOW)
    assert report.verdict == expected
    assert report.exit_code in (3, 4, 5)
    assert (report.grade, report.score) == (None, None)
    assert says.lower() in said(report).lower()


def test_the_same_gate_with_everything_there_ships() -> None:
    """The control of the table: it is the absence that is refused, not the gate."""
    assert gates.evaluate([check_gate(P99)], {"checkout": [evidence()]}, NOW).verdict == "SHIP"


def test_no_gate_at_all_is_never_ship() -> None:
    report = gates.evaluate([], {}, NOW)
    assert (report.verdict, report.exit_code, report.grade) == ("INCONCLUSIVE", 5, None)
    assert report.grade_reason == "No grade: there is no gate, so nothing was judged."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD, "a gate that checks nothing would be green for nothing"),
        (f"check = []\n{HEAD}", "a gate that checks nothing would be green for nothing"),
        (GATE.replace("latency.p99", "latency.p199"), "a metric of kind"),
        (GATE.replace("2 ms", "2"), "latency.p99 is a time"),
        (GATE.replace("2 ms", "2 MiB"), "latency.p99 is a time"),
        (GATE.replace("<= 2 ms", "<= nan ms"), "latency.p99 is a time"),
        (f"{GATE}weight = nan\n", "a number from 0 to 1000"),
        (f"{HEAD}[evidence]\nartifacts = []\n[[check]]\n{P99}\n", "green for nothing"),
    ],
)
def test_a_gate_that_asks_for_nothing_cannot_even_be_read(text: str, says: str) -> None:
    assert says in problem(text)


def test_an_empty_file_is_refused() -> None:
    from gates_builders import problems

    assert len(problems("")) == 3


def test_an_audit_without_findings_does_not_make_missing_evidence_valid() -> None:
    piece = evidence(missing=True, audit=Audit("VALID"))
    assert gates.evaluate([gate()], {"checkout": [piece]}, NOW).verdict == "INCONCLUSIVE"
