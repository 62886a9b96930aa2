from __future__ import annotations

import dataclasses
import itertools

import pytest
import reports_builders as builders
from rich.cells import cell_len

from bizra_gate.model import CheckReport
from bizra_gate.reports import REPORTERS
from bizra_gate.reports.wording import SYMBOLS

terminal = REPORTERS["terminal"]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("ship", "✓ SHIP · grade A+ · 3 of 3 checks pass"),
        ("no-ship", "✗ NO-SHIP · grade D · circuit-breaker: latency.p99 is 1.92 ms, limit <= 1.5 ms"),
        ("under-audit", "! UNDER AUDIT, do not ship · no grade · impossible: 13,000,000 operations a"),
        ("untrusted", "✗ UNTRUSTED · no grade · checkout: The signature of artifacts/checkout.json does"),
        ("inconclusive", "? INCONCLUSIVE · no grade · search: artifacts/search.json is missing"),
        ("waived", "✓ SHIP · grade B · capped by a waiver"),
        ("empty", "? INCONCLUSIVE · no grade · no gate was found in gates/"),
    ],
)
def test_the_first_line_says_verdict_grade_and_why(name: str, first: str) -> None:
    assert terminal(builders.REPORTS[name](), 80).splitlines()[0].startswith(first)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_nothing_stands_beyond_the_margin(name: str, width: int) -> None:
    lines = terminal(builders.REPORTS[name](), width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ["no-ship", "under-audit", "untrusted", "inconclusive", "waived"])
def test_no_width_loses_a_word(name: str, width: int) -> None:
    report = builders.REPORTS[name]()
    shown = _squeezed(terminal(report, width))
    for gate in report.gates:
        said = [gate.claim, gate.file, *gate.notes]
        for item in gate.evidence:
            said += [item.file, *item.signed_by, *(reason.message for reason in item.trust.reasons)]
            for found in item.audit.findings if item.audit else ():
                said += [found.code, found.message, found.observed, found.expected]
        for check in gate.checks:
            said += [check.verdict, check.reason if check.verdict != "pass" else ""]
        assert [words for words in said if _squeezed(words) not in shown] == []


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_figure_stands_whole_in_its_row_at_80_columns() -> None:
    rows = terminal(builders.no_ship(), 80).splitlines()
    assert "  ✗ fail  latency.p99        <= 1.5 ms  1.92 ms [1.901, 1.95]         62,855,160" in rows
    assert "  ✓ pass  throughput         >= 300k/s  523,793/s [521,010, 526,402]  62,855,160" in rows


def test_a_long_relative_limit_wraps_within_its_column() -> None:
    check = dataclasses.replace(builders.P99, limit="<= 1.05 x artifacts/some/long/folder/bare.json#latency.mean")
    page = terminal(builders.report(builders.gate("x", "SHIP", (check,))), 80)
    assert "1.05x" in _squeezed(page)
    assert "1.1 ms [1.09, 1.12]" in page
    assert max(cell_len(line) for line in page.splitlines()) <= 80


