from __future__ import annotations

import dataclasses
import html
import json
import re
import unicodedata
from functools import cache

import pytest
import reports_builders as builders
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from reports_hostile import (
    framed,
    html_structure,
    markdown_structure,
    markdown_words,
    texts,
    with_text,
    xml_structure,
)
from rich.cells import cell_len

from bizra_gate.reports import AUDIT_REPORTERS, COMPARE_REPORTERS, REPORTERS, SHOW_REPORTERS, neutral
from bizra_gate.reports.plots import available

FEW = settings(max_examples=60, deadline=None)
CASES = [builders.no_ship(), builders.under_audit(), builders.untrusted(), builders.waived()]
CALM = framed("a")


def _hidden(text: str) -> list[str]:
    if text.replace("\n", "").isprintable():  # of no category C, which is a thirtieth of the work
        return []
    return [char for char in text if unicodedata.category(char).startswith("C") and char != "\n"]


@FEW
@given(texts)
def test_a_line_has_no_line_breaks_and_nothing_invisible(text: str) -> None:
    said = neutral.line(text)
    assert not _hidden(said)
    assert said == " ".join(said.split())


def test_what_was_hidden_is_shown_and_not_dropped() -> None:
    assert neutral.line("a\x1b[31mb\u202ec\U000e0041\ud800") == "a\\x1b[31mb\\u202ec\\U000e0041\\ud800"


def test_a_long_field_says_how_much_was_cut() -> None:
    assert neutral.line("x" * 30, limit=10) == "xxxxxxxxxx … (20 more characters)"


def test_stacked_marks_do_not_climb_over_other_lines() -> None:
    assert len(neutral.line("e" + "\u0301" * 40)) == 7


def test_ascii_keeps_near_spellings() -> None:
    assert neutral.ascii_only("✓ 12 µs ≤ λ·W — 漢") == "+ 12 us <= lambda-W - \\u6f22"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("::error::x", ":.error::x"),
        ("  ::error::x", "  :.error::x"),
        ("\x1b[31m ::x::y", "\x1b[31m :.x::y"),
        ("a ##[error]", "a ##(error]"),
        ("tests/a.py::test_b", "tests/a.py::test_b"),
    ],
)
def test_a_page_holds_no_command_for_a_runner_and_keeps_its_widths(page: str, expected: str) -> None:
    assert neutral.commands(page) == expected
    assert len(expected) == len(page)


@FEW
@given(texts)
def test_a_terminal_page_is_plain_text_of_its_width(text: str) -> None:
    for width, unicode in ((80, True), (120, True), (80, False)):
        page = REPORTERS["terminal"](with_text(CASES[1], text), width, False, unicode)
        assert not _hidden(page)
        assert unicode or page.isascii()
        lines = page.splitlines()
        assert max(cell_len(line) for line in lines) <= width
        assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@FEW
@given(texts)
def test_a_coloured_page_holds_no_escape_but_colours(text: str) -> None:
    page = REPORTERS["terminal"](with_text(CASES[0], text), 80, True)
    assert not _hidden(re.sub(r"\x1b\[[0-9;]*m", "", page))
    assert not [line for line in page.splitlines() if re.match(r"(\x1b\[[0-9;]*m|\s)*::", line)]


STRUCTURES = {"markdown": markdown_structure, "html": html_structure, "junit": xml_structure}


@cache
def _calm_structure(form: str, case: int) -> object:
    """The structure of a page with harmless words, which hostile ones must not change."""
    return STRUCTURES[form](REPORTERS[form](with_text(CASES[case], CALM)))


@FEW
@given(texts)
def test_markdown_keeps_its_structure_whatever_the_words_are(text: str) -> None:
    for case, report in enumerate(CASES):
        hostile = REPORTERS["markdown"](with_text(report, framed(text)))
        assert markdown_structure(hostile) == _calm_structure("markdown", case)
        assert not _hidden(hostile)
        words = markdown_words(hostile)
        assert not re.search(r"@\w|https?://|(?i:www)\.|#\d|(?i:gh)-\d", words)


def test_markdown_draws_no_picture_from_words() -> None:
    assert neutral.markdown(":white_check_mark: at 04:00:00Z") == "\\:&#8203;white\\_check\\_mark: at 04:00:00Z"


@example("&#64;octocat")
@FEW
@given(texts)
def test_html_keeps_its_structure_whatever_the_words_are(text: str) -> None:
    for case, report in enumerate(CASES):
        hostile = REPORTERS["html"](with_text(report, framed(text)))
        assert html_structure(hostile) == _calm_structure("html", case)
        assert not _hidden(hostile)


@FEW
@given(texts)
def test_junit_stays_well_formed_and_keeps_its_structure(text: str) -> None:
    for case, report in enumerate(CASES):
        hostile = REPORTERS["junit"](with_text(report, framed(text)))
        assert xml_structure(hostile) == _calm_structure("junit", case)


AUDITED, SHOWN, COMPARED = builders.audited_impossible(), builders.shown(), builders.comparison()


