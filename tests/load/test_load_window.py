"""The grid tiles time, and the counted window exactly."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.load.window import Window, interval_length_ns

S = 1_000_000_000

windows = st.builds(
    Window.after, st.integers(0, 10**12), st.integers(0, 40 * S), st.integers(1, 200 * S).map(lambda ns: max(ns, 20))
)


@pytest.mark.parametrize(
    ("duration_ns", "length_ns"),
    [(120 * S, S), (20 * S, S), (3600 * S, S), (10 * S, 500_000_000), (3 * S, 100_000_000), (S, 50_000_000)],
)
def test_intervals_are_a_second_or_what_gives_twenty(duration_ns: int, length_ns: int) -> None:
    assert interval_length_ns(duration_ns) == length_ns


@given(windows)
@settings(max_examples=200, deadline=None)
def test_the_edges_tile_the_window_exactly(window: Window) -> None:
    edges = [window.edge(k) for k in range(window.intervals + 1)]
    assert edges[0] == window.opens_ns
    assert edges[-1] == window.closes_ns
    assert all(b - a >= window.length_ns for a, b in pairwise(edges))


@given(windows, st.integers(0, 300 * S))
@settings(max_examples=200, deadline=None)
def test_every_moment_lies_in_its_interval(window: Window, offset: int) -> None:
    now = window.origin_ns + offset
    k = window.index(now)
    assert window.edge(k) <= now < window.edge(k + 1) == window.next_edge(now)


@given(windows)
@settings(max_examples=100, deadline=None)
def test_phases_change_at_the_edges(window: Window) -> None:
    assert window.phase(window.opens_ns) == "measured"
    assert window.phase(window.closes_ns - 1) == "measured"
    assert window.phase(window.closes_ns) == "drain"
    if window.opens_ns > window.origin_ns:
        assert window.phase(window.opens_ns - 1) == "warm-up"


@given(windows, st.integers(0, 39))
@settings(max_examples=100, deadline=None)
def test_moving_the_opening_by_whole_intervals_moves_no_edge(window: Window, back: int) -> None:
    opens = window.edge(-back)
    if window.opens_ns - opens != back * window.length_ns or window.intervals * window.length_ns != (
        window.closes_ns - window.opens_ns
    ):
        return
    moved = window.opening_at(opens)
    assert moved.closes_ns - moved.opens_ns == window.closes_ns - window.opens_ns
    assert [moved.edge(k + back) for k in range(-back, 1)] == [window.edge(k) for k in range(-back, 1)]


def test_the_window_opens_at_an_edge_and_never_before_it_was_asked_to() -> None:
    window = Window.after(0, 10 * S, 120 * S)
    assert window.earliest_opening(3 * S) == 3 * S
    assert window.earliest_opening(3 * S + 1) == 4 * S
