"""Known traps of each tool: corrected where that is arithmetic, and told; otherwise the fact stays absent."""

from __future__ import annotations

import json
import re

import pytest
from importer_cases import codes, document, read_one, stream, text

from bizra_gate import importers
from bizra_gate.errors import FormatError

# wrk and wrk2


def test_answers_that_were_too_slow_for_wrk_are_requests_without_a_latency() -> None:
    report = text("wrk/closed-c6.txt").replace(
        "Requests/sec:", "  Socket errors: connect 0, read 1, write 0, timeout 4\nRequests/sec:"
    )
    found = read_one(report)
    assert found.errors == {"read": 1, "timeout": 4}
    assert found.operations_include_errors
    assert found.latency is not None
    assert found.latency.dropped == 4
    assert found.latency.corrected


def test_appended_runs_are_read_one_by_one() -> None:
    both = text("wrk/closed-c6.txt") + text("wrk/errors-c8.txt")
    found = importers.read(stream(both.encode()))
    assert [measurement.concurrency for measurement in found] == [6, 8]


def test_runs_of_wrk_and_wrk2_in_one_file_are_told_apart() -> None:
    both = text("wrk/closed-c6.txt") + text("wrk2/paced-200-c2.txt")
    with pytest.raises(FormatError, match=r"run 2: is a run of wrk2, not of wrk"):
        importers.read(stream(both.encode()), "wrk")


def test_wrk2_counts_from_the_start_but_measures_after_its_calibration() -> None:
    found = read_one(text("wrk2/paced-200-c2.txt"))
    latency = found.latency
    assert latency is not None
    assert latency.window_ns is not None
    assert latency.window_ns.value == pytest.approx(14e9 - 10e9 - 2 * 5e6)
    assert latency.origin == "intended"
    assert found.loop == "open"
    assert found.warmup_ns is not None
    assert "source.window" in codes(found)


def test_what_wrk2_calls_timeouts_are_no_errors() -> None:
    found = read_one(text("wrk2/paced-200-c2.txt"))
    assert found.errors == {}
    assert "source.timeouts" in codes(found)


def test_a_run_of_wrk2_that_was_too_short_to_calibrate_measured_all_of_it() -> None:
    report = (
        "Running 5s test @ http://x/\n  2 threads and 10 connections\n"
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
        "    Latency     1.97s     1.28s    4.93s    60.75%\n    Req/Sec       -nan      -nan   0.00      0.00%\n"
        "  833 requests in 5.00s, 223.25MB read\nRequests/sec: 166.60\nTransfer/sec: 44.65MB\n"
    )
    found = read_one(report)
    assert found.source.tool == "wrk2"
    assert found.warmup_ns is None
    assert found.latency is not None
    assert found.latency.window_ns is None


def test_a_connection_that_was_refused_is_no_measurement() -> None:
    with pytest.raises(FormatError, match="unable to connect to"):
        read_one("unable to connect to 127.0.0.1:1 Connection refused\n")


# hey


def test_the_average_of_hey_beyond_a_million_is_set_right_and_the_rest_is_dropped() -> None:
    report = (
        "\nSummary:\n  Total:\t54.9080 secs\n  Slowest:\t0.0405 secs\n  Fastest:\t0.0001 secs\n"
        "  Average:\t0.0005 secs\n  Requests/sec:\t29139.6692\n\nResponse time histogram:\n  0.000 [1]\t|\n"
        "  0.041 [999999]\t|■\n\n\nLatency distribution:\n  50% in 0.0002 secs\n\n"
        "Status code distribution:\n  [200]\t1000000 responses\n\n\n\n"
    )
    found = read_one(report)
    latency = found.latency
    assert found.operations == 1_600_001
    assert latency is not None
    assert latency.mean is not None
    assert latency.mean.value == pytest.approx(0.0005e9 * 1_000_000 / 1_600_001)
    assert latency.dropped == 600_001
    assert "source.average" in codes(found)


def test_a_refused_run_of_hey_is_all_errors_and_no_latency() -> None:
    found = read_one(text("hey/refused-c2.txt"))
    assert found.latency is None
    assert found.errors == {"refused": 20}
    assert found.operations == 20


# ab


def test_answers_of_another_length_are_no_errors_but_bad_statuses_are() -> None:
    report = text("ab/errors-c4.txt").replace(
        "Failed requests:        0",
        "Failed requests:        12\n   (Connect: 0, Receive: 0, Length: 12, Exceptions: 0)",
    )
    found = read_one(report)
    assert found.errors == {"status": 75}
    assert codes(found) == ["source.length"]


