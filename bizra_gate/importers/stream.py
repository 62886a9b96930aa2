"""The bytes of another tool's output: read once, in bounded memory, gunzipped and transcoded on the way.

A `Stream` opens nothing. The store or the command line hands it a binary file; it counts what it reads, for a
progress bar, and notices a file that was cut off: the last line without an end is never handed out as if whole.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from ..errors import FormatError

HEAD_BYTES = 64 * 1024
"""How much of a file the importers may look at to recognise it."""
BLOCK_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024

_OTHER_CONTAINERS = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"SQLite format 3": "an SQLite database",
}


class BinaryFile(Protocol):
    """Whatever has ``read(n) -> bytes``: an open file, a pipe, a `BytesIO`."""

    def read(self, size: int = -1, /) -> bytes: ...


class Stream:
    """One file of another tool, read from start to end, once.

    `name` is what messages and `Source.file` call it. `progress` is called with the number of raw bytes (before
    gunzipping) read so far. `beside` returns the content of a file that lies next to this one, or None; it is
    there for tools that write a set of files.
    """

    def __init__(
        self,
        file: BinaryFile,
        name: str,
        *,
        progress: Callable[[int], None] | None = None,
        beside: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self.name = name
        self.beside = beside
        self.cut = False
        """The compressed data ended early: what came before it was handed out."""
        self.unfinished = b""
        """The last line, where it had no end; known once everything else was read, and not among the lines."""
        self._file = _decoded(_Counted(file, progress), name)
        self.head = self._read_exactly(HEAD_BYTES)

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """Blocks of whole lines, about `size` bytes each, with their line ends; the rest goes to `unfinished`."""
        carry, block = b"", self.head
        while block:
            end = block.rfind(b"\n") + 1
            if end:
                yield carry + block[:end]
                carry = block[end:]
            else:
                carry += block
            if len(carry) > MAX_LINE_BYTES:
                raise FormatError(
                    f"{self.name}: a line is longer than {MAX_LINE_BYTES >> 20} MiB; no tool writes such lines"
                )
            block = self._read(size)
        self.unfinished = carry

    def lines(self) -> Iterator[bytes]:
        """Whole lines without their ends (LF or CR LF)."""
        for block in self.blocks():
            for line in block.split(b"\n")[:-1]:
                yield line[:-1] if line.endswith(b"\r") else line

    def document(self) -> bytes:
        """Everything, for formats that are one document; refused above `MAX_DOCUMENT_BYTES`."""
        parts, total = [self.head], len(self.head)
        while block := self._read(BLOCK_BYTES):
            total += len(block)
            if total > MAX_DOCUMENT_BYTES:
                limit = MAX_DOCUMENT_BYTES >> 20
                raise FormatError(f"{self.name}: more than {limit} MiB in one document; nothing was read")
            parts.append(block)
        if self.cut:
            raise FormatError(f"{self.name}: the compressed data ends early, so the document in it is not whole")
        return b"".join(parts)

    def text_lines(self) -> list[str]:
        """All whole lines of a printed report, decoded; bytes that are not UTF-8 are shown as U+FFFD."""
        text = self.document().decode("utf-8", "replace").replace("\r\n", "\n")
        *lines, rest = text.split("\n")
        self.unfinished = rest.encode()
        return lines

    def _read_exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (part := self._read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except EOFError:
            self.cut = True
            return b""
        except (OSError, zlib.error) as error:
            raise FormatError(f"{self.name}: cannot be read: {error}") from None


class _Counted(io.RawIOBase):
    """Raw bytes of a file, with a running count for whoever draws the progress bar."""

    def __init__(self, file: BinaryFile, progress: Callable[[int], None] | None) -> None:
        super().__init__()
        self._file = file
        self._progress = progress
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._seen += len(data)
        if self._progress is not None:
            self._progress(self._seen)
        return len(data)


class _Utf8(io.RawIOBase):
    """UTF-16 (what a Windows shell writes on ``>``) as UTF-8."""

    def __init__(self, file: BinaryFile, encoding: str) -> None:
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            raw = self._file.read(1 << 16)
            self._ready = self._decoder.decode(raw, final=not raw).encode("utf-8", "replace")
            if not raw:
                break
        take = self._ready[: len(buffer)]
        self._ready = self._ready[len(take) :]
        buffer[: len(take)] = take
        return len(take)


def _decoded(counted: _Counted, name: str) -> BinaryFile:
    """`counted` without its compression and as UTF-8 without a byte-order mark."""
    file: io.BufferedReader = io.BufferedReader(counted, 1 << 18)
    try:
        if _starts(file, b"\x1f\x8b"):
            file = io.BufferedReader(gzip.GzipFile(fileobj=file), 1 << 18)
        for magic, what in _OTHER_CONTAINERS.items():
            if _starts(file, magic):
                raise FormatError(f"{name}: is {what}; unpack it first (only gzip is read directly)")
        for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if _starts(file, mark):
                file.read(2)
                return io.BufferedReader(_Utf8(file, encoding), 1 << 18)
        if _starts(file, codecs.BOM_UTF8):
            file.read(3)
    except EOFError:
        raise FormatError(f"{name}: the compressed data ends before its first byte") from None
    except (OSError, zlib.error) as error:
        raise FormatError(f"{name}: cannot be read: {error}") from None
    return file


def _starts(file: io.BufferedReader, magic: bytes) -> bool:
    return file.peek(len(magic))[: len(magic)] == magic
