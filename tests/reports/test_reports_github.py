from __future__ import annotations

import dataclasses

import pytest
import reports_builders as builders

from bizra_gate.reports import REPORTERS
from bizra_gate.reports.github import command

annotate = REPORTERS["github"]


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_the_first_annotation_is_the_verdict_and_its_kind_follows_it(name: str) -> None:
    report = builders.REPORTS[name]()
    first = annotate(report).splitlines()[0]
    kind = "notice" if report.verdict == "SHIP" else "error"
    words = "UNDER AUDIT%2C do not ship" if report.verdict == "UNDER AUDIT" else report.verdict
    assert first.startswith(f"::{kind} title=bizra-gate%3A {words}%2C ")


def test_a_failed_check_is_an_error_on_its_gate_file() -> None:
    second = annotate(builders.no_ship()).splitlines()[1]
    assert second.startswith(
        "::error file=gates/circuit-breaker.toml,title=circuit-breaker%3A p99 fail::"
        "latency.p99 1.92 ms [1.901, 1.95], limit <= 1.5 ms: even the favourable end"
    )


def test_passes_are_silent() -> None:
    assert len(annotate(builders.ship()).splitlines()) == 1


@pytest.mark.parametrize(
    ("verdict", "severity", "kind"),
    [("fail", "must", "error"), ("fail", "should", "warning"), ("fail", "info", "notice"), ("warn", "must", "warning"),
     ("waived", "must", "notice"), ("missing", "must", "error")],
)  # fmt: skip
def test_severity_decides_how_loud_it_is(verdict: str, severity: str, kind: str) -> None:
    check = dataclasses.replace(builders.P99, verdict=verdict, severity=severity)
    assert annotate(builders.report(builders.gate("x", "NO-SHIP", (check,)))).splitlines()[1].startswith(f"::{kind} ")


def test_percent_commas_colons_and_lines_are_escaped() -> None:
    said = command("error", "50 % of it\nbad: a, b", "a:b,c%", "gates/a,b:c.toml")
    assert said == "::error file=gates/a%2Cb%3Ac.toml,title=a%3Ab%2Cc%25::50 %25 of it bad: a, b"