def test_the_mean_of_ab_is_the_one_of_its_table_not_the_one_made_of_its_rate() -> None:
    found = read_one(text("ab/errors-c4.txt"))
    assert found.latency is not None
    assert found.latency.mean is not None
    assert (found.latency.mean.value, found.latency.mean.resolution) == (7e6, 1e6)


# oha, fortio, autocannon, ghz


def test_requests_in_flight_at_the_deadline_leave_the_rate_of_oha() -> None:
    found = read_one(text("oha/closed-c8.json"))
    assert found.errors == {}
    assert found.rate_achieved_per_s is not None
    assert found.duration_ns is not None
    assert found.rate_achieved_per_s.value == pytest.approx((found.operations or 0) / found.duration_ns.value * 1e9)
    assert codes(found) == ["source.aborted"]


def test_a_run_of_oha_without_an_answer_has_no_latency() -> None:
    report = document("oha/closed-c8.json")
    report["summary"].update(average=None, fastest=None, slowest=None)
    report.update(statusCodeDistribution={}, errorDistribution={"Connection refused (os error 111)": 40})
    found = read_one(json.dumps(report))
    assert found.latency is None
    assert found.errors == {"refused": 40}


def test_everything_below_a_millisecond_is_one_bucket_of_fortio() -> None:
    report = document("fortio/errors-c4.json")
    report["DurationHistogram"]["Data"] = [
        {"Start": 0.00001, "End": 0.001, "Percent": 99.0, "Count": 1084},
        {"Start": 0.001, "End": 0.002, "Percent": 100, "Count": 11},
    ]
    found = read_one(json.dumps(report))
    assert found.latency is not None
    assert found.latency.quantum_ns == 1_000_000
    assert found.latency.bin_ratio == pytest.approx(0.99)


def test_a_paced_run_of_fortio_says_what_was_asked_for() -> None:
    report = document("fortio/errors-c4.json") | {"RequestedQPS": "400", "RequestedDuration": "exactly 100 calls"}
    found = read_one(json.dumps(report))
    assert found.loop == "paced-closed"
    assert found.rate_requested_per_s is not None
    assert found.rate_requested_per_s.value == 400
    assert found.duration_requested_ns is None


def test_samples_that_autocannon_added_are_told() -> None:
    report = document("autocannon/closed-c8.json")
    report["latency"]["totalCount"] = 22_973
    found = read_one(json.dumps(report))
    assert found.latency is not None
    assert found.latency.count == 22_973
    assert found.latency.corrected
    assert "source.backfill" in codes(found)


def test_the_mean_of_autocannon_may_be_a_millisecond_low() -> None:
    found = read_one(text("autocannon/closed-c8.json"))
    assert found.latency is not None
    assert found.latency.mean is not None
    assert found.duration_ns is not None
    rate = (found.operations or 0) / found.duration_ns.value
    assert rate * found.latency.mean.value < 8 * 0.97
    assert rate * found.latency.mean.high == pytest.approx(8, rel=0.04)


def test_failed_calls_leave_the_average_of_ghz() -> None:
    report = document("ghz/errors-c5.json")
    found = read_one(json.dumps(report))
    assert found.latency is not None
    assert found.latency.mean is not None
    assert found.latency.mean.value > report["average"]
    assert "source.average" in codes(found)


# hyperfoil, nighthawk, artillery, locust


def test_a_run_of_hyperfoil_that_only_warmed_up_measured_nothing() -> None:
    report = document("hyperfoil/open-200.json")
    for record in report["stats"]:
        record["isWarmup"] = True
    with pytest.raises(FormatError, match="no phase that is not a warm-up"):
        read_one(json.dumps(report))


def test_rate_and_connections_of_nighthawk_are_per_worker() -> None:
    report = document("nighthawk/paced-100-c10.json")
    report["options"]["concurrency"] = "4"
    found = read_one(json.dumps(report))
    assert found.concurrency == 40
    assert found.rate_requested_per_s is not None
    assert found.rate_requested_per_s.value == 400
    report["options"]["concurrency"] = "auto"
    assert read_one(json.dumps(report)).rate_requested_per_s is None


def test_users_that_artillery_never_started_are_told() -> None:
    found = read_one(text("artillery/errors-50.json"))
    assert found.errors == {"status 503": 10, "timeout": 10}
    assert "source.skipped" in codes(found)


