"""Score and grade: a letter for people. The verdict decides; the letter only says how well.

score = Σ weight · (pass 1, warn ½, else 0) / Σ weight, over must and should checks. Info checks count for nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bizra_gate.model import CheckReport
from bizra_gate.model.report import CheckVerdict, GateVerdict

POINTS: dict[CheckVerdict, float] = {"pass": 1.0, "warn": 0.5}
JUDGED: tuple[CheckVerdict, ...] = ("pass", "warn", "fail", "waived")
GRADES: tuple[tuple[float, str], ...] = ((0.93, "A"), (0.85, "B"), (0.75, "C"), (0.60, "D"), (0.0, "F"))
"""Least score of each letter below A+, which only a gate whose every check passes without a waiver has."""
WAIVED_CAP = "B"
ORDER = ("A+", "A", "B", "C", "D", "F")
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Grade:
    """A letter with the sentence that explains it; both letter and score are None where nothing can be said."""

    letter: str | None
    score: float | None
    reason: str


def counting(checks: Iterable[CheckReport]) -> list[CheckReport]:
    """The checks that count for the score."""
    return [check for check in checks if check.severity != "info"]


def score_of(checks: Iterable[CheckReport]) -> float | None:
    """The weighted share of what passes; None where nothing has any weight, so that 0 of 0 is never full marks."""
    counted = counting(checks)
    total = math.fsum(check.weight for check in counted)
    if not total > 0:
        return None
    return math.fsum(check.weight * POINTS.get(check.verdict, 0.0) for check in counted) / total


def judged_all(checks: Sequence[CheckReport]) -> bool:
    """Whether every must check came to a result."""
    return all(check.verdict in JUDGED for check in checks if check.severity == "must")


def grade(verdict: GateVerdict, checks: Sequence[CheckReport], unjudged: str | None) -> Grade:
    """The grade of all `checks` under `verdict`; `unjudged` says what kept them from being judged, if anything did."""
    if unjudged is not None:
        return Grade(None, None, f"No grade: {unjudged}.")
    score = score_of(checks)
    if score is None:
        return Grade(None, None, "No grade: no check has any weight.")
    tally = _tally(checks)
    if verdict != "SHIP":
        failed = [check.id for check in checks if check.severity == "must" and check.verdict == "fail"]
        does = "does" if len(failed) == 1 else "do"
        return Grade("F", score, f"F: {_named(failed)} must hold and {does} not; {tally}.")
    letter = _letter(score, checks)
    return Grade(letter, score, f"{letter}: {tally}{_why_not_better(letter, score, checks)}.")


def _letter(score: float, checks: Sequence[CheckReport]) -> str:
    counted = counting(checks)
    if all(check.verdict == "pass" for check in counted):
        return "A+"
    letter = next(letter for least, letter in GRADES if score >= least - ROUNDING)
    if any(check.verdict == "waived" for check in checks):
        return max(letter, WAIVED_CAP, key=ORDER.index)
    return letter


def _tally(checks: Sequence[CheckReport]) -> str:
    """``7 of 9 checks pass, 1 warn, 1 waived``."""
    counted = counting(checks)
    verdicts = Counter(check.verdict for check in counted)
    rest = [f"{verdicts[verdict]} {verdict}" for verdict in sorted(verdicts) if verdict != "pass"]
    passing = "check passes" if len(counted) == 1 else "checks pass"
    shown = len(checks) - len(counted)
    beside = f" ({shown} more {'is' if shown == 1 else 'are'} only shown)" if shown else ""
    return ", ".join([f"{verdicts['pass']} of {len(counted)} {passing}", *rest]) + beside


def _named(checks: Sequence[str]) -> str:
    """The first three, and how many more."""
    more = f" and {len(checks) - 3} more" if len(checks) > 3 else ""
    return f"{', '.join(checks[:3])}{more}"


def _why_not_better(letter: str, score: float, checks: Sequence[CheckReport]) -> str:
    if letter == "A+":
        return ""
    waived = any(check.verdict == "waived" for check in checks)
    cap = f"; a waiver caps the grade at {WAIVED_CAP}" if waived else ""
    return f"; the weighted score is {score:.2f}{cap}"
