"""``show``: one artifact for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values
from ..app import command


@command("show")
def show(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT", help="An artifact, or another tool's output.")],
    format_: Annotated[str, typer.Option("--format", help="terminal or html.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    keyring: Annotated[Path | None, typer.Option("--keyring", help="Default: gates/keyring.toml.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Look as of this RFC 3339 instant.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    """Percentiles with their intervals, the run over time, the environment, and what the audit says."""
    from ... import reports
    from ...errors import UsageError
    from .. import reading

    if format_ not in reports.SHOW_REPORTERS:
        raise UsageError(f"--format: got {format_!r}, expected one of {', '.join(sorted(reports.SHOW_REPORTERS))}")
    shown = reading.shown(artifact, keyring or Path("gates/keyring.toml"), values.now_text(now))
    options = output.page(no_color, out) if format_ == "terminal" else {}
    output.emit(reports.SHOW_REPORTERS[format_](shown, **options), out, format_)