def test_an_empty_list_of_locust_says_where_it_comes_from() -> None:
    with pytest.raises(FormatError, match="--json together with --json-file"):
        importers.read(stream(b"[]\n"), "locust")


def test_several_names_of_locust_are_read_together_and_apart() -> None:
    whole, first, second = importers.read(stream(text("locust/two-names-c5.json").encode()))
    assert whole.operations == (first.operations or 0) + (second.operations or 0)
    assert (whole.think_time, first.think_time) == (None, True)


def test_percentiles_of_locust_are_as_wide_as_its_rounding() -> None:
    rows = text("locust/two-names-c5_stats.csv").splitlines()
    cells = rows[-1].split(",")
    cells[-2] = "5000"
    (found,) = importers.read(stream("\n".join([rows[0], ",".join(cells), ""]).encode()))
    assert found.latency is not None
    p, figure = found.latency.percentiles[-1]
    assert (p, figure.value, figure.resolution) == (99.99, 5e9, 100e6)


# gatling, jmeter, h2load, siege


def test_users_who_keep_coming_open_the_loop_of_gatling() -> None:
    start = 1_790_000_000_000
    rows = [f"RUN\tS\ts\t{start}\t \t3.9.5"]
    for user in range(40):
        now = start + user * 100
        rows += [f"USER\ts\tSTART\t{now}", f"REQUEST\t\tget\t{now}\t{now + 40}\tOK\t ", f"USER\ts\tEND\t{now + 45}"]
    found = read_one("".join(row + "\n" for row in rows))
    assert found.loop == "open"
    assert found.concurrency == 1


def test_the_binary_log_of_gatling_is_refused_with_the_reason() -> None:
    with pytest.raises(FormatError, match="binary since"):
        importers.read(stream(b"\x00\x00\x00\x00\x06" + b"3.13.1" + b"\0" * 80, "simulation.log"))


ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "aaaa">]>\n<testResults version="1.2">\n'
    '<sample t="1" ts="1790000000000" s="true" lb="&a;"/>\n</testResults>\n'
)


def test_entities_and_document_types_in_a_jtl_are_refused() -> None:
    with pytest.raises(FormatError, match="declares a document type or an entity"):
        read_one(ENTITY)


def test_samples_within_a_sample_are_in_its_time_and_not_counted_again() -> None:
    rows = (
        '<?xml version="1.0"?>\n<testResults version="1.2">\n'
        '<httpSample t="30" ts="1790000000000" s="true" lb="a" rc="200">\n'
        '<httpSample t="10" ts="1790000000000" s="true" lb="b" rc="302"/>\n</httpSample>\n</testResults>\n'
    )
    assert read_one(rows).operations == 1


def test_a_jtl_of_another_country_is_read_by_its_own_separator() -> None:
    rows = "timeStamp;elapsed;label;responseCode;success\n1790000000000;31;get;200;true\n"
    found = read_one(rows)
    assert found.latency is not None
    assert found.latency.histogram is not None
    assert found.latency.histogram.low == (31_000_000,)


def test_stamps_that_are_no_milliseconds_are_refused_with_the_setting_to_change() -> None:
    rows = "timeStamp,elapsed,label,responseCode,success\n2026/11/22 10:00:00,31,get,200,true\n"
    with pytest.raises(FormatError, match="timestamp_format=ms"):
        read_one(rows)


def test_streams_of_h2load_hide_how_many_requests_were_in_flight() -> None:
    found = read_one(text("h2load/closed-c6.txt").replace("protocol: http/1.1", "protocol: h2"))
    assert found.concurrency is None
    assert any("streams" in sentence for sentence in found.blind)


def test_a_warm_up_that_h2load_names_is_kept() -> None:
    found = read_one(text("h2load/closed-c6.txt").replace("with 0s of warm-up", "with 2s of warm-up"))
    assert found.warmup_ns is not None
    assert found.warmup_ns.value == 2e9


def test_an_average_of_siege_below_its_quantum_may_be_up_to_five_milliseconds() -> None:
    report = re.sub(r'("response_time":\s+)0.01', r"\g<1>0.00", text("siege/errors-c4.json"))
    found = read_one(report)
    assert found.latency is not None
    assert found.latency.mean is not None
    assert (found.latency.mean.value, found.latency.mean.high) == (0.0, 5e6)


# every tool


def test_a_figure_with_a_decimal_comma_is_refused_with_the_way_out() -> None:
    with pytest.raises(FormatError, match="LC_ALL=C"):
        read_one(text("wrk/closed-c6.txt").replace("Requests/sec:    ", "Requests/sec:   1,"))
