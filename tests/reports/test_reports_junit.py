from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import pytest
import reports_builders as builders

from bizra_gate.model import Report
from bizra_gate.reports import REPORTERS

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "testcase": ["error", "failure", "skipped"],
    "properties": [], "error": [], "failure": [], "skipped": [], "system-out": [], "system-err": [],
}  # fmt: skip
"""What both the Ant/Windy Road and the Jenkins schema allow below an element, in their order."""


def _tree(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(REPORTERS["junit"](report).encode())


def _red(report: Report) -> bool:
    return bool(_tree(report).findall(".//failure") + _tree(report).findall(".//error"))


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_the_elements_are_those_that_the_schemas_know(name: str) -> None:
    tree = _tree(builders.REPORTS[name]())
    for element in tree.iter():
        tags = [child.tag for child in element]
        assert set(tags) <= set(CHILDREN[element.tag])
        assert tags == sorted(tags, key=CHILDREN[element.tag].index)
        assert element.tag != "testcase" or len(tags) <= 1
    for suite in tree:
        assert {child.tag for child in suite} >= {"properties", "system-out", "system-err"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_it_is_red_exactly_where_the_verdict_is_not_ship(name: str) -> None:
    report = builders.REPORTS[name]()
    assert _red(report) == (report.verdict != "SHIP")


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_the_counts_of_a_suite_are_those_of_its_cases(name: str) -> None:
    for suite in _tree(builders.REPORTS[name]()):
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == len([case for case in cases if case.find(tag) is not None])


@pytest.mark.parametrize(
    ("verdict", "severity", "tag"),
    [
        ("pass", "must", None),
        ("warn", "must", None),
        ("fail", "must", "failure"),
        ("missing", "must", "error"),
        ("refused", "must", "error"),
        ("untrusted", "must", "error"),
        ("inconclusive", "must", "error"),
        ("waived", "must", "skipped"),
        ("fail", "should", "skipped"),
        ("missing", "info", "skipped"),
    ],
)
def test_an_outcome_becomes_the_right_element(verdict: str, severity: str, tag: str | None) -> None:
    check = dataclasses.replace(builders.P99, verdict=verdict, severity=severity, reason="because")
    case = _tree(builders.report(builders.gate("x", "SHIP", (check,)))).findall(".//testcase")[3]
    assert case.attrib["name"] == "p99: latency.p99 <= 1.5 ms"
    assert [child.tag for child in case] == ([tag] if tag else [])
    assert tag is None or "because" in case[0].attrib["message"]


def test_no_gates_is_not_green() -> None:
    tree = _tree(builders.empty())
    assert [case.find("error") is not None for case in tree.iter("testcase")] == [True]


def test_missing_and_unbelievable_evidence_are_errors_of_their_own() -> None:
    def kinds(report: Report) -> set[str]:
        return {error.attrib["type"] for error in _tree(report).iter("error")}

    assert "missing" in kinds(builders.inconclusive())
    assert "INVALID" in kinds(builders.under_audit())
    assert "untrusted" in kinds(builders.untrusted())
