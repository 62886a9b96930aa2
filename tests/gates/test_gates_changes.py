"""What a branch does to its own gates, told so that a loosened limit cannot go unseen."""

from __future__ import annotations

import pytest
from gates_builders import GATE, HEAD, P99, gate

from bizra_gate.gates import diff

FULL = f"""{HEAD}family = "holm"
[measure]
target = "py:a:b"
duration = "120s"
sources = ["src/a.py"]
[evidence]
artifacts = ["a.json", "b.json"]
quorum = 2
max_age = "30d"
signers = {{ role = "benchmark", threshold = 2 }}
environment = {{ cpu_model = "x" }}
[policy]
max_error_rate = "0.5 %"
min_runs = 5
[[check]]
metric = "latency.p99"
pass = "<= 2 ms"
min_samples = 1000
confidence = 0.99
baseline = {{ ref = "git:main", max_regression = "5 %" }}
"""


def changes(before: str, after: str) -> list[str]:
    return [f"{change.kind} {change.where}" for change in diff([gate(before)], [gate(after)])]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"<= 2 ms"', '"<= 3 ms"', "loosened check p99: pass"),
        ('"<= 2 ms"', '"<= 1 ms"', "tightened check p99: pass"),
        ('"<= 2 ms"', '"< 3 ms"', "changed check p99: pass"),
        ('"<= 2 ms"', '"in [1 ms, 2 ms]"', "changed check p99: pass"),
        ('"<= 2 ms"', '"<= 1.2 x service.p99"', "changed check p99: pass"),
        ("min_samples = 1000", "min_samples = 10", "loosened check p99: min_samples"),
        ("min_samples = 1000", "", "loosened check p99: min_samples"),
        ("min_samples = 1000", 'warn = "<= 3 ms"\nmin_samples = 1000', "loosened check p99: warn"),
        ("min_samples = 1000", 'severity = "info"\nmin_samples = 1000', "loosened check p99: severity"),
        ("min_samples = 1000", "weight = 2\nmin_samples = 1000", "changed check p99: weight"),
        ("confidence = 0.99", "confidence = 0.9", "loosened check p99: confidence"),
        ('max_regression = "5 %"', 'max_regression = "9 %"', "loosened check p99: baseline.max_regression"),
        ('"5 %" }', '"5 %", max_improvement = "90 %" }', "loosened check p99: baseline.max_improvement"),
        ('ref = "git:main"', 'ref = "last-shipped"', "changed check p99: baseline.ref"),
        ('baseline = { ref = "git:main", max_regression = "5 %" }', "", "loosened check p99: baseline"),
        ("quorum = 2", "quorum = 1", "loosened evidence: quorum"),
        ('max_age = "30d"', 'max_age = "60d"', "loosened evidence: max_age"),
        ('max_age = "30d"', "", "loosened evidence: max_age"),
        ("threshold = 2", "threshold = 1", "loosened evidence: signers.threshold"),
        ("quorum = 2", "quorum = 2\nallow_dirty = true", "loosened evidence: allow_dirty"),
        ("quorum = 2", 'quorum = 2\nsame_run_as = ["x"]', "loosened evidence: same_run_as"),
        ('environment = { cpu_model = "x" }', "", "loosened evidence: environment"),
        ('{ cpu_model = "x" }', '{ cpu_model = "y" }', "changed evidence: environment"),
        ('{ cpu_model = "x" }', '{ cpu_model = "x", kernel = "6*" }', "tightened evidence: environment"),
        ('"0.5 %"', '"2 %"', "loosened policy.max_error_rate"),
        ("min_runs = 5", "min_runs = 1", "loosened policy.min_runs"),
        ("min_runs = 5", "min_runs = 5\nrequire_steady = false", "loosened policy.require_steady"),
        ("min_runs = 5", 'min_runs = 5\nmin_duration = "5s"', "loosened policy.min_duration"),
        ("min_runs = 5", 'min_runs = 5\nmin_warmup = "60s"', "tightened policy.min_warmup"),
        ('duration = "120s"', 'duration = "60s"', "loosened measure.duration"),
        ('duration = "120s"', 'duration = "120s"\nworkers = 1\nload = { loop = "closed" }', None),
        ("py:a:b", "py:a:c", "changed measure.target"),
        ('family = "holm"', "", "loosened family"),
        ("An order", "An order perhaps", "changed claim"),
        ('metric = "latency.p99"', 'id = "p99"\nmetric = "latency.p99.9"', "changed check p99: metric"),
        ('"<= 2 ms"', '"<=  2000 us"', None),
    ],
)
def test_each_change_is_named_and_has_its_direction(old: str, new: str, expected: str | None) -> None:
    assert old in FULL
    assert changes(FULL, FULL.replace(old, new, 1)) == ([expected] if expected else [])


def test_the_opposite_change_has_the_opposite_direction() -> None:
    lax = FULL.replace("threshold = 2", "threshold = 1").replace('"<= 2 ms"', '"<= 3 ms"')
    assert [change.split()[0] for change in changes(FULL, lax)] == ["loosened", "loosened"]
    assert [change.split()[0] for change in changes(lax, FULL)] == ["tightened", "tightened"]


def test_equal_gates_have_no_changes() -> None:
    assert diff([gate(FULL)], [gate(FULL)]) == ()


def test_the_loosened_comes_first() -> None:
    tight_and_loose = FULL.replace("min_runs = 5", "min_runs = 9").replace("threshold = 2", "threshold = 1")
    assert [change.split()[0] for change in changes(FULL, tight_and_loose)] == ["loosened", "tightened"]


def test_a_gate_or_a_check_that_comes_or_goes_is_told() -> None:
    assert changes(GATE + P99.replace("p99", "p50"), GATE) == ["removed check p50"]
    assert changes(GATE, GATE + P99.replace("p99", "p50")) == ["added check p50"]
    (gone,) = diff([gate()], [])
    (come,) = diff([], [gate()])
    assert str(gone) == "gates/checkout.toml is removed: the gate checkout with 1 check."
    assert str(come) == "gates/checkout.toml is added: the gate checkout with 1 check."


def test_a_gate_under_another_name_is_another_gate() -> None:
    renamed = diff([gate()], [gate(GATE.replace("checkout", "basket"))])
    assert [change.kind for change in renamed] == ["removed", "added"]


def test_a_measurement_that_comes_or_goes_is_told() -> None:
    measured = f'{HEAD}[measure]\ntarget = "py:a:b"\n{P99}'
    assert changes(measured, GATE) == ["removed measure"]
    assert changes(GATE, measured) == ["added measure"]


def test_a_change_is_a_sentence_with_both_sides() -> None:
    (change,) = diff([gate(FULL)], [gate(FULL.replace('"<= 2 ms"', '"<= 3 ms"'))])
    assert str(change) == "gates/checkout.toml: check p99: pass is loosened: <= 2 ms → <= 3 ms."
    (age,) = diff([gate(FULL)], [gate(FULL.replace('max_age = "30d"', ""))])
    assert str(age) == "gates/checkout.toml: evidence: max_age is loosened: 30 d → no limit."


def test_a_throughput_limit_is_loosened_downwards() -> None:
    rate = f'{HEAD}[[check]]\nmetric = "throughput"\npass = ">= 300k/s"\n'
    assert changes(rate, rate.replace("300k", "200k")) == ["loosened check throughput: pass"]
    assert changes(rate, rate.replace("300k", "400k")) == ["tightened check throughput: pass"]
