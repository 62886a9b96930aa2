"""Targets: what a person types after ``bench``, as something that a worker can drive.

`resolve` reads the text and imports nothing of the thing under test; that happens in the worker, in `Driver.open`.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from ..errors import UsageError
from ..model import CommandOptions, HttpRequest, Plan, Target

Maker = Callable[[str, Plan | None, Path], Target]
"""(spec, plan, root) → target; raises `UsageError` where the text does not fit."""


def _python(spec: str, plan: Plan | None, root: Path) -> Target:
    from .python import PythonTarget

    return PythonTarget.parse(spec, root)


def _command(spec: str, plan: Plan | None, root: Path) -> Target:
    from .command import CommandTarget

    options = plan.command if plan is not None and plan.command is not None else CommandOptions()
    return CommandTarget(spec, options, str(root))


def _http(spec: str, plan: Plan | None, root: Path) -> Target:
    from .http import HttpTarget
    from .http.feeds import parse

    request = plan.http if plan is not None and plan.http is not None else HttpRequest()
    rows = parse(_text(root, request.data), request.data) if request.data is not None else ()
    return HttpTarget(spec, request, rows)


REGISTRY: dict[str, Maker] = {"cmd": _command, "http": _http, "https": _http, "py": _python}
"""Scheme → maker. Nothing of an engine is imported before its scheme is used."""

EXAMPLES = {
    "cmd": "cmd:gzip -k file",
    "http": "http://127.0.0.1:8080/",
    "https": "https://example.org/",
    "py": "py:module:attr or py:path/to/file.py:attr",
}


def resolve(spec: str, *, plan: Plan | None = None, root: Path | None = None) -> Target:
    """The target that `spec` names, with the options that `plan` has for it.

    Relative paths are looked up in `root` (the repository; default: the working directory). Raises `UsageError`
    where the scheme is unknown or the rest does not fit it, `TargetError` where a file that it names is not there.
    """
    scheme, colon, _ = spec.partition(":")
    maker = REGISTRY.get(scheme) if colon else None
    if maker is None:
        near = get_close_matches(scheme.lower(), REGISTRY, n=1, cutoff=0.5)
        meant = f"did you mean {EXAMPLES[near[0]]!r}? " if near else ""
        known = ", ".join(f"{EXAMPLES[name]!r}" for name in sorted(REGISTRY))
        raise UsageError(f"{spec!r} is not a target", hint=f"{meant}A target is one of {known}")
    return maker(spec, plan, root if root is not None else Path.cwd())


def _text(root: Path, name: str) -> str:
    """The file of request data, read before any process is started."""
    try:
        return (root / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: the request data cannot be read: {error}") from error


__all__ = ["EXAMPLES", "REGISTRY", "resolve"]
