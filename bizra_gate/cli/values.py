"""Text of options to values with units; a wrong one names the option, what was got and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from .. import units
from ..errors import UsageError

T = TypeVar("T")


def quantity(option: str, text: str | None, read: Callable[[str], T]) -> T | None:
    """`text` read by one of the `units` functions; None stays None."""
    if text is None:
        return None
    try:
        return read(text)
    except units.UnitError as error:
        raise UsageError(f"{option}: {error}") from error


def duration_ns(option: str, text: str | None) -> int | None:
    return quantity(option, text, units.parse_duration_ns)


def rate_per_s(option: str, text: str | None) -> float | None:
    return quantity(option, text, units.parse_rate_per_s)


def ratio(option: str, text: str | None) -> float | None:
    return quantity(option, text, units.parse_ratio)


def header(text: str) -> tuple[str, str]:
    """``Name: value``."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or any(c in text for c in "\r\n"):
        raise UsageError(f"--header: {text!r} is no header; write 'Name: value'")
    return name.strip(), value.strip()


def statuses(text: str | None) -> tuple[int, ...]:
    """``200`` or ``200,204``."""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[1-5]\d\d", part) for part in parts):
        raise UsageError(f"--expect-status: {text!r}; write one or more HTTP status codes, such as 200 or 200,204")
    return tuple(int(part) for part in parts)


def name_of(target: str) -> str:
    """A file name for evidence about `target`, when nobody gave one."""
    bare = re.sub(r"^[a-z]+:(//)?", "", target)
    return re.sub(r"[^A-Za-z0-9]+", "-", bare).strip("-").lower()[:60] or "measurement"


def now_text(option: str | None) -> str:
    """``--now`` if it was given, else the wall clock; RFC 3339."""
    from ..attest import format_instant, parse_instant

    if option is None:
        return format_instant(datetime.now(UTC).replace(microsecond=0))
    try:
        return format_instant(parse_instant(option))
    except ValueError as error:
        raise UsageError(f"--now: {error}") from error


def until(option: str, text: str, start: datetime) -> datetime:
    """An RFC 3339 instant, or how long after `start`, such as ``7d``."""
    from ..attest import parse_instant

    if "T" in text:
        try:
            return parse_instant(text)
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from error
    return start + timedelta(microseconds=(duration_ns(option, text) or 0) // 1000)


def existing(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    return path
