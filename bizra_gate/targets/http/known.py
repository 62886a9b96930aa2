"""The last answer that was judged, and how to recognise the next one by its bytes.

The same bytes mean the same answer. So do bytes of the same length that differ only in the values of headers which say
nothing about framing (a date, a request id), and in the body where nobody looks at it: the parser would see the same
status, the same length and the same end. What differs is learnt from two answers; nothing is guessed.
"""

from __future__ import annotations

from .exchange import Answer

_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"trailer"})
_PATIENCE = 32
"""Answers learnt in vain before only every 64th is: a server whose answers are all of different length."""
_TRUST = 4
"""Answers learnt in vain before no room is cut to measure any more: a longer answer would be read in two pieces."""

Fixed = tuple[tuple[int, bytes], ...]
Free = tuple[tuple[int, int], ...]


class Known:
    """Recognises answers; `status` and `size` are those of every answer that `matches`."""

    __slots__ = ("_fixed", "_free", "_in_vain", "_lines", "_varying", "size", "status", "whole")

    def __init__(self) -> None:
        self.whole: bytes = b"\0"
        """A complete response; a NUL is none at all."""
        self.size = -1
        self.status = 0
        self._fixed: Fixed = ()
        self._free: Free = ()
        self._lines: list[bytes] = []
        self._varying: frozenset[bytes] = frozenset()
        self._in_vain = 0

    def room(self, otherwise: int) -> int:
        """Bytes to ask a socket for: one more than the known answer, so that whatever follows it shows.

        Python makes room for all that is asked for and gives the rest back, which costs more than comparing.
        """
        return self.size + 1 if self.size > 0 and self._in_vain <= _TRUST else otherwise

    def matches(self, data: bytes) -> bool:
        """Whether `data`, read at the start of an answer, is one more of the known kind, complete and nothing else."""
        if len(data) != self.size:
            return False
        for start, text in self._fixed:
            if not data.startswith(text, start):
                return False
        return all(data.find(b"\n", start, end) < 0 and data.find(b"\r", start, end) < 0 for start, end in self._free)

    def useful(self) -> None:
        """It was recognised again."""
        self._in_vain = 0

    def learn(self, data: bytes, answer: Answer, *, body_matters: bool) -> None:
        """`data` was read in one piece and is exactly `answer`, which was judged a success."""
        self._in_vain += 1
        if self._in_vain > _PATIENCE and self._in_vain % 64:
            return
        end = answer.head_bytes or data.find(b"\r\n\r\n") + 4
        lines = data[:end].split(b"\r\n")
        varying = self._varying | _differing(self._lines, lines) if answer.status == self.status else frozenset()
        self.whole, self.size, self.status = data, len(data), answer.status
        self._lines, self._varying = lines, varying
        # A chunked body frames itself, so it has to be the same.
        until = len(data) if body_matters or answer.head_bytes is None else end
        self._free = _spans(lines, varying)
        self._fixed = _between(self._free, data, until)


def _name(line: bytes) -> bytes:
    """Lower-case name of a header line; empty where the line is not one."""
    name, colon, _ = line.partition(b":")
    return name.lower() if colon and name.strip() == name else b""


def _differing(before: list[bytes], lines: list[bytes]) -> frozenset[bytes]:
    """Names of the headers whose values differ, in heads that have the same headers in the same order."""
    if [_name(line) for line in before] != [_name(line) for line in lines]:
        return frozenset()
    found = {_name(line) for old, line in zip(before, lines, strict=True) if old != line}
    return frozenset(found - _FRAMING - {b""})


def _spans(lines: list[bytes], varying: frozenset[bytes]) -> Free:
    """(from, to) of the values of the `varying` headers."""
    spans, at = [], 0
    for line in lines:
        name = _name(line)
        if name in varying and name:
            spans.append((at + len(name) + 1, at + len(line)))
        at += len(line) + 2
    return tuple(spans)


def _between(free: Free, data: bytes, until: int) -> Fixed:
    """(position, text) of everything before `until` that lies outside `free`."""
    edges = [0, *(edge for span in free for edge in span), until]
    return tuple((a, data[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a)
