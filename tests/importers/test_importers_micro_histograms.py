"""HdrHistogram's interval logs and percentile tables, and single figures of dashboards."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from importer_cases import FIXTURES, codes, read_one, stream, text

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.errors import FormatError
from bizra_gate.model import Distribution, Measurement, Policy
from bizra_gate.stats import histogram
from bizra_gate.stats.layout import DEFAULT, Layout
from bizra_gate.stats.summary import summarize

SHORT = replace(Policy(), min_duration_ns=0, min_warmup_ns=0)


def findings(measurement: Measurement) -> set[str]:
    return {finding.code for finding in examine(measurement, SHORT).findings}


def binned(values: list[int], layout: Layout = DEFAULT) -> Distribution:
    counts: dict[int, int] = {}
    for value in values:
        counts[layout.index(value)] = counts.get(layout.index(value), 0) + 1
    edges = [layout.edges(index) for index in sorted(counts)]
    return Distribution(
        tuple(low for low, _ in edges), tuple(high for _, high in edges), tuple(counts[i] for i in sorted(counts))
    )


def latencies(seed: int, n: int = 40, around: int = 5_000_000) -> list[int]:
    rng = random.Random(seed)
    return [round(around * (1 + rng.random() / 4)) for _ in range(n)]


def line(
    start: float, values: list[int], length: float = 1.0, tag: str = "", ratio: float = 1e6, most: str | None = None
) -> str:
    held = binned(values)
    label = f"Tag={tag}," if tag else ""
    shown = most if most is not None else f"{held.high[-1] / ratio:.3f}"
    return f"{label}{start:.3f},{length:.3f},{shown},{histogram.encode(held)}\n"


def log(*lines: str, head: str = "#[StartTime: 1790000000.000 (seconds since epoch)]\n") -> str:
    return "#[Histogram log format version 1.3]\n" + head + "".join(lines)


SIX = [line(second, latencies(second)) for second in range(6)]


def test_intervals_of_a_log_add_up_to_its_values() -> None:
    found = read_one(log(*SIX))
    assert found.operations == 240
    assert found.intervals is not None
    assert found.intervals.count == (40,) * 6
    assert found.latency is not None
    assert found.latency.histogram == binned([v for s in range(6) for v in latencies(s)])
    assert found.duration_ns is not None
    assert found.duration_ns.value == 6e9
    assert not findings(found) & {"coherence.count", "coherence.time", "coherence.summary", "coherence.order"}


def test_each_tag_is_a_measurement_of_its_own() -> None:
    plain, write = importers.read(stream((FIXTURES / "hdrhistogram/two-tags.hlog").read_bytes(), "x.hlog"))
    assert (plain.name, write.name) == (None, "write")
    assert plain.operations == write.operations == 300
    assert plain.latency is not None
    assert write.latency is not None
    assert plain.latency.bin_ratio == write.latency.bin_ratio == 1e-2, "the coarser of the layouts in the file"
    assert plain.started_at == "2026-09-21T14:13:20.123Z"


def test_a_line_that_was_taken_out_leaves_a_gap() -> None:
    assert "coherence.time" in findings(read_one(log(*SIX[:2], *SIX[4:])))


@pytest.mark.parametrize(
    ("head", "first", "started"),
    [
        ("#[StartTime: 1790000000.000 (seconds since epoch)]\n", 0.0, "2026-09-21T14:13:20.000Z"),
        ("#[StartTime: 1790000000.000 (s)]\n#[BaseTime: 1790000005.000 (s)]\n", 2.0, "2026-09-21T14:13:27.000Z"),
        ("#[StartTime: 1790000000.000 (seconds since epoch)]\n", 1790000003.0, "2026-09-21T14:13:23.000Z"),
        ("", 1790000000.0, "2026-09-21T14:13:20.000Z"),
        ("", 0.0, None),
        ("#[BaseTime: 1790000005.000 (s)]\n", 2.0, "2026-09-21T14:13:27.000Z"),
    ],
)
def test_stamps_count_from_base_time_or_start_time_or_from_1970(head: str, first: float, started: str | None) -> None:
    lines = [line(first + second, latencies(second)) for second in range(3)]
    found = read_one(log(*lines, head=head))
    assert found.started_at == started
    assert found.duration_ns is not None
    assert found.duration_ns.value == 3e9


def test_a_writer_that_floors_the_maximum_is_recognised_and_not_accused() -> None:
    floored = [line(s, latencies(s), most=f"{binned(latencies(s)).high[-1] // 10**6:.6f}") for s in range(6)]
    found = read_one(log(*floored))
    assert "source.floored" in codes(found)
    assert "coherence.summary" not in findings(found)


def test_a_maximum_that_its_histogram_does_not_hold_is_found() -> None:
    edited = [*SIX[:5], line(5, latencies(5), most="99.000")]
    found = read_one(log(*edited))
    assert "source.maximum" in codes(found)
    assert "coherence.summary" in findings(found)


def test_a_ratio_that_is_not_the_customary_one_is_told() -> None:
    micro = [line(s, latencies(s), ratio=1e3) for s in range(3)]
    (caveat,) = (c for c in read_one(log(*micro)).caveats if c.code == "source.unit")
    assert "1/1,000 of the values" in caveat.message


def test_uneven_intervals_that_follow_each_other_are_one_stretch_and_no_gap() -> None:
    starts = [0.0, 1.0, 2.75, 3.0, 4.0]
    lengths = [1.0, 1.75, 0.25, 1.0, 1.0]
    rows = [line(s, latencies(i), length) for i, (s, length) in enumerate(zip(starts, lengths, strict=True))]
    found = read_one(log(*rows))
    assert found.intervals is None
    assert found.operations == 200
    (caveat,) = (c for c in found.caveats if c.code == "source.intervals")
    assert caveat.message.startswith("5 intervals of 0.25 to 1.75 s")
    assert "coherence.time" not in findings(found)


def test_bins_of_different_layouts_that_overlap_become_one() -> None:
    coarse = Layout(1, 10**10, 1)
    values = latencies(1)
    rows = [line(0, values), f"1.000,1.000,6.000,{histogram.encode(binned(values, coarse), coarse)}\n"]
    found = read_one(log(*rows))
    assert found.latency is not None
    held = found.latency.histogram
    assert held is not None
    assert held.n == 2 * len(values)
    assert all(high < low for high, low in zip(held.high, held.low[1:], strict=False))
    assert found.latency.bin_ratio == 0.1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda t: t.replace("HISTFAAAA", "HISTEwAAA", 1), "line 3: HDR histogram: got"),
        (lambda t: t.replace(",1.000,", ",1.000;", 1), "line 3: got"),
        (lambda t: "#[Histogram log format version 1.3]\n", "without an interval"),
    ],
)
def test_a_log_that_cannot_be_read_names_the_line(damage: object, said: str) -> None:
    assert callable(damage)
    with pytest.raises(FormatError, match=said) as caught:
        importers.read(stream(damage(log(*SIX)).encode(), "x.hlog"))
    assert caught.value.exit_code == 2


def test_a_torn_last_line_is_left_out_and_told() -> None:
    found = read_one(log(*SIX)[:-30])
    assert found.operations == 200
    assert "source.cut" in codes(found)


def test_values_that_were_clipped_to_the_highest_trackable_one_are_found() -> None:
    layout = Layout(1, 60_000_000_000, 3)
    values = [*latencies(1), *[60_000_000_000] * 5]
    text_of_row = f"0.000,200.000,60000.000,{histogram.encode(binned(values, layout), layout)}\n"
    found = read_one(log(text_of_row))
    assert "source.clipped" in codes(found)
    assert "coherence.overflow" in findings(found)
    once = f"0.000,200.000,60000.000,{histogram.encode(binned(values[:-4], layout), layout)}\n"
    assert "coherence.overflow" not in findings(read_one(log(once)))


def test_an_interval_without_values_is_an_interval() -> None:
    empty = f"6.000,1.000,0.000,{histogram.encode(Distribution((), (), ()))}\n"
    found = read_one(log(*SIX, empty))
    assert found.intervals is not None
    assert found.intervals.count == (40,) * 6 + (0,)


# percentile tables


@pytest.mark.parametrize("file", ["percentiles.txt", "percentiles.csv"])
def test_a_percentile_table_holds_all_its_values(file: str) -> None:
    found = read_one((FIXTURES / "hdrhistogram" / file).read_bytes())
    assert found.latency is not None
    held = found.latency.histogram
    assert held is not None
    assert held.n == 300
    assert held.quantile(0.99) == pytest.approx(3.422e6, rel=0.001)
    assert codes(found) == ["source.unit"]
    assert found.duration_ns is None


def test_a_standard_deviation_that_nobody_scaled_is_not_believed() -> None:
    table = text("hdrhistogram/percentiles.txt").replace("StdDeviation   =        0.203", "StdDeviation = 203000.000")
    found = read_one(table)
    assert found.latency is not None
    assert found.latency.stdev is None
    assert "source.stdev" in codes(found)


def test_a_total_that_the_rows_do_not_give_is_found() -> None:
    table = text("hdrhistogram/percentiles.txt").replace("Total count    =          300", "Total count = 900")
    assert "coherence.count" in findings(read_one(table))


# dashboards


def test_a_point_of_a_dashboard_is_a_time_a_rate_a_size_or_not_read() -> None:
    found = importers.read(stream((FIXTURES / "github-action-benchmark/custom.json").read_bytes(), "x.json"))
    parse, serve, binary, score = found
    assert summarize(parse)["latency.mean"].estimate == 2512.5
    assert summarize(serve)["throughput"].estimate == 18250
    assert serve.higher_is_better is True
    assert summarize(binary)["memory.peak"].estimate == 12_500_000
    assert codes(score) == ["source.unit"]
    assert examine(parse, Policy()).verdict == "INSUFFICIENT"


def test_only_the_latest_commit_of_a_dashboard_is_read() -> None:
    (found,) = importers.read(stream((FIXTURES / "github-action-benchmark/data.js").read_bytes(), "data.js"))
    assert found.name == "Parser/parse"
    assert summarize(found)["latency.mean"].estimate == 2512.5
    assert "source.history" in codes(found)
    assert found.higher_is_better is False
    assert found.finished_at is not None


def test_measures_of_bencher_have_the_units_of_their_names() -> None:
    parse, binary = importers.read(stream((FIXTURES / "bencher/metrics.json").read_bytes(), "x.json"))
    assert summarize(parse)["latency.mean"].estimate == 2512.5
    assert summarize(parse)["throughput"].estimate == 398010.0
    assert summarize(parse)["latency.p99"].estimate == 4100.0
    assert summarize(binary)["memory.peak"].estimate == 12_500_000
    assert codes(binary) == ["source.unit"]


@pytest.mark.parametrize(
    "text_of_k6",
    ['{"metrics": {"vus": {"value": 1, "min": 1, "max": 2}}}', '{"metrics": {"checks": {"value": 1, "passes": 3}}}'],
)
def test_a_summary_of_k6_is_no_metric_of_bencher(text_of_k6: str) -> None:
    assert not importers.IMPORTERS["bencher"].sniff(text_of_k6.encode(), "x.json")


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_point_that_is_no_number_gives_no_metric(value: str) -> None:
    (found,) = importers.read(stream(f'[{{"name": "a", "unit": "ns", "value": {value}}}]'.encode()))
    assert summarize(found) == {}
    assert "source.value" in codes(found)


def test_points_keep_their_order_and_names() -> None:
    points = [{"name": f"n{i}", "unit": "ms", "value": i + 0.5} for i in range(3)]
    found = importers.read(stream(json.dumps(points).encode()))
    assert [measurement.name for measurement in found] == ["n0", "n1", "n2"]
    assert summarize(found[1])["latency.mean"].estimate == 1.5e6
