"""What a person states fills gaps, is marked, and never overrules the file."""

from __future__ import annotations

from bizra_gate.importers import Stated
from bizra_gate.model import Figure, Latency, Measurement, Source

SILENT = Measurement(Source("x"), loop="closed", latency=Latency(origin="send"))


def test_a_stated_fact_fills_a_gap_and_is_marked() -> None:
    found = Stated(connections=10, threads=2, target_duration_ns=5 * 10**9).apply(SILENT)
    assert (found.concurrency, found.threads) == (10, 2)
    assert found.duration_requested_ns == Figure(5e9)
    assert found.stated == {"connections": "10", "threads": "2", "target_duration": "5 s"}
    assert found.caveats == ()


def test_the_file_is_believed_where_it_says_otherwise() -> None:
    told = Measurement(Source("x"), loop="closed", concurrency=4, rate_requested_per_s=Figure(100.0))
    found = Stated(connections=10, target_rate_per_s=200.0).apply(told)
    assert found.concurrency == 4
    assert found.rate_requested_per_s == Figure(100.0)
    assert [caveat.code for caveat in found.caveats] == ["source.stated", "source.stated"]
    assert "10 was stated, but the file says 4" in found.caveats[0].message
    assert found.stated == {"connections": "10", "target_rate": "200/s"}


def test_agreement_within_the_last_digit_is_no_contradiction() -> None:
    told = Measurement(Source("x"), rate_requested_per_s=Figure(199.8, 8.0), concurrency=6)
    assert Stated(target_rate_per_s=200.0, connections=6).apply(told).caveats == ()


def test_nothing_stated_changes_nothing() -> None:
    assert Stated().apply(SILENT) is SILENT


def test_a_rate_makes_a_closed_loop_a_paced_one() -> None:
    assert Stated(target_rate_per_s=100.0).apply(SILENT).loop == "paced-closed"


def test_bounded_senders_make_an_open_loop_a_paced_one_unless_it_knows_when_it_meant_to_send() -> None:
    sent = Measurement(Source("x"), loop="open", latency=Latency(origin="send"))
    intended = Measurement(Source("x"), loop="open", latency=Latency(origin="intended"))
    assert Stated(connections=16).apply(sent).loop == "paced-closed"
    assert Stated(connections=16).apply(intended).loop == "open"
    assert Stated(target_rate_per_s=5.0).apply(sent).loop == "open"
