"""Verdict, score and grade: the worst required outcome decides, and one line explains the letter."""

from __future__ import annotations

import pytest
from gates_builders import (
    FORGED,
    GATE,
    HEAD,
    INSUFFICIENT,
    INVALID,
    NOW,
    P99,
    absent,
    evidence,
    gate,
    metric,
    verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from bizra_gate import gates
from bizra_gate.errors import UsageError
from bizra_gate.gates.grade import score_of
from bizra_gate.model import CheckReport, Gate, OpenedEvidence, Report
from bizra_gate.model.report import CheckVerdict

PASS, WARN, FAIL, OPEN, GONE = "<= 2 ms", "<= 0.5 ms", "<= 0.1 ms", "<= 1 ms", None
"""What 1 ms ± 0.1 ms comes to against these limits; WARN has its band up to 2 ms."""


def many(*checks: tuple[str | None, str, float], before: str = "") -> Gate:
    """A gate with a check (limit, severity, weight) each; None asks for a metric that is not there."""
    text = HEAD + before
    for i, (limit, severity, weight) in enumerate(checks):
        name = "latency.p99" if limit else "latency.p50"
        text += f'[[check]]\nid = "c{i}"\nmetric = "{name}"\npass = "{limit or PASS}"\n'
        text += 'warn = "<= 2 ms"\n' if limit == WARN else ""
        text += f'severity = "{severity}"\nweight = {weight}\n'
    return gate(text)


def judged(*checks: tuple[str | None, str, float], piece: OpenedEvidence | None = None) -> Report:
    return verdict(many(*checks), piece or evidence())


@pytest.mark.parametrize(
    ("checks", "expected", "code"),
    [
        ([(PASS, "must", 1)], "SHIP", 0),
        ([(WARN, "must", 1)], "SHIP", 0),
        ([(FAIL, "must", 1), (PASS, "must", 9)], "NO-SHIP", 1),
        ([(OPEN, "must", 1), (PASS, "must", 9)], "INCONCLUSIVE", 5),
        ([(GONE, "must", 1), (PASS, "must", 9)], "INCONCLUSIVE", 5),
        ([(FAIL, "must", 1), (OPEN, "must", 1)], "NO-SHIP", 1),
        ([(PASS, "must", 1), (FAIL, "should", 1)], "SHIP", 0),
        ([(PASS, "must", 1), (OPEN, "should", 1)], "SHIP", 0),
        ([(PASS, "must", 1), (GONE, "should", 1)], "SHIP", 0),
        ([(PASS, "must", 1), (FAIL, "info", 1)], "SHIP", 0),
        ([(PASS, "must", 0), (PASS, "should", 1)], "SHIP", 0),
        ([(FAIL, "must", 0), (PASS, "should", 1)], "NO-SHIP", 1),
    ],
)
def test_the_worst_must_check_decides(checks: list[tuple[str | None, str, float]], expected: str, code: int) -> None:
    report = judged(*checks)
    assert (report.verdict, report.exit_code) == (expected, code)


@pytest.mark.parametrize(
    ("piece", "expected", "code"),
    [
        (evidence(trust=FORGED, audit=INVALID), "UNTRUSTED", 4),
        (evidence(audit=INVALID), "UNDER AUDIT", 3),
        (evidence(audit=INSUFFICIENT), "INCONCLUSIVE", 5),
        (absent(), "INCONCLUSIVE", 5),
    ],
)
def test_evidence_decides_before_checks(piece: OpenedEvidence, expected: str, code: int) -> None:
    report = judged((PASS, "must", 1), piece=piece)
    assert (report.verdict, report.exit_code) == (expected, code)


@pytest.mark.parametrize(("severity", "expected"), [("must", "UNTRUSTED"), ("should", "UNTRUSTED"), ("info", "SHIP")])
def test_an_untrusted_reference_decides_unless_the_check_is_only_shown(severity: str, expected: str) -> None:
    relative = '[[check]]\nid = "overhead"\nmetric = "latency.p99"\npass = "<= 2 x artifacts/bare.json#latency.p99"\n'
    judged = gate(f'{GATE}{relative}severity = "{severity}"\n')
    forged = {("checkout", "artifacts/bare.json"): evidence(file="artifacts/bare.json", trust=FORGED)}
    assert verdict(judged, evidence(), references=forged).verdict == expected


def test_several_at_once_are_four_over_three_over_one_over_five() -> None:
    pieces = {
        "untrusted": evidence(trust=FORGED),
        "invalid": evidence(audit=INVALID),
        "slow": evidence(metric(estimate=9e6, interval=(8e6, 9e6))),
        "missing": absent(),
        "good": evidence(),
    }
    codes = []
    names = list(pieces)
    for first in range(len(names)):
        chosen = names[first:]
        set_of = [gate(GATE.replace("checkout", name), file=f"gates/{name}.toml") for name in reversed(chosen)]
        found = {name: [_at(pieces[name], name)] for name in chosen}
        codes.append(gates.evaluate(set_of, found, NOW).exit_code)
    assert codes == [4, 3, 1, 5, 0]


def _at(piece: OpenedEvidence, name: str) -> OpenedEvidence:
    from dataclasses import replace

    return replace(piece, file=f"artifacts/{name}.json", run_id=name)


# ── score and grade ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("checks", "score", "letter"),
    [
        ([(PASS, "must", 1)], 1.0, "A+"),
        ([(PASS, "must", 1), (FAIL, "info", 9)], 1.0, "A+"),
        ([(PASS, "must", 93), (FAIL, "should", 7)], 0.93, "A"),
        ([(PASS, "must", 92), (FAIL, "should", 8)], 0.92, "B"),
        ([(PASS, "must", 3), (FAIL, "should", 1)], 0.75, "C"),
        ([(PASS, "must", 1), (WARN, "must", 1)], 0.75, "C"),
        ([(PASS, "must", 3), (FAIL, "should", 2)], 0.6, "D"),
        ([(WARN, "must", 1)], 0.5, "F"),
        ([(PASS, "must", 1), (WARN, "must", 0)], 1.0, "A"),
        ([(FAIL, "must", 1), (PASS, "must", 99)], 0.99, "F"),
        ([(OPEN, "must", 1), (PASS, "must", 1)], None, None),
        ([(GONE, "must", 1), (PASS, "must", 1)], None, None),
        ([(PASS, "must", 1), (OPEN, "should", 1)], 0.5, "F"),
    ],
)
def test_the_score_is_weighted_and_a_warning_counts_half(
    checks: list[tuple[str | None, str, float]], score: float | None, letter: str | None
) -> None:
    report = judged(*checks)
    assert report.score == (None if score is None else pytest.approx(score))
    assert report.grade == letter
    assert report.gates[0].score == report.score


