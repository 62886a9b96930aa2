"""The language of limits: what it reads, and what it refuses with which advice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bizra_gate import units
from bizra_gate.gates import LimitFault, facts_of, parse_limit
from bizra_gate.gates.limits import laxness
from bizra_gate.model import Limit, Reference


def limit(text: str, metric: str = "latency.p99", kind: str = "benchmark") -> Limit:
    facts = facts_of(metric, kind)
    assert facts is not None
    return parse_limit(text, facts, kind)


def fault(text: str, metric: str = "latency.p99", kind: str = "benchmark") -> str:
    with pytest.raises(LimitFault) as caught:
        limit(text, metric, kind)
    return f"{caught.value.expected} | {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "metric", "operator", "bound"),
    [
        ("<= 1.5 ms", "latency.p99", "<=", 1_500_000),
        ("<=1.5ms", "latency.p99", "<=", 1_500_000),
        ("< 2 s", "latency.max", "<", 2e9),
        (">= 300k/s", "throughput", ">=", 300_000),
        ("> 12/min", "throughput", ">", 0.2),
        ("<= 0.3 %", "error_rate", "<=", 0.003),
        ("<= 0.003", "error_rate", "<=", 0.003),
        ("<= 64 MiB", "memory.peak", "<=", 64 * 2**20),
        ("<= 12 us", "cpu.per_op", "<=", 12_000),
        ("<= 80", "concurrency.mean", "<=", 80),
        (">= 80", "concurrency.mean", ">=", 80),
    ],
)
def test_a_limit_is_read_into_base_units(text: str, metric: str, operator: str, bound: float) -> None:
    read = limit(text, metric)
    assert (read.operator, read.bound) == (operator, bound)


def test_a_limit_keeps_what_the_gate_file_says() -> None:
    assert limit("<=   1.5 ms").text == "<= 1.5 ms"


def test_a_range_has_both_bounds() -> None:
    read = limit("in [10 ms, 20 ms]")
    assert (read.operator, read.bound, read.upper) == ("in", 10e6, 20e6)


def test_equality_is_for_metrics_that_are_counted() -> None:
    assert limit("== 0", "findings.critical", "scan").bound == 0
    assert limit("== 1", "attestation.valid", "attestation").bound == 1
    assert "which no single value equals" in fault("== 1 ms")
    assert "which no single value equals" in fault("== 98 %", "ratio.json_valid", "ratio")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("<= 1.05 x artifacts/bare.json#latency.mean", Reference(1.05, "latency.mean", "artifacts/bare.json")),
        ("<= 1.2 x service.p50", Reference(1.2, "service.p50")),
        ("<= 1.2x service.p50", Reference(1.2, "service.p50")),
        ("<= 120 % x service.p50", Reference(1.2, "service.p50")),
        ("< 2 × against.latency.p99", Reference(2.0, "against.latency.p99")),
    ],
)
def test_a_limit_may_be_relative_to_another_metric_or_artifact(text: str, reference: Reference) -> None:
    assert limit(text).reference == reference


@pytest.mark.parametrize(
    ("text", "metric", "says"),
    [
        ("<= 250", "latency.p99", 'Write "<= 250 ms"'),
        (">= 300", "throughput", 'Write ">= 300/s"'),
        ("<= 64", "memory.peak", 'Write "<= 64 MiB"'),
        ("<= 5", "error_rate", 'Write "<= 5 %"'),
        ("<= 3 MiB", "latency.p99", "latency.p99 is a time"),
        (">= 300 ms", "throughput", "throughput is a rate"),
        ("<= 1 parsec", "latency.p99", 'Write it like "<= 250 ms"'),
        ("1.5 ms", "latency.p99", 'Write "<= 1.5 ms"'),
        ("300/s", "throughput", 'Write ">= 300/s"'),
        ("250", "latency.p99", 'Write "<= 250 ms"'),
        ("fast", "latency.p99", 'Write it like "<= 250 ms"'),
        ("<= 1.05 x artifacts/x.json", "latency.p50", 'Write "<= 1.05 x artifacts/x.json#latency.p50"'),
        ("≤ 1.5 ms", "latency.p99", 'Write "<= 1.5 ms"'),
        ("=< 1.5 ms", "latency.p99", 'Write "<= 1.5 ms"'),
        ("<=", "latency.p99", "<=, <, >=, > or =="),
        ("", "latency.p99", "<=, <, >=, > or =="),
        ("in [20 ms, 10 ms]", "latency.p99", 'Write "in [10 ms, 20 ms]"'),
        ("in [10 ms, 10 ms]", "latency.p99", "from a lower to a higher"),
        ("in [10, 20]", "latency.p99", "latency.p99 is a time"),
        ("in [10 ms]", "latency.p99", "in [low, high]"),
    ],
)
def test_a_limit_that_cannot_be_read_says_what_to_write(text: str, metric: str, says: str) -> None:
    assert says in fault(text, metric)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "1e999999999", "1e-400", "9" * 290 + "e300"])
def test_a_bound_that_is_not_a_finite_number_is_refused(number: str) -> None:
    assert "latency.p99 is a time" in fault(f"<= {number} ms")


@pytest.mark.parametrize(
    ("text", "metric"), [(">= 1 ms", "latency.p99"), ("> 1 ms", "service.mean"), ("<= 5/s", "throughput")]
)
def test_a_limit_against_the_metrics_direction_is_refused(text: str, metric: str) -> None:
    assert "would let every bad value pass" in fault(text, metric)


@pytest.mark.parametrize(
    ("text", "metric", "kind"),
    [
        (">= 0/s", "throughput", "benchmark"),
        ("<= 100 %", "error_rate", "benchmark"),
        ("<= 150 %", "error_rate", "benchmark"),
        (">= 0", "tests.passed", "tests"),
        ("> -1", "tests.passed", "tests"),
        (">= 0 %", "coverage.line", "coverage"),
        ("<= 100 %", "ratio.json_valid", "ratio"),
    ],
)
def test_a_limit_that_everything_meets_is_refused(text: str, metric: str, kind: str) -> None:
    assert "every value of" in fault(text, metric, kind)


@pytest.mark.parametrize(
    ("text", "metric", "kind"),
    [
        ("<= -1 ms", "latency.p99", "benchmark"),
        ("< 0 ms", "latency.p99", "benchmark"),
        ("> 100 %", "coverage.line", "coverage"),
        (">= 101 %", "coverage.line", "coverage"),
        ("== 2", "determinism.agreement", "determinism"),
    ],
)
def test_a_limit_that_nothing_meets_is_refused(text: str, metric: str, kind: str) -> None:
    assert "fraction of at most 1" in fault(text, metric, kind) or "no value of" in fault(text, metric, kind)


@pytest.mark.parametrize(("text", "metric", "kind"), [
    ("<= 0 %", "error_rate", "benchmark"), (">= 100 %", "ratio.json_valid", "ratio"),
])  # fmt: skip
def test_a_bound_that_no_interval_reaches_is_refused_with_one_that_can_be_reached(
    text: str, metric: str, kind: str
) -> None:
    said = fault(text, metric, kind)
    assert "3/n" in said
    assert "99.9 %" in said or "0.1 %" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<= 1.05 x throughput", "throughput is a rate"),
        ("<= 1.05 x latency.p98x", "Did you mean"),
        ("<= 1.05 x latency.p99", "another metric than latency.p99 itself"),
        ("<= 0 x latency.p50", "a factor above 0"),
        ("<= nan x latency.p50", "a factor such as 1.05"),
        ("<= 1.05 x ../secrets.json#latency.p50", "without .."),
        ("<= 1.05 x /etc/passwd#latency.p50", "relative to the repository"),
        ("<= 1.05 x artifacts/*.json#latency.p50", "by its name"),
        ("== 1.05 x latency.p50", "which no single value equals"),
    ],
)
def test_a_relative_limit_that_cannot_be_meant_is_refused(text: str, says: str) -> None:
    assert says in fault(text)


@pytest.mark.parametrize(
    ("passing", "warning", "fits"),
    [
        ("<= 1 ms", "<= 2 ms", True),
        ("<= 1 ms", "<= 1 ms", False),
        ("<= 2 ms", "<= 1 ms", False),
        ("<= 1 ms", "< 2 ms", True),
        ("in [10 ms, 20 ms]", "in [5 ms, 25 ms]", True),
        ("in [10 ms, 20 ms]", "in [12 ms, 25 ms]", False),
        ("in [10 ms, 20 ms]", "in [10 ms, 25 ms]", True),
        ("in [10 ms, 20 ms]", "in [5 ms, 20 ms]", True),
        ("in [10 ms, 20 ms]", "in [10 ms, 20 ms]", False),
        ("in [10 ms, 20 ms]", "in [10 ms, 15 ms]", False),
        ("in [10 ms, 20 ms]", "<= 30 ms", False),
        ("<= 1.05 x service.p50", "<= 1.1 x service.p50", True),
        ("<= 1.05 x service.p50", "<= 1.01 x service.p50", False),
        ("<= 1.05 x service.p50", "<= 1.05 x service.p50", False),
        ("<= 1.05 x service.p50", "<= 30 ms", True),
    ],
)
def test_a_warning_limit_is_laxer_than_the_passing_one(passing: str, warning: str, fits: bool) -> None:
    assert (laxness(limit(passing), limit(warning)) is None) is fits


def test_the_direction_of_laxer_follows_the_metric() -> None:
    assert laxness(limit(">= 300k/s", "throughput"), limit(">= 270k/s", "throughput")) is None
    assert laxness(limit(">= 300k/s", "throughput"), limit(">= 330k/s", "throughput")) is not None
    assert laxness(limit(">= 300k/s", "throughput"), limit(">= 300k/s", "throughput")) is not None


def test_at_least_something_is_a_limit() -> None:
    assert limit("> 0", "tests.passed", "tests").bound == 0
    assert limit("> 0/s", "throughput").bound == 0


@given(st.text(max_size=40) | st.from_regex(r"(<=|>=|<|>|==|in) ?[\[0-9.eE+\-msx #%/,\]]{0,20}"))
def test_any_text_is_a_limit_or_a_fault(text: str) -> None:
    try:
        read = limit(text)
    except LimitFault:
        return
    assert read.unit == "ns"
    assert (read.bound is None) == (read.reference is not None)


@given(st.integers(1, 10**9), st.sampled_from(["ns", "us", "µs", "ms", "s", "min", "h", "d"]))
def test_every_time_unit_reads_as_nanoseconds(number: int, unit: str) -> None:
    scale = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9}
    scale |= {"h": 3600 * 10**9, "d": 86400 * 10**9}
    assert limit(f"<= {number} {unit}").bound == pytest.approx(number * scale[unit], rel=1e-15)


@pytest.mark.parametrize("text", ["1e999999999 ms", "1e400 ms", "1e99999999999999999999 ms", "-1e999999999 s"])
def test_a_quantity_that_no_number_holds_is_a_sentence(text: str) -> None:
    with pytest.raises(units.UnitError, match=r"not finite|not a number"):
        units.parse(text, "ns")


@pytest.mark.parametrize("text", ["١٢ ms", "1２ ms", "1 ms\x00", "1 m s x"])
def test_a_quantity_has_the_digits_and_units_that_everybody_reads_alike(text: str) -> None:
    with pytest.raises(units.UnitError):
        units.parse(text, "ns")
