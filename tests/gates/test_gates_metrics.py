"""What can be gated: a registry in which every claim that people make finds its metric."""

from __future__ import annotations

import pytest
from gates_builders import HEAD, check_gate, gate, problem

from bizra_gate import gates
from bizra_gate.gates import KINDS, facts_of, names_of
from bizra_gate.model.metric import kind_of
from bizra_gate.units import DIMENSIONS

CLAIMS = [
    ("benchmark", "throughput", ">= 300k/s"),
    ("benchmark", "latency.p50", "<= 0.12 ms"),
    ("benchmark", "latency.p99", "<= 1.5 ms"),
    ("benchmark", "latency.p99.9", "< 50 ms"),
    ("benchmark", "error_rate", "<= 0.3 %"),
    ("benchmark", "concurrency.mean", ">= 0.1"),
    ("benchmark", "rate.achieved", ">= 4.9k/s"),
    ("benchmark", "outcome.hit.ratio", ">= 90 %"),
    ("benchmark", "latency.mean", "<= 1.05 x artifacts/bare.json#latency.mean"),
    ("benchmark", "cpu.per_op", "<= 1.2 x against.cpu.per_op"),
    ("benchmark", "memory.peak", "<= 512 MiB"),
    ("benchmark", "operations", ">= 2_500_000"),
    ("ratio", "ratio.json_valid", ">= 98 %"),
    ("ratio", "ratio.tool_call_success", ">= 95 %"),
    ("ratio", "ratio.change_failure", "< 5 %"),
    ("ratio", "ratio.agreement", ">= 0.7"),
    ("determinism", "determinism.agreement", "== 1"),
    ("determinism", "determinism.hosts", ">= 3"),
    ("attestation", "attestation.valid", "== 1"),
    ("tests", "tests.passed", ">= 110"),
    ("tests", "tests.failed", "== 0"),
    ("tests", "tests.skipped", "<= 8"),
    ("coverage", "coverage.line", "> 90 %"),
    ("scan", "findings.critical", "== 0"),
    ("sbom", "sbom.present", "== 1"),
    ("timeline", "timeline.rollback", "<= 5 min"),
    ("timeline", "timeline.canary-10", ">= 60 min"),
    ("timeline", "timeline.failover", "< 2 s"),
    ("timeline", "timeline.availability", ">= 99.95 %"),
]


@pytest.mark.parametrize(("kind", "name", "limit"), CLAIMS)
def test_each_claim_that_people_make_can_be_gated(kind: str, name: str, limit: str) -> None:
    judged = check_gate(f'metric = "{name}"\npass = "{limit}"', before=f'[evidence]\nkind = "{kind}"')
    assert judged.checks[0].limit is not None
    assert judged.checks[0].limit.text == limit


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_has_a_unit_that_limits_can_be_written_in(kind: str) -> None:
    for name in names_of(kind):
        facts = facts_of(name.replace("<name>", "x").replace("<label>", "x"), kind)
        assert facts is not None, name
        assert facts.unit in DIMENSIONS
        assert facts.better in ("lower", "higher", "neither")


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_from_nowhere_is_no_metric(kind: str) -> None:
    for name in ("", ".", "x", "latency", "ratio.", "timeline.", "outcome..ratio", "latency.p0", "latency.p100"):
        assert facts_of(name, kind) is None


def test_a_line_break_or_a_foreign_digit_makes_no_other_spelling_of_a_metric() -> None:
    for name in ("latency.p99\n", "latency.p97\n", "outcome.x.ratio\n", "latency.p\u0669\u0667", "throughput\n"):
        assert kind_of(name) is None
        assert facts_of(name, "benchmark") is None


@pytest.mark.parametrize(
    "name", ["ratio./etc", "ratio.a b", "ratio.a\n", "ratio." + "x" * 101, "timeline..count", "ratio.-"]
)
def test_a_name_that_evidence_chooses_has_plain_letters(name: str) -> None:
    assert facts_of(name, name.partition(".")[0]) is None


def test_one_percentile_has_one_spelling() -> None:
    assert facts_of("latency.p99.9", "benchmark") is not None
    assert facts_of("latency.p99.90", "benchmark") is None
    assert facts_of("latency.p05", "benchmark") is None
    assert 'Did you mean "latency.p99.9"?' in problem(f'{HEAD}[[check]]\nmetric = "latency.p99.90"\npass = "<= 1 ms"\n')


def test_what_stands_for_more_than_was_looked_at_is_not_exact() -> None:
    for name in ("throughput", "latency.p99", "latency.mean", "error_rate", "outcome.hit.ratio", "cpu.per_op"):
        facts = facts_of(name, "benchmark")
        assert facts is not None
        assert not facts.exact
    ratio = facts_of("ratio.json_valid", "ratio")
    assert ratio is not None
    assert not ratio.exact


def test_a_ratio_of_cases_needs_its_wilson_interval() -> None:
    from gates_builders import evidence, metric, verdict

    judged = check_gate('metric = "ratio.json_valid"\npass = ">= 98 %"', before='[evidence]\nkind = "ratio"')

    def ratio(interval: tuple[float, float] | None):  # type: ignore[no-untyped-def]
        one = metric("ratio.json_valid", 0.985, interval, unit="ratio", better="neither", n=1000)
        return evidence(one, kind="ratio")

    assert verdict(judged, ratio((0.9752, 0.991))).verdict == "INCONCLUSIVE"
    assert verdict(judged, ratio((0.981, 0.989))).verdict == "SHIP"
    assert verdict(judged, ratio((0.97, 0.979))).verdict == "INCONCLUSIVE"  # the estimate lies outside: widened to it
    assert verdict(judged, ratio(None)).verdict == "INCONCLUSIVE"


def test_references_that_a_gate_needs_can_be_asked_for() -> None:
    text = f'{HEAD}[[check]]\nmetric = "latency.mean"\npass = "<= 1.05 x artifacts/bare.json#latency.mean"\n'
    assert gates.wanted_references(gate(text)) == ("artifacts/bare.json",)
    own = text.replace("artifacts/bare.json", "artifacts/checkout.json")
    assert gates.wanted_references(gate(own.replace("#latency.mean", "#latency.p50"))) == ()


def test_baselines_that_a_gate_needs_can_be_asked_for() -> None:
    text = f'{HEAD}[[check]]\nmetric = "latency.p99"\nbaseline = {{ ref = "git:main", max_regression = "5 %" }}\n'
    (wanted,) = gates.wanted_baselines(gate(text))
    assert (wanted.check, wanted.ref, wanted.artifacts) == ("p99", "git:main", ("artifacts/checkout.json",))
    assert gates.wanted_baselines(gate(text.replace("git:main", "against"))) == ()
