"""Honest reports at the edges of what their figures say of each other: neither rounding nor a quirk is accused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from importer_cases import document, stream, text

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.model import Policy


def contradictions(said: str | dict[str, Any] | list[Any], name: str = "run.txt") -> list[str]:
    """Messages of every contradiction within the file (a coarse clock contradicts nothing)."""
    found = importers.read(stream((said if isinstance(said, str) else json.dumps(said)).encode(), name))
    told = [finding for one in found for finding in examine(one, Policy()).findings]
    return [finding.message for finding in told if finding.code.startswith("coherence.")]


def with_lines(path: str, *changes: tuple[str, str]) -> str:
    """A report with some of its lines changed; each must be there."""
    said = text(path)
    for old, new in changes:
        said, times = re.subn(old, new, said, count=1)
        assert times == 1, old
    return said


AB = "ab/errors-c4.txt"


def test_ab_may_have_read_part_of_the_documents_that_time_cut_off() -> None:
    assert not contradictions(with_lines(AB, (r"HTML transferred: +600", "HTML transferred: 607")))


def test_ab_knows_no_length_where_documents_vary_or_differ_from_the_first() -> None:
    varying = (r"Document Length: +2 bytes", "Document Length: Variable")
    assert not contradictions(with_lines(AB, varying, (r"HTML transferred: +600", "HTML transferred: 9000")))
    failed = (r"Failed requests: +0", "Failed requests: 40\n   (Connect: 0, Receive: 0, Length: 40, Exceptions: 0)")
    assert not contradictions(with_lines(AB, failed, (r"HTML transferred: +600", "HTML transferred: 9000")))


def test_ab_of_old_names_three_kinds_of_failures() -> None:
    old = (r"Failed requests: +0", "Failed requests: 3\n   (Connect: 0, Length: 3, Exceptions: 0)")
    assert not contradictions(with_lines(AB, old))


def test_ab_rounds_each_part_and_the_whole_by_itself() -> None:
    """0.5 and 6.5 ms are printed as 1 and 7, their sum as 7; cut off, 0.9 and 6.9 are 0 and 6, and 7 together."""
    up = with_lines(AB, (r"Connect: +0 +0 +0\.3 +0", "Connect: 0 1 0.3 1"), (r"Processing: +1 +7", "Processing: 1 7"))
    assert not contradictions(up)
    down = with_lines(AB, (r"Processing: +1 +7", "Processing: 1 6"), (r"Waiting: +1 +7", "Waiting: 1 6"))
    assert not contradictions(down)


def test_ab_takes_the_value_after_the_middle_into_the_median_of_an_odd_count() -> None:
    three = """Concurrency Level:      1
