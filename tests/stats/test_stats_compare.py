"""Comparison on processes: nominal error rates on real between-process spread, and honest indecision."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.stats.compare import compare_processes, holm

BASE = [10.0, 10.1, 10.2, 9.9, 10.0]
POSITIVE = st.lists(st.floats(0.1, 1e6), min_size=2, max_size=8)


@given(POSITIVE, POSITIVE)
@settings(max_examples=80, deadline=None)
def test_the_interval_and_p_value_are_welchs_on_logarithms(base: list[float], head: list[float]) -> None:
    a, b = np.log(head), np.log(base)
    if min(np.var(a), np.var(b)) < 1e-8:
        return
    found = compare_processes(base, head, "lower", 0.05)
    expected = scipy.stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert found.low == pytest.approx(math.exp(interval.low), rel=1e-6)
    assert found.high == pytest.approx(math.exp(interval.high), rel=1e-6)


def test_the_paired_interval_is_that_of_the_log_ratios() -> None:
    head = [1.03 * value for value in BASE[:4]] + [10.5]
    found = compare_processes(BASE, head, "lower", 0.05, paired=True)
    ratios = np.log(head) - np.log(BASE)
    low, high = scipy.stats.t.interval(0.95, 4, loc=ratios.mean(), scale=scipy.stats.sem(ratios))
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert found.verdict == "same"
    assert compare_processes(BASE, head, "lower", 0.05).high > found.high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("factor", "better", "verdict", "regression"),
    [
        (1.2, "lower", "worse", "fail"),
        (1.2, "higher", "better", "pass"),
        (1.2, "neither", "worse", "fail"),
        (0.8, "lower", "better", "pass"),
        (0.8, "higher", "worse", "fail"),
        (0.8, "neither", "worse", "fail"),
        (1.01, "lower", "same", "pass"),
        (1.01, "higher", "same", "pass"),
        (1.045, "lower", "undecided", "inconclusive"),
        (1.045, "higher", "undecided", "pass"),
    ],
)
def test_the_direction_of_the_metric_decides(factor: float, better: str, verdict: str, regression: str) -> None:
    found = compare_processes(BASE, [factor * value for value in BASE], better, 0.05)  # type: ignore[arg-type]
    assert (found.verdict, found.regression) == (verdict, regression)
    assert found.ratio == pytest.approx(factor)


def test_undecided_says_how_many_more_runs_would_decide_and_they_do() -> None:
    generator = random.Random(5)
    base = [math.exp(generator.gauss(0, 0.05)) for _ in range(4)]
    head = [math.exp(generator.gauss(0, 0.05)) for _ in range(4)]
    found = compare_processes(base, head, "lower", 0.05)
    assert found.verdict == "undecided"
    assert found.needed_runs is not None
    many = 4 + found.needed_runs
    decided = sum(
        compare_processes(
            [math.exp(generator.gauss(0, 0.05)) for _ in range(many)],
            [(found.ratio or 1) * math.exp(generator.gauss(0, 0.05)) for _ in range(many)],
            "lower", 0.05,
        ).verdict != "undecided"
        for _ in range(40)
    )  # fmt: skip
    assert decided > 12


def test_a_gate_needs_fewer_runs_than_a_verdict_that_an_improvement_is_near() -> None:
    """4 % faster is near the edge of better, and far from the edge of worse."""
    base = [1.0, 1.1, 0.9, 1 / (1.1 * 0.9)]
    found = compare_processes(base, [0.96 * value for value in base], "lower", 0.05)
    assert found.regression == "inconclusive"
    assert found.needed_runs is not None
    assert found.regression_runs is not None
    assert 0 < found.regression_runs < found.needed_runs / 10
    assert compare_processes(base * 8, [0.96 * value for value in base * 8], "lower", 0.05).regression == "pass"


def test_on_the_edge_of_the_margin_no_number_of_runs_decides() -> None:
    base = [1.0, 1.1, 0.9, 1 / (1.1 * 0.9)]
    found = compare_processes(base, [1.05 * value for value in base], "lower", 0.05)
    assert (found.verdict, found.needed_runs) == ("undecided", None)
    assert "too near the margin" in found.message


def test_a_single_process_has_no_spread_and_is_never_a_pass() -> None:
    found = compare_processes([10.0], [10.0], "lower", 0.05)
    assert (found.verdict, found.regression, found.low, found.high) == ("undecided", "inconclusive", None, None)
    assert found.ratio == 1
    assert found.needed_runs is not None
    assert found.needed_runs >= 1


@pytest.mark.parametrize(("base", "head"), [([], [1.0, 2.0]), ([1.0], []), ([0.0, 0.0], [1.0, 1.1]), ([1, 2], [-1, 2])])
def test_nothing_to_compare_is_undecided_and_inconclusive(base: list[float], head: list[float]) -> None:
    found = compare_processes(base, head, "lower", 0.05)
    assert (found.verdict, found.regression) == ("undecided", "inconclusive")


def test_identical_values_without_any_spread_compare_by_themselves() -> None:
    assert compare_processes([5.0] * 3, [5.0] * 3, "lower", 0.0).verdict == "same"
    assert compare_processes([5.0] * 3, [6.0] * 3, "lower", 0.05).verdict == "worse"


def test_figures_that_are_known_to_a_last_digit_are_no_further_apart_than_it_lets_them_be() -> None:
    """Printed as 10 and 11 each time: they may have been 10.49 and 10.51."""
    exact, rounded = (compare_processes([10.0] * 3, [11.0] * 3, "lower", 0.05, slack=s) for s in (0.0, math.log1p(0.1)))
    assert (exact.verdict, exact.regression, exact.p_value) == ("worse", "fail", 0.0)
    assert (rounded.verdict, rounded.regression, rounded.p_value) == ("undecided", "inconclusive", 1.0)
    assert (rounded.low, rounded.high) == (pytest.approx(1.0), pytest.approx(1.21))
    assert rounded.needed_runs is None
    assert compare_processes([10.0] * 3, [20.0] * 3, "lower", 0.05, slack=0.1).verdict == "worse"


def test_what_makes_no_sense_is_refused() -> None:
    for margin in (-0.1, 1.0):
        with pytest.raises(ValueError, match="margin"):
            compare_processes(BASE, BASE, "lower", margin)
    with pytest.raises(ValueError, match="finite"):
        compare_processes([1.0, math.nan], BASE, "lower", 0.05)
    with pytest.raises(ValueError, match="pairs"):
        compare_processes(BASE, BASE[:4], "lower", 0.05, paired=True)


def simulated(generator: random.Random, processes: int, change: float) -> tuple[list[float], list[float]]:
    """Processes with the spread of public benchmarks: median 6 %, ninetieth percentile 22 % between ten of them."""
    spread = 0.0189 * math.exp(0.958 * generator.gauss(0, 1))
    base = [math.exp(generator.gauss(0, spread)) for _ in range(processes)]
    return base, [change * math.exp(generator.gauss(0, spread)) for _ in range(processes)]


def test_false_alarms_and_wrong_passes_stay_at_their_nominal_5_per_cent() -> None:
    generator = random.Random(9)
    rounds = 600
    for processes in (3, 5):
        alarms = passes = 0
        for _ in range(rounds):
            found = compare_processes(*simulated(generator, processes, 1.0), "lower", 0.0)
            alarms += found.verdict in ("better", "worse")
            passes += compare_processes(*simulated(generator, processes, 1.05), "lower", 0.05).regression == "pass"
        assert 0.015 <= alarms / rounds <= 0.065
        assert 0.015 <= passes / rounds <= 0.065


def test_holm_is_the_step_down_of_bonferroni() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    with pytest.raises(ValueError, match="p values"):
        holm([1.5])


@given(st.lists(st.floats(0, 1), max_size=12))
@settings(max_examples=60, deadline=None)
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)
