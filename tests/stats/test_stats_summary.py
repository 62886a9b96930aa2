"""Every metric follows from the counts, and nothing is offered that the record cannot support."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stats_builders import (
    MS,
    Op,
    S,
    closed_loop,
    closed_measurement,
    figure,
    foreign,
    hdr,
    latency,
    measurement_of,
    open_loop,
    run_of,
)

from bizra_gate.model import Distribution, Intervals, Latency, Metric, Run, kind_of
from bizra_gate.stats.summary import absence, summarize

STATISTICS = ("min", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max")


def span(metric: Metric) -> tuple[float, float]:
    assert metric.interval is not None
    low, high = metric.interval
    assert low is not None
    assert high is not None
    return low, high


def test_a_closed_loop_has_every_metric_of_the_contract_that_it_can_have() -> None:
    metrics = summarize(closed_measurement())
    families = {f"{family}.{statistic}" for family in ("latency", "service") for statistic in STATISTICS}
    rates = {"throughput", "rate.achieved", "operations", "concurrency.mean", "error_rate"}
    assert set(metrics) == families | rates
    for name, metric in metrics.items():
        kind = kind_of(name)
        assert kind is not None
        assert (metric.name, metric.unit, metric.better) == (name, kind.unit, kind.better)


def test_latency_is_service_time_in_a_closed_loop_and_response_time_in_an_open_one() -> None:
    closed = summarize(closed_measurement())
    assert closed["latency.p99"].estimate == closed["service.p99"].estimate
    opened = summarize(measurement_of([run_of(open_loop(1, stall_s=2.0), 30 * S, open_loop=True)], "open"))
    assert opened["latency.p99"].estimate == opened["response.p99"].estimate
    assert (opened["service.p99"].estimate or 0) < 50 * MS < (opened["response.p99"].estimate or 0)
    assert opened["delay.max"].estimate == pytest.approx(2 * S, rel=0.05)


def test_percentiles_are_the_ceil_rank_values_of_numpy_to_three_digits() -> None:
    ops = closed_loop(5, users=8)
    values = [op.end_ns - op.start_ns for op in ops if 0 <= op.start_ns < 30 * S]
    metrics = summarize(measurement_of([run_of(ops, 30 * S)]), percentiles=[97.5])
    for p in (50, 75, 90, 95, 97.5, 99, 99.9):
        exact = float(np.percentile(values, p, method="inverted_cdf"))
        assert metrics[f"latency.p{p:g}"].estimate == pytest.approx(exact, rel=1.1e-3)
    assert metrics["latency.mean"].estimate == pytest.approx(float(np.mean(values)), rel=1e-12)
    assert metrics["latency.min"].estimate == min(values)
    assert metrics["latency.max"].estimate == max(values)
    assert metrics["latency.p99"].n == len(values)


def test_throughput_counts_what_ended_well_inside_the_window() -> None:
    ops = [
        Op(-S, -S, 500 * MS),
        Op(0, 0, 800 * MS),
        Op(S, S, 2 * S, "refused"),
        Op(S, S, 2500 * MS, "timeout"),
        Op(3 * S, 3 * S, 5 * S),
    ]
    metrics = summarize(measurement_of([run_of(ops, 4 * S)]))
    assert metrics["operations"].estimate == 2
    assert metrics["throughput"].estimate == pytest.approx((2 - 1 + 1) / 4)
    assert metrics["rate.achieved"].estimate == pytest.approx(4 / 4)
    assert metrics["error_rate"].estimate == pytest.approx(2 / 4)
    assert metrics["latency.max"].estimate == 2 * S
    assert metrics["latency.p50"].n == 3


def test_a_window_that_only_the_backlog_filled_gives_throughput_no_bound() -> None:
    """What ended in the window was sent before it, so that every interval of the counted load is empty."""
    backlog = [Op(-5 * S + i * MS, -5 * S + i * MS, i * MS + 1) for i in range(4000)]
    counted = [Op(i * MS, i * MS, (5000 + i) * MS) for i in range(4000)]
    metric = summarize(measurement_of([run_of([*backlog, *counted], 4 * S, open_loop=True)]))["throughput"]
    assert (metric.estimate, metric.interval) == (1000.0, (None, None))


def test_every_interval_holds_its_estimate_and_every_process_has_its_value() -> None:
    metrics = summarize(closed_measurement(3, processes=4, seconds=10))
    for metric in metrics.values():
        if metric.interval is not None and metric.estimate is not None:
            low, high = metric.interval
            assert low is None or low <= metric.estimate
            assert high is None or metric.estimate <= high
    assert len(metrics["latency.p99"].process_values) == len(metrics["throughput"].process_values) == 4
    assert len(metrics["error_rate"].process_values) == 4


def test_differences_between_processes_widen_what_each_of_them_shows_inside() -> None:
    alike = [run_of(closed_loop(i, users=8), 30 * S, index=i) for i in range(5)]
    apart = [run_of(closed_loop(i, users=8, mean_ns=(18 + i) * MS), 30 * S, index=i) for i in range(5)]
    for name in ("throughput", "latency.mean", "latency.p50", "latency.p99"):
        narrow, wide = (summarize(measurement_of(runs))[name] for runs in (alike, apart))
        (a, b), (c, d) = span(narrow), span(wide)
        assert (d - c) / (wide.estimate or 1) > 2 * (b - a) / (narrow.estimate or 1)
        assert wide.method is not None
        assert "Student's t over 5 processes" in wide.method


def test_processes_that_happen_to_agree_do_not_make_an_interval_of_nothing() -> None:
    run = run_of(closed_loop(1), 30 * S)
    twins = measurement_of([run, replace(run, index=1)])
    low, high = span(summarize(twins)["latency.mean"])
    assert high - low > 0.001 * low


def test_a_single_process_says_so_by_having_one_value() -> None:
    metric = summarize(closed_measurement())["latency.mean"]
    assert metric.process_values == () or len(metric.process_values) == 1
    assert metric.interval is not None


def test_batch_means_support_no_tail_and_say_what_they_are() -> None:
    run = run_of(closed_loop(1), 30 * S)
    assert run.service is not None
    batched = measurement_of([replace(run, service=replace(run.service, batch=50))], "batch")
    metrics = summarize(batched)
    assert {name for name in metrics if name.startswith("latency.")} == {
        "latency.min", "latency.mean", "latency.p50", "latency.p75",
    }  # fmt: skip
    assert "batch means (each value is the mean of 50 operations)" in (metrics["latency.p50"].method or "")
    assert metrics["latency.p50"].n == run.service.histogram.n  # type: ignore[union-attr]
    assert "mean of 50 operations" in absence(batched, "latency.p99")
    assert "mean of 50 operations" in absence(batched, "latency.max")


def test_zero_errors_are_bounded_from_above_and_bursts_count_for_less() -> None:
    quiet = summarize(closed_measurement())["error_rate"]
    assert quiet.estimate == 0
    assert 0 < span(quiet)[1] < 0.002
    spread = [replace(op, error="refused") if i % 10 == 0 else op for i, op in enumerate(closed_loop(1, users=8))]
    burst = [replace(op, error="refused") if 10 * S < op.start_ns < 13 * S else op for op in closed_loop(1, users=8)]
    widths = []
    for ops in (spread, burst):
        metric = summarize(measurement_of([run_of(ops, 30 * S)]))["error_rate"]
        assert metric.estimate == pytest.approx(0.1, abs=0.01)
        widths.append(span(metric)[1] - span(metric)[0])
    assert widths[1] > 5 * widths[0]


def test_the_effective_n_is_a_figure_beside_n_and_the_one_that_the_method_names() -> None:
    metrics = summarize(closed_measurement())
    for name in ("latency.p50", "latency.p99"):
        metric = metrics[name]
        assert metric.effective_n is not None
        assert metric.n is not None
        assert 0 < metric.effective_n <= metric.n
        assert metric.method == f"order statistics, effective n {math.floor(metric.effective_n):,}"
    assert summarize(foreign(latency=latency([MS] * 500)))["latency.p99"].effective_n is None


def test_outcomes_are_shares_of_everything_that_ended() -> None:
    run = replace(run_of(closed_loop(1), 30 * S), outcomes={"hit": 3000, "miss": 500, "two words": 1})
    whole = measurement_of([run])
    metrics = summarize(whole)
    assert metrics["outcome.hit.ratio"].estimate == pytest.approx(3000 / (whole.operations or 0))
    low, high = span(metrics["outcome.miss.ratio"])
    assert 0 < low < 500 / (whole.operations or 1) < high
    assert "outcome.two words.ratio" not in metrics


def test_processes_that_differ_in_their_ratio_widen_it() -> None:
    run = run_of(closed_loop(1), 30 * S)
    n = run.operations or 0
    same = [replace(run, index=i, outcomes={"hit": n // 2}) for i in range(4)]
    apart = [replace(run, index=i, outcomes={"hit": n * (3 + 2 * (i % 2)) // 8}) for i in range(4)]
    widths = [span(summarize(measurement_of(runs))["outcome.hit.ratio"]) for runs in (same, apart)]
    assert widths[1][1] - widths[1][0] > 5 * (widths[0][1] - widths[0][0])


def test_cpu_and_memory_come_from_the_processes() -> None:
    runs = [
        replace(run_of(closed_loop(i), 30 * S, index=i), cpu_ns=(30 + i) * S, peak_memory_bytes=1000 + i)
        for i in range(3)
    ]
    metrics = summarize(measurement_of(runs))
    operations = sum(run.operations or 0 for run in runs)
    assert metrics["cpu.per_op"].estimate == pytest.approx(93 * S / operations)
    assert metrics["cpu.per_op"].interval is not None
    assert metrics["memory.peak"].estimate == 1002
    alone = summarize(measurement_of(runs[:1]))["cpu.per_op"]
    assert alone.interval is None
    assert "cpu.per_op" not in summarize(measurement_of([runs[0], replace(runs[1], cpu_ns=None)]))


def test_printed_figures_are_given_as_printed_and_without_an_interval() -> None:
    printed = Latency(
        count=1000, minimum=figure(MS), mean=figure(2 * MS, 1e4), maximum=figure(9 * MS),
        percentiles=((50.0, figure(1.9 * MS)), (66.0, figure(2.2 * MS)), (99.9, figure(8 * MS))),
        percentile_method="tdigest",
    )  # fmt: skip
    record = foreign(latency=printed, operations=1000, duration_ns=figure(10 * S), errors={"timeout": 3},
                     operations_include_errors=True, loop="closed")  # fmt: skip
    metrics = summarize(record)
    assert metrics["latency.p66"].estimate == 2.2 * MS
    assert metrics["latency.p99.9"].interval is None
    assert metrics["latency.p99.9"].n == 1000
    assert "tdigest" in (metrics["latency.p50"].method or "")
    assert "latency.p90" not in metrics
    assert metrics["throughput"].estimate == pytest.approx(99.7)
    assert metrics["throughput"].interval is None
    assert metrics["error_rate"].estimate == pytest.approx(0.003)
    assert "printed no such figure" in absence(record, "latency.p90")
    assert "no delay times" in absence(record, "delay.p50")


def test_a_foreign_histogram_without_a_series_has_order_statistics_of_all_its_values() -> None:
    values = [round(1e6 * (1 + i / 1000)) for i in range(1000)]
    record = foreign(latency=Latency(histogram=Distribution.of(values)), loop="open")
    metric = summarize(record)["latency.p90"]
    assert metric.estimate == values[899]
    low, high = span(metric)
    assert low < values[899] < high
    assert "independent" in (metric.method or "")
    assert summarize(record)["latency.p99.99"].interval == (values[998], None)


def test_a_foreign_series_gives_throughput_an_interval() -> None:
    counts = tuple(100 + (i * 7) % 13 for i in range(30))
    record = foreign(
        operations=sum(counts),
        duration_ns=figure(30 * S),
        intervals=Intervals(S, tuple(i * S for i in range(30)), counts),
    )
    metric = summarize(record)["throughput"]
    low, high = span(metric)
    assert low < (metric.estimate or 0) < high < low * 1.1


def test_a_stated_rate_alone_is_taken_as_printed() -> None:
    metrics = summarize(foreign(rate_achieved_per_s=figure(523_793, 1)))
    assert (metrics["throughput"].estimate, metrics["throughput"].interval) == (523_793, None)
    assert "throughput" not in summarize(foreign(rate_achieved_per_s=figure(5), errors={"timeout": 2}))


def test_values_per_process_give_means_over_processes_and_no_tail() -> None:
    runs = tuple(Run(i, values=tuple(10.0 + i + j / 10 for j in range(5))) for i in range(4))
    record = foreign(runs=runs, loop="batch")
    metrics = summarize(record)
    assert set(metrics) == {"latency.min", "latency.mean", "latency.p50"}
    assert metrics["latency.mean"].estimate == pytest.approx(11.7)
    assert metrics["latency.mean"].process_values == pytest.approx((10.2, 11.2, 12.2, 13.2))
    low, high = span(metrics["latency.mean"])
    assert low < 10.2
    assert high > 13.2


def test_values_stand_in_for_the_printed_mean_of_the_same_values() -> None:
    runs = tuple(Run(i, duration_ns=S, operations=1000, values=(10.0 + i, 10.5 + i, 11.0 + i)) for i in range(3))
    printed = Latency(mean=figure(11.5), percentiles=((50.0, figure(11.5)),), batch=1000, count=9)
    metrics = summarize(foreign(runs=runs, latency=printed, loop="batch", operations=3000, duration_ns=figure(3 * S)))
    assert metrics["latency.mean"].interval is not None
    assert len(metrics["latency.mean"].process_values) == 3
    assert metrics["throughput"].process_values == pytest.approx((1095.2, 1000, 920), rel=1e-3)
    broken = (Run(0, values=(1.0, math.nan)),)
    assert "latency.mean" not in summarize(foreign(runs=broken, latency=printed))


def test_values_of_a_single_process_have_batch_means_around_their_mean_however_skewed() -> None:
    skewed = tuple(100.0 if i % 10 else 1000.0 + i for i in range(200))
    metrics = summarize(foreign(runs=(Run(0, values=skewed),), loop="batch"))
    low, high = span(metrics["latency.mean"])
    assert low < sum(skewed) / 200 < high
    assert span(metrics["latency.p50"]) == (100, 100)


def test_processes_without_a_series_have_students_t_and_one_alone_has_nothing() -> None:
    runs = [Run(i, duration_ns=S, operations=1000 + i) for i in range(3)]
    low, high = span(summarize(foreign(runs=tuple(runs)))["throughput"])
    assert low < 1001 < high
    assert summarize(foreign(runs=tuple(runs[:1])))["throughput"].interval is None


def test_what_was_not_measured_is_left_out_and_never_zero() -> None:
    assert summarize(foreign()) == {}
    empty = foreign(latency=Latency(histogram=hdr([])), operations=0, duration_ns=figure(S), errors={})
    metrics = summarize(empty)
    assert set(metrics) == {"operations", "throughput"}
    assert metrics["operations"].estimate == 0
    assert "empty" in absence(empty, "latency.p50")
    assert "nothing to compute it from" in absence(empty, "cpu.per_op")
    broken = foreign(latency=Latency(mean=figure(math.nan), maximum=figure(math.inf)))
    assert summarize(broken) == {}


def test_what_a_file_says_of_itself_is_not_looked_at() -> None:
    from bizra_gate.model import Printed

    honest = closed_measurement()
    assert summarize(replace(honest, printed=(Printed("latency.p99", 1.0, "ns"),))) == summarize(honest)


def test_a_higher_confidence_is_wider() -> None:
    whole = closed_measurement()
    a, b = (span(summarize(whole, confidence)["latency.p90"]) for confidence in (0.9, 0.999))
    assert b[0] < a[0] < a[1] < b[1]


@given(st.lists(st.integers(1, 10 * S), min_size=1, max_size=80), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_any_histogram_is_summarised_without_a_crash_and_in_order(values: list[int], processes: int) -> None:
    runs = [Run(i, duration_ns=S, operations=len(values), service=latency(values)) for i in range(processes)]
    metrics = summarize(measurement_of(runs))
    ordered = [metrics[f"latency.{s}"].estimate or 0 for s in STATISTICS if s != "mean"]
    assert ordered == sorted(ordered)


def test_neither_numpy_nor_scipy_is_imported_for_a_summary() -> None:
    code = (
        "import sys; from bizra_gate.stats import summary, littles, steady, modes, compare, history, histogram; "
        "print(sorted({'numpy', 'scipy', 'hdrh'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
