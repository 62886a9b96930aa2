"""What is printed suits the terminal that reads it: its encoding, its width, its colours."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bizra_gate.cli import output, progress
from bizra_gate.load import Snapshot

SAID = "✗ fail · 1.5 µs ≤ λ·W — “Ǆ”"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], io.BytesIO]:
    """Standard streams that speak another encoding, as the program finds them when it starts."""

    def speaking(encoding: str) -> io.BytesIO:
        raw = io.BytesIO()
        for name, target in (("stdout", raw), ("stderr", io.BytesIO())):
            monkeypatch.setattr(sys, name, io.TextIOWrapper(target, encoding=encoding, write_through=True))
        output.adapt()
        return raw

    return speaking


@pytest.mark.parametrize("encoding", ["ascii", "us-ascii", "iso8859-1", "cp1252", "cp437"])
def test_what_an_encoding_lacks_is_written_in_near_spellings(
    terminal: Callable[[str], io.BytesIO], encoding: str
) -> None:
    raw = terminal(encoding)
    assert output.page(no_color=True)["unicode"] is False
    typer.echo(SAID)
    output.emit(SAID)
    for line in raw.getvalue().decode(encoding).splitlines():
        assert line.startswith("x fail ")
        assert line.endswith(('\\u01c4"', "\\u01c4”"))
        assert "?" not in line


def test_a_terminal_in_ascii_gets_ascii(terminal: Callable[[str], io.BytesIO]) -> None:
    raw = terminal("ascii")
    typer.echo(SAID)
    assert raw.getvalue() == b'x fail - 1.5 us <= lambda-W - "\\u01c4"\n'


def test_utf_8_is_left_alone(terminal: Callable[[str], io.BytesIO]) -> None:
    raw = terminal("utf-8")
    assert output.page(no_color=True)["unicode"] is True
    output.emit(SAID)
    assert raw.getvalue().decode() == f"{SAID}\n"


@pytest.mark.parametrize("format_", output.DOCUMENTS)
def test_a_document_that_is_utf_8_by_definition_stays_so(terminal: Callable[[str], io.BytesIO], format_: str) -> None:
    raw = terminal("ascii")
    output.emit(json.dumps([SAID], ensure_ascii=False), format_=format_)
    assert json.loads(raw.getvalue().decode("utf-8")) == [SAID]


def test_a_file_is_utf_8_and_without_colours_whatever_the_terminal_is(
    terminal: Callable[[str], io.BytesIO], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal("ascii")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = tmp_path / "page.txt"
    page = output.page(no_color=False, out=file)
    assert (page["color"], page["unicode"]) == (False, True)
    output.emit(SAID, file)
    assert file.read_text(encoding="utf-8") == f"{SAID}\n"


def test_no_colour_is_asked_for_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.page(no_color=False)["color"] is True
    assert output.page(no_color=True)["color"] is False
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.page(no_color=False)["color"] is False


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_only_prints_lines_gets_no_colour(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert output.color(no_color=False)
    monkeypatch.setenv("TERM", kind)
    assert not output.color(no_color=False)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


LONG = (
    "    control.scaling: doing it twice takes 4.05 times as long as doing it once: the second cost more than the first"
)


def test_on_a_terminal_a_long_sentence_breaks_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", Tty())
    output.say(LONG)
    first, second = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(first) < 80
    assert second.startswith("      ")
    assert f"{first} {second.strip()}" == LONG


def test_what_is_to_be_copied_and_what_is_piped_stays_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for stream, whole in ((Tty(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stdout", stream)
        output.say(LONG, whole=whole)
        assert stream.getvalue() == f"{LONG}\n"


def test_a_line_of_progress_fits_a_terminal_of_80_columns() -> None:
    busy = Snapshot("checkout", 0, 1, "measured", 120 * 10**9, 0, 12_345.6, 1_234_567, 12_345_678, 17, 64)
    assert len(progress.line(busy)) < 80
