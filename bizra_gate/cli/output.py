"""Where rendered text goes: standard output, or ``--out FILE`` written beside and renamed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import typer

DEFAULT_COLUMNS = 100


def columns() -> int:
    """Width for terminal reports: the terminal's (or ``COLUMNS``), or 100 where there is none."""
    return shutil.get_terminal_size((DEFAULT_COLUMNS, 24)).columns


def color(no_color: bool) -> bool:
    """Whether to colour: on a terminal, unless ``--no-color`` or ``NO_COLOR`` (https://no-color.org) says no."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def emit(text: str, out: Path | None = None) -> None:
    """Print `text`, or write it to `out`."""
    text = text if text.endswith("\n") else text + "\n"
    if out is None:
        try:
            typer.echo(text, nl=False, color=True)
        except BrokenPipeError:
            forget()
        return
    from .. import store

    store.write(out, text.encode())


def emit_bytes(data: bytes, out: Path | None = None) -> None:
    """As `emit`, for what is no text."""
    if out is None:
        try:
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
