from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
import reports_builders as builders
from jsonschema import Draft4Validator

from bizra_gate.model import Audit, Report
from bizra_gate.reports import REPORTERS
from bizra_gate.reports.sarif import uri


def _run(report: Report) -> Any:
    return json.loads(REPORTERS["sarif"](report))["runs"][0]


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_the_log_has_the_shape_that_sarif_2_1_0_asks_for(name: str) -> None:
    log = json.loads(REPORTERS["sarif"](builders.REPORTS[name]()))
    assert list(log) == ["$schema", "version", "runs"]
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for rule in run["tool"]["driver"]["rules"]:
        assert set(rule) == {"id", "shortDescription", "fullDescription", "help"}
        assert all(0 < len(rule[key]["text"]) <= 1024 for key in rule if key != "id")
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert not place["artifactLocation"]["uri"].startswith("/")


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_the_log_fits_the_official_schema_where_a_copy_is_at_hand(name: str) -> None:
    """Set `SARIF_SCHEMA` to a copy of OASIS's sarif-schema-2.1.0.json; it is not kept here."""
    copy = os.environ.get("SARIF_SCHEMA")
    if not copy:
        pytest.skip("SARIF_SCHEMA is not set")
    log = json.loads(REPORTERS["sarif"](builders.REPORTS[name]()))
    assert list(Draft4Validator(json.loads(Path(copy).read_text("utf-8"))).iter_errors(log)) == []


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_there_is_an_error_exactly_where_the_verdict_is_not_ship(name: str) -> None:
    report = builders.REPORTS[name]()
    levels = {result["level"] for result in _run(report)["results"]}
    assert ("error" in levels) == (report.verdict != "SHIP")


def test_a_waived_check_is_suppressed_and_says_by_whom() -> None:
    waived = [result for result in _run(builders.waived())["results"] if result["ruleId"] == "check.waived"]
    assert waived[0]["suppressions"][0]["kind"] == "external"
    assert "release-board" in waived[0]["suppressions"][0]["justification"]


def test_fingerprints_differ_within_a_run_and_stay_from_run_to_run() -> None:
    twice = Audit("INVALID", (builders.LITTLE, dataclasses.replace(builders.LITTLE, message="Another one.")))
    item = builders.evidence("impossible", audit=twice)
    report = builders.report(builders.gate("impossible", "UNDER AUDIT", (), (item,)))
    marks = [result["partialFingerprints"]["bizraGate/v1"] for result in _run(report)["results"]]
    assert len(set(marks)) == len(marks)
    later = dataclasses.replace(report, judged_at="2026-12-01T00:00:00Z")
    assert marks == [result["partialFingerprints"]["bizraGate/v1"] for result in _run(later)["results"]]


@pytest.mark.parametrize(
    ("verdict", "severity", "level"),
    [("fail", "must", "error"), ("fail", "should", "warning"), ("fail", "info", "note"), ("warn", "must", "warning")],
)
def test_severity_decides_the_level(verdict: str, severity: str, level: str) -> None:
    check = dataclasses.replace(builders.P99, verdict=verdict, severity=severity)
    assert _run(builders.report(builders.gate("x", "SHIP", (check,))))["results"][0]["level"] == level


def test_a_path_becomes_a_relative_uri_that_nobody_takes_for_a_scheme() -> None:
    assert uri("gates/a b.toml") == "gates/a%20b.toml"
    assert uri("javascript:alert(1)") == "javascript%3Aalert%281%29"


def test_brackets_and_braces_are_neither_links_nor_placeholders() -> None:
    check = dataclasses.replace(builders.SLOW_P99, reason="[x](y) {0}", why=None, owner=None)
    said = _run(builders.report(builders.gate("x", "NO-SHIP", (check,))))["results"][0]["message"]["text"]
    assert said.endswith(r"\[x\](y) {{0}}.")
