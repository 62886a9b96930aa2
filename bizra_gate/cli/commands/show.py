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
    format_: Annotated[str, typer.Option("--format", help="terminal, html or json.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    keyring: Annotated[Path | None, typer.Option("--keyring", help="Default: gates/keyring.toml.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Look as of this RFC 3339 instant.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    """Percentiles with their intervals, the run over time, the environment, and what the audit says."""
    from ... import reports
    from ...errors import UsageError
    from ...reports import show as drawing
    from .. import reading

    shown = reading.shown(artifact, keyring or Path("gates/keyring.toml"), values.now_text(now))
    if format_ == "terminal":
        output.emit(drawing.render(shown, width=output.columns(), color=output.color(no_color)), out)
    elif format_ in reports.SHOW_REPORTERS:
        output.emit(reports.SHOW_REPORTERS[format_](shown), out)
    else:
        raise UsageError(f"--format: got {format_!r}, expected one of {', '.join(sorted(reports.SHOW_REPORTERS))}")
