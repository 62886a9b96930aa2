"""Order, counts and summary: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import MS, OWN, POLICY, TOOL, S, found, observed, reason

from bizra_gate.audit import (
    coherence_count,
    coherence_order,
    coherence_summary,
)
from bizra_gate.model import (
    Distribution,
    Figure,
    Finding,
    Intervals,
    Latency,
    Measurement,
    Printed,
    Run,
)


def ordered(**fields: object) -> list[Finding]:
    return found(coherence_order.order(Measurement(TOOL, latency=Latency(**fields)), POLICY))  # type: ignore[arg-type]


def test_equal_neighbours_are_in_order() -> None:
    assert ordered(minimum=Figure(MS), percentiles=((50.0, Figure(MS)), (99.0, Figure(MS))), maximum=Figure(MS)) == []


def test_figures_of_different_resolution_may_be_off_by_half_a_digit_each() -> None:
    assert ordered(percentiles=((99.0, Figure(5 * MS, MS)),), maximum=Figure(4.5 * MS)) == []
    assert ordered(percentiles=((99.0, Figure(5 * MS, MS)),), maximum=Figure(4.4 * MS)) != []


def test_a_percentile_may_exceed_the_maximum_by_its_bin() -> None:
    top = ((99.0, Figure(105.0)),)
    assert ordered(percentiles=top, maximum=Figure(100.0), bin_ratio=0.05) == []
    assert ordered(percentiles=top, maximum=Figure(99.0), bin_ratio=0.05) != []


@pytest.mark.parametrize(("mean", "right"), [(15.0, True), (14.0, False), (60.0, True), (66.0, False)])
def test_the_mean_lies_between_what_its_percentiles_allow(mean: float, right: bool) -> None:
    """min 10, p50 20, max 100 over 1,000 values: 15 … 60, and one rank."""
    parts = {"minimum": Figure(10.0), "percentiles": ((50.0, Figure(20.0)),), "maximum": Figure(100.0)}
    assert (ordered(count=1000, percentile_method="ceil-rank", mean=Figure(mean), **parts) == []) is right


def test_without_a_maximum_a_mean_has_no_upper_bound() -> None:
    assert ordered(count=1000, mean=Figure(10_000.0), percentiles=((50.0, Figure(20.0)),)) == []


def test_percentiles_are_put_in_order_before_they_are_compared() -> None:
    assert ordered(percentiles=((99.0, Figure(9.0)), (50.0, Figure(5.0)))) == []


@pytest.mark.parametrize(("recorded", "right"), [(100, True), (96, True), (95, False), (104, True), (105, False)])
def test_counters_of_another_tool_may_differ_by_what_was_in_flight(recorded: int, right: bool) -> None:
    told = Measurement(TOOL, concurrency=4, operations=100, latency=Latency(count=recorded))
    assert (found(coherence_count.counts(told, POLICY)) == []) is right


@pytest.mark.parametrize(("includes", "recorded", "right"), [
    (True, 100, True), (None, 100, True), (None, 90, True), (False, 90, True), (False, 100, False), (None, 80, False),
])  # fmt: skip
def test_errors_are_in_the_latencies_or_not_as_the_tool_says(includes: bool | None, recorded: int, right: bool) -> None:
    told = Measurement(
        TOOL, operations=100, operations_include_errors=True, errors={"503": 10},
        latency=Latency(count=recorded, includes_errors=includes),
    )  # fmt: skip
    assert (found(coherence_count.counts(told, POLICY)) == []) is right


@pytest.mark.parametrize(
    ("counted", "errors", "right"), [((50, 50), (0, 0), True), ((50, 40), (0, 10), True), ((50, 40), (0, 5), False)]
)
def test_intervals_of_successes_fit_latencies_with_errors(
    counted: tuple[int, ...], errors: tuple[int, ...], right: bool
) -> None:
    series = Intervals(S, (0, S), counted, errors)
    told = Measurement(TOOL, operations=100, latency=Latency(count=100, includes_errors=True), intervals=series)
    assert (found(coherence_count.counts(told, POLICY)) == []) is right


def test_each_of_several_runs_of_ours_must_count_for_itself() -> None:
    part = Latency(histogram=Distribution.of(range(MS, MS + 40)), count=40)
    other = Latency(histogram=Distribution.of(range(MS, MS + 60)), count=60)
    runs = (Run(0, operations=41, service=part), Run(1, operations=59, service=other))
    whole = Latency(histogram=Distribution.of([*range(MS, MS + 40), *range(MS, MS + 60)]), count=100)
    told = Measurement(OWN, operations=100, service=whole, latency=whole, runs=runs)
    assert observed(coherence_count.counts(told, POLICY)) == [
        "40 latencies, 41 operations",
        "60 latencies, 59 operations",
    ]


def test_runs_of_ours_count_their_timeouts() -> None:
    part = Latency(histogram=Distribution.of(range(MS, MS + 40)), count=40)
    runs = tuple(Run(i, operations=38 + i, errors={"timeout": 2 - i, "refused": 7}, service=part) for i in (0, 1))
    told = Measurement(
        OWN, runs=(runs[0], replace(runs[1], service=replace(part, histogram=Distribution.of(range(40)))))
    )
    assert found(coherence_count.counts(told, POLICY)) == []


def test_few_equal_values_do_not_make_twins() -> None:
    runs = tuple(Run(i, service=Latency(histogram=Distribution.of([MS] * 100))) for i in (0, 1))
    assert "only one count" in reason(coherence_count.counts(Measurement(OWN, runs=runs), POLICY))


@pytest.mark.parametrize(("printed", "right"), [(1.5, True), (1.52, True), (1.6, False), (1.4, False)])
def test_a_mean_is_held_against_its_histogram(printed: float, right: bool) -> None:
    held = Latency(histogram=Distribution.of([MS] * 50 + [2 * MS] * 50), mean=Figure(printed * MS, 0.05 * MS))
    assert (found(coherence_summary.summary(Measurement(TOOL, latency=held), POLICY)) == []) is right


@pytest.mark.parametrize(("what", "value", "right"), [
    ("minimum", MS, True), ("minimum", MS - 2, False), ("maximum", 2 * MS, True), ("maximum", 3 * MS, False),
])  # fmt: skip
def test_extremes_are_held_against_their_histogram(what: str, value: int, right: bool) -> None:
    held = Latency(histogram=Distribution.of([MS] * 50 + [2 * MS] * 50))
    told = Measurement(TOOL, latency=replace(held, **{what: Figure(float(value))}))
    assert (found(coherence_summary.summary(told, POLICY)) == []) is right


@pytest.mark.parametrize(("value", "right"), [(10.4999, True), (10.5001, True), (10.502, False)])
def test_the_summary_is_compared_to_half_of_the_sixth_digit(value: float, right: bool) -> None:
    told = Measurement(OWN, operations=105, duration_ns=Figure(10 * S), printed=(Printed("throughput", 10.5, "1/s"),))
    changed = replace(told, printed=(replace(told.printed[0], value=value / 10.5 * 10.5),))
    near = replace(told, printed=(replace(told.printed[0], value=10.5 + (value - 10.5) / 100),))
    assert found(coherence_summary.summary(near, POLICY)) == [] or not right
    assert found(coherence_summary.summary(changed, POLICY)) != []


def test_zero_is_only_equal_to_zero() -> None:
    told = Measurement(OWN, operations=10, errors={}, printed=(Printed("error_rate", 1e-9, "ratio"),))
    assert any("error_rate" in finding.observed for finding in found(coherence_summary.summary(told, POLICY)))


def test_a_figure_that_differs_in_its_last_digits_is_shown_with_them() -> None:
    told = Measurement(OWN, operations=1_234_567, printed=(Printed("operations", 1_234_777, "1"),))
    assert observed(coherence_summary.summary(told, POLICY)) == ["operations 1,234,777"]
