from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
import reports_builders as builders

from bizra_gate.model import CheckReport, Distribution, Intervals, Latency, Measurement, Source
from bizra_gate.reports import curves
from bizra_gate.stats.summary import summarize

S = 1_000_000_000


def test_the_curve_says_what_the_summary_says() -> None:
    measurement = builders.measurement()
    metrics = summarize(measurement)
    points = {point.p: point for point in curves.percentiles(measurement)["latency"]}
    for p in (50.0, 99.0, 99.9):
        metric = metrics[f"latency.p{p:g}"]
        assert points[p].value_ns == metric.estimate
        assert (points[p].low_ns, points[p].high_ns) == metric.interval


def test_the_curve_rises_and_ends_where_one_value_is_left() -> None:
    said = Measurement(Source("x"), loop="closed", latency=Latency(Distribution.of(range(1, 1001)), 1000))
    points = curves.percentiles(said)["latency"]
    assert [p.value_ns for p in points] == sorted(p.value_ns for p in points)
    assert points[-1].p == pytest.approx(99.9)
    assert points[-1].nines == pytest.approx(3.0)
    assert points[-1].high_ns is None


def test_without_counts_the_curve_is_what_was_printed() -> None:
    points = curves.percentiles(builders.impossible_measurement())["latency"]
    assert [(point.p, point.value_ns, point.low_ns) for point in points] == [(50.0, 0, None), (99.0, 0, None)]


def test_the_histogram_holds_every_value_once() -> None:
    bins = curves.histogram(builders.measurement().latency)
    assert sum(one.share for one in bins) == pytest.approx(1.0)
    assert all(a.high_ns == pytest.approx(b.low_ns) for a, b in pairwise(bins))


def test_zeros_alone_have_no_histogram() -> None:
    assert curves.histogram(Latency(Distribution.of([0, 0]), 2)) == ()


def test_warm_up_lies_before_zero_and_the_drain_is_left_out() -> None:
    measurement = builders.measurement()
    run = measurement.runs[0]
    assert run.intervals is not None
    drained = dataclasses.replace(
        run.intervals,
        **{name: (*getattr(run.intervals, name), value) for name, value in
           (("start_ns", 120 * S), ("count", 3), ("total_ns", 3), ("p99_ns", 1), ("in_flight_ns", 1))},
    )  # fmt: skip
    said = dataclasses.replace(measurement, runs=(dataclasses.replace(run, intervals=drained),))
    (one,) = curves.series(said)
    assert one.start_s[0] == -30
    assert one.start_s[-1] == 119
    assert min(one.rate_per_s[30:]) > 4_800


def test_a_last_interval_that_the_window_cuts_is_a_rate_over_its_own_length() -> None:
    rows = Intervals(S, (0, S, 2 * S), (100, 100, 50))
    said = Measurement(Source("x"), duration_ns=builders.Figure(2.5 * S), intervals=rows)
    (one,) = curves.series(said)
    assert one.rate_per_s == (100, 100, 100)
    assert one.in_flight == ()


@pytest.mark.parametrize(
    ("metric", "unit", "limit", "expected"),
    [
        ("latency.p99", "ns", "<= 1.5 ms", (99.0, 1_500_000.0)),
        ("throughput", "1/s", ">= 300k/s", (None, 300_000.0)),
        ("latency.p99", "ns", "<= 1.05 x bare.json#latency.p99", None),
        ("latency.p99", "ns", "in [1 ms, 2 ms]", None),
        ("latency.mean", "ns", "<= 1 ms", None),
        ("service.p99", "ns", "<= 1 ms", None),
        ("coverage", "percent", ">= 90 %", None),
    ],
)
def test_only_absolute_limits_that_have_a_place_are_drawn(
    metric: str, unit: str, limit: str, expected: tuple[float | None, float] | None
) -> None:
    marks = curves.limits([CheckReport("x", metric, unit, limit, "pass", "")])
    assert [(mark.p, mark.bound) for mark in marks] == ([] if expected is None else [expected])