@FEW
@given(texts)
def test_pages_of_the_other_commands_are_plain_text_of_their_width(text: str) -> None:
    pages = [
        AUDIT_REPORTERS["terminal"](with_text(AUDITED, text), 80),
        SHOW_REPORTERS["terminal"](with_text(SHOWN, text), 80),
        COMPARE_REPORTERS["terminal"](with_text(COMPARED, text), 80),
    ]
    for page in pages:
        assert not _hidden(page)
        assert max(cell_len(line) for line in page.splitlines()) <= 80
        assert not [line for line in page.splitlines() if line.lstrip().startswith("::") or "##[" in line]


@FEW
@given(texts)
def test_markdown_html_and_json_of_the_other_commands_keep_their_structure(text: str) -> None:
    for render, subject, structure in (
        (AUDIT_REPORTERS["markdown"], AUDITED, markdown_structure),
        (COMPARE_REPORTERS["markdown"], COMPARED, markdown_structure),
        (COMPARE_REPORTERS["json"], COMPARED, lambda page: sorted(json.loads(page))),
        (AUDIT_REPORTERS["json"], AUDITED, lambda page: sorted(json.loads(page))),
    ):
        hostile = render(with_text(subject, framed(text)))
        assert not _hidden(hostile)
        assert structure(hostile) == structure(render(with_text(subject, CALM)))


BARE = dataclasses.replace(SHOWN, measurement=builders.impossible_measurement())


@FEW
@given(texts)
def test_html_of_the_other_commands_keeps_its_structure_whatever_the_words_are(text: str) -> None:
    hostile, calm = (SHOW_REPORTERS["html"](with_text(BARE, words)) for words in (framed(text), CALM))
    assert not _hidden(hostile)
    assert _outside_plots(hostile) == _outside_plots(calm)


@pytest.mark.skipif(not available(), reason="the html extra is not installed")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["</svg><script>x</script>", "$\\frac{1}{0}$", "\x1b[31m\u202e漢字👩", "<b>" * 2000])
def test_a_name_beside_a_plot_draws_no_element_of_its_own(text: str) -> None:
    hostile = COMPARE_REPORTERS["html"](with_text(COMPARED, framed(text)))
    assert not _hidden(hostile)
    assert _outside_plots(hostile) == _outside_plots(_calm_comparison())
    drawn = {tag for tag, _ in html_structure("".join(re.findall(r"<svg.*?</svg>", hostile, re.DOTALL)))}
    assert {tag.removeprefix("/") for tag in drawn} <= {
        "svg", "title", "desc", "defs", "style", "g", "path", "text", "use", "clippath", "rect",
    }  # fmt: skip


@cache
def _calm_comparison() -> str:
    return COMPARE_REPORTERS["html"](with_text(COMPARED, CALM))


def _outside_plots(page: str) -> list[tuple[str, tuple[str, ...]]]:
    return html_structure(re.sub(r"<svg.*?</svg>", "<svg></svg>", page, flags=re.DOTALL))


@FEW
@given(texts)
def test_annotations_stay_one_command_a_line_and_give_the_words_back(text: str) -> None:
    report = with_text(CASES[1], framed(text))
    lines = REPORTERS["github"](report).splitlines()
    assert len(lines) == len(REPORTERS["github"](with_text(CASES[1], CALM)).splitlines())
    for line in lines:
        assert not _hidden(line)
        head, _, data = line.removeprefix("::").partition("::")
        command, _, rest = head.partition(" ")
        assert command in ("error", "warning", "notice")
        assert [pair.partition("=")[0] for pair in rest.split(",")] in (["title"], ["file", "title"])
        assert "##[" not in data
    assert neutral.line(framed(text), 200).replace("##[", "##(")[:60] in _unescaped(lines[1])


def _unescaped(line: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        line = line.replace(code, char)
    return line


@FEW
@given(texts)
def test_sarif_and_json_stay_json_and_harmless_on_a_terminal(text: str) -> None:
    for name in ("sarif", "json"):
        said = REPORTERS[name](with_text(CASES[2], text))
        assert not _hidden(said)
        assert "##[" not in said
        json.loads(said)


@FEW
@given(texts)
def test_json_gives_every_word_back_as_it_was(text: str) -> None:
    said = json.loads(REPORTERS["json"](with_text(CASES[2], text)))
    assert said["gates"][0]["claim"] == "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text)


@FEW
@given(texts)
def test_a_table_cell_says_what_was_said_and_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {neutral.markdown(f'x{text}')} | end |\n"
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(table)
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert [html.unescape(cell).replace("\u200b", "") for cell in cells] == [neutral.line(f"x{text}"), "end"]


@FEW
@given(texts)
def test_a_code_span_says_what_was_said(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).renderInline(neutral.code(f"x{text}"))
    shown = re.sub(r"</?code>|\u200b", "", rendered)
    assert html.unescape(shown) == neutral.line(f"x{text}").replace("##[", "##(")
