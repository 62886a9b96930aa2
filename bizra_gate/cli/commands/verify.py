"""``verify``: open the artifacts, audit them, judge the checks, report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import output, values, waiting
from ..app import command

if TYPE_CHECKING:
    from ...attest.statement import Statement

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@command("verify")
@waiting.seldom_collecting()
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
    emit_vsa: Annotated[
        Path | None,
        typer.Option("--emit-vsa", help="Write the verdict as a signed SLSA Verification Summary (DSSE envelope)."),
    ] = None,
    emit_test_result: Annotated[
        Path | None,
        typer.Option("--emit-test-result", help="Write every check as a signed in-toto test result (DSSE envelope)."),
    ] = None,
    resource_uri: Annotated[
        str | None, typer.Option("--resource-uri", help="What ships, as its consumers name it; for --emit-vsa.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Private key file for --emit-vsa and --emit-test-result.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit code.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> int:
    """Judge the committed evidence against its gates: SHIP, NO-SHIP, UNDER AUDIT, UNTRUSTED or INCONCLUSIVE."""
    from ... import pipeline, reports
    from ...errors import UsageError

    chosen = format_ or "terminal"
    if chosen not in reports.REPORTERS:
        raise UsageError(f"--format: got {chosen!r}, expected one of {', '.join(sorted(reports.REPORTERS))}")
    signer = _signer(key) if emit_vsa is not None or emit_test_result is not None else None
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
    if emit_vsa is not None:
        from ...reports import vsa

        _emit(emit_vsa, signer, vsa.statement(verified.report, commit=_commit(), resource_uri=resource_uri))
    if emit_test_result is not None:
        from ...reports import test_result

        _emit(emit_test_result, signer, test_result.statement(verified.report, commit=_commit()))
    if not quiet:
        output.emit(_rendered(chosen, verified, output.page(no_color, out)), out, chosen)
        _step_summary(chosen, verified)
    return verified.report.exit_code


def _rendered(chosen: str, verified: object, page: dict[str, Any]) -> str:
    """The report in the chosen format; the terminal's needs to know its width, and HTML draws the measurements."""
    from ... import pipeline, reports

    assert isinstance(verified, pipeline.Verified)
    render = reports.REPORTERS[chosen]
    if chosen == "terminal":
        return render(verified.report, **page)
    return render(verified.report, verified.measurements) if chosen == "html" else render(verified.report)


def _step_summary(chosen: str, verified: object) -> None:
    """GitHub shows what is appended to this file on the page of the job."""
    place = os.environ.get(SUMMARY_VARIABLE)
    if chosen == "github" and place:
        from ... import pipeline
        from ...reports import github

        assert isinstance(verified, pipeline.Verified)
        with open(place, "a", encoding="utf-8") as file:
            file.write(github.step_summary(verified.report))


def _signer(key: Path | None) -> object:
    """Asked for before anything is judged: a verdict without its summary would be half an answer."""
    from ... import keystore

    return keystore.load(key)


def _commit() -> str | None:
    """The commit that was judged; a changed tree is not the commit."""
    from ... import repository

    head = repository.head(Path.cwd())
    return head.commit if head is not None and not head.dirty else None


def _emit(place: Path, signer: object, statement: Statement) -> None:
    """The verdict for tools that read statements of others' kinds."""
    from ... import store
    from ...attest import export_dsse, read, seal
    from ...attest.keys import PrivateKey

    assert isinstance(signer, PrivateKey)
    store.write(place, export_dsse(read(seal(statement, [signer]))))
