"""Pacers are pure functions of the index, so their tests are tables and laws."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.errors import UsageError
from bizra_gate.load.pacer import NEVER_NS, ConstantRate, Poisson, Stages, pacer_for
from bizra_gate.model import OpenLoop, Stage

S = 1_000_000_000


@pytest.mark.parametrize(
    ("rate", "index", "expected"),
    [
        (100, 0, 0),
        (100, 7, 70_000_000),
        (3, 1, 333_333_333),
        (3, 3, S),
        (50_000, 180_000_000, 3600 * S),
        (0.5, 1, 2 * S),
    ],
)
def test_a_constant_rate_is_a_table(rate: float, index: int, expected: int) -> None:
    assert ConstantRate(per_s=rate).arrival_ns(index) == expected


@given(rate=st.floats(0.1, 1e6), indexes=st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_an_arrival_depends_on_its_index_and_not_on_what_was_asked_before(rate: float, indexes: list[int]) -> None:
    pacer = ConstantRate(rate)
    assert [pacer.arrival_ns(i) for i in indexes] == [ConstantRate(rate).arrival_ns(i) for i in indexes]


@given(seed=st.integers(0, 2**32), workers=st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_workers_together_send_exactly_what_one_would(seed: int, workers: int) -> None:
    whole = Poisson(1000, seed)
    parts = [Poisson(1000, seed, worker, workers) for worker in range(workers)]
    together = sorted(parts[i % workers].arrival_ns(i // workers) for i in range(9000))
    assert together == [whole.arrival_ns(i) for i in range(9000)]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_poisson_arrivals_never_go_back_not_even_between_chunks(seed: int) -> None:
    arrivals = Poisson(1000, seed).arrivals(0, 10_000)
    assert all(a <= b for a, b in pairwise(arrivals))


def test_poisson_arrivals_are_the_same_whatever_order_they_are_asked_in() -> None:
    late_first = Poisson(1000, 3)
    last = late_first.arrival_ns(20_000)
    in_order = Poisson(1000, 3)
    assert [in_order.arrival_ns(i) for i in range(20_001)][-1] == last
    assert late_first.arrival_ns(0) == in_order.arrival_ns(0)


def test_poisson_gaps_are_exponential() -> None:
    arrivals = Poisson(1000, seed=5).arrivals(0, 100_000)
    gaps = sorted(b - a for a, b in pairwise(arrivals))
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1_000_000, rel=0.01)
    assert deviation / mean == pytest.approx(1, rel=0.02), "an exponential's deviation equals its mean"
    assert gaps[len(gaps) // 2] / mean == pytest.approx(0.693, rel=0.02), "and its median is ln 2 of it"


def test_different_seeds_give_different_arrivals() -> None:
    assert Poisson(1000, 1).arrival_ns(0) != Poisson(1000, 2).arrival_ns(0)


def test_a_linear_ramp_follows_the_square_root() -> None:
    ramp = Stages([Stage(10 * S, 0, 100)])
    assert [ramp.arrival_ns(i) for i in (0, 125, 320)] == [0, 5 * S, 8 * S]


def test_a_falling_ramp_is_the_rising_one_in_a_mirror() -> None:
    falling = Stages([Stage(10 * S, 100, 0)])
    assert falling.arrival_ns(500 - 125) == 5 * S
    assert falling.arrival_ns(500) == NEVER_NS, "the rate has come down to nothing and stays there"


def test_nothing_arrives_in_a_stage_of_rate_zero() -> None:
    pacer = Stages([Stage(S, 10, 10), Stage(5 * S, 0, 0), Stage(S, 10, 10)])
    assert [pacer.arrival_ns(i) for i in (9, 10, 11)] == [900_000_000, 6 * S, 6_100_000_000]


def test_the_last_stage_goes_on_for_ever() -> None:
    pacer = Stages([Stage(S, 10, 10), Stage(S, 10, 20)])
    assert pacer.arrival_ns(10 + 15 + 20) == 3 * S


@given(
    stages=st.lists(
        st.builds(Stage, st.integers(1, 20).map(lambda s: s * S), st.integers(0, 50), st.integers(0, 50)),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_each_stage_brings_the_area_below_its_rate(stages: list[Stage]) -> None:
    pacer = Stages(stages)
    due, end = 0.0, 0
    for stage in stages:
        due += (stage.from_per_s + stage.to_per_s) / 2 * stage.duration_ns / S
        end += stage.duration_ns
        arrived = sum(pacer.arrival_ns(i) < end for i in range(int(due) + 3))
        assert abs(arrived - due) <= 1


def test_stages_begin_when_the_warm_up_ends_and_their_first_rate_holds_before() -> None:
    pacer = pacer_for(OpenLoop(1, stages=(Stage(10 * S, 10, 10), Stage(10 * S, 20, 20))), warmup_ns=3 * S)
    assert pacer.arrival_ns(0) == 0
    assert pacer.arrival_ns(30 + 100) == 13 * S
    assert pacer.arrival_ns(30 + 100 + 20) == 14 * S


def test_random_arrivals_follow_the_stages_too() -> None:
    load = OpenLoop(1, arrivals="poisson", stages=(Stage(100 * S, 10, 10), Stage(100 * S, 100, 100)))
    pacer = pacer_for(load)
    arrivals = [pacer.arrival_ns(i) for i in range(11_000)]
    early = sum(when < 100 * S for when in arrivals)
    late = sum(100 * S <= when < 200 * S for when in arrivals)
    assert early == pytest.approx(1000, rel=0.1)
    assert late == pytest.approx(10_000, rel=0.05)


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="above zero"):
        pacer_for(OpenLoop(rate))


@pytest.mark.parametrize("stage", [Stage(0, 1, 1), Stage(S, -1, 1)])
def test_a_stage_without_time_or_with_a_negative_rate_is_refused(stage: Stage) -> None:
    with pytest.raises(UsageError, match="stage"):
        pacer_for(OpenLoop(1, stages=(stage,)))
