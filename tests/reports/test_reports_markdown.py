from __future__ import annotations

import dataclasses

import reports_builders as builders
from markdown_it import MarkdownIt

from bizra_gate.model import GateReport, Report
from bizra_gate.reports import AUDIT_REPORTERS, COMPARE_REPORTERS, REPORTERS, github

LIMIT = 65_536


def _rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def _many(gates: int, text: str) -> Report:
    def one(at: int) -> GateReport:
        made = builders.no_ship().gates[1]
        return dataclasses.replace(made, name=f"gate-{at}", claim=text, notes=(text,) * 5)

    report = builders.report(*(one(at) for at in range(gates)), grade="D")
    return dataclasses.replace(report, notes=(text,) * 50)


def test_the_first_line_is_the_verdict() -> None:
    first = REPORTERS["markdown"](builders.no_ship()).splitlines()[0]
    assert first == "## ✗ NO-SHIP · grade D · circuit-breaker: latency.p99 is 1.92 ms, limit &lt;= 1.5 ms"


def test_a_comment_stays_below_64_kib_whatever_is_in_it() -> None:
    for gates, text in ((1, "x"), (1000, "x" * 100), (3, "@<&|`\x1b" * 50_000), (200, "漢" * 10_000)):
        assert len(REPORTERS["markdown"](_many(gates, text)).encode()) < LIMIT


def test_what_does_not_fit_is_counted_in_a_sentence() -> None:
    said = REPORTERS["markdown"](_many(2000, "x" * 400))
    shown = said.count("gate-")
    assert 0 < shown < 2000
    left = said.rsplit("**", 2)[1]
    assert left.endswith("more gates left out")


def test_gates_that_do_not_fit_in_full_are_named_in_a_line_first() -> None:
    said = REPORTERS["markdown"](_many(120, "x" * 400))
    assert "- ✗ NO-SHIP · `gate-119` · 2 of 3 checks pass, 1 fail" in said
    assert "left out" not in said


def test_every_folded_part_is_closed() -> None:
    for gates in (1, 2, 60, 1000):
        said = REPORTERS["markdown"](_many(gates, "x" * 300))
        assert said.count("<details>") == said.count("</details>") > 0


def test_a_table_row_has_as_many_cells_as_its_head() -> None:
    tables = [line for line in REPORTERS["markdown"](builders.no_ship()).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {6}


def test_findings_of_refused_evidence_are_not_folded_away() -> None:
    said = REPORTERS["markdown"](builders.under_audit())
    assert said.index("littles_law.zero") < said.index("<details>")
    assert said.index("generator.lag") > said.index("<details>")


def test_it_renders_as_headings_tables_and_lists() -> None:
    html = _rendered(REPORTERS["markdown"](builders.under_audit()))
    assert html.startswith("<h2>! UNDER AUDIT, do not ship · no grade · impossible: 13,000,000 operations")
    assert "<td>✗\u00a0refused</td>" in html
    assert "<li>✗ invalid: <code>littles_law.zero</code> 13,000,000" in html


def test_a_step_summary_has_room_for_what_a_comment_leaves_out() -> None:
    report = _many(120, "x" * 400)
    assert len(github.step_summary(report)) > len(REPORTERS["markdown"](report))
    assert len(github.step_summary(_many(3000, "x" * 500)).encode()) < 1_048_576


def test_an_audit_page_says_verdict_arithmetic_and_what_was_stated() -> None:
    said = AUDIT_REPORTERS["markdown"](builders.audited_impossible())
    assert said.startswith("## ✗ INVALID · a measurement artifact, do not ship: 13,000,000 operations")
    assert "observed λ·W = 0" in said
    assert "Stated by the person, not by the file: connections 1" in said


def test_an_audit_of_very_many_measurements_stays_below_64_kib() -> None:
    said = AUDIT_REPORTERS["markdown"](builders.audited_impossible() * 500)
    assert len(said.encode()) < LIMIT
    assert "more measurements left out" in said


def test_a_comparison_names_the_worst_first_and_stays_below_64_kib() -> None:
    compared = builders.comparison()
    said = COMPARE_REPORTERS["markdown"](compared)
    assert said.startswith("## ✗ worse · head.json against base.json: 1 worse, 2 can't tell, 1 better, 1 same")
    many = dataclasses.replace(compared, pairs=compared.pairs * 500)
    assert len(COMPARE_REPORTERS["markdown"](many).encode()) < LIMIT


def test_a_short_cell_stays_on_its_line_and_a_long_one_may_break() -> None:
    said = REPORTERS["markdown"](builders.no_ship())
    assert "`<=\u00a01.5\u00a0ms`" in said
    assert "1.92\u00a0ms \\[1.901," not in said
    assert "1.92\u00a0ms\u00a0\\[1.901,\u00a01.95\\]" in said
    long = dataclasses.replace(builders.P99, limit="<= 1.05 x artifacts/bare.json#latency.mean")
    assert f"`{long.limit}`" in REPORTERS["markdown"](builders.report(builders.gate("x", "SHIP", (long,))))
