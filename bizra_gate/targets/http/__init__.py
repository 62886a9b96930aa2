"""HTTP/1.1 targets: a driver as lean as the C load generators, and embedded servers whose truth is arithmetic."""

from .target import HttpTarget

__all__ = ["HttpTarget"]
