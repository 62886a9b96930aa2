"""``audit``: is this measurement believable? On an artifact of ours or on another tool's output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values
from ..app import command


@command("audit")
def audit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE …", help="Artifacts, or other tools' outputs; - is standard input.")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", help="The tool that wrote FILE; left out, it is recognised.")
    ] = None,
    connections: Annotated[int | None, typer.Option(min=1, help="Connections (users) that there were.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the generator.")] = None,
    target_rate: Annotated[str | None, typer.Option(help="Rate that was asked for, e.g. 1000/s.")] = None,
    target_duration: Annotated[str | None, typer.Option(help="Duration that was asked for, e.g. 30s.")] = None,
    min_duration: Annotated[str | None, typer.Option(help="Policy: counted phase at least. Default 120s.")] = None,
    min_warmup: Annotated[str | None, typer.Option(help="Policy: warm-up at least. Default 30s.")] = None,
    max_error_rate: Annotated[str | None, typer.Option(help="Policy: errors at most. Default 1 %.")] = None,
    format_: Annotated[str, typer.Option("--format", help="terminal, json or markdown.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write the page to a file.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Audit as of this RFC 3339 instant.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit code.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> int:
    """Say VALID, INSUFFICIENT or INVALID, with the arithmetic: exit 0, 5 or 3."""
    from ... import reports
    from ...errors import UsageError
    from ...model.report import AUDIT_EXIT_CODES
    from ...reports.inputs import worst_verdict
    from .. import reading

    if format_ not in reports.AUDIT_REPORTERS:
        raise UsageError(f"--format: got {format_!r}, expected one of {', '.join(sorted(reports.AUDIT_REPORTERS))}")
    values.now_text(now)
    stated = reading.stated(connections, threads, target_rate, target_duration)
    policy = reading.policy(min_duration, min_warmup, max_error_rate)
    audited = tuple(one for file in files for one in reading.audited(file, from_, stated, policy))
    if not quiet:
        options = output.page(no_color, out) if format_ == "terminal" else {}
        output.emit(reports.AUDIT_REPORTERS[format_](audited, **options), out, format_)
    return AUDIT_EXIT_CODES[worst_verdict(audited)]
