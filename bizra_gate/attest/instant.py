"""RFC 3339 instants: text at the border, aware UTC `datetime` inside. Nothing here reads a clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
EXAMPLE = "2026-11-22T04:00:00Z"


def parse_instant(text: str) -> datetime:
    """`text` such as ``2026-11-22T04:00:00Z`` as an aware UTC datetime, cut to microseconds.

    Raises `ValueError` for anything but RFC 3339 with upper-case ``T`` and a zone; a local time means nothing to a
    stranger.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 instant with a zone, such as {EXAMPLE}")
    cut = re.sub(r"(\.\d{1,6})\d*", r"\1", text)
    try:
        return datetime.fromisoformat(cut).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not an instant: {error}; write it such as {EXAMPLE}") from None


def format_instant(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with ``Z``; whole seconds have no fraction. Raises `ValueError` without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone means nothing to a stranger")
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"
