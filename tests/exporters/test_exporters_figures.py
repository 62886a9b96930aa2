"""Exported figures: what dashboards are given is what the measurement says, and comes back as it went."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pyperf
import pytest
from exporters_builders import folded, kept, own, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate import exports, importers
from bizra_gate.attest import envelope
from bizra_gate.attest.keys import PrivateKey
from bizra_gate.attest.statement import statement
from bizra_gate.errors import UsageError
from bizra_gate.evidence import benchmark as benchmarks
from bizra_gate.evidence.benchmark import Benchmark, Tool
from bizra_gate.exporters import EXPORTERS
from bizra_gate.importers import Stream
from bizra_gate.model import Caveat, Latency, Measurement, Source
from bizra_gate.stats.summary import summarize

KEPT = st.lists(st.lists(st.floats(min_value=0.5, max_value=1e9), min_size=1, max_size=6), min_size=1, max_size=5)
HOSTILE = 'a "quoted"\\name\nwith, lines'


def exported(form: str, measurement: Measurement) -> str:
    return EXPORTERS[form](measurement, summarize(measurement))


def imported(text: str) -> list[Measurement]:
    return importers.read(Stream(io.BytesIO(text.encode()), "exported"))


# pyperf


@settings(max_examples=40, deadline=None)
@given(KEPT)
def test_kept_values_of_every_process_come_back_from_pyperf_s_form(processes: list[list[float]]) -> None:
    (found,) = imported(exported("pyperf", kept(*processes)))
    assert len(found.runs) == len(processes)
    for run, values in zip(found.runs, processes, strict=True):
        assert run.values == pytest.approx(values, rel=1e-12)
    assert found.latency is not None
    assert found.latency.batch == 1000
    assert found.name == "parse"


@settings(max_examples=20, deadline=None)
@given(st.lists(rows, min_size=1, max_size=4))
def test_pyperf_itself_reads_one_mean_per_process(processes: list[list[int]]) -> None:
    suite = pyperf.BenchmarkSuite.loads(exported("pyperf", own(*processes)))
    (read,) = suite.get_benchmarks()
    assert read.get_name() == "checkout"
    assert read.get_nrun() == len(processes)
    means = [sum(values) / len(values) / 1e9 for values in processes]
    assert read.get_values() == pytest.approx(tuple(means))


def test_the_form_of_pyperf_says_who_measured() -> None:
    document = json.loads(exported("pyperf", kept([10.0, 11.0])))
    assert document["metadata"]["measured_by"] == "pyperf 2.10.0"
    assert document["metadata"]["loops"] == 1000
    (found,) = imported(exported("pyperf", kept([10.0, 11.0])))
    assert found.warmup_ns is None, "an export knows of no warm-up"
    assert [caveat.message for caveat in found.caveats] == ["measured by pyperf 2.10.0; this is an export of it"]


def test_no_time_and_time_zero_are_refused_and_not_written_as_zero() -> None:
    nothing = Measurement(Source("go-bench"), name="x")
    with pytest.raises(UsageError, match="no time per operation"):
        exported("pyperf", nothing)
    with pytest.raises(UsageError, match="no time at all"):
        exported("pyperf", kept([0.0, 1.0]))


# csv


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3))
def test_csv_has_every_metric_to_the_last_digit(processes: list[list[int]]) -> None:
    measurement = own(*processes)
    metrics = summarize(measurement)
    read = list(csv.DictReader(io.StringIO(exported("csv", measurement))))
    assert [row["metric"] for row in read] == sorted(metrics)
    for row in read:
        metric = metrics[row["metric"]]
        assert float(row["estimate"]) == metric.estimate
        assert row["unit"] == metric.unit
        sides = metric.interval or (None, None)
        assert [row["low"], row["high"]] == ["" if side is None else repr(side) for side in sides]


# dashboards


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3))
def test_bencher_gets_back_the_figures_that_it_was_given(processes: list[list[int]]) -> None:
    measurement = own(*processes)
    metrics = summarize(measurement)
    (found,) = imported(exported("bencher", measurement))
    again = summarize(found)
    for name in ("latency.mean", "latency.p50", "latency.p99", "latency.p99.9", "throughput"):
        assert again[name].estimate == metrics[name].estimate
    assert found.name == "checkout"


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3))
def test_a_file_for_github_action_benchmark_has_one_direction(processes: list[list[int]]) -> None:
    measurement = own(*processes)
    metrics = summarize(measurement)
    for form, better in (("github-action-benchmark", "lower"), ("github-action-benchmark-bigger", "higher")):
        points = json.loads(exported(form, measurement))
        names = [point["name"].removeprefix("checkout ") for point in points]
        assert names
        assert {metrics[name].better for name in names} == {better}
        assert [point["value"] for point in points] == [metrics[name].estimate for name in names]
    found = {one.name: summarize(one) for one in imported(exported("github-action-benchmark", measurement))}
    assert found["checkout latency.mean"]["latency.mean"].estimate == metrics["latency.mean"].estimate


def test_rates_come_back_as_rates() -> None:
    measurement = own([1_000_000] * 20)
    found = {one.name: one for one in imported(exported("github-action-benchmark-bigger", measurement))}
    rate = found["checkout throughput"]
    assert rate.rate_achieved_per_s is not None
    assert rate.rate_achieved_per_s.value == summarize(measurement)["throughput"].estimate
    assert rate.higher_is_better


@pytest.mark.parametrize("form", ["bencher", "github-action-benchmark", "openmetrics"])
def test_a_measurement_without_metrics_is_refused(form: str) -> None:
    with pytest.raises(UsageError, match="has no metric"):
        exported(form, Measurement(Source("asv"), name="skipped"))


# OpenMetrics


_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')
_LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"')


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """The samples of an exposition; every line must be one, a comment that the format knows, or its end."""
    *lines, end = text.splitlines()
    assert end == "# EOF"
    found = []
    for line in lines:
        if line.startswith("#"):
            assert line.split(" ")[1] in ("TYPE", "UNIT", "HELP")
            continue
        match = _SAMPLE.fullmatch(line)
        assert match is not None, line
        found.append((match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])))
    return found


@settings(max_examples=25, deadline=None)
@given(rows)
def test_buckets_of_openmetrics_rise_to_the_count_and_hold_no_value_that_is_above_them(values: list[int]) -> None:
    text = exported("openmetrics", own(values))
    buckets = [(labels["le"], n) for name, labels, n in samples(text) if name.endswith("_bucket")]
    counts = [n for _, n in buckets]
    assert counts == sorted(counts)
    assert buckets[-1] == ("+Inf", len(values))
    assert buckets[-2][1] == len(values)
    for edge, n in buckets[:-1]:
        assert n <= sum(value <= float(edge) * 1e9 * (1 + 1e-12) for value in values)
    count, total = (next(n for name, _, n in samples(text) if name.endswith(end)) for end in ("s_count", "_sum"))
    assert count == len(values)
    assert total == pytest.approx(sum(values) / 1e9)


def test_metrics_of_openmetrics_are_in_seconds_and_carry_their_interval() -> None:
    measurement = own([1_000_000 + i for i in range(500)])
    metric = summarize(measurement)["latency.p99"]
    found = {
        labels["bound"]: n
        for name, labels, n in samples(exported("openmetrics", measurement))
        if name == "bizra_gate_latency_p99_seconds"
    }
    assert metric.estimate is not None
    assert metric.interval is not None
    assert found["estimate"] == pytest.approx(metric.estimate / 1e9)
    assert found["low"] == pytest.approx((metric.interval[0] or 0) / 1e9)


def test_families_of_openmetrics_are_declared_once_and_before_their_samples() -> None:
    text = exported("openmetrics", own([1000] * 10))
    declared: list[str] = []
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            declared.append(line.split(" ")[2])
        elif not line.startswith("#"):
            assert any(line.startswith(family) for family in declared[-1:]), line
    assert len(declared) == len(set(declared))


@pytest.mark.parametrize("form", sorted(EXPORTERS))
def test_a_hostile_name_breaks_no_form(form: str) -> None:
    measurement = own([1_000_000] * 10, name=HOSTILE)
    text = exported(form, measurement)
    if form == "openmetrics":
        assert samples(text)[0][1]["benchmark"] == 'a \\"quoted\\"\\\\name\\nwith, lines'
    elif form == "csv":
        assert len(list(csv.reader(io.StringIO(text)))) == len(summarize(measurement)) + 1
    elif form != "percentiles":
        assert imported(text)


@pytest.mark.parametrize("form", sorted(EXPORTERS))
def test_a_foreign_file_goes_out_in_every_form_that_it_has_the_facts_for(form: str) -> None:
    values = [2_000_000 + 10 * i for i in range(100)]
    foreign = Measurement(
        Source("k6", "1.0"),
        name="shop",
        loop="closed",
        operations=100,
        duration_ns=kept([1.0]).duration_ns,
        latency=Latency(histogram=folded(values), count=100),
        caveats=(Caveat("source.x", "y"),),
    )
    assert exported(form, foreign)


# from an artifact


@pytest.mark.parametrize("form", sorted(EXPORTERS))
def test_an_artifact_exports_what_its_measurement_gives(form: str) -> None:
    measurement = replace(own([1_000_000 + i for i in range(50)], [1_000_100 + i for i in range(50)]), source=Source(
        "bizra-gate", "0.1.0", foreign=False))  # fmt: skip
    made = Benchmark("run", "2026-11-22T04:00:10Z", Tool("bizra-gate", "0.1.0"), measurement, {"target": "checkout"})
    descriptor, predicate = benchmarks.state(made)
    sealed = envelope.seal(statement([descriptor], benchmarks.PREDICATE_TYPE, predicate), [PrivateKey.generate()])
    assert exports.EXPORTERS[form](sealed, "a.json").decode() == exported(form, measurement)
