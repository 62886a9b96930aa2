"""``export``: the same evidence in the forms that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command


@command("export")
def export(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="dsse, sigstore-bundle or pae; hlog, percentiles, openmetrics, csv, pyperf, bencher or "
            "github-action-benchmark (-bigger for rates).",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
) -> None:
    """Export an artifact; dsse, sigstore-bundle and pae carry its signature and need no key."""
    from ... import exports, store
    from ...errors import UsageError

    if to not in exports.EXPORTERS:
        raise UsageError(f"--to: got {to!r}, expected one of {', '.join(sorted(exports.EXPORTERS))}")
    data = exports.EXPORTERS[to](store.read_named(artifact), str(artifact))
    output.emit_bytes(data, out)
