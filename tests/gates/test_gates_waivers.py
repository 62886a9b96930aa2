"""Waivers: signed, dated, bound to one version of one gate, and never a stand-in for evidence."""

from __future__ import annotations

from typing import Any

import pytest
from gates_builders import (
    FORGED,
    GATE,
    INSUFFICIENT,
    INVALID,
    SHA,
    TRUSTED,
    absent,
    evidence,
    gate,
    metric,
    verdict,
)

from bizra_gate.errors import DefinitionError
from bizra_gate.gates import Waiver, parse_waiver
from bizra_gate.model import OpenedEvidence, Report, Trust

SLOW = evidence(metric(estimate=3e6, interval=(2.9e6, 3.1e6)))
DOUBTFUL = evidence(metric(estimate=2e6, interval=(1.9e6, 2.1e6)))


def predicate(**changes: Any) -> dict[str, Any]:
    whole = {
        "gate": "checkout",
        "check": "p99",
        "gate_digest": SHA,
        "reason": "the new disk arrives on Monday.",
        "ticket": "OPS-1",
        "approver": "Ada",
        "not_before": "2026-11-20T00:00:00Z",
        "expires": "2026-11-30T00:00:00Z",
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def waiver(trust: Trust = TRUSTED, **changes: Any) -> Waiver:
    return parse_waiver(predicate(**changes), "gates/waivers/p99.json", trust)


def with_waiver(piece: OpenedEvidence, given: Waiver, text: str = GATE) -> Report:
    return verdict(gate(text), piece, waivers=[given])


def notes(report: Report) -> str:
    return "\n".join([*report.notes, *report.gates[0].notes])


def test_a_waiver_excuses_a_check_that_fails_or_cannot_be_decided() -> None:
    for piece, was in ((SLOW, "fail"), (DOUBTFUL, "inconclusive")):
        report = with_waiver(piece, waiver())
        (check,) = report.gates[0].checks
        assert (report.verdict, check.verdict) == ("SHIP", "waived")
        assert "WAIVED by Ada until 2026-11-30T00:00:00Z (OPS-1)" in check.reason
        assert f"Without the waiver: {was}." in check.reason


def test_a_waived_check_scores_nothing_and_caps_the_grade_at_b() -> None:
    assert (with_waiver(SLOW, waiver()).grade, with_waiver(SLOW, waiver()).score) == ("F", 0.0)
    good = '\n[[check]]\nmetric = "latency.p50"\npass = "<= 2 ms"\nweight = 99\n'
    slow = evidence(metric(estimate=3e6, interval=(2.9e6, 3.1e6)), metric("latency.p50"))
    report = with_waiver(slow, waiver(), GATE + good)
    assert (report.verdict, report.grade, report.score) == ("SHIP", "B", pytest.approx(0.99))
    assert "a waiver caps the grade at B" in report.grade_reason


def test_a_waiver_that_is_not_needed_changes_nothing() -> None:
    report = with_waiver(evidence(), waiver())
    assert (report.verdict, report.grade) == ("SHIP", "A+")
    assert "is not needed" in notes(report)


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        (absent(), "INCONCLUSIVE"),
        (evidence(trust=FORGED), "UNTRUSTED"),
        (evidence(audit=INVALID), "UNDER AUDIT"),
        (evidence(audit=INSUFFICIENT), "INCONCLUSIVE"),
        (evidence(metric("latency.p50")), "INCONCLUSIVE"),
    ],
)
def test_a_waiver_never_stands_in_for_evidence(piece: OpenedEvidence, expected: str) -> None:
    assert with_waiver(piece, waiver()).verdict == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (waiver(expires="2026-11-22T04:00:00Z"), "it expired at 2026-11-22T04:00:00Z"),
        (waiver(not_before="2026-11-22T04:00:01Z"), "it does not begin before"),
        (waiver(gate_digest="cd" * 32), "gates/checkout.toml has changed since it was given"),
        (waiver(check="p50"), "the gate has no check p50"),
        (waiver(expires="2026-12-04T00:00:01Z"), "longer than the 14 days that a must check"),
        (waiver(trust=FORGED), "it is not trusted: the signature does not fit the content"),
        (waiver(trust=Trust(False)), "it is not trusted"),
    ],
)
def test_a_waiver_that_does_not_hold_excuses_nothing_and_is_told(given: Waiver, says: str) -> None:
    report = with_waiver(SLOW, given)
    assert (report.verdict, report.gates[0].checks[0].verdict) == ("NO-SHIP", "fail")
    assert says in notes(report)


def test_a_waiver_holds_from_its_first_instant_to_its_last() -> None:
    assert with_waiver(SLOW, waiver(not_before="2026-11-22T04:00:00Z")).verdict == "SHIP"
    assert with_waiver(SLOW, waiver(expires="2026-11-22T04:00:01Z")).verdict == "SHIP"


def test_fourteen_days_are_not_too_long_and_ninety_are_enough_for_a_should() -> None:
    assert with_waiver(SLOW, waiver(expires="2026-12-04T00:00:00Z")).verdict == "SHIP"
    should = GATE + 'severity = "should"\n' + GATE[GATE.index("[[check]]") :].replace("p99", "p50")
    both = evidence(metric(estimate=3e6, interval=(2.9e6, 3.1e6)), metric("latency.p50"))
    for expires, expected in (("2027-02-18T00:00:00Z", "waived"), ("2027-02-18T00:00:01Z", "fail")):
        report = with_waiver(both, waiver(expires=expires), should)
        assert report.gates[0].checks[0].verdict == expected


def test_a_waiver_for_a_gate_that_is_not_here_is_told() -> None:
    report = with_waiver(SLOW, waiver(gate="basket"))
    assert report.verdict == "NO-SHIP"
    assert "is for the gate basket, which is not among those judged" in notes(report)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expires": None}, "no waiver lasts for ever"),
        ({"expires": "never"}, "an instant such as"),
        ({"expires": "2026-11-30"}, "an instant such as"),
        ({"expires": "2026-11-19T00:00:00Z"}, "a time after not_before"),
        ({"expires": "2026-11-20T00:00:00Z"}, "a time after not_before"),
        ({"gate_digest": "AB" * 32}, "64 lower-case hexadecimal digits"),
        ({"gate_digest": None}, "the SHA-256 of the gate file"),
        ({"reason": " "}, "not empty"),
        ({"ticket": 7}, "a text"),
        ({"approver": None}, "who answers for it"),
        ({"forever": True}, "unknown key"),
        ({"check": "a\x1b[31m"}, "without control characters"),
    ],
)
def test_a_waiver_with_a_mistake_is_refused_with_its_place(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        waiver(**changes)
    (only,) = map(str, caught.value.problems)
    assert only.startswith("gates/waivers/p99.json: ")
    assert says in only
