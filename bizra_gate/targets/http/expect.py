"""What counts as success: a status, and a substring, a pattern or a JSON path in the body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ...errors import UsageError
from ...model import HttpRequest
from .failures import BAD_BODY, BAD_STATUS

BodyCheck = Callable[[bytes], bool]

_JSON_PATH = re.compile(r"^\$((?:\.[A-Za-z_][\w-]*|\[\d+\])*)\s*(?:(==|!=)\s*(.+))?$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]")
_MISSING = object()


class Expectation:
    """Judges one response. Empty `statuses`: any 2xx or 3xx."""

    def __init__(self, request: HttpRequest) -> None:
        self.statuses = frozenset(request.expect_status)
        self._body = None if request.expect_body is None else body_check(request.expect_body)
        wrong = sorted(status for status in self.statuses if not 100 <= status <= 599)
        if wrong:
            raise UsageError(f"the expected status {wrong[0]} is not one", hint="Write a number from 100 to 599.")

    @property
    def needs_body(self) -> bool:
        return self._body is not None

    def judge(self, status: int, body: bytes) -> str | None:
        """None for a success, else the class of the error."""
        if not (status in self.statuses if self.statuses else 200 <= status < 400):
            return BAD_STATUS
        return BAD_BODY if self._body is not None and not self._body(body) else None


def body_check(text: str) -> BodyCheck:
    """``/pattern/`` is a regular expression, ``$.path == value`` a JSON path, everything else a substring.

    ``$.path`` alone asks that the path exists and is not null. Raises `UsageError` where the text cannot be read.
    """
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return _pattern(text[1:-1])
    if text.startswith("$") and (match := _JSON_PATH.match(text.strip())):
        return _json_path(match[1], match[2], match[3])
    if text.startswith(("$.", "$[")):
        raise UsageError(
            f"the body expectation {text!r} begins like a JSON path and cannot be read as one",
            hint="Write $.path, $.path == value or $.path != value; as a pattern: /\\$\\.…/.",
        )
    if not text:
        raise UsageError("an empty body expectation would hold for everything", hint="Leave it out instead.")
    wanted = text.encode()
    return lambda body: wanted in body


def _pattern(pattern: str) -> BodyCheck:
    try:
        compiled = re.compile(pattern.encode())
    except re.error as error:
        raise UsageError(f"the body pattern /{pattern}/ cannot be read: {error}") from None
    return lambda body: compiled.search(body) is not None


def _json_path(path: str, operator: str | None, literal: str | None) -> BodyCheck:
    steps = tuple(name or int(index) for name, index in _STEP.findall(path))
    if operator is None or literal is None:
        return lambda body: _walk(body, steps) not in (_MISSING, None)
    wanted = _literal(literal.strip())
    if operator == "==":
        return lambda body: _same(_walk(body, steps), wanted)
    return lambda body: (found := _walk(body, steps)) is not _MISSING and not _same(found, wanted)


def _literal(text: str) -> object:
    """A JSON value, or the bare text: ``$.status == ok`` means ``"ok"``."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _same(found: object, wanted: object) -> bool:
    """Equal as JSON values: 1 is not true, though Python thinks so."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _walk(body: bytes, steps: tuple[str | int, ...]) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return _MISSING
    for step in steps:
        try:
            value = _step(value, step)
        except (KeyError, IndexError):
            return _MISSING
    return value


def _step(value: object, step: str | int) -> object:
    if isinstance(step, str):
        return value[step] if isinstance(value, dict) else _MISSING
    return value[step] if isinstance(value, list) else _MISSING
