"""Where a file begins and ends, and who wrote it: two files in one, a report without its end, another tool's name."""

from __future__ import annotations

import pytest
from importer_cases import codes, read_one, stream, text

from bizra_gate import importers
from bizra_gate.errors import FormatError

ONCE = (
    ("ab", "ab/errors-c4.tsv"), ("gatling", "gatling/closed-c4.simulation.log"), ("hey", "hey/errors-c4.csv"),
    ("jmeter", "jmeter/closed-c4.jtl"), ("jmeter", "jmeter/closed-c4.xml.jtl"), ("k6", "k6/closed-c4.csv"),
    ("locust", "locust/two-names-c5_stats.csv"), ("locust", "locust/two-names-c5_stats_history.csv"),
    ("oha", "oha/closed-c3.csv"), ("pyperf", "pyperf/sum-4-processes.json"), ("jmh", "jmh/four-modes.json"),
    ("k6", "k6/closed-c4.machine.json"),
)  # fmt: skip


@pytest.mark.parametrize(("tool", "file"), ONCE)
def test_two_files_in_one_are_refused_with_the_line_where_the_second_begins(tool: str, file: str) -> None:
    twice = text(file).rstrip("\n") + "\n" + text(file)
    with pytest.raises(FormatError, match=r"line \d+.*two files in one; split it there"):
        importers.read(stream(twice.encode()), tool)


def test_k6_points_of_two_runs_are_refused_because_a_metric_is_defined_once() -> None:
    definition = '{"type":"Metric","data":{"name":"vus","type":"gauge","contains":"default"},"metric":"vus"}\n'
    with pytest.raises(FormatError, match=r"line 2: the definition of vus a second time: two files in one"):
        importers.read(stream((definition * 2).encode()), "k6")


def test_a_histogram_log_has_one_start() -> None:
    log = text("hdrhistogram/two-tags.hlog")
    with pytest.raises(FormatError, match="StartTime a second time"):
        importers.read(stream((log + log).encode()))


def test_vegeta_says_that_several_attacks_are_read_together() -> None:
    for file in ("vegeta/open-100.ndjson", "vegeta/open-100.csv"):
        assert "source.mixed" not in codes(read_one(text(file)))
        assert "source.mixed" in codes(read_one(text(file) * 2))


@pytest.mark.parametrize(
    ("file", "last"),
    [
        ("wrk/closed-c6.txt", "Transfer/sec"),
        ("wrk2/paced-200-c2.txt", "Transfer/sec"),
        ("ab/closed-c6.txt", " 100%"),
        ("h2load/closed-c6.txt", "req/s   "),
        ("hdrhistogram/percentiles.txt", "       3.684 1.0000"),
        ("hdrhistogram/percentiles.csv", "3.684,1.0000"),
    ],
)
def test_a_report_that_ends_between_two_lines_is_told(file: str, last: str) -> None:
    whole = text(file)
    assert "source.cut" not in codes(read_one(whole))
    cut = whole[: whole.index("\n" + last) + 1]
    assert "source.cut" in codes(read_one(cut))


def test_a_report_of_hey_without_its_last_section_is_no_contradiction_but_a_cut() -> None:
    whole = text("hey/closed-c6.txt")
    for last in ("Status code distribution:", "  [200]"):
        with pytest.raises(FormatError, match="it was cut"):
            read_one(whole[: whole.index(last)])


def test_a_wrong_from_is_answered_with_what_the_file_looks_like() -> None:
    with pytest.raises(FormatError, match="It looks like a file of wrk: leave --from jmh out"):
        read_one(text("wrk/closed-c6.txt"), "jmh")
    with pytest.raises(FormatError, match="It looks like a file of pyperf: leave --from wrk out"):
        read_one(text("pyperf/sum-4-processes.json"), "wrk")


def test_a_file_that_was_read_against_its_looks_says_so() -> None:
    assert "source.format" in codes(read_one(text("wrk/closed-c6.txt"), "wrk2"))
    assert "source.format" not in codes(read_one(text("wrk/closed-c6.txt"), "wrk"))


def test_an_unknown_encoding_in_xml_is_refused_in_a_sentence() -> None:
    with pytest.raises(FormatError, match="unknown encoding"):
        read_one('<?xml version="1.0" encoding="UTF-99"?>\n<testResults version="1.2">\n</testResults>\n')


def test_decimal_commas_in_a_csv_are_too_many_columns() -> None:
    with pytest.raises(FormatError, match="line 2"):
        read_one(text("oha/closed-c3.csv").replace("0.", "0,"), "oha")


def test_autocannon_adds_its_samples_up_over_the_workers() -> None:
    one = text("autocannon/closed-c8.json")
    two = one.replace('"workers":0', '"workers":2').replace('"samples":3', '"samples":6')
    assert one != two
    assert read_one(two).duration_ns == read_one(one).duration_ns


def test_autocannon_prints_its_warm_up_first_and_it_is_no_run() -> None:
    warmup = text("autocannon/errors-c4.json").strip()
    main = text("autocannon/closed-c8.json").strip()
    found = read_one(f'{warmup}\n{main[:-1]},"warmup":{warmup}}}\n')
    assert found.warmup_ns is not None
    assert found.concurrency == 8


def test_autocannons_table_is_not_taken_for_wrks_report() -> None:
    table = "Running 2s test @ http://127.0.0.1:1/\n8 connections\n\n\n┌─────────┬──────┐\n│ Stat    │ 2.5% │\n"
    with pytest.raises(FormatError, match="autocannon's table, rounded for people; run it with -j"):
        read_one(table)
