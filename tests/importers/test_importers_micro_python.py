"""pyperf, pytest-benchmark, asv and hyperfine: what a reading spanned, what a process is, what was never measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from importer_cases import FIXTURES, codes, document, read_one, stream

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.errors import FormatError
from bizra_gate.model import Measurement, Policy
from bizra_gate.stats.summary import summarize

SHORT = replace(Policy(), min_duration_ns=0, min_warmup_ns=0)


def accused(measurement: Measurement) -> set[str]:
    return {finding.code for finding in examine(measurement, SHORT).findings if finding.severity != "note"}


def read_json(value: Any) -> list[Measurement]:
    return importers.read(stream(json.dumps(value).encode(), "made.json"))


# pyperf


def pyperf(values: list[list[float]], loops: int = 1000, **metadata: Any) -> Any:
    common = {"name": "made", "loops": loops, "unit": "second", "timer": "clock, resolution: 1.00 ns", **metadata}
    runs = [{"metadata": {"duration": 1.0}, "values": row, "warmups": [[loops, row[0]]]} for row in values]
    return {"version": "1.0", "metadata": common, "benchmarks": [{"metadata": {}, "runs": runs}]}


def test_a_reading_of_pyperf_spans_loops_times_inner_loops() -> None:
    (found,) = read_json(pyperf([[2e-6, 3e-6], [2e-6, 2.5e-6]], loops=100, inner_loops=10))
    assert found.latency is not None
    assert found.latency.batch == 1000
    assert found.operations == 4000
    assert found.duration_ns is not None
    assert found.duration_ns.value == pytest.approx(9.5e-6 * 1000 * 1e9)
    assert found.warmup_ns is not None
    assert found.warmup_ns.value == pytest.approx(2e-6 * 1000 * 1e9)
    assert found.runs[0].values == pytest.approx((2000.0, 3000.0))
    assert found.runs[1].values == pytest.approx((2000.0, 2500.0))
    assert found.clock is not None
    assert found.clock.resolution_ns == 1.0


def test_runs_of_pyperf_that_only_calibrated_are_no_runs() -> None:
    found = read_one((FIXTURES / "pyperf/sum-4-processes.json").read_bytes())
    assert len(document("pyperf/sum-4-processes.json")["benchmarks"][0]["runs"]) == 5
    assert len(found.runs) == 4
    assert all(run.peak_memory_bytes and run.operations == 4 * 32768 for run in found.runs)
    assert found.environment is not None
    assert found.environment.debug_build is False
    assert not any("bench-host" in str(value) for value in (found.environment, found.name, found.source))


def test_the_mean_of_pyperf_has_an_interval_over_processes() -> None:
    metric = summarize(read_one((FIXTURES / "pyperf/sum-4-processes.json").read_bytes()))["latency.mean"]
    assert len(metric.process_values) == 4
    assert metric.interval is not None
    assert metric.interval[0] is not None


def test_files_of_old_versions_hold_samples_and_undivided_warm_ups() -> None:
    old = pyperf([[2e-6, 3e-6]], loops=100)
    run = old["benchmarks"][0]["runs"][0]
    run["samples"], run["warmups"] = run.pop("values"), [[100, 5e-4]]
    (found,) = read_json({**old, "version": 5})
    assert found.runs[0].values == pytest.approx((2000.0, 3000.0))
    assert found.warmup_ns is not None
    assert found.warmup_ns.value == pytest.approx(5e5)
    with pytest.raises(FormatError, match=r"version: got \"7.0\""):
        read_json({**old, "version": "7.0"})


def test_pyperf_of_memory_keeps_peaks_and_no_times() -> None:
    (found,) = read_json(pyperf([[1_000_000, 3_000_000], [2_000_000]], unit="byte"))
    assert found.latency is None
    assert summarize(found)["memory.peak"].estimate == 3_000_000


def test_a_value_that_is_not_a_number_is_invalid_and_never_zero() -> None:
    (found,) = read_json(pyperf([[2e-6, float("nan"), 2e-6], [2e-6, 3e-6, 2e-6]]))
    assert "coherence.order" in accused(found)
    assert "latency.mean" not in summarize(found)


def test_a_process_that_was_pasted_in_twice_is_found() -> None:
    assert "coherence.count" in accused(read_json(pyperf([[2.1e-6, 2.2e-6, 2.3e-6]] * 2))[0])


def test_an_empty_statement_timed_once_a_reading_is_a_reading_of_the_clock() -> None:
    values = [[v * 1e-9 for v in (120, 130, 110, 140, 120)]] * 1
    assert "clock.overhead" in accused(read_json(pyperf(values, loops=1))[0])


# pytest-benchmark


def pytest_benchmark(data: list[float], iterations: int, **stats: Any) -> Any:
    ordered = sorted(data)
    middle = (ordered[(len(data) - 1) // 2] + ordered[len(data) // 2]) / 2
    summary = {
        "min": ordered[0], "max": ordered[-1], "mean": sum(data) / len(data), "median": middle, "rounds": len(data),
        "iterations": iterations, "total": sum(data), "ops": len(data) / sum(data) if sum(data) else 0, "data": data,
    } | stats  # fmt: skip
    benchmark = {"name": "t", "fullname": "a.py::t", "options": {"timer": "perf_counter"}, "stats": summary}
    return {"machine_info": {"cpu": {}}, "benchmarks": [benchmark], "version": "5.0", "datetime": "2026-01-02T03:04:05"}


def test_the_total_of_pytest_benchmark_is_short_by_the_iterations() -> None:
    (found,) = read_json(pytest_benchmark([2e-6, 3e-6], 50))
    assert found.duration_ns is not None
    assert found.duration_ns.value == pytest.approx(5e-6 * 50 * 1e9)
    assert found.operations == 100
    assert found.rate_achieved_per_s is not None
    assert "coherence.time" not in accused(found)
    assert found.finished_at is None, "a stamp without a zone is no instant"


def test_rounds_of_one_iteration_are_single_operations_and_others_are_not() -> None:
    batches, single = importers.read(
        stream((FIXTURES / "pytest-benchmark/forty-and-sixty-rounds.json").read_bytes(), "x.json")
    )
    assert batches.latency is not None
    assert batches.latency.histogram is None
    assert batches.latency.batch == 60
    assert [p for p, _ in batches.latency.percentiles] == [25.0, 50.0, 75.0]
    assert single.latency is not None
    assert single.latency.histogram is not None
    assert single.latency.histogram.n == 60
    assert [p for p, _ in single.latency.percentiles] == [25.0, 50.0, 75.0]
    assert "latency.p99" not in summarize(batches)
    assert "latency.p95" in summarize(single)


def test_a_coroutine_that_is_made_and_never_awaited_costs_a_reading_of_the_clock() -> None:
    data = [(120 + 10 * (i % 5)) * 1e-9 for i in range(500)]
    assert "clock.overhead" in accused(read_json(pytest_benchmark(data, 1))[0])


def test_a_round_that_took_no_time_is_not_hidden_by_ops_of_zero() -> None:
    (found,) = read_json(pytest_benchmark([0.0] * 20, 1))
    assert found.rate_achieved_per_s is None
    assert "littles_law.zero" in accused(found)


def test_a_mean_that_was_edited_after_the_run_is_found() -> None:
    data = [(20_000 + i) * 1e-9 for i in range(100)]
    assert "coherence.summary" in accused(read_json(pytest_benchmark(data, 1, mean=15_000e-9))[0])


def test_fewer_than_thirteen_rounds_claim_no_quartiles() -> None:
    (found,) = read_json(pytest_benchmark([(20_000 + i) * 1e-9 for i in range(12)], 1, q1=20e-6, q3=20.01e-6))
    assert found.latency is not None
    assert [p for p, _ in found.latency.percentiles] == [50.0]


def test_fewer_values_than_rounds_are_refused() -> None:
    with pytest.raises(FormatError, match="one value for each of the 3 rounds"):
        read_json(pytest_benchmark([1e-6, 2e-6], 10, rounds=3))


# asv


def test_parameters_of_asv_run_over_their_product_and_skipped_ones_are_left_out() -> None:
    found = importers.read(stream((FIXTURES / "asv/errors-parameters.json").read_bytes(), "x.json"))
    names = [measurement.name for measurement in found]
    assert names[1:4] == [f"m.Sizes.time_digest({p})" for p in ("64, 'a'", "4096, 'a'", "4096, 'b'")]
    assert found[0].errors == {"error": 1}
    assert "method.errors" in accused(found[0])
    assert summarize(found[4])["memory.peak"].estimate == 24_764_416
    assert codes(found[5]) == ["source.unit"]


def asv(result: Any, *columns: Any) -> Any:
    names = ["result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25",
             "stats_q_75", "stats_number", "stats_repeat", "samples"]  # fmt: skip
    row = [result, [], "v", 1_700_000_000_000, 3.0, *columns]
    return {"version": 2, "commit_hash": "c", "env_name": "e", "result_columns": names, "results": {"b.time_x": row}}


def test_without_samples_the_measured_time_is_estimated_and_said_to_be() -> None:
    (found,) = read_json(asv([2e-6], [1.9e-6], [2.1e-6], [1.95e-6], [2.05e-6], [1000], [10]))
    assert codes(found) == ["source.data"]
    assert found.duration_ns is not None
    assert found.duration_ns.value == pytest.approx(2e-6 * 1000 * 10 * 1e9)
    assert found.latency is not None
    assert [p for p, _ in found.latency.percentiles] == [50.0], "ten values carry no p75"
    (more,) = read_json(asv([2e-6], [1.9e-6], [2.1e-6], [2.05e-6], [1.95e-6], [1000], [20]))
    assert "coherence.order" in accused(more), "the quartiles are the wrong way round"


def test_a_row_of_asv_may_end_early() -> None:
    (found,) = read_json({**asv([2e-6]), "results": {"b.time_x": [[2e-6]]}})
    assert found.latency is not None
    assert found.operations is None


def test_times_that_are_ticks_of_a_64_hz_clock_are_known_by_their_step() -> None:
    samples = [[k * 0.015625 for k in (8, 7, 8, 8, 7, 8, 8, 7, 8, 8)]]
    (found,) = read_json(asv([0.125], [0.1], [0.13], [0.1], [0.13], [1], [10], samples))
    assert "clock.resolution" in accused(found)


# hyperfine


def hyperfine(times: list[float], **more: Any) -> Any:
    ordered = sorted(times)
    result = {"command": "c", "mean": sum(times) / len(times), "stddev": 0.001, "median": ordered[len(times) // 2],
              "user": 0.0, "system": 0.0, "min": ordered[0], "max": ordered[-1], "times": times}  # fmt: skip
    return {"results": [result | more]}


def test_times_that_hyperfine_clamped_to_zero_are_no_times() -> None:
    (found,) = read_json(hyperfine([0.0] * 9 + [0.0001]))
    assert codes(found) == ["source.clamped"]
    assert "littles_law.zero" in accused(found)


def test_a_command_that_fails_every_time_has_errors_whatever_it_took() -> None:
    good, bad = importers.read(stream((FIXTURES / "hyperfine/errors-two-commands.json").read_bytes(), "x.json"))
    assert good.errors == {}
    assert bad.errors == {"exit 3": 12}
    assert "method.errors" in accused(bad)
    assert summarize(bad)["error_rate"].estimate == 1.0


def test_a_killed_command_is_an_error_and_no_exit_codes_are_not_zero_errors() -> None:
    (killed,) = read_json(hyperfine([0.02] * 6, exit_codes=[0, 0, None, 0, 0, 0]))
    assert killed.errors == {"killed": 1}
    (unknown,) = read_json(hyperfine([0.02] * 6))
    assert unknown.errors is None
    assert any("exit codes" in sentence for sentence in unknown.blind)


def test_every_time_of_hyperfine_is_one_operation() -> None:
    (found,) = read_json(hyperfine([0.02 + i / 1e5 for i in range(30)]))
    assert found.latency is not None
    assert found.latency.batch == 1
    assert summarize(found)["latency.p90"].n == 30
