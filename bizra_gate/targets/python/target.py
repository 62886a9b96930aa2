"""``py:module:attr`` and ``py:path/to/file.py:attr`` as a target."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import TargetError, UsageError
from ...model import Plan

if TYPE_CHECKING:
    from .driver import PythonDriver

_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_MODULE = _ATTRIBUTE


@dataclass(frozen=True)
class PythonTarget:
    """Picklable; imports nothing of what it names. `path` is absolute, None for a module."""

    spec: str
    module: str
    attribute: str
    path: str | None = None
    search: tuple[str, ...] = ()
    """Folders in front of ``sys.path`` in the worker: the file's own, the repository's, the working directory."""
    kind: str = "py"

    @classmethod
    def parse(cls, spec: str, root: Path) -> PythonTarget:
        """Raises `UsageError` where `spec` is of neither form, `TargetError` where its file does not exist."""
        place, colon, attribute = spec.removeprefix("py:").rpartition(":")
        if not colon or not _ATTRIBUTE.fullmatch(attribute):
            raise UsageError(f"{spec!r} names no callable", hint="write py:module:attr or py:path/to/file.py:attr")
        folders = tuple(dict.fromkeys((str(root.resolve()), str(Path.cwd()))))
        if not place.endswith(".py"):
            if not _MODULE.fullmatch(place):
                raise UsageError(f"{place!r} is not a module's name", hint="a file is written with its .py")
            return cls(spec, place, attribute, None, folders)
        file = _found(place, root)
        return cls(spec, file.stem, attribute, str(file), (str(file.parent), *folders))

    def driver(self, task_plan: Plan) -> PythonDriver:
        from .driver import PythonDriver

        return PythonDriver(self, task_plan)

    def identity(self) -> Mapping[str, str]:
        """A file by its digest; a module by its distribution and version where it has one."""
        if self.path is not None:
            data = SourceFileLoader(self.module, self.path).get_data(self.path)
            return {"name": self.spec, "sha256": hashlib.sha256(data).hexdigest()}
        top = self.module.partition(".")[0]
        names = metadata.packages_distributions().get(top, [])
        versions = {f"version.{name}": metadata.version(name) for name in sorted(set(names))}
        return {"name": self.spec, **versions}


def _found(place: str, root: Path) -> Path:
    """The file in the repository, else below the working directory."""
    for folder in (root, Path.cwd()):
        if (folder / place).is_file():
            return (folder / place).resolve()
    raise TargetError(f"{place}: no such file", hint=f"looked in {root} and in the working directory")
