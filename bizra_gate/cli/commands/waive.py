"""``waive``: a signed, dated exception for one check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import output, values
from ..app import command


@command("waive")
def waive(
    gate: Annotated[Path, typer.Argument(metavar="GATE.toml")],
    check: Annotated[str, typer.Argument(metavar="CHECK", help="Id of the check, as reports name it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may be excused for now.")],
    ticket: Annotated[str, typer.Option("--ticket", help="Where the mending is tracked.")],
    expires: Annotated[str, typer.Option("--expires", help="RFC 3339, or how long: 7d. At most 14d for a must.")],
    approver: Annotated[
        str | None, typer.Option("--approver", help="Who answers for it. Default: git's user.", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Private key file.", show_default=False)] = None,
    now: Annotated[str | None, typer.Option("--now", help="It begins at this RFC 3339 instant.")] = None,
) -> None:
    """Excuse one check of a gate for a while: shown as WAIVED, never a pass, and void once the gate changes."""
    from ... import docket, keystore, opening, repository
    from ...attest import format_instant, parse_instant
    from ...errors import UsageError

    who = approver or repository.user(Path.cwd())
    if who is None:
        raise UsageError("--approver: who answers for it? git knows no user here")
    start = parse_instant(values.now_text(now))
    end = values.until("--expires", expires, start)
    file = docket.waive(
        values.existing(gate),
        check,
        reason=reason,
        ticket=ticket,
        approver=who,
        not_before=start,
        expires=end,
        signer=keystore.load(key),
    )
    held = f"{check} is waived until {format_instant(end)} ({ticket}), if the keyring lets this key sign waivers"
    output.say(f"{opening.shown(file)}: {held}")
