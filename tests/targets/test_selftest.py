"""The selftest's own judgement: what is off is off, what is missing is off, and nothing measured proves nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bizra_gate import selftest
from bizra_gate.errors import Interrupted, TargetError, UsageError
from bizra_gate.load.pacer import pacer_for
from bizra_gate.model import Distribution, InFlight, Latency, Measurement, OpenLoop, Source
from bizra_gate.selftest import Row, SelftestReport, compared
from bizra_gate.targets.http import truth
from bizra_gate.targets.http.truth import S, Scenario

SOURCE = Source("bizra-gate", foreign=False)


def test_within_the_tolerance_is_ok_and_beyond_it_is_not() -> None:
    assert compared("s", "q", "ns", 100.0, 102.0).ok
    assert compared("s", "q", "ns", 100.0, 98.0).ok
    assert not compared("s", "q", "ns", 100.0, 102.1).ok
    assert not compared("s", "q", "ns", 100.0, 97.9).ok
    assert compared("s", "q", "1", 0, 0, tolerance=0).ok
    assert not compared("s", "q", "1", 0, 1, tolerance=0).ok


def test_what_was_not_measured_is_not_ok() -> None:
    row = compared("s", "q", "ns", 100.0, None)
    assert (row.ok, row.measured, row.error) == (False, None, None)


def test_a_report_without_rows_proves_nothing() -> None:
    assert not SelftestReport((), 1).ok
    assert SelftestReport((compared("s", "q", "ns", 1.0, 1.0),), 1).ok


def test_the_histogram_is_hdrhistograms() -> None:
    assert [row.measured for row in selftest.histogram_rows(3000)] == [0]


def test_ten_thousand_perfect_answers_and_a_pause_are_reported_as_they_were() -> None:
    rows = selftest.pause_rows()
    assert all(row.ok for row in rows)
    said = {row.quantity: (row.measured, row.forgetful) for row in rows}
    assert said["p99"][0] == pytest.approx(98 * S, rel=0.001)
    assert said["p99"][1] == 1_000_000
    assert said["mean"][0] == pytest.approx(25.0035 * S, rel=0.0001)


def as_measured(scenario: Scenario, *, late_ns: int = 0, lost: int = 0) -> Measurement:
    assert isinstance(scenario.load, OpenLoop)
    due = truth.arrivals(pacer_for(scenario.load).arrival_ns, scenario.duration_ns)
    times = truth.true_responses(scenario.script, due)
    shifted = Distribution.of(
        value + late_ns for low, count in zip(times.low, times.count, strict=True) for value in [low] * count
    )
    return Measurement(SOURCE, operations=len(due) - lost, response=Latency(shifted))


def test_a_true_measurement_passes_and_a_late_or_short_one_does_not() -> None:
    scenario = truth.queue_exponential(duration_s=10)
    assert isinstance(scenario.load, OpenLoop)
    assert all(row.ok for row in selftest.open_rows(scenario, scenario.load, as_measured(scenario)))
    late = selftest.open_rows(scenario, scenario.load, as_measured(scenario, late_ns=5_000_000))
    assert not {row.quantity: row.ok for row in late}["mean"]
    short = selftest.open_rows(scenario, scenario.load, as_measured(scenario, lost=1))
    assert not {row.quantity: row.ok for row in short}["requests"]
    empty = selftest.open_rows(scenario, scenario.load, Measurement(SOURCE))
    assert not any(row.ok for row in empty)


def test_a_closed_loop_is_checked_by_its_product_and_by_its_integral() -> None:
    scenario = truth.closed_loop(users=8, service_ns=200_000_000, duration_s=20)
    service = Latency(Distribution.of([200_000_000] * 800))
    good = Measurement(SOURCE, operations=800, service=service, in_flight=InFlight(20 * S, 8 * 20 * S))
    assert isinstance(scenario.load, truth.ClosedLoop)
    assert all(row.ok for row in selftest.closed_rows(scenario, scenario.load, good))
    dropped = selftest.closed_rows(scenario, scenario.load, replace(good, operations=700))
    assert [row.quantity for row in dropped if not row.ok] == ["λ·W"]


def test_a_scenario_that_cannot_be_measured_is_a_row_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(scenario: Scenario) -> Measurement:
        raise TargetError("nobody there")

    monkeypatch.setattr(selftest, "measure", fail)
    report = SelftestReport(tuple(selftest.live_rows([truth.stall()], print)), 1)
    assert not report.ok
    assert "nobody there" in selftest.render(report)


def test_a_scenario_that_breaks_is_a_row_that_is_off_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(scenario: Scenario) -> Measurement:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(selftest, "measure", fail)
    rows = selftest.live_rows([truth.overload(), truth.stall()], print)
    assert [(row.scenario, row.ok) for row in rows] == [("overload", False), ("stall", False)]
    assert "nobody foresaw this" in rows[0].note


def test_ctrl_c_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(selftest, "scenario_rows", lambda scenario: [])
    with pytest.raises(Interrupted):
        selftest.live_rows([truth.stall()], interrupt)


ROWS = (
    compared("stall", "p99", "ns", 4.8 * S, 4.81 * S, forgetful=0.0, closed_form=4.8 * S),
    compared("stall", "mean", "ns", 0.6 * S, None),
    Row("clock", "resolution", "ns", None, 30.0, None, 1000, True, note="at most 1000 ns"),
)


def test_a_report_is_a_table_for_people_and_json_for_programs() -> None:
    report = SelftestReport(ROWS, 42 * S)
    table = selftest.render(report)
    assert "stall     p99" in table
    assert "+0.21%" in table
    assert "OFF: stall mean" in table
    document = json.loads(selftest.render(report, "json"))
    assert (document["schema"], document["ok"], len(document["rows"])) == ("bizra-gate/selftest/v1", False, 3)
    with pytest.raises(UsageError, match="json, terminal"):
        selftest.render(report, "yaml")


def test_a_busy_machine_is_named_only_where_something_is_off() -> None:
    late = Row("stall", selftest.OWN_LAG, "ns", None, 3_000_000.0, None, 0, True, note="not judged")
    assert "was 3 ms late" in selftest.render(SelftestReport((*ROWS, late), 1))
    assert "late. Try" not in selftest.render(SelftestReport((ROWS[0], late), 1))


def test_a_live_scenario_goes_the_way_of_a_real_measurement() -> None:
    """Short, so its figures are not judged here: every request must be there, under its own name."""
    scenario = truth.stall(rate_per_s=100, duration_s=2, frozen_s=1)
    said: list[str] = []
    rows = selftest.live_rows([scenario], said.append)
    assert [row.quantity for row in rows] == ["requests", *truth.QUANTITIES, selftest.OWN_LAG]
    assert rows[0].measured == 200
    assert len(said) == 1
