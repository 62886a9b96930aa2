"""Traps of k6 and vegeta: corrected where that is arithmetic, and told; otherwise the fact stays absent."""

from __future__ import annotations

import json

import pytest
from importer_cases import codes, document, read_one, text

from bizra_gate.errors import FormatError
from bizra_gate.importers import Stated

# k6


def test_true_means_failed_in_the_thresholds_of_the_old_summary() -> None:
    found = read_one(text("k6/errors-c3.summary-export.json"))
    (caveat,) = [caveat for caveat in found.caveats if caveat.code == "source.thresholds"]
    assert "1 of 2 thresholds" in caveat.message
    assert "(true means failed in this format): http_req_duration: p(95)<20" in caveat.message


def test_true_means_passed_in_the_thresholds_of_handle_summary() -> None:
    summary = document("k6/closed-c4.handle-summary.json")
    assert codes(read_one(json.dumps(summary))) == ["source.thresholds"]
    summary["metrics"]["http_req_duration"]["thresholds"]["p(95)<20"]["ok"] = True
    assert codes(read_one(json.dumps(summary))) == []


def test_passes_of_failed_requests_are_failures() -> None:
    found = read_one(text("k6/errors-c3.summary-export.json"))
    assert found.errors == {"failed": 45}
    assert found.operations == 242


def test_dropped_iterations_tell_the_rate_that_was_asked_for() -> None:
    summary = document("k6/closed-c4.handle-summary.json")
    ran = summary["metrics"]["iterations"]["values"]["count"]
    summary["metrics"]["dropped_iterations"] = {"type": "counter", "values": {"count": ran, "rate": 1.0}}
    found = read_one(json.dumps(summary))
    assert found.loop == "paced-closed"
    assert found.rate_requested_per_s is not None
    assert found.duration_ns is not None
    assert found.rate_requested_per_s.value == pytest.approx(2 * ran / found.duration_ns.value * 1e9)
    assert "source.dropped" in codes(found)


def test_users_who_sleep_are_known_to_pause() -> None:
    summary = document("k6/closed-c4.handle-summary.json")
    assert read_one(json.dumps(summary)).think_time is False
    requests = summary["metrics"]["http_req_duration"]["values"]
    requests["avg"] /= 2
    assert read_one(json.dumps(summary)).think_time is True


def test_users_who_wait_for_arrivals_are_no_closed_loop() -> None:
    summary = document("k6/closed-c4.handle-summary.json")
    for name in ("vus", "vus_max"):
        summary["metrics"][name]["values"]["max"] = 40
    assert read_one(json.dumps(summary)).loop == "paced-closed"


def test_requests_that_overlap_in_an_iteration_are_not_bounded_by_users() -> None:
    summary = document("k6/closed-c4.handle-summary.json")
    summary["metrics"]["iteration_duration"]["values"]["avg"] /= 3
    found = read_one(json.dumps(summary))
    assert found.concurrency is None
    assert "source.batch" in codes(found)


POINT = (
    '{"metric":"http_req_duration","type":"Point",'
    '"data":{"time":"2026-01-01T00:00:0%d.5+01:00","value":%s,"tags":%s}}\n'
)


def test_points_without_definitions_of_metrics_are_read() -> None:
    rows = POINT % (1, "10.5", '{"status":"200"}') + POINT % (2, "11.5", '{"status":"503"}')
    found = read_one(rows)
    assert found.operations == 2
    assert found.errors == {"status 503": 1}
    assert found.started_at == "2025-12-31T23:00:01.489Z"


def test_the_tag_of_an_expected_response_outranks_the_status() -> None:
    rows = POINT % (1, "1", '{"status":"404","expected_response":"true"}')
    rows += POINT % (2, "1", '{"status":"200","expected_response":"false"}')
    found = read_one(rows)
    assert found.outcomes == {"404": 1}
    assert sum((found.errors or {}).values()) == 1


def test_keys_in_another_order_and_spaces_are_read_all_the_same() -> None:
    row = json.loads(POINT % (1, "10", '{"status":"200"}'))
    turned = json.dumps(dict(reversed(row.items())))
    assert read_one(turned + "\n", "k6").operations == 1


def test_a_last_point_without_a_line_end_counts_where_it_is_whole() -> None:
    rows = POINT % (1, "10", "{}") + POINT % (2, "10", "{}")
    assert read_one(rows.rstrip("\n")).operations == 2
    cut = read_one(rows[:-20])
    assert cut.operations == 1
    assert codes(cut) == ["source.cut"]


def test_a_broken_line_in_the_middle_is_named() -> None:
    rows = POINT % (1, "10", "{}") + '{"metric":"http_req_duration","type":"Po\n' + POINT % (2, "10", "{}")
    with pytest.raises(FormatError, match=r"run\.txt: line 2: got "):
        read_one(rows)


def test_a_run_without_http_requests_is_told_so() -> None:
    rows = POINT.replace("http_req_duration", "grpc_req_duration") % (1, "10", "{}")
    with pytest.raises(FormatError, match="only HTTP requests are read"):
        read_one(rows)


@pytest.mark.parametrize(("stamp", "width"), [("1790000001", 1e9), ("1790000001500", 1e6), ("1790000001500000", 1e3)])
def test_the_digits_of_a_csv_stamp_tell_its_unit(stamp: str, width: float) -> None:
    rows = f"metric_name,timestamp,metric_value,status\nhttp_req_duration,{stamp},500.0,200\n"
    found = read_one(rows)
    assert found.duration_ns is not None
    assert found.duration_ns.value == pytest.approx(0.5e9)
    assert found.duration_ns.resolution == pytest.approx(2 * width)
    assert ("source.seconds" in codes(found)) == (width == 1e9)


# vegeta


def test_the_rate_of_vegeta_is_that_of_its_gaps() -> None:
    found = read_one(text("vegeta/open-100.json"))
    assert found.rate_achieved_per_s is not None
    assert found.rate_achieved_per_s.value == pytest.approx(100.0)
    assert found.duration_ns is not None
    assert found.duration_ns.value == pytest.approx(4e9)
    assert document("vegeta/open-100.json")["rate"] > 100.2


def test_what_vegeta_could_not_send_is_an_error() -> None:
    report = document("vegeta/open-100.json")
    report["status_codes"] = {"0": 150, "200": 250}
    assert read_one(json.dumps(report)).errors == {"not sent": 150}


def test_bounded_workers_close_the_loop_of_vegeta() -> None:
    assert read_one(text("vegeta/open-100.json")).loop == "open"
    assert read_one(text("vegeta/open-100.json"), stated=Stated(connections=16)).loop == "paced-closed"


def test_a_plot_has_values_but_no_counts() -> None:
    found = read_one(text("vegeta/open-100.hdrplot"))
    assert found.latency is not None
    assert found.latency.histogram is None
    assert found.operations is None
    assert max(p for p, _ in found.latency.percentiles) < 99.9
