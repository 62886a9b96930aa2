"""Mistakes that somebody could make in the audit do not survive its corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from corpus.bugs import BUGS, Bug, planted, relies_on
from corpus.case import Case
from corpus.shelves import CASES, Outcome, outcomes

from bizra_gate.audit import RULES, examine
from bizra_gate.model import Finding
from bizra_gate.stats import summary
from bizra_gate.stats.recent import Recent

Told = dict[str, list[Finding]]


@pytest.fixture(scope="module")
def _summaries_are_kept() -> Iterator[None]:
    """Every mutant is shown the same measurements, and the statistics are not what is mutated: the summary of each
    case is computed once, not once a mutant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "_recent", Recent(len(CASES)))
        yield


@pytest.fixture(scope="module")
def sound(_summaries_are_kept: None) -> dict[str, Told]:
    """Case → code → what the sound rule finds."""
    told: dict[str, Told] = {case.name: {rule.code: [] for rule in RULES} for case in CASES}
    for outcome in outcomes():
        for finding in outcome.audit.findings:
            told[outcome.case.name][finding.code].append(finding)
    return told


def _found(rule: Any, case: Case) -> list[Finding]:
    answer = rule.check(case.measurement, case.policy)
    return [] if hasattr(answer, "reason") else list(answer)


def _survives(bug: Bug, mutant: Any, sound: dict[str, Told]) -> bool:
    """Does every case still come out as it should? Rules that do not rely on the bug's module are not asked again."""
    touched = [rule for rule in mutant.RULES if bug.module in relies_on(rule.check.__module__.rpartition(".")[2])]
    codes = {rule.code for rule in mutant.RULES}
    likely: set[str | None] = {rule.code for rule in touched}
    if len(touched) > len(codes) / 2:  # a fact that most rules rely on: they accuse the honest
        likely = {None}
    for case in sorted(CASES, key=lambda case: case.code not in likely):  # those that should notice are asked first
        answers = {code: answer for code, answer in sound[case.name].items() if code in codes}
        try:
            answers |= {rule.code: _found(rule, case) for rule in touched}
        except Exception:
            return False
        findings = [finding for answer in answers.values() for finding in answer]
        audit = mutant.Audit(mutant.verdict_of(findings), tuple(findings))
        if not Outcome(case, audit).holds:
            return False
    return True


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_in_the_audit_is_killed(bug: Bug, sound: dict[str, Told]) -> None:
    with planted(bug) as mutant:
        assert not _survives(bug, mutant, sound), f"nobody noticed that {bug.name}"


def test_the_audit_without_a_bug_survives(sound: dict[str, Told]) -> None:
    harmless = Bug("nothing", "ranges", "from __future__ import annotations", "from __future__ import annotations")
    with planted(harmless) as mutant:
        assert _survives(harmless, mutant, sound)
        case = CASES[0]
        assert mutant.examine(case.measurement, case.policy) == examine(case.measurement, case.policy)


def test_a_bug_whose_fragment_is_gone_is_noticed() -> None:
    with pytest.raises(LookupError, match="occurs 0 times"), planted(Bug("gone", "ranges", "no such line", "")):
        pass


def test_enough_bugs_are_named() -> None:
    assert len(BUGS) >= 60
    assert len({bug.name for bug in BUGS}) == len(BUGS)
