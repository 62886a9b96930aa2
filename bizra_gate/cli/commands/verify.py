"""``verify``: open the artifacts, audit them, judge the checks, report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .. import output, values, waiting
from ..app import command

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@command("verify")
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[GATE.toml | DIR …]", help="Default: gates/", show_default=False),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="terminal, json, markdown, html, junit, sarif or github.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the report to a file.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Judge as of this RFC 3339 instant.")] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", help="Judge by the gates, keyring and waivers of this git revision.", show_default=False
        ),
    ] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Demand that the ledger lists every artifact.")] = False,
    keyring: Annotated[Path | None, typer.Option("--keyring", help="Default: gates/keyring.toml.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit code.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> int:
    """Judge the committed evidence against its gates: SHIP, NO-SHIP, UNDER AUDIT, UNTRUSTED or INCONCLUSIVE."""
    from ... import pipeline, reports
    from ...errors import UsageError

    chosen = format_ or "terminal"
    if chosen not in reports.REPORTERS:
        raise UsageError(f"--format: got {chosen!r}, expected one of {', '.join(sorted(reports.REPORTERS))}")
    with waiting.bar("opening artifacts", quiet=quiet) as progress:
        verified = pipeline.verify(
            paths or [Path("gates")],
            now=values.now_text(now),
            keyring_path=keyring,
            base=base,
            ledger=ledger,
            keep_measurements=chosen == "html",
            progress=progress,
        )
    if not quiet:
        output.emit(_rendered(chosen, verified, no_color), out)
        _step_summary(chosen, verified)
    return verified.report.exit_code


def _rendered(chosen: str, verified: object, no_color: bool) -> str:
    """The report in the chosen format; the terminal's needs to know its width."""
    from ... import pipeline, reports
    from ...reports import html, terminal

    assert isinstance(verified, pipeline.Verified)
    if chosen == "terminal":
        return terminal.render(verified.report, width=output.columns(), color=output.color(no_color))
    if chosen == "html":
        return html.render(verified.report, verified.measurements)
    return reports.REPORTERS[chosen](verified.report)


def _step_summary(chosen: str, verified: object) -> None:
    """GitHub shows what is appended to this file on the page of the job."""
    from ... import pipeline
    from ...reports import github

    assert isinstance(verified, pipeline.Verified)
    place = os.environ.get(SUMMARY_VARIABLE)
    if chosen == "github" and place:
        with open(place, "a", encoding="utf-8") as file:
            file.write(github.step_summary(verified.report))