Time taken for tests:   0.018 seconds
Complete requests:      3
Failed requests:        0
Total transferred:      300 bytes
HTML transferred:       30 bytes
Requests per second:    166.67 [#/sec] (mean)

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.0      0       0
Processing:     4    6   2.0      7       8
Waiting:        4    6   2.0      7       8
Total:          4    6   2.0      7       8

Percentage of the requests served within a certain time (ms)
  50%      6
  66%      6
  75%      8
 100%      8 (longest request)
"""
    assert not contradictions(three)


def test_hey_counts_from_the_start_of_the_program_where_an_answer_came_before_the_request_was_written() -> None:
    early = "0.0017,0.0001,0.0000,0.0000,0.5011,0.0001,413,0.4990\n"
    assert not contradictions(text("hey/errors-c4.csv") + early)


def test_hey_has_averages_of_nothing_where_nothing_was_answered() -> None:
    assert not contradictions(text("hey/refused-c2.txt"))


def test_h2load_counts_statuses_before_the_answers_are_whole() -> None:
    assert not contradictions(with_lines("h2load/closed-c6.txt", (r"status codes: 1356", "status codes: 1362")))


def test_wrk_rounds_its_minutes_and_may_be_interrupted() -> None:
    assert not contradictions(with_lines("wrk/closed-c6.txt", (r"Running 3s", "Running 2m")))
    late = (r"requests in 3\.00s", "requests in 3.10s"), (r"479\.80", "464.52"), (r"29\.99KB", "29.03KB")
    assert not contradictions(with_lines("wrk/closed-c6.txt", *late))


def autocannon(**changes: Any) -> dict[str, Any]:
    return {**document("autocannon/closed-c8.json"), **changes}


def test_autocannon_counts_by_the_sample_which_may_be_shorter_than_a_second() -> None:
    node = autocannon(sampleInt=100, samples=30)
    for key in ("requests", "throughput"):
        row = {name: value / 10 if name not in ("total", "sent") else value for name, value in node[key].items()}
        node[key] = {
            name: round(value, 2) if name in ("average", "mean", "stddev") else value for name, value in row.items()
        }
    assert not contradictions(node)


def test_autocannon_leaves_nothing_out_of_the_smallest_sample_but_zero() -> None:
    node = autocannon()
    node["requests"] |= {"average": 450.25, "mean": 450.25, "stddev": 270.0, "min": 577, "p1": 0, "p2_5": 0, "p10": 0,
                         "p0_001": 0, "p0_01": 0, "p0_1": 0, "p25": 0}  # fmt: skip
    node["throughput"] = {"average": 45000.0, "mean": 45000.0, "total": 180_000, "stddev": 1.0}
    assert not contradictions({**node, "samples": 4, "duration": 4.01, "finish": "2026-11-22T08:01:02.395Z"})


def test_autocannon_with_workers_adds_their_samples_up() -> None:
    assert not contradictions(autocannon(workers=3, samples=9))


def test_autocannon_that_runs_on_counts_codes_on() -> None:
    again = autocannon(statusCodeStats={"200": {"count": 3602}})
    assert not contradictions(json.dumps(autocannon()) + json.dumps(again))


def test_bombardier_adds_each_different_latency_up_once() -> None:
    """A million answers in some hundred different microseconds: a deviation a hundred times too small."""
    node = document("bombardier/closed-c6.json")
    node["result"]["latency"] |= {"stddev": 93.0}
    assert not contradictions(node)


def oha(**summary: Any) -> dict[str, Any]:
    node = document("oha/closed-c8.json")
    return {**node, "summary": {**node["summary"], **summary}}


def test_oha_that_got_no_answer_has_no_figures() -> None:
    nothing = oha(successRate=0.0, total=3.0, slowest=None, fastest=None, average=None, requestsPerSec=4.0, totalData=0,
                  sizePerRequest=None, sizePerSec=0.0)  # fmt: skip
    nothing |= {"responseTimeHistogram": {}, "latencyPercentiles": {}, "statusCodeDistribution": {}}
    nothing |= {"errorDistribution": {"connection refused": 12}, "rps": {"mean": None, "percentiles": {}}}
    assert not contradictions(nothing)


def test_oha_cuts_the_size_of_an_answer_to_whole_bytes() -> None:
    assert not contradictions(oha(totalData=3_575, sizePerSec=3_575 / 3.0004))


def first_byte(**changes: Any) -> dict[str, Any]:
    """oha's report with first bytes as long as the whole answers."""
    node = oha()
    summary, table = node["summary"], node["latencyPercentiles"]
    ends = {key: summary[key] for key in ("average", "fastest", "slowest")}
    return {**node, "details": {"firstByte": {**ends, **changes}}, "firstByteHistogram": node["responseTimeHistogram"],
            "firstBytePercentiles": table}  # fmt: skip


def test_oha_may_have_its_first_byte_with_the_last() -> None:
    assert not contradictions(first_byte())
    assert contradictions(first_byte(average=0.0209))
    assert contradictions(first_byte(slowest=0.0337795))


K6_PARTS = {"http_req_sending": 0.02, "http_req_waiting": 24.600616809917348, "http_req_receiving": 0.05}


def k6(**changes: dict[str, float]) -> dict[str, Any]:
    """k6's summary export with the parts of a request beside the whole."""
    node = document("k6/errors-c3.summary-export.json")
    whole = {key: node["metrics"]["http_req_duration"][key] for key in ("avg", "min", "med", "max", "p(90)", "p(95)")}
    for name, average in K6_PARTS.items():
        waits = name == "http_req_waiting"
        row = whole if waits else dict.fromkeys(whole, average)
        node["metrics"][name] = {**row, "avg": average} if waits else row
    for name, fields in changes.items():
        node["metrics"].setdefault(name, {}).update(fields)
    return node


def test_k6_makes_a_request_of_three_parts() -> None:
    assert not contradictions(k6())
    assert contradictions(k6(http_req_waiting={"avg": 12.3}))
    assert contradictions(k6(http_req_receiving={"max": 99.0}))


def test_k6_does_not_count_the_connection_among_them() -> None:
    row = {"avg": 90.0, "min": 0.0, "med": 0.0, "max": 900.0, "p(90)": 400.0, "p(95)": 420.0}
    assert not contradictions(k6(http_req_blocked=row, http_req_connecting=row))
    assert contradictions(k6(http_req_blocked={**row, "avg": 950.0}))


def test_k6_has_zeros_where_no_answer_was_expected() -> None:
    zeros = dict.fromkeys(("avg", "min", "med", "max", "p(90)", "p(95)"), 0.0)
    assert not contradictions(k6(**{"http_req_duration{expected_response:true}": zeros}))


def test_k6_repeats_the_whole_where_none_failed() -> None:
    whole = k6()["metrics"]["http_req_duration"]
    again = {key: value for key, value in whole.items() if key != "thresholds"}
    good = {"http_req_failed": {"passes": 0, "fails": 242, "value": 0.0}}
    name = "http_req_duration{expected_response:true}"
    assert not contradictions(k6(**good, **{name: again}))
    assert contradictions(k6(**good, **{name: {**again, "p(95)": 12.0}}))


def test_k6_may_count_a_trend_of_its_users_own() -> None:
    assert not contradictions(k6(cart_items={"avg": 3.0, "min": 1.0, "med": 2.0, "max": 900.0, "p(90)": 5.0}))
    assert contradictions(k6(cart_items={"avg": 3.0, "min": 1.0, "med": 2.0, "max": 900.0, "p(90)": 950.0}))


def test_fortio_makes_percentiles_up_within_a_row() -> None:
    """Connections in one row of a millisecond: a median of 0.38 ms beside a mean of 0.1 ms accuses nobody."""
    node = document("fortio/errors-c4.json")
    stats = {"Count": 650, "Min": 3e-05, "Max": 0.00073, "Sum": 0.068, "Avg": 0.068 / 650, "StdDev": 6e-05,
             "Data": [{"Start": 3e-05, "End": 0.00073, "Percent": 100.0, "Count": 650}],
             "Percentiles": [{"Percentile": 50, "Value": 0.00038}]}  # fmt: skip
    assert not contradictions({**node, "ConnectionStats": stats, "Sockets": [162, 162, 163, 163], "SocketCount": 650})
    assert contradictions({**node, "ConnectionStats": stats, "Sockets": [162, 162, 163], "SocketCount": 650})
    assert contradictions({**node, "ConnectionStats": {**stats, "Max": 0.0003}})


def test_locust_keeps_names_that_have_no_time_of_their_own() -> None:
    lines = text("locust/two-names-c5_stats.csv").split("\n")
    empty = "GET,/login,0,0,0,0,0,0,0,0.0,0.0," + ",".join(["N/A"] * 11)
    assert not contradictions("\n".join([lines[0], empty, *lines[1:]]))


def test_vegeta_that_sent_one_request_has_no_span() -> None:
    node = document("vegeta/open-100.json")
    latencies = dict.fromkeys(("total", "mean", "50th", "90th", "95th", "99th", "max", "min"), 9_712_426)
    one = {"latencies": latencies, "requests": 1, "duration": 0, "rate": 0.0, "earliest": node["latest"],
           "status_codes": {"200": 1}, "bytes_in": {"total": 2, "mean": 2}, "throughput": 1e9 / 9_712_426}  # fmt: skip
    assert not contradictions({**node, **one})


def ghz(**changes: Any) -> dict[str, Any]:
    """ghz's report of good calls with its histogram."""
    fastest, slowest, n = 20_000_000, 30_000_000, 10
    marks = [(fastest + i * (slowest - fastest) / 10) / 1e9 for i in range(11)]
    rows = [{"mark": mark, "count": int(i < n), "frequency": int(i < n) / n} for i, mark in enumerate(marks)]
    rows[9]["count"], rows[9]["frequency"], rows[10]["count"], rows[10]["frequency"] = 0, 0.0, 1, 0.1
    return {"date": "2026-09-21T14:13:20Z", "endReason": "normal", "options": {"concurrency": 1}, "count": n,
            "total": 250_000_000, "average": 24_500_000, "fastest": fastest, "slowest": slowest, "rps": 40.0,
            "statusCodeDistribution": {"OK": n}, "latencyDistribution": [{"percentage": 50, "latency": 24_000_000}],
            "histogram": rows, "details": [], **changes}  # fmt: skip


def test_ghz_tells_of_its_calls_in_a_histogram() -> None:
    assert not contradictions(ghz())
    assert contradictions(ghz(slowest=31_000_000))
    assert contradictions(ghz(latencyDistribution=[{"percentage": 50, "latency": 28_000_000}]))


@pytest.mark.parametrize("wait", ["queue_to_connect", "sequencer.callback"])
def test_nighthawk_times_other_things_beside_the_answers(wait: str) -> None:
    node = document("nighthawk/paced-100-c10.json")
    row = {
        "id": wait,
        "count": "400",
        "mean": "0.000100s",
        "pstdev": "0.000050s",
        "min": "0.000010s",
        "max": "0.000900s",
    }
    statistics = node["results"][0]["statistics"]
    statistics.append(row)
    assert not contradictions(node)
    row["mean"] = "0.001s"
    assert contradictions(node)
