"""Content codings of a body (RFC 9110 §8.4.1), undone so that it can be looked at. What the standard library knows."""

from __future__ import annotations

import zlib

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
RAW = -zlib.MAX_WBITS
"""Some servers send bare deflate data under the name ``deflate``."""
_WINDOWS = {"gzip": (GZIP_OR_ZLIB,), "x-gzip": (GZIP_OR_ZLIB,), "deflate": (GZIP_OR_ZLIB, RAW)}


def decoded(body: bytes, coding: str, most: int) -> bytes | None:
    """At most `most` bytes of `body` without its `coding`; None where it is unknown or the body is not in it."""
    for window in _WINDOWS.get(coding, ()):
        try:
            return zlib.decompressobj(window).decompress(body, most)
        except zlib.error:
            continue
    return None
