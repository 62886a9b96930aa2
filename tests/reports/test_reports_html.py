from __future__ import annotations

import dataclasses
import re
import sys
from html.parser import HTMLParser

import pytest
import reports_builders as builders

from bizra_gate.model import Compared, Distribution, Latency, Measurement, Metric
from bizra_gate.reports import COMPARE_REPORTERS, REPORTERS, SHOW_REPORTERS, html_figures
from bizra_gate.reports.plots import available

FILE = "artifacts/circuit-breaker.json"
TITLES = [
    "Latency by percentile", "Service time against response time", "Histogram", "Rate over time", "Latency over time",
    "Concurrency against λ·W",
]  # fmt: skip
drawing = pytest.mark.skipif(not available(), reason="the html extra is not installed")
VOID = {"meta", "br", "path", "use", "stop"}


def _page(measurement: Measurement | None = None) -> str:
    given = {} if measurement is None else {FILE: measurement}
    return REPORTERS["html"](builders.no_ship(), given)


@pytest.fixture(scope="module")
def drawn() -> str:
    """The page of a gate with all of its plots; drawing them takes a second."""
    return _page(builders.measurement())


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.used: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            self.used += re.findall(r"url\(#([^)]+)\)", value or "")
            if name in ("href", "xlink:href") and (value or "").startswith("#"):
                self.used.append((value or "")[1:])


def _read(page: str) -> _Balance:
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    return parser


@pytest.mark.parametrize("name", sorted(builders.REPORTS))
def test_every_report_is_a_balanced_document_headed_by_its_verdict(name: str) -> None:
    report = builders.REPORTS[name]()
    page = REPORTERS["html"](report)
    _read(page)
    words = "UNDER AUDIT, do not ship" if report.verdict == "UNDER AUDIT" else report.verdict
    assert re.search(r"<h1>.*?</h1>", page)[0].count(words) == 1
    assert f"<title>{words}, " in page


@drawing
def test_one_file_fetches_nothing_and_runs_nothing(drawn: str) -> None:
    assert not re.search(r"<script|<link|<img|<iframe|@import|javascript:|\bon\w+=", drawn)
    addresses = set(re.findall(r"https?://[^\"'\s<)]+", drawn))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "default-src 'none'" in drawn


@drawing
def test_every_plot_is_there_and_has_words_for_those_who_do_not_see_it(drawn: str) -> None:
    assert re.findall(r"<figcaption><strong>(.*?)</strong>", drawn) == TITLES
    pictures = re.findall(r"<svg[^>]*>", drawn)
    assert len(pictures) == len(TITLES)
    assert all('role="img"' in one and "aria-label=" in one and "viewBox=" in one for one in pictures)
    assert all(not re.search(r' (?:width|height)="', one) for one in pictures)
    assert drawn.count("<desc>") == len(TITLES)
    assert drawn.count("The same as a table") == len(TITLES)


@drawing
def test_no_two_plots_share_an_identifier_and_every_reference_has_its_target(drawn: str) -> None:
    page = _read(drawn)
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.used) <= set(page.ids)


@drawing
def test_plots_take_their_colours_from_the_page(drawn: str) -> None:
    svg = "".join(re.findall(r"<svg.*?</svg>", drawn, re.DOTALL))
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#000000", "#ffffff"}
    assert "var(--plot-first)" in svg
    assert "prefers-color-scheme: dark" in _page()


@drawing
def test_limits_of_the_gate_are_drawn_and_said(drawn: str) -> None:
    assert "Limit on p99: &lt;= 1.5 ms." in drawn
    assert "Limit: &gt;= 300,000/s." in drawn
    assert ">limit on p99<" in drawn


def test_without_the_extra_there_are_tables_and_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = _page(builders.measurement())
    _read(page)
    assert "<svg" not in page
    assert "pip install &#x27;bizra-gate[html]&#x27;" in page
    assert re.findall(r"<figcaption><strong>(.*?)</strong>", page) == TITLES
    assert "p99.9" in page


def test_without_a_measurement_nothing_is_drawn_and_nothing_is_asked_for() -> None:
    page = _page()
    assert "<figure" not in page
    assert "pip install" not in page


def test_a_record_of_zeros_draws_nothing_instead_of_failing() -> None:
    zeros = Latency(Distribution.of([0] * 100), 100)
    said = dataclasses.replace(builders.impossible_measurement(), latency=zeros, service=zeros)
    assert [one.title for one in html_figures.of_measurement(said)] == []
    assert "13,000,000" in REPORTERS["html"](builders.under_audit(), {"artifacts/impossible.json": said})


def test_a_closed_loop_has_no_response_time_to_compare() -> None:
    titles = [one.title for one in html_figures.of_measurement(builders.measurement("closed"))]
    assert "Service time against response time" not in titles


@drawing
@pytest.mark.parametrize("values", [[5], [5, 5], [1, 10**9], list(range(1, 400))])
def test_small_and_odd_distributions_are_drawn(values: list[int]) -> None:
    latency = Latency(Distribution.of(values), len(values))
    said = dataclasses.replace(builders.impossible_measurement(), latency=latency, loop="closed")
    _read(SHOW_REPORTERS["html"](dataclasses.replace(builders.shown(), measurement=said)))


@drawing
def test_several_processes_are_drawn_a_line_each() -> None:
    one = builders.measurement("closed")
    both = dataclasses.replace(one, runs=(one.runs[0], dataclasses.replace(one.runs[0], index=1)))
    assert "2 processes, a line each" in SHOW_REPORTERS["html"](dataclasses.replace(builders.shown(), measurement=both))


@drawing
def test_a_baseline_is_drawn_as_a_ratio() -> None:
    base = Metric("latency.p99", "ns", "lower", 1_000_000.0)
    check = dataclasses.replace(builders.P99, baseline=base, compared=Compared(1.02, 1.01, 1.03, 0.05))
    page = REPORTERS["html"](builders.report(builders.gate("x", "SHIP", (check,))))
    assert "Against the baseline" in page
    assert "1.02 [1.01, 1.03]" in page
    assert "Up to 5 % worse is accepted" in page


@drawing
def test_show_and_compare_are_documents_too() -> None:
    shown = SHOW_REPORTERS["html"](builders.shown())
    compared = COMPARE_REPORTERS["html"](builders.comparison())
    for page in (shown, compared):
        _read(page)
        assert "<svg" in page
    assert "4.87 ms [4.79, 4.96]" in shown
    assert "✗ worse" in compared


def test_unchecked_trust_and_missing_audit_are_said() -> None:
    page = SHOW_REPORTERS["html"](dataclasses.replace(builders.shown(), trust=None, audit=None))
    assert "? signature not checked here" in page
    assert "? not audited" in page
