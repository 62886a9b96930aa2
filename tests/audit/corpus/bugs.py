"""Plausible mistakes in the audit itself, by name, and a loader that puts one of them into a copy of it.

Each bug of ``bugs.diff`` replaces one fragment of source that must occur exactly once, so that the list cannot rot in
silence.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import bizra_gate.audit

ROOM = Path(bizra_gate.audit.__file__).parent
MUTANT = "bizra_gate.mutant_audit"


@dataclass(frozen=True, slots=True)
class Bug:
    """In `module` of the audit, `old` was written as `new`."""

    name: str
    module: str
    old: str
    new: str


def _read(text: str) -> tuple[Bug, ...]:
    """One bug per paragraph: its name after ``#``, its module after ``@``, then lines taken out and put in."""
    bugs = []
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.split("\n")
        old = [line[1:] for line in lines if line.startswith("-")]
        new = [line[1:] for line in lines if line.startswith("+")]
        bugs.append(Bug(lines[0][2:], lines[1][2:], "\n".join(old), "\n".join(new)))
    return tuple(bugs)


BUGS = _read((Path(__file__).parent / "bugs.diff").read_text(encoding="utf-8"))


@cache
def relies_on(module: str) -> frozenset[str]:
    """The modules of the audit that `module` imports, directly or through another, and itself."""
    direct: set[str] = set()
    for node in ast.walk(ast.parse((ROOM / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            direct |= {node.module} if node.module else {alias.name for alias in node.names}
    return frozenset({module}).union(*map(relies_on, direct))


@cache
def _sound(path: Path) -> CodeType:
    """A module without a bug, compiled once for all the packages that it is put into."""
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")


class _Loader(importlib.abc.Loader):
    """Compiles one module of the audit from its file, with the bug put in where it belongs."""

    def __init__(self, path: Path, bug: Bug) -> None:
        self._path, self._bug = path, bug

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        code = _sound(self._path) if self._path.stem != self._bug.module else self._with_the_bug()
        exec(code, module.__dict__)

    def _with_the_bug(self) -> CodeType:
        source = self._path.read_text(encoding="utf-8")
        if source.count(self._bug.old) != 1:
            raise LookupError(f"{self._bug.name}: its fragment occurs {source.count(self._bug.old)} times")
        return compile(source.replace(self._bug.old, self._bug.new), str(self._path), "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``bizra_gate.mutant_audit`` and its modules among the files of ``bizra_gate.audit``."""

    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == MUTANT:
            loader = _Loader(ROOM / "__init__.py", self._bug)
            return importlib.util.spec_from_loader(fullname, loader, is_package=True)
        if fullname.startswith(MUTANT + "."):
            loader = _Loader(ROOM / f"{fullname.rpartition('.')[2]}.py", self._bug)
            return importlib.util.spec_from_loader(fullname, loader)
        return None


@contextmanager
def planted(bug: Bug) -> Iterator[Any]:
    """The audit with `bug` in it, as a package of its own; the real one is untouched."""
    finder = _Finder(bug)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(MUTANT)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == MUTANT or name.startswith(MUTANT + ".")]:
            del sys.modules[name]
        vars(sys.modules["bizra_gate"]).pop("mutant_audit", None)
