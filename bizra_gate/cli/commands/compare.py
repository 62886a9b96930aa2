"""``compare``: is HEAD worse, better, the same, or can't we tell?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values
from ..app import command


@command("compare")
def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="An artifact, another tool's output, or a folder.")],
    head: Annotated[Path, typer.Argument(metavar="HEAD", help="The same of what is compared with it.")],
    margin: Annotated[str, typer.Option(help="How much worse is still the same.")] = "5 %",
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Of each interval.")] = 0.95,
    metric: Annotated[list[str] | None, typer.Option(help="Metric to compare; repeatable.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="The tool; left out, it is recognised.")] = None,
    format_: Annotated[str, typer.Option("--format", help="terminal, json, markdown or html.")] = "terminal",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    keyring: Annotated[Path | None, typer.Option("--keyring", help="Default: gates/keyring.toml.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> int:
    """Compare process means: worse ends in exit 1, can't tell in exit 5, better or the same in exit 0."""
    from ... import comparing, opening, reports
    from ...errors import UsageError
    from .. import sides

    if format_ not in reports.COMPARE_REPORTERS:
        raise UsageError(f"--format: got {format_!r}, expected one of {', '.join(sorted(reports.COMPARE_REPORTERS))}")
    share = values.ratio("--margin", margin)
    if share is None or not 0 < share < 1:
        raise UsageError(f"--margin: got {margin!r}, expected a share between 0 and 100 %, such as '5 %'")
    trusted = keyring or Path("gates/keyring.toml")
    ring = opening.read_keyring(trusted)
    reader = sides.Reader(from_, comparing.percentiles(metric or ()), ring, values.now_text(None))
    before, after = reader.read(base), reader.read(head)
    found = comparing.compare(
        str(base),
        str(head),
        before.sides,
        after.sides,
        margin=share,
        confidence=confidence,
        metrics=tuple(metric or ()),
        signatures=sides.signatures(before, after, trusted, ring),
        notes=(*before.notes, *after.notes),
    )
    options = output.page(no_color, out) if format_ == "terminal" else {}
    output.emit(reports.COMPARE_REPORTERS[format_](found, **options), out, format_)
    return {"worse": 1, "undecided": 5, "same": 0, "better": 0}[found.verdict]
