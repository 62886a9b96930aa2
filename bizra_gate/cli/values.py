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


def exits(text: str | None) -> tuple[int, ...]:
    """``0`` or ``0,1``."""
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts):
        raise UsageError(f"--expect-exit: {text!r}; write one or more exit statuses from 0 to 255, such as 0 or 0,1")
    return tuple(int(part) for part in parts)


def named(option: str, texts: list[str] | None, example: str) -> dict[str, str]:
    """``NAME=VALUE`` once per name."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or not value.strip():
            raise UsageError(f"{option}: got {text!r}; write NAME=VALUE, such as {example!r}")
        if name in found:
            raise UsageError(f"{option}: {name} is given twice")
        found[name] = value.strip()
    return found


def within(option: str, value: int | None, low: int, high: int) -> int | None:
    """A duration in ns, refused outside of its limits."""
    if value is not None and not low <= value <= high:
        raise UsageError(
            f"{option}: {units.format_time(value)} is not between {units.format_time(low)} and "
            f"{units.format_time(high)}"
        )
    return value


def name_of(target: str) -> str:
    """A file name for evidence about `target`, when nobody gave one."""
    from ..model.plan import public_target  # help must not wait for it

    return file_name(re.sub(r"^[a-z]+:(//)?", "", public_target(target)), 60)


def file_name(text: str, longest: int = 200) -> str:
    """`text` as a short file name without its ending."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:longest].rstrip("-") or "measurement"


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
    try:
        return start + timedelta(microseconds=units.parse_duration_ns(text) // 1000)
    except units.UnitError as error:
        raise UsageError(
            f"{option}: {text!r} is neither a time from now, such as 7d, nor an instant, such as 2026-11-30T00:00:00Z"
        ) from error


def existing(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    return path
