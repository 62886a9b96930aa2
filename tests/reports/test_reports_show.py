from __future__ import annotations

import dataclasses

import pytest
import reports_builders as builders
from rich.cells import cell_len

from bizra_gate.model import Reason, Trust
from bizra_gate.reports import AUDIT_REPORTERS, COMPARE_REPORTERS, SHOW_REPORTERS
from bizra_gate.reports.inputs import ComparedPair, Comparison
from bizra_gate.reports.terminal_plot import Axis, chart, value_axis
from bizra_gate.reports.wording import estimate

show, audit, compare = SHOW_REPORTERS["terminal"], AUDIT_REPORTERS["terminal"], COMPARE_REPORTERS["terminal"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_every_page_keeps_its_margin_and_its_alphabet(width: int, unicode: bool) -> None:
    pages = [
        show(builders.shown(), width, False, unicode),
        audit(builders.audited_impossible() + builders.audited(), width, False, unicode),
        compare(builders.comparison(), width, False, unicode),
    ]
    for page in pages:
        assert max(cell_len(line) for line in page.splitlines()) <= width
        assert unicode or page.isascii()


def test_show_gives_figures_curve_and_series() -> None:
    page = show(builders.shown(), 80)
    for words in ("latency.p99     4.87 ms [4.79, 4.96]", "Latency by percentile", "Rate over time", "p99 over time"):
        assert words in page
    assert page.startswith("✓ VALID · checkout")


def test_a_family_that_repeats_the_headline_is_said_once() -> None:
    again = {name.replace("latency", "service"): dataclasses.replace(one, name=name.replace("latency", "service"))
             for name, one in builders.figures().items() if name.startswith("latency")}  # fmt: skip
    other = dataclasses.replace(again["service.p99"], estimate=1.0)
    same = dataclasses.replace(builders.shown(), metrics={**builders.figures(), **again})
    different = dataclasses.replace(same, metrics={**same.metrics, "service.p99": other})
    for page in (show(same, 80), SHOW_REPORTERS["html"](same)):
        assert "service.p99" not in page
        assert "service.*: the same as latency.*" in page
    assert "service.p99" in show(different, 80)


def test_a_side_in_another_unit_carries_it() -> None:
    assert estimate(18_340, (11_970, 166_100_000), "ns") == "18.34 µs [11.97 µs, 166.1 ms]"
    assert estimate(18_340, (11_970, None), "ns") == "18.34 µs [11.97, unbounded)"
    assert estimate(0.0, (0.0, 1e-5), "ratio") == "0 % [0, 0.001]"
    assert estimate(64, (60, 70), "1") == "64 [60, 70]"


def test_show_says_whether_the_signature_was_looked_at() -> None:
    assert "? signature not checked here" in show(dataclasses.replace(builders.shown(), trust=None), 80)
    broken = Trust(False, (Reason("signature.invalid", "one byte differs"),))
    page = show(dataclasses.replace(builders.shown(), trust=broken), 80)
    assert "✗ UNTRUSTED" in page
    assert "one byte differs" in page


def test_show_of_a_record_without_counts_or_series_draws_nothing() -> None:
    bare = dataclasses.replace(builders.shown(), measurement=builders.impossible_measurement())
    assert "over time" not in show(bare, 80)


def test_show_names_the_process_that_it_draws() -> None:
    one = builders.measurement("closed")
    both = dataclasses.replace(one, runs=(one.runs[0], dataclasses.replace(one.runs[0], index=1)))
    assert "Rate over time, first of 2 processes" in show(dataclasses.replace(builders.shown(), measurement=both), 80)


def test_an_audit_page_has_verdict_arithmetic_scope_and_blind_spots() -> None:
    page = audit(builders.audited_impossible(), 100)
    assert page.startswith("✗ INVALID · a measurement artifact, do not ship: 13,000,000")
    for words in ("observed λ·W = 0", "closed loop, concurrency 1, 360 ms measured", "by the person, not by the file",
                  "2 rules lack their facts", "The tool keeps no histogram"):  # fmt: skip
        assert words in page


def test_several_measurements_are_listed_under_the_worst_verdict() -> None:
    lines = audit(builders.audited() + builders.audited_impossible(), 80).splitlines()
    assert lines[:3] == [
        "✗ INVALID · 2 measurements",
        "  ✓ VALID · artifacts/checkout.json · checkout",
        "  ✗ INVALID · impossible.txt",
    ]


def test_a_comparison_gives_each_metric_its_ratio_and_verdict() -> None:
    page = compare(builders.comparison(), 80)
    assert page.startswith("✗ worse · head.json against base.json: 1 worse, 2 can't tell, 1 better, 1 same")
    assert "+20% [+15, +26]     10+10" in page
    assert "about 7 more runs of each would decide it" in " ".join(page.split())


def test_a_reason_that_rows_share_is_said_once_and_no_process_is_a_dash() -> None:
    alone = dataclasses.replace(
        builders.comparison().pairs[0].rows[2], base_runs=0, head_runs=0, needed_runs=None, reason="one process each"
    )
    page = compare(Comparison("a", "b", (ComparedPair("x", (alone, alone, alone)),), 0.05), 80)
    assert page.count("one process each") == 1
    assert page.count("—+—") == 3


def test_an_audit_page_gives_each_unseen_rule_its_line() -> None:
    lines = audit(builders.audited_impossible(), 100).splitlines()
    assert "    generator.lag: the generator's own lag was not recorded" in lines


def test_nothing_compared_is_not_the_same() -> None:
    assert Comparison("a", "b", (), 0.05).verdict == "undecided"
    assert compare(Comparison("a", "b", (), 0.05), 80).startswith("? can't tell · b against a: nothing to compare")


def test_a_measurement_artifact_is_never_better() -> None:
    better = builders.comparison().pairs[1]
    assert better.verdict == "undecided"
    assert ComparedPair("x", better.rows, builders.VALID, builders.VALID).verdict == "better"


def test_a_chart_puts_the_highest_point_on_top_and_joins_its_points() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0)]
    y = value_axis([1, 2, 4], False, lambda value: f"{value:g}")
    lines = chart(points, Axis(0, 2, ticks=((0.0, "0"), (2.0, "2"))), y, 24, 5, unicode=False)
    assert lines[0].startswith("4 |")
    assert lines[0].endswith("*")
    assert all("*" in line for line in lines[:3])
    assert lines[-1].split() == ["0", "2"]


def test_a_constant_series_is_a_level_line() -> None:
    y = value_axis([5.0, 5.0], True, lambda value: f"{value:.0f}")
    lines = chart([(0.0, 5.0), (1.0, 5.0)], Axis(0, 1), y, 20, 5)
    assert [bool(line.strip("│ 0123456789")) for line in lines[:5]] == [False, False, True, False, False]
