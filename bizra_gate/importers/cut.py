"""A file that ends in the middle, told as a caveat; two files in one, refused."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import FormatError
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


def without_end(stream: Stream, missing: str) -> tuple[Caveat, ...]:
    """What to say of a printed report that ends before `missing`, be it between two lines."""
    return cut_caveats(stream) or (Caveat("source.cut", f"the report ends before {missing}: the file may be cut"),)


def rows_after(header: bytes, stream: Stream) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each row after the first line, `header`; raises `FormatError` where that stands once more."""
    for number, line in enumerate(stream.lines(), 1):
        if number > 1:
            if line == header:
                raise second(f"{stream.name}: line {number}", "the header")
            yield number, line


def second(where: str, what: str) -> FormatError:
    """The error for `what`, which a tool writes once in a file and which stands at `where` again."""
    return FormatError(f"{where}: {what} a second time: two files in one; split it there")
