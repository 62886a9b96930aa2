"""Changes over the artifacts of one gate."""

from __future__ import annotations

import math
import random

import pytest

from bizra_gate.stats.history import _shuffle, change_points


def sessions(seed: int, levels: list[float], spread: float = 0.02) -> list[float]:
    generator = random.Random(seed)
    return [level * math.exp(generator.gauss(0, spread)) for level in levels]


def test_a_lasting_change_is_found_where_it_happened() -> None:
    (shift,) = change_points(sessions(1, [1e6] * 12 + [1.1e6] * 9))
    assert shift.index == 12
    assert shift.ratio == pytest.approx(1.1, rel=0.03)
    assert shift.before == pytest.approx(1e6, rel=0.02)
    assert shift.p_value <= 0.05


def test_two_changes_are_both_found_and_told_against_their_neighbours() -> None:
    shifts = change_points(sessions(5, [100] * 10 + [150] * 10 + [120] * 10))
    assert [shift.index for shift in shifts] == [10, 20]
    assert shifts[1].ratio == pytest.approx(0.8, rel=0.03)


def test_one_odd_session_is_no_change() -> None:
    for seed in range(10):
        assert change_points(sessions(seed, [100] * 10 + [300] + [100] * 10)) == ()


def test_the_nominal_level_is_kept_whatever_the_distribution() -> None:
    generator = random.Random(3)
    alarms = sum(bool(change_points([generator.lognormvariate(0, 0.5) for _ in range(20)])) for _ in range(300))
    assert 0.02 <= alarms / 300 <= 0.08


def test_too_few_points_say_nothing() -> None:
    assert change_points([]) == change_points([1.0]) == change_points([1.0, 1.0, 1.0, 9.0, 9.0]) == ()
    assert change_points([1.0, 1.01, 1.02, 9.0, 9.01, 9.02]) == ()


def test_constant_and_zero_values_are_no_trouble() -> None:
    assert change_points([5.0] * 30) == ()
    (shift,) = change_points([0.0] * 10 + [0.3 + i % 3 / 1000 for i in range(10)])
    assert (shift.index, shift.ratio) == (10, None)


def test_the_same_history_gives_the_same_answer() -> None:
    values = sessions(4, [10] * 8 + [10.6] * 8, 0.03)
    assert change_points(values) == change_points(values)


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        change_points([1.0, math.nan])


def test_orders_are_those_of_random_shuffle() -> None:
    ours, theirs = random.Random(9), random.Random(9)
    for n in (0, 1, 2, 3, 17, 64, 65):
        first, second = [float(i) for i in range(n)], [float(i) for i in range(n)]
        _shuffle(first, ours.getrandbits)
        theirs.shuffle(second)
        assert first == second
    assert ours.random() == theirs.random()
