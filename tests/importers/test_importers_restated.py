"""A figure that a file states twice, changed in one of the two places, contradicts the other."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from importer_cases import FIXTURES, stream

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.model import Policy

SUMMARY, ORDER, COUNT = "coherence.summary", "coherence.order", "coherence.count"
AB, HEY, H2 = "ab/errors-c4.txt", "hey/closed-c6.txt", "h2load/errors-c4.txt"
WRK, WRK2 = "wrk/closed-c6.txt", "wrk2/paced-200-c2.txt"
FORTIO = "fortio/errors-c4.json"
AUTOCANNON = "autocannon/closed-c8.json"
ARTILLERY = "artillery/errors-50.json"
LOCUST = "locust/two-names-c5_stats.csv"
PYTEST = "pytest-benchmark/forty-and-sixty-rounds.json"
BDN = "benchmarkdotnet/two-launches-report-full.json"
NIGHTHAWK = "nighthawk/paced-100-c10.json"
HYPERFOIL = "hyperfoil/open-200.json"
CRITERION = "criterion/linear.estimates.json"
HYPERFINE = "hyperfine/errors-two-commands.json"
K6 = "k6/errors-c3.summary-export.json"
HEY_ROWS = "hey/errors-c4.csv"
TEXT = {
    "ab, requests that waited longer than they took": (AB, r"Waiting: +1 +7", "Waiting: 1 9", SUMMARY),
    "ab, processing longer than the whole": (AB, r"(Processing: .*) 16", r"\1 17", SUMMARY),
    "ab, a total that its parts do not make": (AB, r"Total: +1 +7", "Total: 1 5", SUMMARY),
    "ab, a deviation that its parts do not make": (AB, r"(Total: +1 +7 +)3\.4", r"\g<1>1.4", SUMMARY),
    "ab, a deviation without room": (AB, r"(Connect: +0 +0 +)0\.3", r"\g<1>2.5", ORDER),
    "ab, a median beyond the percentages": (AB, r"(Total: .* )8( +16)", r"\g<1>10\2", SUMMARY),
    "ab, more kept alive than were done": (AB, r"Keep-Alive requests: +300", "Keep-Alive requests: 320", SUMMARY),
    "ab, documents of another length": (AB, r"Document Length: +2", "Document Length: 4", SUMMARY),
    "ab, more documents than bytes": (AB, r"HTML transferred: +600", "HTML transferred: 30000", SUMMARY),
    "ab, failures of no kind": (AB, r"Failed requests: +0", "Failed requests: 9", SUMMARY),
    "ab, the rate": (AB, r"556\.10", "566.10", SUMMARY),
    "ab, a row whose parts are shorter": ("ab/errors-c4.tsv", r"\t0\t1\t1\t1\n", "\t0\t1\t4\t1\n", SUMMARY),
    "ab, a row that waited longer than it took": ("ab/errors-c4.tsv", r"\t0\t1\t1\t1\n", "\t0\t1\t1\t3\n", SUMMARY),
    "hey, an edge of the histogram": (HEY, r"0\.014 \[687\]", "0.016 [687]", SUMMARY),
    "hey, the size of a request": (HEY, r"Size/request:\t2", "Size/request:\t3", SUMMARY),
    "hey, an average wait above the slowest": (HEY, r"(resp wait:\t)0\.0132", r"\g<1>0.0232", SUMMARY),
    "hey, an average beyond its histogram": (HEY, r"(Average:\t)0\.0132", r"\g<1>0.0142", SUMMARY),
    "hey, a row whose parts are longer": (HEY_ROWS, r"\n0\.0\d+(,.*,200,0\.[5-9]\d+\n)", r"\n0.0001\1", SUMMARY),
    "wrk2, mean of the table of threads": (WRK2, r"Latency +2\.99ms", "Latency 1.99ms", SUMMARY),
    "wrk2, deviation of the table": (WRK2, r"142\.57us", "14.25us", SUMMARY),
    "wrk2, maximum of the table": (WRK2, r"3\.43ms +68", "9.43ms 68", SUMMARY),
    "wrk2, last percentile": (WRK2, r"100\.000% +3\.43ms", "100.000% 9.43ms", SUMMARY),
    "wrk, requests of a thread above their maximum": (WRK, r"Req/Sec +482\.13", "Req/Sec 4821.3", ORDER),
    "wrk, a deviation of threads without room": (WRK, r"(Req/Sec +482\.13 +)20\.51", r"\g<1>320.51", ORDER),
    "wrk, a share above all": (WRK, r"96\.60%", "196.60%", SUMMARY),
    "wrk, a share below what the percentiles hold": (WRK, r"96\.60%", "26.60%", SUMMARY),
    "wrk, six seconds instead of three": (WRK, r"requests in 3\.00s", "requests in 6.00s", SUMMARY),
    "wrk, the rate": (WRK, r"479\.80", "489.80", SUMMARY),
    "h2load, requests of a client": ("h2load/closed-c6.txt", r"(req/s +: +\S+ +\S+ +)\S+", r"\g<1>99999.9", ORDER),
    "h2load, parts of the traffic": ("h2load/closed-c6.txt", r"\((\d+)\) headers", r"(\g<1>0) headers", SUMMARY),
    "h2load, the traffic in words": (H2, r"26\.66KB", "36.66KB", SUMMARY),
    "h2load, bytes a second": (H2, r"36\.02KB/s", "36.92KB/s", SUMMARY),
    "h2load, statuses": (H2, r"100 5xx", "50 5xx", SUMMARY),
    "h2load, more done than there were": (H2, r"requests: 400 total", "requests: 300 total", SUMMARY),
    "h2load, a first byte before its connection": (H2, r"75us( +912us)", r"1.80ms\1", ORDER),
    "h2load, a connection after its first byte": (H2, r"1\.75ms", "70us", SUMMARY),
    "h2load, a share above all": (H2, r"70\.50%", "170.50%", SUMMARY),
    "vegeta, total of the time": ("vegeta/errors-100.txt", r"4\.000s", "4.100s", SUMMARY),
    "vegeta, size of an answer": ("vegeta/errors-100.txt", r"800, 2\.00", "800, 2.10", SUMMARY),
    "locust, all rows together": (LOCUST, r",Aggregated,1025", ",Aggregated,1125", SUMMARY),
    "locust, the smallest of all": (LOCUST, r"(Aggregated,.*,)12\.54", r"\g<1>11.54", SUMMARY),
    "locust, the rate of a row": (LOCUST, r"254\.602", "264.602", SUMMARY),
    "locust, a median above the 50 %": (LOCUST, r"GET,/a,764,0,14", "GET,/a,764,0,16", SUMMARY),
}  # fmt: skip
"""Name → file, what stands in it, what it was changed to, the code that refuses it."""

JSON: dict[str, tuple[str, str, Any, str]] = {
    "autocannon, mean beside the average": (AUTOCANNON, "latency.mean", 92.72, SUMMARY),
    "autocannon, a class of status codes": (AUTOCANNON, "2xx", 18010, SUMMARY),
    "autocannon, other classes": (AUTOCANNON, "non2xx", 5, SUMMARY),
    "autocannon, bytes": (AUTOCANNON, "throughput.total", 100_000, SUMMARY),
    "autocannon, fewer sent than ended": (AUTOCANNON, "requests.sent", 1_700, SUMMARY),
    "autocannon, the largest sample": (AUTOCANNON, "requests.max", 610, ORDER),
    "autocannon, the spread of the samples": (AUTOCANNON, "requests.stddev", 59.19, ORDER),
    "autocannon, the time": (AUTOCANNON, "duration", 3.11, SUMMARY),
    "autocannon, samples": (AUTOCANNON, "samples", 4, SUMMARY),
    "siege, successes": ("siege/closed-c6.json", "successful_transactions", 99_999, SUMMARY),
    "siege, the rate": ("siege/errors-c4.json", "transaction_rate", 999.0, SUMMARY),
    "siege, bytes a second": ("siege/errors-c4.json", "throughput", 9.0, SUMMARY),
    "bombardier, the largest rate below the mean one": ("bombardier/closed-c6.json", "result.rps.max", 300.0, SUMMARY),
    "bombardier, the mean rate above the largest": ("bombardier/closed-c6.json", "result.rps.mean", 950.0, ORDER),
    "bombardier, a deviation without room": ("bombardier/closed-c6.json", "result.latency.stddev", 9e3, SUMMARY),
    "bombardier, the time asked for": ("bombardier/closed-c6.json", "spec.testDurationSeconds", 0.5, SUMMARY),
    "oha, size of an answer": ("oha/closed-c8.json", "summary.sizePerRequest", 4, SUMMARY),
    "oha, bytes a second": ("oha/closed-c8.json", "summary.sizePerSec", 894.5, SUMMARY),
    "oha, all bytes": ("oha/closed-c8.json", "summary.totalData", 9_999, SUMMARY),
    "oha, the rate": ("oha/closed-c8.json", "summary.requestsPerSec", 405.0, SUMMARY),
    "oha, the mean": ("oha/closed-c8.json", "summary.average", 0.0222, SUMMARY),
    "oha, a rate of a moment": ("oha/closed-c8.json", "rps.mean", 600.0, ORDER),
    "k6, another counter": (K6, "metrics.iterations.rate", 131.0, SUMMARY),
    "k6, share of failures": (K6, "metrics.http_req_failed.value", 0.01, SUMMARY),
    "k6, more users than there are": (K6, "metrics.vus_max.max", 2, SUMMARY),
    "k6, users now": (K6, "metrics.vus.value", 4, SUMMARY),
    "k6, iterations out of order": (K6, "metrics.iteration_duration.med", 35.0, ORDER),
    "fortio, the rate": (FORTIO, "ActualQPS", 366.0, SUMMARY),
    "fortio, the mean of failed calls": (FORTIO, "ErrorsDurationHistogram.Sum", 0.0618, SUMMARY),
    "fortio, a share": (FORTIO, "DurationHistogram.Data.1.Percent", 9.6, SUMMARY),
    "fortio, the first row": (FORTIO, "DurationHistogram.Data.0.Start", 0.0002, SUMMARY),
    "fortio, a percentile within its row": (FORTIO, "DurationHistogram.Percentiles.1.Value", 0.0133, SUMMARY),
    "vegeta, the wait": ("vegeta/open-100.json", "wait", 19_712_426, SUMMARY),
    "vegeta, the attack": ("vegeta/open-100.json", "latest", "2026-09-21T14:13:22.990000000Z", SUMMARY),
    "vegeta, bytes": ("vegeta/open-100.json", "bytes_in.total", 900, SUMMARY),
    "ghz, the rate": ("ghz/errors-c5.json", "rps", 251.0, SUMMARY),
    "artillery, a counter of a period": (ARTILLERY, "intermediate.0.counters.vusers.created", 200, SUMMARY),
    "artillery, users who ended": (ARTILLERY, "aggregate.counters.vusers.completed", 230, SUMMARY),
    "artillery, the median": (ARTILLERY, "aggregate.summaries.http.response_time.median", 21.0, SUMMARY),
    "nighthawk, values at a percentile": (
        NIGHTHAWK, "results.0.statistics.0.percentiles.3.percentile", 0.97, SUMMARY),
    "hyperfoil, values counted up": (HYPERFOIL, "stats.1.histogram.percentiles.2.totalCount", 9_999, SUMMARY),
    "hyperfine, more CPU time than any machine has": (HYPERFINE, "results.0.user", 200.0, SUMMARY),
    "hyperfine, a CPU time below zero": (HYPERFINE, "results.1.system", -0.001, ORDER),
    "hyperfine, the mean": (HYPERFINE, "results.0.mean", 0.0223, SUMMARY),
    "hyperfine, the deviation": (HYPERFINE, "results.0.stddev", 0.0033, SUMMARY),
    "hyperfine, the largest time": (HYPERFINE, "results.1.max", 0.04, SUMMARY),
    "locust, the sum of all times": ("locust/errors-c4.json", "0.total_response_time", 9_999.0, SUMMARY),
    "locust, failures by the second": ("locust/errors-c4.json", "0.num_failures", 300, SUMMARY),
    "hyperfoil, the slowest of a second": (HYPERFOIL, "stats.1.series.1.maxResponseTime", 99_000_000, SUMMARY),
    "hyperfoil, errors of a second": (HYPERFOIL, "stats.1.series.1.connectionErrors", 7, SUMMARY),
    "locust, the smallest": ("locust/errors-c4.json", "0.min_response_time", 1.2, SUMMARY),
    "BenchmarkDotNet, number of values": (
        BDN, "Benchmarks.0.Statistics.N", 99, SUMMARY),
    "jmh, half the interval": ("jmh/four-modes.json", "0.primaryMetric.scoreError", 0.02, SUMMARY),
    "jmh, the middle score": ("jmh/four-modes.json", "0.primaryMetric.scorePercentiles.50.0", 2.6, SUMMARY),
    "criterion, a bound": (CRITERION, "mean.confidence_interval.lower_bound", 2_140.0, SUMMARY),
    "pytest-benchmark, a round": (PYTEST, "benchmarks.0.stats.data.3", 1.0, SUMMARY),
    "pytest-benchmark, outliers": (
        PYTEST, "benchmarks.0.stats.stddev_outliers", 39, SUMMARY),
    "google-benchmark, mean of the CPU time": ("google-benchmark/errors-three.json", "mean cpu_time", 1.0, SUMMARY),
}  # fmt: skip
"""Name → file, path of the figure, what it was changed to, the code that refuses it."""


def codes(text: str, name: str) -> set[str]:
    found = importers.read(stream(text.encode(), name.rpartition("/")[2]))
    return {
        finding.code for one in found for finding in examine(one, Policy()).findings if finding.severity == "invalid"
    }


@pytest.mark.parametrize(("file", "old", "new", "code"), TEXT.values(), ids=TEXT)
def test_a_figure_that_is_printed_twice_is_changed_in_one_place(file: str, old: str, new: str, code: str) -> None:
    text = (FIXTURES / file).read_text()
    changed, times = re.subn(old, new, text, count=1)
    assert times == 1
    assert code not in codes(text, file)
    assert code in codes(changed, file)


@pytest.mark.parametrize(("file", "path", "new", "code"), JSON.values(), ids=JSON)
def test_a_member_that_is_written_twice_is_changed_in_one_place(file: str, path: str, new: Any, code: str) -> None:
    text = (FIXTURES / file).read_text()
    start = text.find("{") if file.startswith("siege") else 0
    root = json.loads(text[start:])
    assert code not in codes(json.dumps(root), file)
    put(root, path, new)
    assert code in codes(json.dumps(root), file)


def put(root: Any, path: str, new: Any) -> None:
    """Set the member at `path`, whose keys may hold dots themselves."""
    if path == "mean cpu_time":
        row = next(row for row in root["benchmarks"] if row.get("aggregate_name") == "mean")
        row["cpu_time"] = new
        return
    node, rest = root, path
    while True:
        if isinstance(node, list):
            key, _, rest = rest.partition(".")
            if not rest:
                node[int(key)] = new
                return
            node = node[int(key)]
            continue
        if rest in node:
            node[rest] = new
            return
        key = max((key for key in node if rest.startswith(f"{key}.")), key=len)
        node, rest = node[key], rest[len(key) + 1 :]
