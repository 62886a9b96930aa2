"""What was typed about requests and commands, laid over the plan's own options."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import repository
from ..errors import UsageError
from ..model import CommandOptions, HttpRequest, Plan
from ..model.plan import public_target
from . import values

if TYPE_CHECKING:
    from .planning import Asked

HTTP = ("http://", "https://")
LONGEST_BODY = 1_000_000
"""Characters; the plan holds the body, and the artifact the plan. A gate file has the same limit."""


def http(plan: Plan, asked: Asked) -> HttpRequest | None:
    """The request of `plan` with what was asked differently; raises `UsageError` where it is not for HTTP."""
    before = plan.http or HttpRequest()
    changes = {
        "method": asked.method or ("POST" if asked.body is not None and before.method == "GET" else None),
        "headers": asked.headers or None,
        "body": _body(asked.body),
        "expect_status": asked.expect_status or None,
        "expect_body": asked.expect_body,
        "data": _data(asked.data),
        "fields": {**before.fields, **asked.fields} if asked.fields else None,
        "follow_redirects": asked.follow_redirects or None,
        "new_connections": asked.new_connections or None,
        "verify_tls": False if asked.insecure else None,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        return plan.http
    _only_for(plan, HTTP, given, "HTTP targets")
    return dataclasses.replace(before, **given)  # type: ignore[arg-type]


def command(plan: Plan, asked: Asked) -> CommandOptions | None:
    """The options of a ``cmd:`` plan with what was asked differently."""
    before = plan.command or CommandOptions()
    changes = {
        "prepare": asked.prepare,
        "shell": asked.shell or None,
        "expect_exit": asked.expect_exit or None,
        "parameters": {**before.parameters, **asked.parameters} if asked.parameters else None,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        return plan.command
    _only_for(plan, ("cmd:",), given, "cmd: targets")
    return dataclasses.replace(before, **given)  # type: ignore[arg-type]


def sources(plan: Plan) -> tuple[str, ...]:
    """Rows that fill the requests are part of what is measured, as the gate language has it."""
    data = plan.http.data if plan.http is not None else None
    return plan.sources if data is None or data in plan.sources else (*plan.sources, data)


_OPTIONS = {
    "headers": "--header",
    "fields": "--field",
    "verify_tls": "--insecure",
    "parameters": "--param",
}


def _only_for(plan: Plan, schemes: tuple[str, ...], given: Iterable[str], whom: str) -> None:
    if not plan.target.startswith(schemes):
        named = ", ".join(_OPTIONS.get(name, "--" + name.replace("_", "-")) for name in sorted(given))
        raise UsageError(f"{named}: for {whom} only, and this is {public_target(plan.target)}")


def _body(text: str | None) -> str | None:
    if text is None or not text.startswith("@"):
        return text
    file = values.existing(Path(text[1:]))
    try:
        body = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--body: {file} cannot be read as UTF-8 text: {error}") from error
    if len(body) > LONGEST_BODY:
        raise UsageError(f"--body: {file} has {len(body):,} characters; at most {LONGEST_BODY:,}")
    return body


def _data(file: Path | None) -> str | None:
    """The data file as a path below the repository, or below the working directory outside of one."""
    if file is None:
        return None
    root = (repository.top(Path.cwd()) or Path.cwd()).resolve()
    found = values.existing(file).resolve()
    if not found.is_relative_to(root):
        raise UsageError(f"--data: {file} lies outside of {root}", hint="copy it there: the evidence is bound to it")
    return found.relative_to(root).as_posix()
