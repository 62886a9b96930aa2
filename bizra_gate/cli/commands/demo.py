"""``demo``: the whole loop in under a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command


@command("demo")
def demo(
    directory: Annotated[
        Path, typer.Option("--directory", help="Where the files are left; made if it does not exist.")
    ] = Path("bizra-gate-demo"),
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> int:
    """Measure an embedded server and ship; then judge 13,000,000 req/s at p50 = 0 and refuse it, reason by reason."""
    from ... import demo as story
    from .. import progress

    return story.tell(
        directory,
        say=typer.echo,
        watch=lambda plan, title: progress.shown([(title, plan)], quiet=False, no_color=no_color),
        width=output.columns(),
        color=output.color(no_color),
    )
