"""``selftest``: this machine's clock, and the instrument against truths that are arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command


@command("selftest")
def selftest(
    format_: Annotated[str, typer.Option("--format", help="terminal or json.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write the table to a file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit code.")] = False,
) -> int:
    """Measure servers whose truth is known: a stall, an overload, queues. Exit 1 where a figure is off; under 90 s."""
    from ... import selftest as instrument

    report = instrument.run_selftest(None if quiet else lambda text: typer.echo(text, err=True))
    if not quiet:
        output.emit(instrument.render(report, format_), out, format_)
    return 0 if report.ok else 1
