"""One file per command. `register` imports them in the order in which help lists them; each imports what it needs."""

from __future__ import annotations

from importlib import import_module

COMMANDS = {
    "init": "init",
    "keygen": "keys",
    "trust": "keys",
    "bench": "bench",
    "verify": "verify",
    "audit": "audit",
    "show": "show",
    "compare": "compare",
    "history": "history",
    "import": "import_",
    "export": "export",
    "fmt": "fmt",
    "cosign": "cosign",
    "waive": "waive",
    "ledger": "ledger",
    "selftest": "selftest",
    "demo": "demo",
}
"""What a person types → the file that it lives in."""


def register(first: str = "") -> None:
    """Put the command called `first` into the table; where none is called so, every command.

    Help lists them all, and a mistyped one is looked for among all; to run one, typer need not take apart the others.
    """
    for file in [COMMANDS[first]] if first in COMMANDS else dict.fromkeys(COMMANDS.values()):
        import_module(f"{__name__}.{file}")
