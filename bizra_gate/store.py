"""Files: read within limits, written beside and renamed, never outside the tree they belong to."""

from __future__ import annotations

import contextlib
import difflib
import errno
import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .errors import BizraGateError, DefinitionError, MissingError, Problem, UntrustedError, UsageError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

MAX_ARTIFACT_BYTES = 8 * 1024 * 1024
MAX_DEFINITION_BYTES = 1024 * 1024
_PIECE = 64 * 1024
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Opening a pipe would wait for its writer, for ever; and Windows would take line ends for its own."""
_NO_STEPS = frozenset({"", ".", ".."})


class WriteError(BizraGateError):
    """A file could not be written; whatever stood there before is untouched."""


def read(path: Path, *, limit: int = MAX_ARTIFACT_BYTES) -> bytes:
    """The bytes of a regular file of at most `limit` bytes.

    Raises `MissingError` where there is none, `UntrustedError` where it is no regular file or too large.
    """
    try:
        handle = os.open(path, _READING)
        try:
            mode = os.fstat(handle).st_mode
            if stat.S_ISDIR(mode):
                raise UntrustedError(f"{path}: a directory, expected a file", code="malformed")
            if not stat.S_ISREG(mode):
                raise UntrustedError(f"{path}: not a regular file", code="malformed")
            data = _whole(handle, limit + 1)
        finally:
            os.close(handle)
    except FileNotFoundError as error:
        raise MissingError(f"{path}: no such file") from error
    except OSError as error:
        raise UntrustedError(f"{path}: cannot be read: {error.strerror}", code="malformed") from error
    if len(data) > limit:
        raise UntrustedError(f"{path}: larger than {limit:,} bytes", code="malformed")
    return data


def _whole(handle: int, most: int) -> bytes:
    """What `handle` gives up to its end, or `most` bytes of that; where the end is, only an empty piece tells."""
    pieces: list[bytes] = []
    while most > 0 and (piece := os.read(handle, min(most, _PIECE))):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def read_named(path: Path) -> bytes:
    """As `read`, of a file that somebody names on the command line: one that is not there is a slip, not lost evidence.

    Raises `UsageError` where there is none, or a directory.
    """
    if path.is_dir():
        inside = sorted(file.name for file in path.glob("*.json"))
        raise UsageError(f"{path}: a directory, expected a file", hint=_named(path, inside[0] if inside else None))
    if not path.exists():
        raise absent(path)
    return read(path)


def absent(path: Path) -> UsageError:
    """That a file which somebody named is not there, with the one that may have been meant."""
    beside = [file.name for file in path.parent.glob("*")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    return UsageError(f"{path}: no such file", hint=_named(path.parent, near[0] if near else None))


def _named(folder: Path, name: str | None) -> str:
    return f"Did you mean {folder / name}?" if name is not None else "name a file that is there"


def read_definition(path: Path) -> tuple[str, str]:
    """Text and sha256 of a gate, keyring or other definition.

    Raises `DefinitionError` where it is not UTF-8, and `UsageError` where it cannot be had.
    """
    try:
        data = read(path, limit=MAX_DEFINITION_BYTES)
        return data.decode("utf-8"), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        got = f"byte {data[error.start]:#04x} at offset {error.start}"
        raise DefinitionError([Problem(str(path), got, "text in UTF-8", "Save the file as UTF-8.")]) from error
    except (MissingError, UntrustedError) as error:
        raise UsageError(error.message, hint=error.hint) from error


def write(path: Path, data: bytes, *, mode: int = 0o644, exclusive: bool = False) -> None:
    """Write `data` beside `path`, flush it to the disk and rename it into place.

    A crash or a full disk leaves either the old file or the new one. A writer that was killed may leave a hidden
    ``.tmp`` file beside it, which nothing reads and the next writer removes. With `exclusive` an existing file is kept
    and `UsageError` raised.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary, claim = _beside(path)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode) if hasattr(os, "fchmod") else os.chmod(temporary, mode)
            os.fsync(file.fileno())
        if exclusive:
            _link(temporary, path)
        else:
            temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        if claim is not None:
            os.close(claim)


def check_writable(path: Path) -> None:
    """Raise `WriteError` where `write` could not even begin; to be asked before an hour's work, and leaves nothing."""
    import tempfile  # reading needs none of it

    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}", hint="give another --artifact") from error


def _beside(path: Path) -> tuple[int, Path, int | None]:
    """A new file beside `path`: where to write, its name, and a lock that says that its writer lives."""
    import tempfile

    _clear(path)
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        if fcntl is None:
            return handle, Path(name), None
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_nlink:
                return handle, Path(name), os.dup(handle)
        os.close(handle)  # somebody took it for a leftover, in the moment before it was locked


def _clear(path: Path) -> None:
    """Remove what killed writers of `path` left beside it: files that nobody has locked any more."""
    if fcntl is None:
        return
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????.tmp"):
        with contextlib.suppress(OSError):
            handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(handle)


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already and is kept") from error


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable where the system can (not on Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def inside(root: Path, relative: str, what: str) -> Path:
    """`relative` below `root`; raises `UsageError` for an absolute path, ``..`` or a link that leads outside."""
    path = root / relative
    if _is_plainly_below(path, relative):
        return path
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise UsageError(f"{what}: {relative!r} leaves the repository; write a path below {root.name or root}")
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):  # `resolve` raises at links in a circle
        raise UsageError(f"{what}: {relative!r} is a link that leads outside the repository")
    return path


def _is_plainly_below(path: Path, relative: str) -> bool:
    """Whether no step of `relative`, which ends at `path`, is a link or leads up: then it need not be followed.

    What lies above the first step cannot matter, and is not asked for a thousand files again. Each step is looked at
    every time, since a folder that was none may have become a link.
    """
    steps = relative.split("/")
    if os.name != "posix" or not _NO_STEPS.isdisjoint(steps):
        return False
    at = os.fspath(path)[: -len(relative)]
    try:
        for step in steps:
            at += step
            if stat.S_ISLNK(os.lstat(at).st_mode):
                return False
            at += "/"
    except (OSError, ValueError):
        return False
    return True


def digest(path: Path) -> str:
    """sha256 of a file's bytes, hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(root: Path, patterns: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(mode, sha256, path) of every file below `root` that `patterns` name, sorted by path.

    Raises `UsageError` for a pattern that matches nothing: a manifest over no files binds nothing.
    """
    found: dict[str, tuple[str, str, str]] = {}
    for pattern in patterns:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise UsageError(f"sources: {pattern!r} leaves the repository")
        files = [path for path in root.glob(pattern) if path.is_file()]
        if not files:
            raise UsageError(f"sources: {pattern!r} matches no file below {root.name or root}")
        for path in files:
            name = inside(root, path.relative_to(root).as_posix(), "sources").relative_to(root).as_posix()
            executable = path.stat().st_mode & stat.S_IXUSR
            found[name] = ("100755" if executable else "100644", digest(path), name)
    return [found[name] for name in sorted(found)]


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold `directory` for oneself while it is read, changed and written, so that two writers lose nothing.

    The lock is the kernel's and goes with the process. Where the system has no such lock (Windows) a lock file is
    created exclusively instead.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        with _lock_file(directory / ".lock"):
            yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError as error:
        raise WriteError(f"{path}: somebody else is writing here; remove the file if nobody is") from error
    try:
        yield
    finally:
        path.unlink()
