"""Families of checks: each on its own confidence, or all together by Holm's method."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest
from gates_builders import GATE, HEAD, P99, evidence, gate, metric, verdict

from bizra_gate import gates
from bizra_gate.gates.families import holm, stepped
from bizra_gate.gates.rulings import Ruling
from bizra_gate.model import Check, Metric

LIMIT = 2e6


def family(count: int, extra: str = "") -> str:
    """A gate whose checks ask for p81, p82 … within 2 ms, as one family."""
    checks = "".join(f'[[check]]\nmetric = "latency.p{81 + i}"\npass = "<= 2 ms"\n' for i in range(count))
    return f'{HEAD}family = "holm"\n{checks}{extra}'


def at(estimate: float, spread: float, confidence: float, name: str) -> Metric:
    """A metric with a normal interval of standard error `spread`."""
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * spread
    return metric(name, estimate, (estimate - half, estimate + half), confidence=confidence)


def piece_at(estimates: dict[str, float], spread: float, levels: tuple[float, ...]):  # type: ignore[no-untyped-def]
    at_level = {level: {name: at(value, spread, level, name) for name, value in estimates.items()} for level in levels}
    return evidence(*at_level[levels[0]].values(), metrics_at=at_level)


def test_a_family_asks_for_intervals_at_each_step() -> None:
    assert gates.confidences(gate(family(3))) == pytest.approx((0.95, 0.975, 1 - 0.05 / 3))
    assert gates.confidences(gate()) == (0.95,)


def test_plain_facts_do_not_thin_the_family() -> None:
    extra = '[[check]]\nmetric = "operations"\npass = ">= 1000"\n'
    assert gates.confidences(gate(family(2, extra))) == pytest.approx((0.95, 0.975))


def test_whether_a_metric_is_a_plain_fact_depends_on_the_evidence_of_its_check() -> None:
    text = (
        f'{HEAD}family = "holm"\n[[evidence]]\nname = "load"\nartifact = "a.json"\n'
        '[[evidence]]\nname = "unit"\nkind = "tests"\nartifact = "t.json"\n'
        f'{P99}evidence = "load"\n[[check]]\nmetric = "tests.failed"\npass = "== 0"\nevidence = "unit"\n'
    )
    assert gates.confidences(gate(text)) == (0.95,)


def test_the_clearest_check_is_decided_first_and_the_rest_at_a_lower_confidence() -> None:
    judged = gate(family(2))
    levels = gates.confidences(judged)
    # One is clear at any confidence; the other is 2.1 standard errors below the limit: decided at 95 %, not at 97.5 %.
    clear, close = 1e6, LIMIT - 2.1e4
    report = verdict(judged, piece_at({"latency.p81": clear, "latency.p82": close}, 1e4, levels))
    assert [check.verdict for check in report.gates[0].checks] == ["pass", "pass"]
    assert [check.confidence for check in report.gates[0].checks] == pytest.approx([0.975, 0.95])
    alone = verdict(judged, piece_at({"latency.p81": close, "latency.p82": close}, 1e4, levels))
    assert [check.verdict for check in alone.gates[0].checks] == ["inconclusive", "inconclusive"]


def test_without_the_intervals_of_the_family_nothing_passes() -> None:
    report = verdict(gate(family(2)), evidence(metric("latency.p81"), metric("latency.p82")))
    assert report.verdict == "INCONCLUSIVE"


def test_a_family_is_told_in_the_report() -> None:
    judged = gate(family(1))
    report = verdict(judged, piece_at({"latency.p81": 1e6}, 1e4, gates.confidences(judged)))
    assert report.verdict == "SHIP"
    assert any("Holm" in note for note in report.gates[0].notes)


def test_one_check_is_a_family_like_no_family() -> None:
    alone = gate(GATE.replace("[[check]]", 'family = "holm"\n[[check]]'))
    assert verdict(alone, evidence()).verdict == verdict(gate(), evidence()).verdict == "SHIP"


def test_wrong_decisions_of_a_family_stay_within_its_confidence() -> None:
    """Ten checks lie exactly at their limit: any decision is wrong. Holm keeps all of them together near 5 %."""
    generator = random.Random(20261122)
    checks = list(gate(family(10)).checks)
    wrong = {"each": 0, "holm": 0}
    runs = 600
    for _ in range(runs):
        estimates = {check.id: generator.gauss(0.0, 1.0) for check in checks}

        def ruled(check: Check, confidence: float, estimates: dict[str, float] = estimates) -> Ruling:
            half = NormalDist().inv_cdf(0.5 + confidence / 2)
            low, high = estimates[check.id] - half, estimates[check.id] + half
            return Ruling("pass" if high <= 0 else "fail" if low > 0 else "inconclusive", "")

        together = holm(checks, ruled)
        wrong["holm"] += any(ruling.verdict != "inconclusive" for ruling in together.values())
        wrong["each"] += any(ruled(check, 0.95).verdict != "inconclusive" for check in checks)
    assert wrong["holm"] / runs < 0.075
    assert wrong["each"] / runs > 0.3


def test_a_step_divides_what_may_be_wrong() -> None:
    assert stepped(0.95, 1) == 0.95
    assert stepped(0.95, 5) == pytest.approx(0.99)


def test_a_family_keeps_the_order_of_the_file() -> None:
    text = family(2, P99)
    report = verdict(gate(text), evidence())
    assert [check.id for check in report.gates[0].checks] == ["p81", "p82", "p99"]


def test_the_percentiles_that_a_gate_speaks_of_can_be_asked_for() -> None:
    text = f'{HEAD}[[check]]\nmetric = "latency.p97.5"\npass = "<= 1.2 x against.service.p42"\nwarn = "<= 3 ms"\n'
    assert gates.wanted_percentiles(gate(text)) == (42.0, 97.5)
