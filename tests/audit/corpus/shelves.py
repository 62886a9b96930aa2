"""The whole corpus, and the table of what an audit says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bizra_gate.audit import examine
from bizra_gate.model import Audit

from . import honest_foreign, honest_own, lies_counts, lies_figures, lies_method, lies_physics, lies_rows
from .case import Case

HONEST: tuple[Case, ...] = (*honest_own.SHELF.cases, *honest_foreign.SHELF.cases)
LIES: tuple[Case, ...] = (
    *lies_figures.SHELF.cases,
    *lies_counts.SHELF.cases,
    *lies_physics.SHELF.cases,
    *lies_method.SHELF.cases,
    *lies_rows.SHELF.cases,
)
CASES: tuple[Case, ...] = (*HONEST, *LIES)


@dataclass(frozen=True)
class Outcome:
    """One case and the audit of it."""

    case: Case
    audit: Audit

    @property
    def accused(self) -> tuple[str, ...]:
        """Codes that accuse, each once, in the order of the rules."""
        return tuple(dict.fromkeys(f.code for f in self.audit.findings if f.severity != "note"))

    @property
    def holds(self) -> bool:
        """Is it what the case asks for?"""
        case, told = self.case, {finding.code for finding in self.audit.findings}
        if case.note is not None and case.note not in told:
            return False
        if case.code is None:
            return self.audit.verdict == case.verdict and not self.accused
        return self.audit.verdict == case.verdict and case.code in self.accused


@cache
def outcomes() -> tuple[Outcome, ...]:
    """Every case examined under its policy, once."""
    return tuple(Outcome(case, examine(case.measurement, case.policy)) for case in CASES)


def table(found: Sequence[Outcome]) -> str:
    """Markdown: one line a case, and the two totals on top."""
    lies = [outcome for outcome in found if outcome.case.code is not None]
    honest = [outcome for outcome in found if outcome.case.code is None]
    lines = [
        f"{sum(o.holds for o in lies)} of {len(lies)} lies refused with the right code, "
        f"{sum(o.holds for o in honest)} of {len(honest)} honest measurements let through.",
        "",
        "| lie | code | verdict | what it says |",
        "|---|---|---|---|",
        *(_row(outcome) for outcome in lies),
        "",
        "| honest measurement | verdict |",
        "|---|---|",
        *(f"| {o.case.name} | {_mark(o)}{o.audit.verdict} |" for o in honest),
    ]
    return "\n".join(lines) + "\n"


def _row(outcome: Outcome) -> str:
    said = next((f.message for f in outcome.audit.findings if f.code == outcome.case.code), "nothing")
    return f"| {outcome.case.name} | `{outcome.case.code}` | {_mark(outcome)}{outcome.audit.verdict} | {said} |"


def _mark(outcome: Outcome) -> str:
    return "" if outcome.holds else "✗ "
