"""Paths in a gate file: inside the repository, spelled one way on every system."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

from .reader import has_control

_PATTERN = re.compile(r"[*?\[\]{}]")


def path_fault(text: str, *, patterns: bool = False) -> str | None:
    """What is wrong with `text` as a path below the repository's root, as an expectation; None where nothing is.

    A pattern is refused unless `patterns`: one that names evidence would be met by deleting the bad artifact.
    """
    parts = text.split("/")
    if not text.strip() or has_control(text):
        return "a path without control characters"
    if "\\" in text:
        return "a path with / between its parts"
    if text.startswith(("/", "~")) or (":" in text and PureWindowsPath(text).drive):
        return "a path relative to the repository's root"
    if ".." in parts:
        return "a path inside the repository, without .."
    if "" in parts or "." in parts:
        return "a path without empty or . parts"
    if not patterns and _PATTERN.search(text):
        return "each artifact by its name: a pattern would be met by deleting the bad one"
    return None


def slug(name: str) -> str:
    """`name` as the stem of a file name: ``Circuit breaker/HTTP`` → ``circuit-breaker-http``."""
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-.") or "gate"
