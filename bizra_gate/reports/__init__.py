"""One file for each output format; a renderer is a pure function that returns text.

The dicts are keyed by what a person types after ``--format``. A renderer is imported when it is first called, so that
`verify --format json` loads neither rich nor anything that draws.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Renderer = Callable[..., str]


def _late(module: str, function: str = "render") -> Renderer:
    def call(subject: Any, *args: Any, **options: Any) -> str:
        rendered: str = getattr(import_module(f".{module}", __name__), function)(subject, *args, **options)
        return rendered

    call.__name__ = call.__qualname__ = f"{module}.{function}"
    return call


REPORTERS: dict[str, Renderer] = {
    "terminal": _late("terminal"),
    "json": _late("json"),
    "markdown": _late("markdown"),
    "html": _late("html"),
    "junit": _late("junit"),
    "sarif": _late("sarif"),
    "github": _late("github"),
}
"""`verify`: each takes a `model.Report`. `terminal` also takes width, color, unicode; `html` measurements by file."""

AUDIT_REPORTERS: dict[str, Renderer] = {
    "terminal": _late("terminal_audit"),
    "json": _late("audit_json"),
    "markdown": _late("audit_markdown"),
}
"""`audit`: each takes a tuple of `inputs.AuditedMeasurement`."""

SHOW_REPORTERS: dict[str, Renderer] = {"terminal": _late("terminal_show"), "html": _late("html_show")}
"""`show`: each takes an `inputs.Shown`."""

COMPARE_REPORTERS: dict[str, Renderer] = {
    "terminal": _late("terminal_compare"),
    "json": _late("compare_json"),
    "markdown": _late("compare_markdown"),
    "html": _late("html_compare"),
}
"""`compare`: each takes an `inputs.Comparison`."""

HISTORY_REPORTERS: dict[str, Renderer] = {"terminal": _late("terminal_history"), "json": _late("history_json")}
"""`history`: each takes a `trend.History`."""

__all__ = ["AUDIT_REPORTERS", "COMPARE_REPORTERS", "HISTORY_REPORTERS", "REPORTERS", "SHOW_REPORTERS", "Renderer"]
