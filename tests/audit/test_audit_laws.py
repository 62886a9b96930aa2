"""What holds for every measurement, however odd."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from corpus.shelves import CASES, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.audit import RULES, NotApplicable, examine
from bizra_gate.audit.ranges import Range
from bizra_gate.model import (
    Audit,
    Caveat,
    ClockFacts,
    Controls,
    Distribution,
    Environment,
    Figure,
    Generator,
    InFlight,
    Intervals,
    Latency,
    Measurement,
    Policy,
    Run,
    Source,
)

NUMBERS = st.one_of(
    st.sampled_from([0.0, -1.0, math.nan, math.inf, -math.inf, 1e-12, 1.0, 1e9, 1e18, 1e300]),
    st.floats(min_value=0, max_value=1e13),
)
WHOLE = st.one_of(st.sampled_from([0, 1, 2, 5, 6, 368, 10**6, 10**12, 2**53]), st.integers(0, 10**9))
FIGURES = st.builds(Figure, NUMBERS, st.sampled_from([0.0, 1.0, 1e4, 1e6, 1e9]))
SHARES = st.floats(min_value=0, max_value=2)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    values = draw(st.lists(st.integers(0, 10**11), max_size=30))
    held = Distribution.of(values)
    return held if draw(st.booleans()) else replace(held, minimum=None, maximum=None, total_ns=None)


@st.composite
def series(draw: st.DrawFn) -> Intervals:
    rows = draw(st.integers(0, 30))

    def column(most: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(0, most), min_size=rows, max_size=rows)))

    length = draw(st.sampled_from([1, 10**6, 10**9]))
    starts = tuple(i * length for i in range(rows)) if draw(st.booleans()) else tuple(sorted(column(10**11)))
    counts = column(10**4)
    if draw(st.booleans()):
        return Intervals(length, starts, counts)
    return Intervals(length, starts, counts, column(9), column(10**12), column(10**10), column(10**9), column(10**10))


LATENCIES = st.builds(
    Latency,
    histogram=maybe(distributions()),
    count=maybe(WHOLE),
    minimum=maybe(FIGURES),
    mean=maybe(FIGURES),
    maximum=maybe(FIGURES),
    stdev=maybe(FIGURES),
    percentiles=st.lists(st.tuples(st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9]), FIGURES), max_size=4).map(tuple),
    percentile_method=st.sampled_from(["unknown", "tdigest", "ceil-rank"]),
    origin=st.sampled_from([None, "intended", "send"]),
    quantum_ns=maybe(st.sampled_from([0.0, 1.0, 1e6])),
    bin_ratio=maybe(st.sampled_from([0.001, 0.5])),
    batch=st.sampled_from([1, 1000]),
    includes_errors=maybe(st.booleans()),
    window_ns=maybe(FIGURES),
    dropped=maybe(st.integers(0, 50)),
    cap=maybe(st.sampled_from([10, 10**6])),
)
COUNTS = st.dictionaries(st.sampled_from(["timeout", "503", "200", "x"]), st.integers(0, 10**6), max_size=3)
IN_FLIGHT = st.builds(InFlight, WHOLE, WHOLE, maximum=maybe(st.integers(0, 100)), unfinished=st.integers(0, 3))
CONTROLS = st.builds(Controls, *[maybe(SHARES)] * 4, unconsumed=maybe(st.just("generator")), rejected=maybe(WHOLE))
CLOCKS = st.builds(ClockFacts, resolution_ns=maybe(SHARES), overhead_ns=maybe(SHARES), wall_drift_ns=maybe(WHOLE))
GENERATORS = st.builds(
    Generator,
    cpu_fraction=st.lists(SHARES, max_size=2).map(tuple),
    lag=maybe(LATENCIES),
    gc_pause_ns=maybe(WHOLE),
    steal_fraction=maybe(SHARES),
)
MACHINES = st.builds(Environment, cpu_count=maybe(st.integers(0, 64)), cpu_hz=maybe(st.sampled_from([0.0, 3e9])))
RUNS = st.builds(
    Run,
    st.integers(0, 3),
    duration_ns=maybe(WHOLE),
    operations=maybe(WHOLE),
    service=maybe(LATENCIES),
    intervals=maybe(series()),
    values=st.lists(NUMBERS, max_size=6).map(tuple),
    clock=maybe(CLOCKS),
)
MEASUREMENTS = st.builds(
    Measurement,
    source=st.sampled_from([Source("tool"), Source("own", foreign=False)]),
    loop=st.sampled_from([None, "closed", "open", "paced-closed", "batch"]),
    think_time=maybe(st.booleans()),
    concurrency=maybe(st.integers(0, 1000)),
    rate_requested_per_s=maybe(FIGURES),
    rate_achieved_per_s=maybe(FIGURES),
    duration_requested_ns=maybe(FIGURES),
    duration_ns=maybe(FIGURES),
    warmup_ns=maybe(FIGURES),
    operations=maybe(WHOLE),
    operations_include_errors=st.booleans(),
    sent=maybe(WHOLE),
    errors=maybe(COUNTS),
    outcomes=maybe(COUNTS),
    outcomes_complete=st.booleans(),
    latency=maybe(LATENCIES),
    service=maybe(LATENCIES),
    failed=maybe(LATENCIES),
    intervals=maybe(series()),
    in_flight=maybe(IN_FLIGHT),
    clock=maybe(CLOCKS),
    controls=maybe(CONTROLS),
    generator=maybe(GENERATORS),
    environment=maybe(MACHINES),
    bytes_in=maybe(WHOLE),
    runs=st.lists(RUNS, max_size=3).map(tuple),
    caveats=st.just((Caveat("source.x", "a quirk"),)),
    started_at=st.sampled_from([None, "2026-11-22T04:00:00Z", "yesterday"]),
    finished_at=st.sampled_from([None, "2026-11-22T04:00:01.5Z", "2026-11-22T04:00:01"]),
)


@settings(max_examples=150, deadline=None)
@given(MEASUREMENTS)
def test_no_measurement_is_too_odd_to_be_examined(measurement: Measurement) -> None:
    audit = examine(measurement, Policy())
    severities = {finding.severity for finding in audit.findings}
    expected = "INVALID" if "invalid" in severities else "INSUFFICIENT" if "insufficient" in severities else "VALID"
    assert audit.verdict == expected
    told = {finding.code for finding in audit.findings} | set(audit.clean) | set(audit.not_applicable)
    assert told == {rule.code for rule in RULES}


@settings(max_examples=50, deadline=None)
@given(MEASUREMENTS)
def test_an_audit_is_a_function_of_its_input(measurement: Measurement) -> None:
    assert repr(examine(measurement, Policy())) == repr(examine(measurement, Policy()))


def test_nothing_known_is_never_valid() -> None:
    audit = examine(Measurement(Source("nobody")), Policy())
    assert audit.verdict == "INSUFFICIENT"
    assert not set(audit.clean) & {"littles_law.excess", "coherence.count", "method.samples", "clock.resolution"}


def test_every_reason_for_not_looking_is_a_phrase() -> None:
    reasons = {reason for outcome in outcomes() for reason in outcome.audit.not_applicable.values()}
    reasons |= set(examine(Measurement(Source("nobody")), Policy()).not_applicable.values())
    for reason in reasons:
        assert len(reason.split()) >= 4, reason


@pytest.fixture(scope="module")
def lax() -> dict[str, Audit]:
    """Every case under a policy that asks for next to nothing."""
    policy = Policy(min_duration_ns=0, min_warmup_ns=0, max_error_rate=1.0, rate_tolerance=1.0, require_steady=False)
    return {case.name: examine(case.measurement, policy) for case in CASES}


def test_a_laxer_policy_never_adds_a_finding(lax: dict[str, Audit]) -> None:
    for outcome in outcomes():
        strict = {finding.code for finding in outcome.audit.findings}
        assert {finding.code for finding in lax[outcome.case.name].findings} <= strict


def test_no_policy_excuses_a_contradiction(lax: dict[str, Audit]) -> None:
    for case in CASES:
        if case.verdict == "INVALID":
            assert lax[case.name].verdict == "INVALID", case.name


def test_rules_answer_one_code_each_and_once_each() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for case in CASES[::10]:
        for rule in RULES:
            answer = rule.check(case.measurement, case.policy)
            assert isinstance(answer, NotApplicable) or {finding.code for finding in answer} <= {rule.code}


POSITIVE = st.floats(min_value=1e-6, max_value=1e6)


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE)
def test_ranges_hold_the_products_and_quotients_of_their_members(a: float, b: float, c: float, d: float) -> None:
    first, second = Range(min(a, b), max(a, b)), Range(min(c, d), max(c, d))
    for x in (first.low, first.high):
        for y in (second.low, second.high):
            assert (first * second).low <= x * y <= (first * second).high
            assert (first / second).low <= x / y <= (first / second).high
