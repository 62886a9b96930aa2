"""Where rendered text goes: standard output, or ``--out FILE`` written beside and renamed."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

import typer

DEFAULT_COLUMNS = 100
DOCUMENTS = ("json", "html", "junit", "sarif")
"""Formats that are UTF-8 by their own definition, whatever the terminal speaks."""
NEAR_ASCII = "bizra-gate-near-ascii"
"""Name of the error handler that `adapt` gives the standard streams."""
PLAIN_ASCII = "bizra_gate_plain_ascii"
_NEEDED = "✓✗·—…µλ→─█"
"""What a page for people is drawn with."""


def columns() -> int:
    """Width for terminal reports: the terminal's (or ``COLUMNS``), or 100 where there is none."""
    return shutil.get_terminal_size((DEFAULT_COLUMNS, 24)).columns


def color(no_color: bool) -> bool:
    """Whether to colour: on a terminal that is not a dumb one, unless ``--no-color`` or ``NO_COLOR`` (no-color.org)."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    return (sys.stdout.isatty() and not dumb()) or bool(os.environ.get("FORCE_COLOR"))


def dumb() -> bool:
    """Whether the terminal says that it can only print lines."""
    return os.environ.get("TERM") in ("dumb", "unknown")


def unicode() -> bool:
    """Whether standard output can carry the signs that a page is drawn with."""
    try:
        _NEEDED.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def page(no_color: bool, out: Path | None = None) -> dict[str, Any]:
    """What the renderer of a page for people has to know; a file is UTF-8 and without colours."""
    if out is not None:
        return {"width": columns(), "color": False, "unicode": True}
    return {"width": columns(), "color": color(no_color), "unicode": unicode()}


def adapt() -> None:
    """Let the standard streams write what their encoding lacks in near spellings: ``us`` for ``µs``, never ``?s``."""
    codecs.register_error(NEAR_ASCII, _near)
    codecs.register(_plain_ascii)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            ascii_only = codecs.lookup(stream.encoding or "ascii").name == "ascii"
            stream.reconfigure(encoding=PLAIN_ASCII if ascii_only else None, errors=NEAR_ASCII)


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII under a name that click does not know: it takes a stream called ``ascii`` for an unset locale, and writes
    UTF-8 to it whatever was asked for."""
    known = codecs.lookup("ascii")
    if name != PLAIN_ASCII:
        return None
    return codecs.CodecInfo(
        known.encode,
        known.decode,
        known.streamreader,
        known.streamwriter,
        known.incrementalencoder,
        known.incrementaldecoder,
        name=PLAIN_ASCII,
    )


def _near(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from ..reports import neutral

    return neutral.ascii_only(error.object[error.start : error.end]), error.end


def emit(text: str, out: Path | None = None, format_: str = "terminal") -> None:
    """Print `text`, which is of `format_`, or write it to `out`."""
    text = text if text.endswith("\n") else text + "\n"
    data = text.encode("utf-8", "replace")
    if out is not None or format_ in DOCUMENTS:
        emit_bytes(data, out)
        return
    try:
        typer.echo(text, nl=False, color=True)
    except BrokenPipeError:
        forget()


def say(text: str, *, err: bool = False, whole: bool = False) -> None:
    """Print a sentence or a few; names and reasons in it may come from a hostile file.

    On a terminal a longer line is broken between words, unless it is kept `whole` because somebody will copy it.
    """
    if not (text.isascii() and text.isprintable()) or "::" in text or "##[" in text:
        from ..reports import neutral

        text = neutral.plain(text)
    if not whole and (sys.stderr if err else sys.stdout).isatty():
        text = "\n".join(_wrapped(line, columns()) for line in text.split("\n"))
    typer.echo(text, err=err)


def _wrapped(line: str, width: int) -> str:
    """`line` in lines of at most `width`, the further ones indented by two more; a longer word is left whole."""
    if len(line) < width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, max(40, width - 1), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def emit_bytes(data: bytes, out: Path | None = None) -> None:
    """As `emit`, for what is no text."""
    if out is None:
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            forget()
        return
    from .. import store

    store.write(out, data)


def forget() -> None:
    """After the reader went away (``| head``): the rest is said to nobody, and the exit code is still the command's."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
