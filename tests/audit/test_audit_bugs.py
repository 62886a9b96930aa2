"""Mistakes that somebody could make in the audit do not survive its corpus."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from corpus.bugs import BUGS, Bug, planted
from corpus.case import Case
from corpus.shelves import CASES, Outcome

from bizra_gate.audit import RULES, examine

Told = dict[str, Any]
pytestmark = pytest.mark.xdist_group("the audit's corpus")


@pytest.fixture(scope="module")
def sound() -> dict[str, Told]:
    """Case → code → what the sound rule answers."""
    return {case.name: {rule.code: _answer(rule, case) for rule in RULES} for case in CASES}


def _answer(rule: Any, case: Case) -> Any:
    """Findings as a list; anything else (not applicable) as it is."""
    answer = rule.check(case.measurement, case.policy)
    return answer if hasattr(answer, "reason") else list(answer)


def _survives(bug: Bug, mutant: Any, sound: dict[str, Told]) -> bool:
    """Does every case still come out as it should? Rules of other modules are not asked again."""
    own = f"{mutant.__name__}.{bug.module}"
    touched = [rule for rule in mutant.RULES if rule.check.__module__ == own] or list(mutant.RULES)
    codes = {rule.code for rule in mutant.RULES}
    likely = {rule.code for rule in touched}
    if likely == codes:  # a module that several rules share
        likely = {getattr(sys.modules.get(own), "CODE", None)}
    for case in sorted(CASES, key=lambda case: case.code not in likely):  # those that should notice are asked first
        answers = {code: answer for code, answer in sound[case.name].items() if code in codes}
        try:
            answers |= {rule.code: _answer(rule, case) for rule in touched}
        except Exception:
            return False
        findings = [f for answer in answers.values() if isinstance(answer, list) for f in answer]
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
