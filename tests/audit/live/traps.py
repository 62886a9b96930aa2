"""What is run for real, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trap:
    """A target or a server by name, the options of ``bench`` that it is run with, and what an audit must conclude."""

    name: str
    verdicts: tuple[str, ...]
    codes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    exit_code: int = 0
    """Of ``bench`` itself: 6 where nothing could be driven."""
    never: tuple[str, ...] = ()
    """Codes that would be a false accusation."""
