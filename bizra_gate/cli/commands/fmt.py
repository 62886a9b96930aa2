"""``fmt``: lay an artifact out again without touching what was signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command


@command("fmt")
def fmt(
    artifacts: Annotated[list[Path], typer.Argument(metavar="ARTIFACT …")],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 4 where a file is laid out otherwise.")
    ] = False,
) -> int:
    """Restore the one rendering after an editor or a merge changed the layout; the signature is over the content."""
    from ... import store
    from ...attest import relayout

    changed = 0
    for path in artifacts:
        before = store.read_named(path)
        after = relayout(before, str(path))
        if before == after:
            continue
        changed += 1
        output.say(f"{path}: {'would be laid out again' if check else 'laid out again'}")
        if not check:
            store.write(path, after)
    return 4 if check and changed else 0
