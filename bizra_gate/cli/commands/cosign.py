"""``cosign``: a further signature on an artifact, for gates that ask for several signers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command


@command("cosign")
def cosign(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT")],
    envelope: Annotated[
        Path | None,
        typer.Option(
            "--envelope",
            help="Take the signatures of this DSSE envelope over the same statement instead of signing.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Private key file.", show_default=False)] = None,
    keyring: Annotated[Path, typer.Option("--keyring", help="Whose wrong signatures are refused.")] = Path(
        "gates/keyring.toml"
    ),
) -> None:
    """Sign an artifact that others have signed too; what it says stays as it is. Look at it first: `show`, `audit`."""
    from ... import cosigning, keystore, opening

    ring = opening.read_keyring(keyring)
    if envelope is not None:
        sealed = cosigning.take(artifact, envelope, ring)
    else:
        sealed = cosigning.add(artifact, keystore.load(key), ring)
    output.say(f"{artifact}: signed by {', '.join(one.keyid for one in sealed.signatures)}")
