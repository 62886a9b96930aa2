"""Tools that keep values per process (ns per operation) instead of single operations."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bizra_gate.model import Figure, Latency, Measurement, Run, Source
from bizra_gate.stats.summary import summarize

TWO = tuple(
    Run(index, duration_ns=round(sum(values) * 1000), operations=3000, values=values)
    for index, values in enumerate([(98.0, 100.0, 102.0), (103.0, 105.0, 107.0)])
)
KEPT = Measurement(Source("pyperf"), loop="batch", runs=TWO, operations=6000, duration_ns=Figure(615_000.0))


def test_values_are_summarised_even_where_the_tool_printed_figures_of_its_own() -> None:
    printed = replace(KEPT, latency=Latency(mean=Figure(1.0), batch=1000, percentiles=((50.0, Figure(1.0)),)))
    found = summarize(printed)
    assert found["latency.mean"].estimate == pytest.approx(102.5)
    assert found["latency.mean"].interval is not None
    assert found["latency.p50"].estimate == 102.0


def test_the_rate_of_a_benchmark_is_as_uncertain_as_its_mean_time_upside_down() -> None:
    found = summarize(KEPT)
    mean, rate = found["latency.mean"], found["throughput"]
    assert mean.interval is not None
    assert rate.interval is not None
    assert mean.estimate is not None
    assert rate.estimate is not None
    low, high = mean.interval
    assert low is not None
    assert high is not None
    assert rate.interval[0] == pytest.approx(rate.estimate * mean.estimate / high)
    assert rate.interval[1] == pytest.approx(rate.estimate * mean.estimate / low)
    assert rate.process_values == pytest.approx((1e7, 1e9 / 105), rel=1e-3)


def test_a_printed_rate_beside_kept_values_has_their_interval() -> None:
    kept = tuple(replace(run, operations=None, duration_ns=None) for run in TWO)
    printed = replace(KEPT, operations=None, runs=kept, rate_achieved_per_s=Figure(9.8e6))
    rate, mean = summarize(printed)["throughput"], summarize(printed)["latency.mean"]
    assert rate.estimate == 9.8e6
    assert rate.interval is not None
    assert mean.interval is not None
    assert rate.interval[0] == pytest.approx(9.8e6 * 102.5 / (mean.interval[1] or 0))
    assert len(rate.process_values) == 2


def test_one_value_gives_a_rate_without_an_interval() -> None:
    lone = replace(KEPT, runs=(Run(0, duration_ns=100_000, operations=1000, values=(100.0,)),))
    assert summarize(lone)["throughput"].interval == (None, None)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_leaves_no_mean_behind(odd: float) -> None:
    broken = replace(KEPT, runs=(TWO[0], Run(1, values=(odd, 105.0, 107.0))))
    assert "latency.mean" not in summarize(broken)
