"""Whatever is not there, none of it is SHIP, and each says what is missing."""

from __future__ import annotations

import pytest
from gates_absence import CASES, P99, UNREADABLE, Case, said
from gates_builders import NOW, check_gate, evidence, gate, problems

from bizra_gate import gates
from bizra_gate.model import Audit


@pytest.mark.parametrize("case", CASES, ids=[case.absent for case in CASES])
def test_what_is_absent_is_never_ship(case: Case) -> None:
    report = case.report()
    assert report.verdict == case.verdict
    assert report.exit_code in (3, 4, 5)
    assert (report.grade, report.score) == (None, None)
    assert case.says.lower() in said(report).lower()


@pytest.mark.parametrize(("absent", "text", "says"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_a_gate_that_asks_for_nothing_cannot_even_be_read(absent: str, text: str, says: str) -> None:
    assert any(says in problem for problem in problems(text))


def test_the_same_gate_with_everything_there_ships() -> None:
    """The control of the table: it is the absence that is refused, not the gate."""
    assert gates.evaluate([check_gate(P99)], {"checkout": [evidence()]}, NOW).verdict == "SHIP"


def test_no_gate_at_all_is_never_ship() -> None:
    report = gates.evaluate([], {}, NOW)
    assert (report.verdict, report.exit_code, report.grade) == ("INCONCLUSIVE", 5, None)
    assert report.grade_reason == "No grade: there is no gate, so nothing was judged."


def test_an_empty_file_is_refused_with_all_that_it_lacks() -> None:
    assert [problem.split(": ")[1] for problem in problems("")] == ["name", "claim", "check"]


def test_an_audit_without_findings_does_not_make_missing_evidence_valid() -> None:
    piece = evidence(missing=True, audit=Audit("VALID"))
    assert gates.evaluate([gate()], {"checkout": [piece]}, NOW).verdict == "INCONCLUSIVE"