@pytest.mark.parametrize(
    "piece", [evidence(trust=FORGED), evidence(audit=INVALID), evidence(audit=INSUFFICIENT), absent()]
)
def test_there_is_no_grade_without_evidence_that_can_be_believed(piece: OpenedEvidence) -> None:
    report = judged((PASS, "must", 1), piece=piece)
    assert (report.grade, report.score, report.gates[0].score) == (None, None, None)
    assert report.grade_reason.startswith("No grade: c0 of checkout is ")


def test_one_gate_that_could_not_be_judged_takes_the_grade_of_all() -> None:
    two = [gate(), gate(GATE.replace("checkout", "basket"), file="gates/basket.toml")]
    report = gates.evaluate(two, {"checkout": [evidence()]}, NOW)
    assert (report.grade, report.score) == (None, None)
    assert [one.score for one in report.gates] == [1.0, None]


def test_one_line_explains_the_grade() -> None:
    assert judged((PASS, "must", 1)).grade_reason == "A+: 1 of 1 check passes."
    assert judged((PASS, "must", 3), (FAIL, "should", 1)).grade_reason == (
        "C: 1 of 2 checks pass, 1 fail; the weighted score is 0.75."
    )
    assert judged((FAIL, "must", 1)).grade_reason == "F: c0 must hold and does not; 0 of 1 check passes, 1 fail."
    assert judged((GONE, "must", 1)).grade_reason == "No grade: c0 of checkout is missing."
    assert judged((PASS, "info", 1)).grade_reason == "No grade: checkout is INCONCLUSIVE."


