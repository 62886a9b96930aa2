"""What is printed suits the terminal that reads it: its encoding, its width, its colours."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bizra_gate.cli import output

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
