from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
import reports_builders as builders
from jsonschema import Draft202012Validator

from bizra_gate import schema
from bizra_gate.model import Figure, Metric
from bizra_gate.reports import AUDIT_REPORTERS, REPORTERS
from bizra_gate.reports import json as json_report
from bizra_gate.reports.inputs import AuditedMeasurement


def _said(report: Any) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in JSON")

    return json.loads(REPORTERS["json"](report), parse_constant=refuse)


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_every_report_fits_its_published_schema(name: str) -> None:
    assert schema.problems("report", _said(builders.REPORTS[name]()), name) == []


@pytest.mark.parametrize("name", ["report", "audit"])
def test_the_schemas_are_themselves_valid_and_closed(name: str) -> None:
    document = schema.load(name)
    Draft202012Validator.check_schema(document)
    assert _open_objects(document) == []


def _open_objects(node: Any) -> list[Any]:
    """Objects with named properties that would let a field through that nobody described."""
    found = []
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object" and node.get("additionalProperties") is not False:
            found.append(node)
        for value in node.values():
            found += _open_objects(value)
    elif isinstance(node, list):
        for value in node:
            found += _open_objects(value)
    return found


def test_the_schema_refuses_an_unknown_field_and_a_wrong_exit_code() -> None:
    said = _said(builders.ship())
    assert schema.problems("report", {**said, "mood": "good"}, "x")
    assert schema.problems("report", {**said, "exit_code": 1}, "x")


def test_the_keys_are_those_of_the_contract_and_after_them_what_a_reader_must_be_told() -> None:
    said = _said(builders.no_ship())
    gate, check = said["gates"][1], said["gates"][1]["checks"][1]
    assert list(said) == [
        "schema",
        "verdict",
        "grade",
        "score",
        "exit_code",
        "judged_at",
        "gates",
        "grade_reason",
        "notes",
        "changes",
    ]
    assert list(gate) == ["name", "claim", "file", "sha256", "verdict", "score", "evidence", "checks", "notes"]
    assert list(gate["evidence"][0]) == ["file", "sha256", "kind", "signed_by", "trust", "audit"]
    assert list(check) == [
        "id", "metric", "unit", "limit", "estimate", "interval", "confidence", "n", "verdict", "severity", "weight",
        "reason", "warn", "controls", "why", "owner", "compared",
    ]  # fmt: skip


def test_a_whole_number_is_written_without_a_point_and_a_score_with_one() -> None:
    text = REPORTERS["json"](builders.ship())
    assert '"estimate": 1100000,' in text
    assert '"weight": 2,' in text
    assert '"score": 1.0,' in text


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_and_never_a_word_that_json_does_not_know(bad: float) -> None:
    check = dataclasses.replace(builders.P99, estimate=bad, interval=(bad, 2.0), weight=1.0)
    said = _said(builders.report(builders.gate("x", "SHIP", (check,))))
    assert said["gates"][0]["checks"][0]["estimate"] is None
    assert said["gates"][0]["checks"][0]["interval"] == [None, 2]


def test_missing_evidence_has_null_for_what_was_never_read() -> None:
    evidence = _said(builders.inconclusive())["gates"][0]["evidence"][0]
    assert evidence["sha256"] is None
    assert evidence["audit"] is None
    assert evidence["trust"]["ok"] is False


def test_without_a_grade_there_is_null() -> None:
    said = _said(builders.under_audit())
    assert said["grade"] is None
    assert said["score"] is None


AUDITS = {
    "ours": builders.audited(),
    "foreign": builders.audited_impossible(),
    "two": builders.audited() + builders.audited_impossible(),
    "none": (),
}


@pytest.mark.parametrize("name", sorted(AUDITS))
def test_every_audit_fits_its_published_schema(name: str) -> None:
    assert schema.problems("audit", json.loads(AUDIT_REPORTERS["json"](AUDITS[name])), name) == []


def test_one_measurement_is_one_object_and_several_are_a_list_under_the_worst_verdict() -> None:
    one = json.loads(AUDIT_REPORTERS["json"](AUDITS["foreign"]))
    two = json.loads(AUDIT_REPORTERS["json"](AUDITS["two"]))
    assert list(one) == ["schema", "verdict", "source", "findings", "measurement"]
    assert list(two) == ["schema", "verdict", "audits"]
    assert two["verdict"] == "INVALID"
    assert two["audits"][1] == one


def test_nothing_audited_is_not_valid() -> None:
    assert json.loads(AUDIT_REPORTERS["json"](()))["verdict"] == "INSUFFICIENT"


def test_not_measured_is_null_and_measured_zero_is_zero() -> None:
    said = json.loads(AUDIT_REPORTERS["json"](AUDITS["foreign"]))["measurement"]
    assert said["warmup_ns"] is None
    assert said["errors"] is None
    assert said["latency"]["mean_ns"] == 0
    assert said["latency"]["percentiles_ns"] == {"p50": 0, "p99": 0}


def test_an_audit_says_what_it_could_not_look_at() -> None:
    said = json.loads(AUDIT_REPORTERS["json"](AUDITS["foreign"]))["measurement"]
    assert "generator.lag" in said["rules"]["not_applicable"]
    assert said["rules"]["clean"] == ["coherence.order", "coherence.count"]
    assert said["blind"]


def test_a_foreign_measurement_of_nonsense_still_renders_within_the_schema() -> None:
    odd = dataclasses.replace(
        builders.impossible_measurement(),
        operations=-5, errors={"x": -1}, duration_ns=Figure(-1.5), rate_achieved_per_s=Figure(math.inf),
    )  # fmt: skip
    metrics = {"latency.p99": Metric("latency.p99", "ns", "lower", math.nan, (None, math.inf))}
    text = AUDIT_REPORTERS["json"]((AuditedMeasurement("x", odd, builders.IMPOSSIBLE, metrics),))
    assert schema.problems("audit", json.loads(text), "odd") == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_never_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_report.text({"deep": [{"value": value}]})
