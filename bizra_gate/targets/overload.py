"""An open loop that is so far behind that the rest of it would only be counting what was never sent."""

from __future__ import annotations

from ..errors import TargetError

MOST_UNSENT = 5_000_000
"""Arrivals that wait or were never sent. Each is booked as an error by itself, which takes a microsecond and 32 bytes;
beyond this the run ends with a sentence instead of outlasting its deadline and the memory."""


def hopeless() -> TargetError:
    """For the driver to raise as soon as more than `MOST_UNSENT` arrivals are due and not sent."""
    return TargetError(
        f"more than {MOST_UNSENT:,} operations were due and never sent: neither the target nor this machine keeps up "
        "with the rate that was asked for",
        hint="ask for a lower --rate; `bizra-gate bench TARGET --concurrency 64` finds what can be reached",
    )
