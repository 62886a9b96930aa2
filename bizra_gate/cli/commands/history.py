"""``history``: one gate's metrics over every committed version of its artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values, waiting
from ..app import command


@command("history")
def history(
    gate: Annotated[Path, typer.Argument(metavar="GATE.toml", help="The gate whose artifacts are followed.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric to follow; repeatable. Default: those of the gate's checks.", show_default=False),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="terminal or json.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    keyring: Annotated[Path | None, typer.Option("--keyring", help="Default: gates/keyring.toml.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Look as of this RFC 3339 instant.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    """Where did a metric change, and since which commit? Advice drawn from git; nothing is judged."""
    from ... import docket, reports
    from ...errors import UsageError
    from ...history import history as followed

    if format_ not in reports.HISTORY_REPORTERS:
        raise UsageError(f"--format: got {format_!r}, expected one of {', '.join(sorted(reports.HISTORY_REPORTERS))}")
    found = docket.here([gate], keyring)
    if len(found.gates) != 1:
        raise UsageError(f"{gate}: history follows one gate, and here are {len(found.gates)}; name its file")
    with waiting.bar("opening versions", quiet=quiet) as progress:
        told = followed(
            found.gates[0], now=values.now_text(now), ring=found.ring, metrics=tuple(metric or ()), progress=progress
        )
    options = output.page(no_color, out) if format_ == "terminal" else {}
    output.emit(reports.HISTORY_REPORTERS[format_](told, **options), out, format_)
