"""One file per command. Importing this package registers them all; each imports what it needs when it runs."""

from . import audit, bench, compare, demo, export, fmt, import_, init, keys, ledger, selftest, show, verify

__all__ = [
    "audit",
    "bench",
    "compare",
    "demo",
    "export",
    "fmt",
    "import_",
    "init",
    "keys",
    "ledger",
    "selftest",
    "show",
    "verify",
]
