"""No lie gets through, and no honest measurement is turned away."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from corpus.case import Case
from corpus.shelves import CASES, HONEST, LIES, Outcome, outcomes, table

from bizra_gate.audit import RULES

ROOT = Path(__file__).resolve().parents[2]
NOTES = {"distribution.modes", "environment.tuning", "source.traps"}


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return {outcome.case.name: outcome for outcome in outcomes()}


@pytest.mark.parametrize("case", LIES, ids=lambda case: case.name)
def test_a_lie_is_refused_with_the_right_code(case: Case, found: dict[str, Outcome]) -> None:
    outcome = found[case.name]
    assert outcome.audit.verdict == case.verdict
    assert case.code in outcome.accused


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.name)
def test_an_honest_measurement_is_let_through(case: Case, found: dict[str, Outcome]) -> None:
    outcome = found[case.name]
    assert [finding for finding in outcome.audit.findings if finding.severity != "note"] == []
    assert outcome.audit.verdict == "VALID"
    if case.note is not None:
        assert case.note in {finding.code for finding in outcome.audit.findings}


def test_the_corpus_is_large_enough_and_its_names_are_unique() -> None:
    assert len(LIES) >= 60
    assert len(HONEST) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_rule_that_accuses_has_a_lie_of_its_own() -> None:
    assert {rule.code for rule in RULES} - NOTES == {case.code for case in LIES}


def test_every_rule_has_looked_at_an_honest_measurement_and_found_it_clean(found: dict[str, Outcome]) -> None:
    clean = {code for case in HONEST for code in found[case.name].audit.clean}
    assert {rule.code for rule in RULES} == clean


def test_every_finding_tells_its_arithmetic(found: dict[str, Outcome]) -> None:
    for outcome in found.values():
        for finding in outcome.audit.findings:
            assert finding.code in {rule.code for rule in RULES}
            assert finding.message.endswith(".") or finding.code == "source.traps", finding.message
            assert len(finding.message) > 20
            assert finding.observed


def test_every_rule_is_found_clean_or_told_of(found: dict[str, Outcome]) -> None:
    for outcome in found.values():
        audit = outcome.audit
        told = {finding.code for finding in audit.findings}
        assert told.isdisjoint(audit.clean)
        assert told.isdisjoint(audit.not_applicable)
        assert told | set(audit.clean) | set(audit.not_applicable) == {rule.code for rule in RULES}


def test_the_published_table_is_what_the_command_prints(found: dict[str, Outcome]) -> None:
    page = (ROOT / "docs" / "audit-corpus.md").read_text(encoding="utf-8")
    assert table(list(found.values())) in page, "run: python benchmarks/audit_corpus.py --write"


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    command = runpy.run_path(str(ROOT / "benchmarks" / "audit_corpus.py"))
    assert command["main"]([]) == 0
    assert f"{len(LIES)} of {len(LIES)} lies refused" in capsys.readouterr().out


def test_a_case_that_fails_is_marked_in_the_table(found: dict[str, Outcome]) -> None:
    right = found[LIES[0].name]
    wrong = Outcome(HONEST[0], right.audit)
    assert not wrong.holds
    assert "✗" in table([wrong])
    assert "✗" not in table([right])
