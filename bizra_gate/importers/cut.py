"""A file that ends in the middle, told as a caveat."""

from __future__ import annotations

from ..model import Caveat
from .stream import Stream


def cut_caveats(stream: Stream) -> tuple[Caveat, ...]:
    """What to say of the end of `stream`, once it was read; nothing where it ended as it should."""
    if stream.cut:
        return (Caveat("source.cut", "the compressed data ends early: what came after is missing"),)
    if stream.unfinished.strip():
        shown = stream.unfinished[:40].decode("utf-8", "replace").strip()
        return (Caveat("source.cut", f"the last line has no end and was left out ({shown!r}): the file may be cut"),)
    return ()
