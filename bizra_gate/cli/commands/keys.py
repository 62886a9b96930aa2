"""``keygen`` and ``trust``: a key pair, and the public half in the repository's keyring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output
from ..app import command

KEYRING = Path("gates/keyring.toml")


@command("keygen")
def keygen(
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the private key goes; by default the user's config folder.")
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for a passphrase and encrypt the private key with it.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the fingerprint only.")] = False,
) -> None:
    """Make an Ed25519 key pair: the private key stays with you (mode 0600), the public one is for `trust`."""
    from ... import keystore

    path = out or keystore.default_path()
    secret = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True) if passphrase else None
    public = keystore.create(path, secret)
    if quiet:
        output.say(public.fingerprint)
        return
    output.say(f"private key  {path}  (mode 0600; it never belongs in a repository)", whole=True)
    output.say(f"public key   {path.with_suffix('.pub.pem')}, {path.with_suffix('.pub')}", whole=True)
    output.say(f"             {public.openssh()}", whole=True)
    output.say(f"fingerprint  {public.fingerprint}", whole=True)
    named = "" if out is None else f" {path.with_suffix('.pub')}"
    output.say(f"next         bizra-gate trust{named}        # adds the public key to gates/keyring.toml", whole=True)
    if out is not None:
        output.say(f"             then sign with: --key {path}, or {keystore.VARIABLE}={path}", whole=True)


@command("trust")
def trust(
    public: Annotated[
        Path | None,
        typer.Argument(help="Public key (PEM or OpenSSH). Left out: your own default key.", show_default=False),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Who holds the private key, for reports.")] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Kind of evidence it may sign; repeatable. Default: every kind.")
    ] = None,
    not_before: Annotated[str | None, typer.Option("--not-before", help="RFC 3339; valid from.")] = None,
    not_after: Annotated[str | None, typer.Option("--not-after", help="RFC 3339; valid until.")] = None,
    keyring: Annotated[Path, typer.Option("--keyring", help="The keyring file.")] = KEYRING,
) -> None:
    """Add a public key to the keyring; evidence that it signs is then trusted."""
    from ... import keystore, pipeline

    path = public or keystore.default_path().with_suffix(".pub")
    added = pipeline.trust(
        path, keyring, owner=owner, roles=tuple(role or ("*",)), not_before=not_before, not_after=not_after
    )
    output.say(f"{keyring}: trusts {added.owner} ({added.fingerprint}) for {', '.join(added.roles)}")
