"""Digests of files and of source trees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def manifest_sha256(entries: Iterable[tuple[str, str, str]]) -> str:
    """Digest of a source manifest: SHA-256 over the sorted lines ``<mode> <sha256> <path>\\n``.

    `entries` are (mode, sha256 of the contents, path with forward slashes), for instance
    ``("100644", "e3b0…", "src/app.py")``. Lines sort by their UTF-8 bytes. Raises `ValueError` where an entry could
    be read as something else: a line break in a path, a digest that is not one, one path twice, no entries at all.
    """
    lines: list[bytes] = []
    paths: set[str] = set()
    for mode, digest, path in entries:
        _require_plain(mode, digest, path)
        if path in paths:
            raise ValueError(f"source manifest: {path!r} is listed twice")
        paths.add(path)
        lines.append(f"{mode} {digest} {path}\n".encode())
    if not lines:
        raise ValueError("source manifest: no files; a digest of nothing binds nothing")
    return sha256_hex(b"".join(sorted(lines)))


def _require_plain(mode: str, digest: str, path: str) -> None:
    if not re.fullmatch(r"[0-7]{6}", mode):
        raise ValueError(f"source manifest: {path!r}: got mode {mode!r}; expected six octal digits such as 100644")
    if not SHA256_HEX.fullmatch(digest):
        raise ValueError(f"source manifest: {path!r}: got digest {digest!r}; expected 64 lowercase hex digits")
    if not path or "\n" in path or "\r" in path or "\0" in path:
        raise ValueError(f"source manifest: path {path!r} is empty or holds a line break")
