"""What git says of the tree that evidence lies in. Reads only; nothing is checked out."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingError, UsageError

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a measurement was made: commit, tree, and whether tracked files had uncommitted changes."""

    commit: str
    tree: str
    dirty: bool


def _git(root: Path, *arguments: str) -> bytes | None:
    """Standard output of ``git -C root …``, or None where git is absent or refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
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


def files(root: Path, revision: str, directory: str) -> list[str]:
    """Paths below `directory` (relative to `root`) at `revision`."""
    said = _git(root, "ls-tree", "-r", "--name-only", "-z", resolve(root, revision), "--", f"./{directory}")
    return [name for name in (said or b"").decode().split("\0") if name]


def history(root: Path, path: str, limit: int = 200) -> list[str]:
    """Commits that changed `path`, oldest first."""
    said = _git(root, "log", f"--max-count={limit}", "--format=%H", "--", f"./{path}")
    return list(reversed((said or b"").decode().split()))


def ignored(path: Path) -> bool:
    """Whether git ignores `path` (which need not exist)."""
    return _git(path.parent, "check-ignore", "--quiet", str(path)) is not None


def user(path: Path) -> str | None:
    """``user.email`` (else ``user.name``) as git has it configured at `path`."""
    for name in ("user.email", "user.name"):
        said = _git(path, "config", "--get", name)
        if said and said.strip():
            return said.decode("utf-8", errors="replace").strip()
    return None
