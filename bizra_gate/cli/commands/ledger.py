"""``ledger``: an append-only, signed log of the artifacts in this repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values
from ..app import app, guarded

ledger = typer.Typer(help="An append-only Merkle log of artifacts, with a signed head.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")

Root = Annotated[Path, typer.Option("--root", help="The repository.")]
Key = Annotated[Path | None, typer.Option("--key", help="Private key file.", show_default=False)]
Now = Annotated[str | None, typer.Option("--now", help="As of this RFC 3339 instant.", show_default=False)]


@ledger.command("append")
@guarded
def append(
    artifacts: Annotated[
        list[Path] | None, typer.Argument(metavar="[ARTIFACT …]", help="Default: artifacts/*.json", show_default=False)
    ] = None,
    origin: Annotated[str | None, typer.Option(help="Name of a new log.", show_default=False)] = None,
    key: Key = None,
    root: Root = Path(),
    now: Now = None,
) -> None:
    """List artifacts and sign the new head."""
    from ... import keystore, ledgers, opening
    from ...attest import parse_instant
    from ...errors import UsageError

    listed = artifacts or sorted((root / "artifacts").glob("*.json"))
    if not listed:
        raise UsageError(f"{root / 'artifacts'}: no artifacts to list; name them")
    moment = parse_instant(values.now_text(now))
    state = ledgers.append(root, listed, keystore.load(key), moment, origin)
    if state.loose:
        output.say(f"{root / ledgers.ENTRIES}: {_lines(state.loose)} that nobody had signed, made anew from the files")
    output.say(f"{root / ledgers.ENTRIES}: {_lines(len(state.ledger.records))}, root {state.ledger.root.hex()}")
    for reason in ledgers.check(root, opening.ring_of(root), moment):
        output.say(f"verify will refuse this: {reason.message}", err=True)


@ledger.command("withdraw")
@guarded
def withdraw(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT")],
    reason: Annotated[str, typer.Option("--reason", help="Why it no longer counts.")],
    key: Key = None,
    root: Root = Path(),
    now: Now = None,
) -> None:
    """Give an artifact a tombstone: it stays in the log and no longer counts."""
    from ... import keystore, ledgers
    from ...attest import parse_instant

    ledgers.withdraw(root, artifact, reason, keystore.load(key), parse_instant(values.now_text(now)))
    output.say(f"{artifact}: withdrawn")


@ledger.command("cosign")
@guarded
def cosign(
    name: Annotated[str, typer.Option("--name", help="Who is signing, e.g. witness.example.com/audit.")],
    base: Annotated[str | None, typer.Option(help="Sign only what continues the ledger of this revision.")] = None,
    key: Key = None,
    root: Root = Path(),
    now: Now = None,
) -> None:
    """Sign a trusted head as another party: rewriting the log then needs two keys."""
    from ... import docket, keystore, ledgers
    from ...attest import parse_instant

    ring, _ = docket.ring_and_faults(root, base)
    ledgers.cosign(root, name, keystore.load(key), ring, parse_instant(values.now_text(now)), base=base)
    output.say(f"{root / ledgers.CHECKPOINT}: cosigned by {name}")


@ledger.command("verify")
@guarded
def verify(
    base: Annotated[
        str | None, typer.Option(help="It must continue the ledger of this revision, whose keyring decides.")
    ] = None,
    cosigners: Annotated[int, typer.Option(min=0, help="Cosignatures that must be there.")] = 0,
    root: Root = Path(),
    now: Now = None,
) -> int:
    """Check the signed head, the growth since a base revision, and that every listed file is there unchanged."""
    from ... import docket, ledgers
    from ...attest import parse_instant

    ring, faults = docket.ring_and_faults(root, base)
    reasons = (*faults, *ledgers.check(root, ring, parse_instant(values.now_text(now)), base=base, cosigners=cosigners))
    for reason in reasons:
        output.say(f"{reason.code}: {reason.message}")
    if not reasons:
        state = ledgers.read(root)
        output.say(f"{root / ledgers.ENTRIES}: {_lines(len(state.ledger.records))}, consistent, head trusted")
    return 4 if reasons else 0


def _lines(count: int) -> str:
    return f"{count:,} line{'s' * (count != 1)}"


@ledger.command("prove")
@guarded
def prove(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the proof to a file.")] = None,
    root: Root = Path(),
) -> None:
    """Print a proof that an artifact is in the log; it checks offline, without the log."""
    from ... import ledgers, store

    proof = ledgers.prove(root, artifact)
    if out is None:
        typer.echo(proof, nl=False)
    else:
        store.write(out, proof.encode())


@ledger.command("check-proof")
@guarded
def check_proof(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT")],
    proof: Annotated[Path, typer.Argument(metavar="PROOF")],
    cosigners: Annotated[int, typer.Option(min=0, help="Cosignatures that must be there.")] = 0,
    root: Root = Path(),
    now: Now = None,
) -> int:
    """Check a proof against an artifact and the keyring alone."""
    from ... import ledgers, store
    from ...attest import parse_instant

    text = store.read_named(proof).decode("utf-8", errors="replace")
    trust = ledgers.check_proof(root, artifact, text, parse_instant(values.now_text(now)), cosigners)
    for reason in trust.reasons:
        output.say(f"{reason.code}: {reason.message}")
    if trust.ok:
        output.say(f"{artifact}: in the log, signed by {', '.join(trust.signed_by)}")
    return 0 if trust.ok else 4
