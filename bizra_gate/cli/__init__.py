"""argv → values → pipeline → text and exit code. One file per command; what a command needs is imported in it."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
