"""Google Benchmark, Criterion, JMH, BenchmarkDotNet, Go and nanobench: batches, controls, directions, what is gone."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from importer_cases import FIXTURES, codes, document, read_one, stream, text

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.errors import FormatError
from bizra_gate.model import Measurement, Policy
from bizra_gate.stats.summary import summarize

SHORT = replace(Policy(), min_duration_ns=0, min_warmup_ns=0)


def found_in(measurement: Measurement) -> set[str]:
    return {finding.code for finding in examine(measurement, SHORT).findings}


def read_json(value: Any, name: str = "made.json", **options: Any) -> list[Measurement]:
    return importers.read(stream(json.dumps(value).encode(), name, **options))


# Google Benchmark


def google(rows: list[dict[str, Any]], version: str = "v1.9.4", build: str = "release") -> Any:
    context = {"library_version": version, "library_build_type": build, "num_cpus": 2, "mhz_per_cpu": 2500}
    base = {"run_type": "iteration", "threads": 1, "time_unit": "ns", "iterations": 1000, "run_name": "BM"}
    return {"context": context, "benchmarks": [{"name": "BM", **base, **row} for row in rows]}


def test_rows_of_google_benchmark_that_are_aggregates_are_no_samples() -> None:
    found = importers.read(stream((FIXTURES / "google-benchmark/errors-three.json").read_bytes(), "x.json"))
    sums, failed, threads = found
    assert sums.latency is not None
    assert sums.latency.count == 7
    assert codes(sums) == ["source.counter"]
    assert failed.errors == {"error": 1}
    assert failed.latency is None
    assert threads.threads == 2
    assert found_in(sums) >= {"environment.noise"}, "the library was built as debug"


@pytest.mark.parametrize(("version", "wall_ns"), [("v1.8.5", 2e6), ("v1.9.0", 1e6), ("v1.9.5-3-gabc", 1e6), ("", 2e6)])
def test_real_time_of_two_threads_is_wall_time_from_1_9_0_on(version: str, wall_ns: float) -> None:
    rows = [{"real_time": 1000.0, "threads": 2}] * 2
    (found,) = read_json(google(rows, version))
    assert found.duration_ns is not None
    assert found.duration_ns.value == wall_ns
    assert found.runs[0].duration_ns == wall_ns


def test_a_loop_that_the_optimiser_removed_is_faster_than_any_cycle() -> None:
    (found,) = read_json(google([{"real_time": 6e-10, "iterations": 10**12}] * 6))
    assert "physics.rate" in found_in(found)


def test_units_of_time_are_those_of_the_row() -> None:
    (found,) = read_json(google([{"real_time": 1.5, "time_unit": "ms", "iterations": 10}]))
    assert found.runs[0].values == (1.5e6,)
    with pytest.raises(FormatError, match="time_unit"):
        read_json(google([{"real_time": 1.5, "time_unit": "fortnights"}]))


def test_a_time_that_is_nan_is_invalid() -> None:
    (found,) = read_json(google([{"real_time": math.nan}, {"real_time": 900.0}]))
    assert "coherence.order" in found_in(found)


def test_skipped_benchmarks_are_told_and_left_out() -> None:
    rows = [{"real_time": 0.0, "skipped": True, "run_name": "BM_Gone"}, {"real_time": 900.0}]
    (found,) = read_json(google(rows))
    assert codes(found) == ["source.skipped"]
    with pytest.raises(FormatError, match="every benchmark was skipped"):
        read_json(google(rows[:1]))


def test_a_file_of_aggregates_alone_has_no_samples_to_stand_on() -> None:
    rows = [{"run_type": "aggregate", "aggregate_name": "mean", "aggregate_unit": "time", "real_time": 900.0}]
    (found,) = read_json(google(rows))
    assert found.latency is not None
    assert found.runs == ()
    assert "method.duration" in {f.code for f in examine(found, Policy()).findings}


# Criterion


def beside(name: str) -> bytes | None:
    path = FIXTURES / "criterion" / name
    return path.read_bytes() if path.is_file() else None


def test_criterion_finds_its_name_and_estimates_beside_the_samples() -> None:
    data = (FIXTURES / "criterion/linear.sample.json").read_bytes()
    (found,) = importers.read(stream(data, "linear.sample.json", beside=beside))
    estimates = document("criterion/linear.estimates.json")
    assert found.name == "encode/json/64"
    assert found.latency is not None
    assert found.latency.mean is not None
    assert found.latency.mean.value == estimates["mean"]["point_estimate"]
    assert found.latency.batch == 40, "the shortest sample is what the clock knows least"
    assert found.latency.count is None, "samples of different lengths are not so many equal batches"
    (alone,) = importers.read(stream(data, "linear.sample.json"))
    assert alone.name is None
    assert alone.latency is not None
    assert alone.latency.mean is not None
    assert alone.latency.mean.value == pytest.approx(found.latency.mean.value)


def test_estimates_of_criterion_alone_show_nothing() -> None:
    found = read_one((FIXTURES / "criterion/linear.estimates.json").read_bytes())
    assert found.operations is None
    assert {"method.duration", "method.samples"} <= {f.code for f in examine(found, Policy()).findings}


def test_an_empty_closure_of_criterion_is_shorter_than_a_cycle() -> None:
    iterations = [1e7 * (i + 1) for i in range(20)]
    sample = {"sampling_mode": "Linear", "iters": iterations, "times": [0.054 * n for n in iterations]}
    assert "physics.rate" in found_in(read_json(sample, "sample.json")[0])


def test_as_many_times_as_iteration_counts_are_asked_for() -> None:
    with pytest.raises(FormatError, match="2 iteration counts and 1 times"):
        read_json({"sampling_mode": "Flat", "iters": [1.0, 2.0], "times": [3.0]}, "sample.json")


# JMH


def jmh() -> list[Measurement]:
    return importers.read(stream((FIXTURES / "jmh/four-modes.json").read_bytes(), "x.json"))


def test_forks_of_jmh_are_processes_and_iterations_their_values() -> None:
    average, rates, *_ = jmh()
    assert [len(run.values) for run in average.runs] == [5, 5, 5]
    assert average.duration_ns is not None
    assert average.duration_ns.value == 3 * 5 * 300e6
    assert average.warmup_ns is not None
    assert average.warmup_ns.value == 3 * 200e6
    assert rates.threads == 2
    first = document("jmh/four-modes.json")[1]["primaryMetric"]["rawData"][0][0]
    assert rates.runs[0].values[0] == pytest.approx(2 * 1e6 / first), "two threads share the rate"


def test_the_direction_of_jmh_follows_from_its_mode() -> None:
    average, rates, *_ = jmh()
    score = document("jmh/four-modes.json")[1]["primaryMetric"]["score"]
    assert summarize(rates)["throughput"].estimate == pytest.approx(score * 1000)
    assert summarize(rates)["throughput"].better == "higher"
    assert summarize(rates)["throughput"].interval is not None
    assert average.rate_achieved_per_s is None
    assert summarize(average)["latency.mean"].better == "lower"


def test_percentiles_of_iteration_scores_are_not_those_of_operations() -> None:
    for measurement in jmh()[:2]:
        assert "source.percentiles" in codes(measurement)
        assert measurement.latency is not None
        assert [p for p, _ in measurement.latency.percentiles] == [50.0]


def test_mode_sample_times_operations_and_single_shots_are_operations() -> None:
    sampled, single, allocated = jmh()[2:]
    rows = document("jmh/four-modes.json")[2]["primaryMetric"]["rawDataHistogram"]
    total = sum(count for fork in rows for iteration in fork for _, count in iteration)
    assert sampled.latency is not None
    assert sampled.latency.histogram is not None
    assert sampled.latency.histogram.n == total
    assert "latency.p99" in summarize(sampled)
    assert single.latency is not None
    assert single.latency.batch == 1
    assert single.warmup_ns is None
    assert codes(allocated) == ["source.unit"]


@pytest.mark.parametrize("score", ["NaN", "+INF", "-INF", 0.0])
def test_a_score_that_is_no_number_is_invalid(score: object) -> None:
    (base,) = document("jmh/four-modes.json")[1:2]
    metric = {**base["primaryMetric"], "rawData": [[score, 400.0, 400.0]]}
    (found,) = read_json([{**base, "primaryMetric": metric}])
    assert "coherence.order" in found_in(found)


def test_an_empty_method_cannot_be_told_from_its_loop() -> None:
    (base,) = document("jmh/four-modes.json")[1:2]
    metric = {**base["primaryMetric"], "scoreUnit": "ops/s", "score": 1.5e9, "rawData": [[1.5e9] * 5]}
    (found,) = read_json([{**base, "threads": 1, "primaryMetric": metric}])
    assert "control.empty" in found_in(found)


def test_an_operation_that_outlasts_its_run_is_in_the_wrong_unit() -> None:
    (base,) = document("jmh/four-modes.json")[:1]
    metric = {**base["primaryMetric"], "scoreUnit": "s/op", "score": 3.4e9, "rawData": [[3.4e9] * 6]}
    assert "coherence.time" in found_in(read_json([{**base, "primaryMetric": metric}])[0])


def test_a_run_without_forks_is_told() -> None:
    (base,) = document("jmh/four-modes.json")[:1]
    assert "source.forks" in codes(read_json([{**base, "forks": 0}])[0])


# BenchmarkDotNet


def dotnet() -> Any:
    return document("benchmarkdotnet/two-launches-report-full.json")


def test_launches_are_processes_and_the_overhead_is_the_empty_control() -> None:
    (found,) = read_json(dotnet())
    rows = dotnet()["Benchmarks"][0]["Measurements"]
    actual = [row for row in rows if (row["IterationMode"], row["IterationStage"]) == ("Workload", "Actual")]
    assert [len(run.values) for run in found.runs] == [8, 7]
    assert found.duration_ns is not None
    assert found.duration_ns.value == sum(row["Nanoseconds"] for row in actual)
    assert found.controls is not None
    assert found.controls.empty_ns == pytest.approx(1.2, rel=0.1)
    assert found.controls.operation_ns is not None
    assert found.controls.operation_ns > 900
    assert "source.outliers" in codes(found)
    assert "control.empty" not in found_in(found)


def test_an_operation_that_costs_what_nothing_costs_is_refused() -> None:
    report = dotnet()
    for row in report["Benchmarks"][0]["Measurements"]:
        if row["IterationMode"] == "Workload":
            row["Nanoseconds"] = 1.2 * row["Operations"]
    assert "control.empty" in found_in(read_json(report)[0])


@pytest.mark.parametrize("change", [{"Configuration": "DEBUG"}, {"HasAttachedDebugger": True}])
def test_a_debug_build_or_a_debugger_is_another_program(change: dict[str, object]) -> None:
    report = dotnet()
    report["HostEnvironmentInfo"] |= change
    assert "environment.noise" in found_in(read_json(report)[0])


def test_a_brief_report_has_no_operations_and_no_time() -> None:
    found = read_one((FIXTURES / "benchmarkdotnet/two-launches-report-brief.json").read_bytes())
    assert found.operations is None
    assert found.duration_ns is None
    assert found.controls is None
    assert "method.duration" in {f.code for f in examine(found, Policy()).findings}


def test_a_benchmark_without_statistics_failed() -> None:
    report = dotnet()
    report["Benchmarks"][0]["Statistics"] = None
    (found,) = read_json(report)
    assert found.errors == {"error": 1}


# Go


def test_repeats_of_go_are_values_of_one_process_and_n_differs() -> None:
    parse, hashed, broken = importers.read(stream((FIXTURES / "go-bench/errors-count-6.txt").read_bytes(), "x.txt"))
    assert len(parse.runs) == 1
    assert len(parse.runs[0].values) == 6
    assert parse.latency is not None
    assert parse.latency.count is None
    assert parse.latency.mean is not None
    assert parse.latency.mean.resolution == 1.0
    assert hashed.latency is not None
    assert hashed.latency.mean is not None
    assert hashed.latency.mean.resolution == pytest.approx(0.01)
    assert broken.errors == {"error": 1}
    assert parse.environment is not None
    assert parse.environment.cpu_model == "Generic CPU @ 3.00GHz"


def test_the_same_name_in_two_packages_is_two_benchmarks() -> None:
    lines = text("go-bench/errors-count-6.txt").splitlines()[:6]
    both = "\n".join([*lines, "pkg: example.org/other", lines[4]]) + "\n"
    names = [measurement.name for measurement in importers.read(stream(both.encode()))]
    assert names == ["example.org/parse.BenchmarkParse/size=64-2", "example.org/other.BenchmarkParse/size=64-2"]


def test_half_a_nanosecond_is_what_is_left_of_a_removed_body() -> None:
    lines = "".join(f"BenchmarkAdd \t{10**9 + i}\t  0.3{i}11 ns/op\n" for i in range(6))
    assert "control.empty" in found_in(read_one(lines))


def test_a_cut_last_line_of_go_is_told() -> None:
    cut = text("go-bench/errors-count-6.txt")[:300]
    assert all("source.cut" in codes(measurement) for measurement in importers.read(stream(cut.encode())))


# nanobench


def test_elapsed_of_nanobench_is_per_iteration_already() -> None:
    parse, copy = importers.read(stream((FIXTURES / "nanobench/two-results.json").read_bytes(), "x.json"))
    stated = document("nanobench/two-results.json")["results"]
    assert parse.duration_ns is not None
    assert parse.duration_ns.value == pytest.approx(stated[0]["totalTime"] * 1e9)
    assert parse.clock is not None
    assert parse.clock.resolution_ns == pytest.approx(21)
    assert parse.warmup_ns is not None
    assert parse.warmup_ns.value == 0
    assert copy.warmup_ns is None
    assert codes(copy) == ["source.batch"]
