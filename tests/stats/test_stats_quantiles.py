"""Order-statistic intervals against scipy's binomial, and the vectors that every HDR implementation is tested with."""

from __future__ import annotations

import math
import random

import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.model import Distribution
from bizra_gate.stats import binomial
from bizra_gate.stats.quantiles import estimates, order_statistic_ranks, quantile_interval, samples_needed

MS, S = 1_000_000, 1_000_000_000
MINIMUM_N = {0.5: 6, 0.9: 36, 0.95: 72, 0.99: 368, 0.999: 3688, 0.9999: 36887}


@pytest.mark.parametrize(("q", "n"), MINIMUM_N.items())
def test_the_fewest_samples_of_a_bounded_interval_are_the_published_ones(q: float, n: int) -> None:
    assert samples_needed(q) == n
    assert None not in order_statistic_ranks(n, q)
    assert order_statistic_ranks(n - 1, q)[1] is None


@pytest.mark.parametrize(
    ("n", "q", "ranks"),
    [(10_000, 0.99, (9880, 9920)), (10_000, 0.999, (9983, 9997)), (10**6, 0.999, (998_938, 999_062))],
)
def test_ranks_of_known_cases(n: int, q: float, ranks: tuple[int, int]) -> None:
    assert order_statistic_ranks(n, q) == ranks


def scipy_ranks(n: int, q: float, confidence: float) -> tuple[int | None, int | None]:
    tail = (1 - confidence) / 2
    low, high = int(scipy.stats.binom.ppf(tail, n, q)), int(scipy.stats.binom.ppf(1 - tail, n, q)) + 1
    return (low or None), (high if high <= n else None)


@pytest.mark.parametrize("q", [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999])
def test_ranks_equal_those_of_scipy_from_one_to_a_billion(q: float) -> None:
    generator = random.Random(7)
    sizes = [*range(1, 60), *(int(10 ** generator.uniform(1.5, 9)) for _ in range(80)), 10**9]
    for n in sizes:
        for confidence in (0.9, 0.95, 0.99):
            assert order_statistic_ranks(n, q, confidence) == scipy_ranks(n, q, confidence), (n, confidence)


@given(st.integers(1, 10**9), st.floats(0.0005, 0.9995), st.sampled_from([0.005, 0.025, 0.1, 0.3, 0.95, 0.975]))
@settings(max_examples=150, deadline=None)
def test_the_binomial_quantile_is_the_one_of_scipy(n: int, q: float, p: float) -> None:
    assert binomial.ppf(p, n, q) == int(scipy.stats.binom.ppf(p, n, q))


@given(st.integers(2, 10**9), st.floats(0.001, 0.999), st.floats(-3, 3))
@settings(max_examples=100, deadline=None)
def test_the_binomial_distribution_function_is_the_one_of_scipy(n: int, q: float, z: float) -> None:
    k = min(n - 1, max(0, round(n * q + z * math.sqrt(n * q * (1 - q)))))
    assert binomial.cdf(k, n, q) == pytest.approx(float(scipy.stats.binom.cdf(k, n, q)), rel=1e-8)


def test_the_expansion_errs_by_a_tenth_of_what_it_admits() -> None:
    for n in (100, 1000, 10_000, 100_000, 1_000_000):
        for q in (0.5, 0.75, 0.9, 0.95, 0.99, 0.999):
            spread = math.sqrt(n * q * (1 - q))
            if spread < binomial._SMALL_SPREAD:
                continue
            for z in (-2.576, -1.96, -1.645, 1.645, 1.96, 2.576):
                k = round(n * q + z * spread)
                if k < n:
                    place = binomial._cornish_fisher(float(scipy.stats.binom.cdf(k, n, q)), n, q) - 0.5
                    assert abs(place - k) < binomial._expansion_error(spread, n) / 8


def test_the_interval_covers_the_quantile_as_often_as_it_says() -> None:
    generator = random.Random(11)
    for q in (0.5, 0.9, 0.99):
        truth = -math.log(1 - q) * MS
        inside = 0
        for _ in range(400):
            sample = Distribution.of(round(generator.expovariate(1 / MS)) for _ in range(500))
            low, high = quantile_interval(sample, q)
            assert low is not None
            assert high is not None
            inside += low <= truth <= high
        assert 0.93 <= inside / 400 <= 0.995, q


