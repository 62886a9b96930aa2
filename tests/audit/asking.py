"""Asking one rule: what it found, or why it did not look."""

from __future__ import annotations

from bizra_gate.audit import NotApplicable
from bizra_gate.audit.rule import Answer
from bizra_gate.model import ClosedLoop, Finding, OpenLoop, Plan, Policy, Source, Warmup

US, MS, S = 1_000, 1_000_000, 1_000_000_000
TOOL, OWN = Source("tool"), Source("bizra-gate", foreign=False)
POLICY = Policy()


def found(answer: Answer) -> list[Finding]:
    """The findings of a rule that looked."""
    assert not isinstance(answer, NotApplicable), answer.reason
    return list(answer)


def reason(answer: Answer) -> str:
    """Why a rule did not look."""
    assert isinstance(answer, NotApplicable), list(answer)
    return answer.reason


def observed(answer: Answer) -> list[str]:
    """What was observed, finding by finding."""
    return [finding.observed for finding in found(answer)]


def http(load: ClosedLoop | OpenLoop, timeout: int = S) -> Plan:
    """A plan over HTTP."""
    return Plan("http://127.0.0.1/", load, Warmup(0), S, timeout_ns=timeout)