verdicts = st.sampled_from(["pass", "warn", "fail", "inconclusive", "missing", "refused", "untrusted", "waived"])
some_checks = st.lists(
    st.builds(
        lambda v, w, s: CheckReport("c", "m", "ns", "", v, "", s, w),
        verdicts,
        st.floats(0, 1000, allow_nan=False),
        st.sampled_from(["must", "should", "info"]),
    ),
    max_size=6,
)


@given(some_checks)
def test_a_score_lies_between_nothing_and_everything(checks: list[CheckReport]) -> None:
    score = score_of(checks)
    assert score is None or -1e-9 <= score <= 1 + 1e-9


@given(some_checks, st.integers(0, 5))
def test_a_better_outcome_never_lowers_the_score(checks: list[CheckReport], which: int) -> None:
    from dataclasses import replace

    order: list[CheckVerdict] = ["fail", "warn", "pass"]
    if which >= len(checks):
        return
    scores = []
    for outcome in order:
        better = [replace(one, verdict=outcome) if i == which else one for i, one in enumerate(checks)]
        scores.append(score_of(better) or 0.0)
    assert scores == sorted(scores)


# ── what a reader is told ────────────────────────────────────────────────────────────────────────────────────────


def notes(before: str) -> str:
    return "\n".join(verdict(many((PASS, "must", 1), before=before), evidence()).gates[0].notes)


def test_a_laxer_policy_is_told_with_its_reason() -> None:
    said = notes('[policy]\nmin_duration = "10s"\nrequire_steady = false\nnote = "a short demonstration"\n')
    assert "laxer than the default: min_duration 10 s instead of 2 min; no steady state is asked for" in said
    assert "Why: a short demonstration" in said


def test_a_laxer_policy_without_a_reason_is_told_too() -> None:
    assert "no reason is given" in notes('[policy]\nmax_error_rate = "5 %"\n')


def test_a_stricter_policy_needs_no_reason() -> None:
    assert "laxer" not in notes('[policy]\nmin_duration = "300s"\nmax_error_rate = "0.1 %"\n')


def test_a_measurement_that_can_never_be_enough_is_told() -> None:
    assert "measure.duration is 10 s, and policy.min_duration asks for 2 min" in notes(
        '[measure]\ntarget = "py:a:b"\nduration = "10s"\n'
    )


def test_a_measurement_that_is_just_enough_is_not_told() -> None:
    assert "never enough" not in notes('[measure]\ntarget = "py:a:b"\nduration = "120s"\nwarmup = "30s"\n')


def test_notes_of_the_caller_stand_in_the_report() -> None:
    report = gates.evaluate([gate()], {"checkout": [evidence()]}, NOW, notes=["gates/x.toml: claim is changed"])
    assert report.notes == ("gates/x.toml: claim is changed",)


def test_a_report_repeats_what_was_judged_and_when() -> None:
    report = verdict(gate(), evidence())
    assert report.judged_at == NOW
    (one,) = report.gates
    assert (one.name, one.file, one.sha256) == ("checkout", "gates/checkout.toml", "ab" * 32)
    assert [piece.file for piece in one.evidence] == ["artifacts/checkout.json"]


def test_two_gates_of_one_name_cannot_be_judged() -> None:
    with pytest.raises(UsageError):
        gates.evaluate([gate(), gate()], {}, NOW)


def test_checks_stand_in_the_order_of_the_file() -> None:
    text = GATE + P99.replace("p99", "p50") + P99.replace("p99", "max")
    assert [check.id for check in verdict(gate(text), evidence()).gates[0].checks] == ["p99", "p50", "max"]
