"""Wall-clock stamps in logs → ns since the epoch, quickly: rows share their seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from ..errors import FormatError
from ..units import NS_PER_S

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?([Zz]|[+-]\d\d:\d\d)?")


def rfc3339_ns(text: str, where: str) -> int:
    """``2026-11-22T06:52:57.752020641Z`` → ns since 1970, all nine digits kept; without a zone it is UTC."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise FormatError(f"{where}: got {text[:40]!r}; expected a time such as 2026-11-22T06:52:57.75Z")
    fraction = (match[2] or "").ljust(9, "0")[:9]
    try:
        return _second(match[1].upper(), (match[3] or "Z").upper()) * NS_PER_S + int(fraction)
    except ValueError as error:
        raise FormatError(f"{where}: {text!r} is no time: {error}") from None


def as_rfc3339(epoch_ns: int) -> str | None:
    """ns since 1970 as RFC 3339 in UTC; None outside the years that a calendar holds."""
    try:
        moment = datetime.fromtimestamp(epoch_ns // NS_PER_S, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ns % NS_PER_S // 1_000_000:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: str, zone: str) -> int:
    return int(datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone)).timestamp())
