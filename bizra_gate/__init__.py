"""Benchmarks that can be believed: measured honestly, signed, and judged by gates in CI.

The verbs of the command line as functions: `bench`, `verify` and `audit`. They are loaded when they are first used,
so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import audit, bench, verify

__all__ = ["__version__", "audit", "bench", "verify"]


def __getattr__(name: str) -> Any:
    if name in ("audit", "bench", "verify"):
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
