"""Exported histograms: what goes out comes back, here and in the reference reader."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence

import pytest
from exporters_builders import folded, kept, own, rows
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate import importers
from bizra_gate.errors import UsageError
from bizra_gate.exporters import EXPORTERS
from bizra_gate.exporters.counted import as_hdr
from bizra_gate.importers import Stream
from bizra_gate.model import Distribution, Figure, Latency, Measurement, Source
from bizra_gate.stats.summary import summarize

QUANTILES = (0.0, 0.5, 0.9, 0.99, 1.0)


def exported(form: str, measurement: Measurement) -> str:
    return EXPORTERS[form](measurement, summarize(measurement))


def imported(text: str) -> list[Measurement]:
    return importers.read(Stream(io.BytesIO(text.encode()), "exported"))


def histogram_of(measurement: Measurement) -> Distribution:
    assert measurement.latency is not None
    assert measurement.latency.histogram is not None
    return measurement.latency.histogram


def bins(values: Distribution) -> tuple[tuple[int, ...], ...]:
    return values.low, values.high, values.count


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, min_size=1, max_size=4))
def test_a_log_gives_back_every_bin_of_every_run(processes: list[list[int]]) -> None:
    found = imported(exported("hlog", own(*processes)))
    assert [bins(histogram_of(one)) for one in found] == [bins(folded(values)) for values in processes]
    names = [f"run-{index}" for index in range(len(processes))] if len(processes) > 1 else [None]
    assert [one.name for one in found] == names


@settings(max_examples=20, deadline=None)
@given(rows)
def test_a_log_of_an_open_loop_has_response_and_service_times_apart(values: list[int]) -> None:
    found = {one.name: histogram_of(one) for one in imported(exported("hlog", own(values, loop="open")))}
    assert set(found) == {"response", "service"}
    assert bins(found["service"]) == bins(folded(values))
    assert bins(found["response"]) == bins(folded([value + 1000 for value in values]))


@settings(max_examples=25, deadline=None)
@given(rows)
def test_the_reference_reader_reads_our_log(values: list[int]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".hlog") as file:
        file.write(exported("hlog", own(values)))
        file.flush()
        reader = HistogramLogReader(file.name, HdrHistogram(1, 3_600_000_000_000, 3))
        interval = reader.get_next_interval_histogram()
        assert reader.get_next_interval_histogram() is None
        reader.close()
    assert interval.get_total_count() == len(values)
    assert reader.get_start_time_sec() == 1_795_320_000.5
    assert interval.get_start_time_stamp() == 1_795_320_000_500
    assert interval.get_end_time_stamp() == 1_795_320_002_500
    assert interval.get_max_value() == folded(values).high[-1]
    held = [(item.value_iterated_to, item.count_at_value_iterated_to) for item in interval.get_recorded_iterator()]
    assert held == list(zip(folded(values).high, folded(values).count, strict=True))


def test_a_log_without_a_start_begins_at_zero() -> None:
    unknown = Measurement(
        Source("wrk2"), latency=Latency(histogram=folded([1000, 2000])), duration_ns=Figure(3e9), operations=2
    )
    text = exported("hlog", unknown)
    assert "StartTime" not in text.splitlines()[0]
    (found,) = imported(text)
    assert found.started_at is None
    assert found.duration_ns is not None
    assert found.duration_ns.value == 3e9


def test_exact_values_go_to_the_bin_that_holds_them_and_wide_bins_to_their_upper_edge() -> None:
    exact, _ = as_hdr(Distribution.of([1, 1, 5_000_123]))
    assert bins(exact) == bins(folded([1, 1, 5_000_123]))
    wide, _ = as_hdr(Distribution((1_000_000,), (2_000_000,), (7,)))
    assert wide.count == (7,)
    assert wide.low[0] <= 2_000_000 <= wide.high[0]
    huge, layout = as_hdr(Distribution.of([2**45]))
    assert layout.highest >= 2**45
    assert huge.low[0] <= 2**45 <= huge.high[0]


@settings(max_examples=40, deadline=None)
@given(rows)
def test_a_percentile_table_gives_back_every_count_and_quantile(values: list[int]) -> None:
    measurement = own(values)
    (found,) = imported(exported("percentiles", measurement))
    before, after = folded(values), histogram_of(found)
    assert after.n == before.n
    assert after.count == before.count
    assert [after.quantile(q) for q in QUANTILES[1:]] == [before.quantile(q) for q in QUANTILES[1:]]
    assert found.latency is not None
    assert found.latency.maximum is not None
    assert found.latency.maximum.value == pytest.approx(max(values), abs=0.5)


def test_a_percentile_table_is_laid_out_as_its_readers_expect() -> None:
    text = exported("percentiles", own([1_000_000, 2_000_000, 3_000_000]))
    lines = text.splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert lines[2].split()[1:] == ["0.333333333333", "1", "1.50"]
    assert lines[4].split()[1:] == ["1.000000000000", "3"]
    assert lines[-2].startswith("#[Max     =")


@pytest.mark.parametrize("form", ["hlog", "percentiles"])
def test_means_of_batches_are_not_passed_off_as_latencies(form: str) -> None:
    with pytest.raises(UsageError, match="keeps no histogram"):
        exported(form, kept([100.0, 101.0]))
    batched = Measurement(Source("x"), name="b", latency=Latency(histogram=folded([100, 200]), batch=50))
    with pytest.raises(UsageError, match="the mean of 50 operations"):
        exported(form, batched)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=20), min_size=2, max_size=3))
def test_runs_of_a_log_follow_each_other(processes: Sequence[Sequence[int]]) -> None:
    starts = [
        float(line.split(",")[1]) for line in exported("hlog", own(*processes)).splitlines() if line.startswith("Tag=")
    ]
    assert starts == [2.0 * index for index in range(len(processes))]
