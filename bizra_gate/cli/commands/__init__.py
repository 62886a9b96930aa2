"""One file per command. `register` imports them in the order in which help lists them; each imports what it needs."""

from __future__ import annotations

from importlib import import_module

ORDER = (
    "init",
    "keys",
    "bench",
    "verify",
    "audit",
    "show",
    "compare",
    "history",
    "import_",
    "export",
    "fmt",
    "cosign",
    "waive",
    "ledger",
    "selftest",
    "demo",
)


def register() -> None:
    """Put every command into the table."""
    for name in ORDER:
        import_module(f"{__name__}.{name}")
