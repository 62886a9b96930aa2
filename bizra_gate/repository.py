"""What git says of the tree that evidence lies in. Reads only; nothing is checked out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingError, UsageError

_TIMEOUT_S = 30
_VERSIONS_AT_ONCE = 16
"""How many versions of a file are held at once; git is asked once for so many."""
_HEAD_BYTES = 1024
"""More than any heading of an object takes."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a measurement was made: commit, tree, and whether tracked files had uncommitted changes."""

    commit: str
    tree: str
    dirty: bool


def _git(root: Path, *arguments: str, index: Path | None = None, said: bytes = b"") -> bytes | None:
    """Standard output of ``git -C root …``, or None where git is absent or refuses.

    `index` stands in for the repository's own; `said` is what git reads on standard input.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            timeout=_TIMEOUT_S,
            input=said,
            env=None if index is None else {**os.environ, "GIT_INDEX_FILE": str(index)},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def top(path: Path) -> Path | None:
    """The root of the work tree that holds `path`, or None outside of git."""
    said = _git(path if path.is_dir() else path.parent, "rev-parse", "--show-toplevel")
    return Path(said.decode().rstrip("\n")) if said else None


def head(root: Path, *, ignore: tuple[str, ...] = ()) -> Commit | None:
    """The commit checked out at `root`; None outside of git or before the first commit.

    `ignore` names paths whose changes do not make the tree dirty: the evidence itself is written after the commit
    that it measures.
    """
    said = _git(root, "rev-parse", "HEAD", "HEAD^{tree}")
    if said is None:
        return None
    commit, tree = said.decode().split()
    excluded = [f":(exclude){name}" for name in ignore]
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *excluded)
    return Commit(commit, tree, bool(changed is None or changed.strip()))


def remote(root: Path) -> str | None:
    """The address of ``origin``, or None."""
    said = _git(root, "remote", "get-url", "origin")
    return said.decode().strip() if said else None


def branch(root: Path) -> str | None:
    """The branch that is checked out, born or not; None outside of git and on a bare commit."""
    said = _git(root, "symbolic-ref", "--short", "--quiet", "HEAD")
    return said.decode().strip() if said else None


def resolve(root: Path, revision: str) -> str:
    """The commit that `revision` names; raises `UsageError` where there is none."""
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is not a git revision")
    said = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if said is None:
        raise UsageError(f"git knows no revision {revision!r} here; fetch it first, for example: git fetch origin")
    return said.decode().strip()


def show(root: Path, revision: str, path: str) -> bytes:
    """The bytes of `path` at `revision`; raises `MissingError` where the file is not in it."""
    data = _git(root, "show", f"{resolve(root, revision)}:./{path}")
    if data is None:
        raise MissingError(f"{path}: not in {revision}")
    return data


def export(root: Path, revision: str, directory: Path) -> None:
    """Write everything that `revision` holds below `directory`, which is made here.

    With an index of its own: work tree and index of the repository stay as they are. Raises `UsageError` where git
    does not know the revision or cannot write its files.
    """
    commit, whole = resolve(root, revision), top(root)
    directory.mkdir(parents=True)
    index = directory.with_name(f"{directory.name}.index")
    steps = (("read-tree", commit), ("checkout-index", "--all", "--quiet", f"--prefix={directory}/"))
    if whole is None or any(_git(whole, *step, index=index) is None for step in steps):
        raise UsageError(f"the files of {revision} could not be written to {directory}")


def files(root: Path, revision: str, directory: str) -> list[str]:
    """Paths below `directory` (relative to `root`) at `revision`."""
    said = _git(root, "ls-tree", "-r", "--name-only", "-z", resolve(root, revision), "--", f"./{directory}")
    return [name for name in (said or b"").decode().split("\0") if name]


def history(root: Path, path: str, limit: int = 200) -> list[str]:
    """Commits that changed `path`, oldest first."""
    said = _git(root, "log", f"--max-count={limit}", "--format=%H", "--", f"./{path}")
    return list(reversed((said or b"").decode().split()))


def shallow(root: Path) -> bool:
    """Whether the clone holds only a part of the history."""
    return (_git(root, "rev-parse", "--is-shallow-repository") or b"").strip() == b"true"


def versions(root: Path, path: str, limit: int = 200) -> Iterator[tuple[str, bytes]]:
    """(commit, bytes) of every committed version of `path`, newest first; commits that removed it are left out."""
    newest_first = history(root, path, limit)[::-1]
    for start in range(0, len(newest_first), _VERSIONS_AT_ONCE):
        commits = newest_first[start : start + _VERSIONS_AT_ONCE]
        asked = "".join(f"{commit}:./{path}\n" for commit in commits).encode()
        answer = memoryview(_git(root, "cat-file", "--batch", said=asked) or b"")
        for commit in commits:
            data, answer = _object(answer)
            if data is not None:
                yield commit, data


def _object(answer: memoryview) -> tuple[bytes | None, memoryview]:
    """The first object of what ``git cat-file --batch`` wrote (None where there is none), and the rest."""
    head, _, _ = bytes(answer[:_HEAD_BYTES]).partition(b"\n")
    words = head.split(b" ")
    begin = len(head) + 1
    if len(words) != 3 or words[1] != b"blob":
        return None, answer[begin:]
    size = int(words[2])
    return bytes(answer[begin : begin + size]), answer[begin + size + 1 :]


def ignored(path: Path) -> bool:
    """Whether git ignores `path` (neither it nor its folder need exist)."""
    folder = next(parent for parent in path.parents if parent.is_dir())
    return _git(folder, "check-ignore", "--quiet", str(path)) is not None


def user(path: Path) -> str | None:
    """``user.email`` (else ``user.name``) as git has it configured at `path`."""
    for name in ("user.email", "user.name"):
        said = _git(path, "config", "--get", name)
        if said and said.strip():
            return said.decode("utf-8", errors="replace").strip()
    return None
