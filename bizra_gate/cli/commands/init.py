"""``init``: a starter gate, the keyring and a CI workflow in an existing repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import command


@command("init")
def init(
    directory: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
) -> None:
    """Put a commented starter gate, the keyring and a CI workflow into a repository; nothing is overwritten."""
    from ... import keystore, origin, pipeline, starter

    source = origin.of_this()
    made = starter.init(directory, source)
    for step in made:
        typer.echo(f"{step.action:9} {step.path}")
    keyring = directory / "gates" / "keyring.toml"
    public = keystore.default_path().with_suffix(".pub")
    steps = [
        'git add gates .github .gitattributes && git commit -m "A first gate"',
        "bizra-gate bench gates/example.toml",
        "bizra-gate verify",
        'git add artifacts && git commit -m "Evidence for the first gate"',
    ]
    if keyring.exists():
        typer.echo(f"{'kept':9} gates/keyring.toml")
    elif public.exists():
        added = pipeline.trust(public, keyring)
        typer.echo(f"{'created':9} gates/keyring.toml (trusts {added.fingerprint})")
    else:
        steps = ["bizra-gate keygen", "bizra-gate trust", *steps]
    if source is None and starter.Step(starter.WORKFLOW_PATH, "created") in made:
        steps.insert(
            0, f"say in {starter.WORKFLOW_PATH} where CI gets bizra-gate: only this machine has what runs here"
        )
    typer.echo("\nnext:")
    for line in steps:
        typer.echo(f"  {line}")