def test_without_colour_there_is_no_escape_and_with_it_the_words_are_the_same() -> None:
    plain = terminal(builders.no_ship(), 80, False)
    coloured = terminal(builders.no_ship(), 80, True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert _without_colour(coloured) == plain


def _without_colour(page: str) -> str:
    from rich.text import Text

    return "".join(f"{line.rstrip()}\n" for line in Text.from_ansi(page).plain.splitlines())


def test_colour_does_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, coloured = (terminal(builders.no_ship(), 80, color) for color in (False, True))
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "33"), ("TERM", "dumb"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
        assert terminal(builders.no_ship(), 80, False) == plain
        assert terminal(builders.no_ship(), 80, True) == coloured


def test_an_ascii_terminal_gets_ascii_with_the_same_words() -> None:
    page = terminal(builders.under_audit(), 80, False, False)
    assert page.isascii()
    assert page.startswith("! UNDER AUDIT, do not ship - no grade - impossible")
    assert "lambda-W = 0" in page


@pytest.mark.parametrize(
    "verdict", ["pass", "warn", "fail", "inconclusive", "missing", "refused", "untrusted", "waived"]
)
def test_every_outcome_has_a_symbol_and_its_word(verdict: str) -> None:
    check = dataclasses.replace(builders.P99, verdict=verdict)
    page = terminal(builders.report(builders.gate("x", "NO-SHIP", (check,))), 80)
    assert f"  {SYMBOLS[verdict]} {verdict}" in page


def test_the_worst_gate_comes_first() -> None:
    page = terminal(builders.no_ship(), 80)
    assert page.index("circuit-breaker: NO-SHIP") < page.index("json-loads: SHIP")


def test_of_many_gates_each_is_named_and_those_that_pass_are_not_told_in_full() -> None:
    bad, good = builders.no_ship().gates[1], builders.no_ship().gates[0]
    page = terminal(builders.report(*[good] * 30, bad, *[good] * 30), 80)
    assert page.count("json-loads") == 60
    assert page.count("Claim") == 1
    assert page.index("Claim") > page.index("✓ SHIP     json-loads")
    assert "60 gates above without details here; --format json, html or junit has them all." in " ".join(page.split())
    many = terminal(builders.report(*[bad] * 300), 80)
    assert many.count("Claim") == 50
    assert "250 gates above without details" in many


def test_a_reason_shared_by_neighbours_is_said_once() -> None:
    assert terminal(builders.under_audit(), 120).count("its figures are not judged") == 1


def test_a_gate_without_checks_says_that_it_is_never_a_pass() -> None:
    page = terminal(builders.report(builders.gate("x", "INCONCLUSIVE", ())), 80)
    assert "a gate without checks is never a pass" in page


def test_a_gate_that_decides_nothing_gives_its_note_as_the_reason() -> None:
    passed = builders.gate("x", "INCONCLUSIVE", (builders.P99,), notes=("No check of this gate is a must.",))
    assert terminal(builders.report(passed), 80).splitlines()[0].endswith("x: No check of this gate is a must.")


def test_a_check_refused_for_its_reference_is_the_reason_where_no_finding_is() -> None:
    refused = dataclasses.replace(builders.P99, verdict="refused", reason="the reference bare.json is INVALID")
    page = terminal(builders.report(builders.gate("x", "UNDER AUDIT", (refused,))), 80)
    assert "the reference bare.json is INVALID" in page.splitlines()[0]


def test_confidence_is_said_and_not_blurred_where_checks_differ() -> None:
    def page(*checks: CheckReport) -> str:
        return terminal(builders.report(builders.gate("x", "SHIP", checks)), 100)

    sure = dataclasses.replace(builders.P99, confidence=0.99)
    assert "measured [99 % interval]" in page(sure)
    assert "measured [interval]" in page(sure, builders.THROUGHPUT)


def test_an_unbounded_side_says_so() -> None:
    assert "1.48 ms [1.402, unbounded)" in terminal(builders.inconclusive(), 80)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_no_figure_is_torn_from_its_unit_or_its_sign(name: str, width: int) -> None:
    lines = terminal(builders.REPORTS[name](), width).splitlines()
    assert [line for line in lines if line.endswith(("<=", ">=", "<", ">"))] == []
    torn = [
        (line, below)
        for line, below in itertools.pairwise(lines)
        if line[-1:].isdigit()
        and below.split(None, 1)[:1]
        and below.split()[0].rstrip(".;,)]") in ("ms", "s", "%", "d")
    ]
    assert torn == []


def test_what_is_tied_together_may_break_in_a_column_that_is_too_narrow_for_it() -> None:
    long = dataclasses.replace(builders.P99, limit="<= 12345678901234567890123456789012345678901234567890 ms")
    page = terminal(builders.report(builders.gate("x", "SHIP", (long,))), 60)
    assert sum(int(digit) for line in page.splitlines()[10:] for digit in line[21:40] if digit.isdigit()) >= 5 * 45
    assert "\ue000" not in page


def test_no_metric_is_broken_within_its_name_where_another_column_can_be_narrower() -> None:
    long = dataclasses.replace(
        builders.P99, metric="outcome.circuit-open.ratio", id="open", limit="<= 1.05 x service.p50"
    )
    page = terminal(builders.report(builders.gate("x", "SHIP", (long, builders.THROUGHPUT))), 80)
    assert "outcome.circuit-open.ratio" in page
