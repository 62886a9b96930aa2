"""Servers whose outcome is arithmetic: the closed forms, the recursion, and that they agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.load.pacer import ConstantRate, pacer_for
from bizra_gate.model import OpenLoop
from bizra_gate.targets.http.script import Desk, Script
from bizra_gate.targets.http.truth import (
    MS,
    QUANTITIES,
    S,
    Scenario,
    arrivals,
    figures,
    forgetful,
    overload,
    queue_deterministic,
    queue_exponential,
    scenarios,
    stall,
    true_responses,
)


def due_of(scenario: Scenario) -> list[int]:
    assert isinstance(scenario.load, OpenLoop)
    return arrivals(pacer_for(scenario.load).arrival_ns, scenario.duration_ns)


def test_the_stall_of_five_seconds_in_twenty_has_the_figures_that_everybody_quotes() -> None:
    found = figures(true_responses(stall().script, due_of(stall())))
    expected = {"mean": 0.625 * S, "p90": 3.0 * S, "p95": 4.0 * S, "p99": 4.8 * S, "max": 5.0 * S}
    assert dict(stall().closed_form) == expected
    assert found == {name: pytest.approx(value, rel=0.001) for name, value in expected.items()}


def test_an_overloaded_server_is_late_in_proportion_to_how_long_it_has_been_so() -> None:
    scenario, due = overload(), due_of(overload())
    desk = Desk(scenario.script, 0)
    for at in due:
        done = desk.departure(at)
        assert done - at == pytest.approx(done * (1 - 100 / 150), abs=S / 100)
    found = figures(true_responses(scenario.script, due))
    assert found == {name: pytest.approx(value, rel=0.003) for name, value in scenario.closed_form.items()}


@pytest.mark.parametrize("make", [queue_deterministic, queue_exponential])
def test_a_long_queue_comes_near_its_limit(make: object) -> None:
    scenario = make(rate_per_s=100, service_ns=5 * MS, duration_s=4000)  # type: ignore[operator]
    found = figures(true_responses(scenario.script, due_of(scenario)))
    for name, value in scenario.closed_form.items():
        assert found[name] == pytest.approx(value, rel=0.03)


@pytest.mark.parametrize("scenario", [stall(), overload()], ids=lambda scenario: scenario.name)
def test_a_generator_that_forgets_sees_almost_nothing(scenario: Scenario) -> None:
    due = due_of(scenario)
    true, said = figures(true_responses(scenario.script, due)), figures(forgetful(scenario.script, due))
    assert all(said[name] < true[name] / 100 for name in ("mean", "p90", "p99"))


def test_one_connection_never_queues_at_the_server() -> None:
    script = Script(service_ns=10 * MS, servers=1)
    due = [index * MS for index in range(100)]
    assert set(forgetful(script, due).low) == {10 * MS}


@given(
    gaps=st.lists(st.integers(min_value=0, max_value=50), min_size=1, max_size=40),
    service=st.integers(min_value=0, max_value=40),
    servers=st.none() | st.integers(min_value=1, max_value=4),
    frozen=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100)), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_a_desk_obeys_the_laws_of_a_queue(
    gaps: list[int], service: int, servers: int | None, frozen: list[tuple[int, int]]
) -> None:
    stretches, last = [], 0
    for begin, length in sorted(frozen):
        stretches.append((max(last, begin), max(last, begin) + length))
        last = stretches[-1][1]
    script = Script(service_ns=service, servers=servers, frozen_ns=tuple(stretches))
    desk, at, departures = Desk(script, 0), 0, []
    for gap in gaps:
        at += gap
        departures.append(desk.departure(at))
        assert departures[-1] >= at + service
        assert not any(begin < departures[-1] < end for begin, end in stretches)
    assert departures == sorted(departures)
    if servers is None and not stretches:
        assert departures[-1] == at + service
    if servers is not None:
        done_at_once = (a <= b - service for a, b in zip(departures, departures[servers:], strict=False))
        assert all(done_at_once)


def test_work_that_a_freeze_interrupts_goes_on_afterwards() -> None:
    desk = Desk(Script(service_ns=10, servers=None, frozen_ns=((100, 150), (200, 300))), 1000)
    assert [desk.departure(at) for at in (1000, 1095, 1100, 1120, 1145, 1195)] == [1010, 1155, 1160, 1160, 1160, 1305]


def test_service_times_are_a_pure_function_of_the_number_of_the_request() -> None:
    script = Script(service_ns=MS, law="exponential", seed=3)
    assert [script.service_at(i) for i in range(50)] == [script.service_at(i) for i in reversed(range(50))][::-1]
    mean = sum(script.service_at(i) for i in range(20_000)) / 20_000
    assert mean == pytest.approx(MS, rel=0.03)
    assert script.service_at(0) != Script(service_ns=MS, law="exponential", seed=4).service_at(0)


def test_arrivals_end_with_the_window() -> None:
    assert arrivals(ConstantRate(10).arrival_ns, S) == [index * S // 10 for index in range(10)]


def test_every_scenario_judges_what_it_should() -> None:
    names = [scenario.name for scenario in scenarios()]
    assert names == ["stall", "overload", "M/D/1", "M/M/1", "closed loop"]
    assert all({"mean", "p90", "p99"} <= set(scenario.judged) <= set(QUANTITIES) for scenario in scenarios())
    assert max(scenario.duration_ns for scenario in scenarios()) <= 60 * S