def test_an_interval_that_the_sample_cannot_bound_stays_open() -> None:
    sample = Distribution.of(range(1, 368))
    low, high = quantile_interval(sample, 0.99)
    assert low is not None
    assert high is None
    assert quantile_interval(Distribution.of([5] * 5), 0.5) == (None, None)
    assert quantile_interval(Distribution.of([]), 0.5) == (None, None)


def test_a_smaller_effective_n_widens_the_interval_by_its_root_and_opens_it_in_the_end() -> None:
    sample = Distribution.of(range(1, 100_001))
    low, high = quantile_interval(sample, 0.9)
    wide_low, wide_high = quantile_interval(sample, 0.9, n_effective=1000)
    assert low is not None
    assert high is not None
    assert wide_low is not None
    assert wide_high is not None
    assert (wide_high - wide_low) / (high - low) == pytest.approx(10, rel=0.06)
    assert quantile_interval(sample, 0.9, n_effective=35.9)[1] is None
    assert quantile_interval(sample, 0.9, n_effective=36)[1] is not None
    assert quantile_interval(sample, 0.9, n_effective=10**9) == (low, high)


def test_edges_of_wide_bins_are_used_outwards_and_never_beyond_what_was_seen() -> None:
    wide = Distribution((10, 100), (99, 999), (500, 500), minimum=40, maximum=300)
    assert quantile_interval(wide, 0.5) == (40, 300)
    bare = Distribution((10, 100), (99, 999), (500, 500))
    assert quantile_interval(bare, 0.5) == (10, 999)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.95]))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_estimate(values: list[int], q: float) -> None:
    sample = Distribution.of(values)
    estimate = sample.quantile(q)
    low, high = quantile_interval(sample, q)
    assert estimate is not None
    assert low is None or low <= estimate
    assert high is None or estimate <= high


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=300),
    st.lists(st.tuples(st.floats(0.001, 0.9999), st.one_of(st.none(), st.floats(0, 400))), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_estimates_of_many_quantiles_are_those_of_each(
    values: list[int], asked: list[tuple[float, float | None]]
) -> None:
    sample = Distribution.of(values)
    each = [(sample.quantile(q), quantile_interval(sample, q, 0.9, effective)) for q, effective in asked]
    assert estimates(sample, [q for q, _ in asked], 0.9, [effective for _, effective in asked]) == each


@pytest.mark.parametrize(("q", "confidence"), [(0, 0.95), (1, 0.95), (0.5, 0), (0.5, 1), (1.2, 0.95)])
def test_a_quantile_or_confidence_outside_0_to_1_is_refused(q: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        order_statistic_ranks(100, q, confidence)


def test_ten_thousand_perfect_and_one_of_a_hundred_seconds() -> None:
    """The stall that a waiting generator sees once: all but one value look perfect."""
    raw = Distribution.of([MS] * 10_000 + [100 * S])
    assert [raw.quantile(q) for q in (0.5, 0.75, 0.9, 0.99, 0.9999)] == [MS] * 5
    assert raw.quantile(0.99999) == 100 * S
    assert raw.mean == pytest.approx((10_000 * MS + 100 * S) / 10_001)


def test_the_same_stall_with_the_operations_that_were_due_in_it() -> None:
    """One operation was due every 10 ms; those due in the stall waited 99.99 s, 99.98 s, … 10 ms."""
    due = Distribution.of([MS] * 10_000 + [100 * S - i * 10 * MS for i in range(10_000)])
    assert due.n == 20_000
    quantiles = {q: due.quantile(q) for q in (0.5, 0.75, 0.9, 0.99, 0.9999, 0.99999)}
    assert quantiles == {0.5: MS, 0.75: 50 * S, 0.9: 80 * S, 0.99: 98 * S, 0.9999: 99_980 * MS, 0.99999: 100 * S}
    assert due.mean == pytest.approx(25.003 * S, rel=1e-3)
