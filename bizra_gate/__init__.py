"""Benchmarks that can be believed: measured honestly, signed, and judged by gates in CI.

The verbs of the command line as functions: `bench`, `verify` and `audit`. They are loaded when they are first used,
so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import audit, bench, verify

__all__ = ["__version__", "audit", "bench", "verify"]


class _Audit(ModuleType):
    """The room `bizra_gate.audit`, which can be called like the verb of that name."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from . import api

        return api.audit(*args, **options)


class _Package(ModuleType):
    """Importing a room binds it to the package by its name, and so `audit` the room would hide `audit` the verb."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "audit" and isinstance(value, ModuleType):
            value.__class__ = _Audit
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in ("audit", "bench", "verify"):
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
