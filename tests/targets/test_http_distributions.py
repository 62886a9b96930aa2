"""Seeded values: pure, repeatable, and distributed as their name says."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.errors import UsageError
from bizra_gate.targets.http.distributions import DISTRIBUTIONS, SIGNATURES, parse, sampler, uniform_at

EXAMPLES = {
    "uniform(1, 6)": 3.5,
    "uniform(0.5, 1.5)": 1.0,
    "normal(100, 15)": 100.0,
    "exponential(4)": 4.0,
    "pareto(3, 2)": 3.0,
    "lognormal(1, 0.5)": math.exp(1 + 0.125),
    "poisson(7.5)": 7.5,
    "zipf(1.2, 3)": sum(k * k**-1.2 for k in (1, 2, 3)) / sum(k**-1.2 for k in (1, 2, 3)),
}


def test_there_is_an_example_and_a_signature_for_every_distribution() -> None:
    assert {text.partition("(")[0] for text in EXAMPLES} == set(DISTRIBUTIONS)
    assert [text.partition("(")[0] for text in SIGNATURES] == list(DISTRIBUTIONS)


@pytest.mark.parametrize(("spec", "mean"), EXAMPLES.items())
def test_the_mean_is_the_one_of_the_distribution(spec: str, mean: float) -> None:
    """Means over an even grid of probabilities: arithmetic, not luck."""
    quantile, _ = parse(spec)
    n = 200_000
    assert math.fsum(quantile((k + 0.5) / n) for k in range(n)) / n == pytest.approx(mean, rel=0.005)


@pytest.mark.parametrize("spec", EXAMPLES)
@given(st.floats(min_value=1e-12, max_value=1 - 1e-12), st.floats(min_value=1e-12, max_value=1 - 1e-12))
@settings(max_examples=30, deadline=None)
def test_a_larger_probability_never_gives_a_smaller_value(spec: str, one: float, other: float) -> None:
    quantile, _ = parse(spec)
    low, high = sorted((one, other))
    assert quantile(low) <= quantile(high)


@pytest.mark.parametrize("spec", EXAMPLES)
def test_a_value_depends_on_seed_field_and_index_and_on_nothing_else(spec: str) -> None:
    one, again = sampler(spec, "user", 7), sampler(spec, "user", 7)
    assert [one(index) for index in range(200)] == [again(index) for index in reversed(range(200))][::-1]
    others = (sampler(spec, "item", 7), sampler(spec, "user", 8))
    assert all([one(index) for index in range(200)] != [other(index) for index in range(200)] for other in others)


def test_uniforms_are_spread_evenly_and_stay_inside() -> None:
    values = [uniform_at(1, index) for index in range(20_000)]
    assert all(0 < value < 1 for value in values)
    tenths = Counter(int(value * 10) for value in values)
    assert sum((count - 2000) ** 2 / 2000 for count in tenths.values()) < 27.9  # chi-square, 9 df, 0.1 %


def test_whole_bounds_give_whole_numbers_from_end_to_end() -> None:
    dice = sampler("uniform(1, 6)", "dice", 1)
    assert {dice(index) for index in range(1000)} == {"1", "2", "3", "4", "5", "6"}


def test_the_most_popular_of_a_zipf_is_rank_one() -> None:
    rank = sampler("zipf(1.1, 1000)", "page", 1)
    counts = Counter(rank(index) for index in range(5000))
    assert counts.most_common(1)[0][0] == "1"
    assert all(1 <= int(text) <= 1000 for text in counts)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("zipf", "not a distribution"),
        ("gauss(1, 2)", "not a distribution"),
        ("__import__('os')", "not a distribution"),
        ("zipf(1.1)", "wrong number of parameters"),
        ("normal(1, 2, 3)", "wrong number of parameters"),
        ("normal(1, -2)", "not above zero"),
        ("normal(nan, 1)", "not finite"),
        ("uniform(5, 1)", "above the upper bound"),
        ("zipf(1, 2000000)", "from 1 to 1,000,000"),
        ("poisson(1e9)", "too wide"),
        ("exponential(x)", "could not convert"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_right_spelling(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        sampler(spec, "user", 1)
    assert "field 'user'" in caught.value.message
    assert caught.value.hint
