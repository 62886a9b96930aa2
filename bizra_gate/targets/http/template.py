"""Requests as bytes: rendered once when nothing varies, per operation when ``{name}`` fields do.

Row of operation `i` is ``rows[i mod n]`` and a drawn field is a pure function of (seed, i), so a run can be repeated
byte for byte. Names that are neither a column nor a drawn field are an error as soon as any field is in use;
without fields and data, braces are plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ...errors import DefinitionError, Problem
from ...model import HttpRequest
from .distributions import Sampler, sampler
from .endpoint import Endpoint
from .feeds import Row

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})

Fields = Mapping[str, str]
Piece = Callable[[Fields], str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text with fields, cut up once; `render` fills them in, through `escape`."""

    parts: tuple[str, ...]
    """Literal, field, literal, field, …, literal."""
    escape: Callable[[str], str]

    @classmethod
    def of(cls, text: str, known: Sequence[str], escape: Callable[[str], str] = str) -> Text:
        return cls(tuple(_FIELD.split(text)) if known else (text,), escape)

    @property
    def fields(self) -> tuple[str, ...]:
        return self.parts[1::2]

    def render(self, values: Fields) -> str:
        if len(self.parts) == 1:
            return self.parts[0]
        escape, parts = self.escape, list(self.parts)
        for place in range(1, len(parts), 2):
            parts[place] = escape(values[parts[place]])
        return "".join(parts)


class Template:
    """Everything that is sent. Raises `DefinitionError` with every problem of the request."""

    def __init__(self, endpoint: Endpoint, request: HttpRequest, rows: Sequence[Row], seed: int) -> None:
        self.endpoint = endpoint
        self.method = request.method.upper()
        self._rows = rows
        self._drawn: dict[str, Sampler] = {n: sampler(spec, n, seed) for n, spec in request.fields.items()}
        known = (*dict.fromkeys(column for row in rows for column in row), *self._drawn)
        self._path = Text.of(endpoint.path, known, lambda value: quote(value, safe=""))
        self._headers = tuple((name, Text.of(value, known)) for name, value in _headers(endpoint, request))
        self._body = None if request.body is None else Text.of(request.body, known)
        problems = [*_wrong_words(self.method, self._headers), *self._unknown(known), *self._missing(known)]
        problems += self._broken_headers()
        if problems:
            raise DefinitionError(problems)
        self.static = None if self._all_fields() else self.render(0)

    def render(self, index: int) -> bytes:
        """The request of operation `index`, counted over all workers."""
        values = self.values(index)
        return self._wire(self.method, self._path.render(values), self._headers, self._rendered_body(values), values)

    def path(self, index: int) -> str:
        """Path and query of operation `index`."""
        return self._path.render(self.values(index))

    def redirected(self, target: Endpoint, status: int, index: int) -> tuple[str, bytes]:
        """Method and bytes of the request that follows a redirect, by the rules of RFC 9110 §15.4."""
        values = self.values(index)
        turned = status == 303 or (status in (301, 302) and self.method == "POST")
        method = ("HEAD" if self.method == "HEAD" else "GET") if turned else self.method
        same = self.endpoint.same_server(target)
        headers = tuple(
            (name, text)
            for name, text in self._headers
            if name.lower() != "host"
            and (same or name.lower() not in _SECRET_HEADERS)
            and not (turned and name.lower().startswith("content-"))
        )
        host = ("Host", Text.of(target.authority, ()))
        body = None if turned else self._rendered_body(values)
        return method, self._wire(method, target.path, (host, *headers), body, values)

    def values(self, index: int) -> Fields:
        """Field name → text for operation `index`; a drawn field shadows a column of the same name."""
        row = self._rows[index % len(self._rows)] if self._rows else {}
        return {**row, **{name: draw(index) for name, draw in self._drawn.items()}} if self._drawn else row

    def _rendered_body(self, values: Fields) -> bytes | None:
        return None if self._body is None else self._body.render(values).encode()

    @staticmethod
    def _wire(method: str, path: str, headers: Sequence[tuple[str, Text]], body: bytes | None, values: Fields) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text.render(values)}" for name, text in headers)]
        if body is not None or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body or b'')}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")

    def _texts(self) -> list[tuple[str, Text]]:
        named = [("path", self._path), *((f"header {name}", text) for name, text in self._headers)]
        return named if self._body is None else [*named, ("body", self._body)]

    def _all_fields(self) -> tuple[str, ...]:
        return tuple(field for _, text in self._texts() for field in text.fields)

    def _unknown(self, known: Sequence[str]) -> list[Problem]:
        expected = f"one of {', '.join(sorted(known))}"
        return [
            Problem(f"request {where}", f"the field {{{field}}}", expected)
            for where, text in self._texts()
            for field in text.fields
            if field not in known
        ]

    def _missing(self, known: Sequence[str]) -> list[Problem]:
        """JSON Lines need not all have the same names, but those that are used have to be in every one."""
        used = [name for name in dict.fromkeys(self._all_fields()) if name in known and name not in self._drawn]
        gaps = ((name, next((n for n, row in enumerate(self._rows, 1) if name not in row), None)) for name in used)
        return [
            Problem(f"request data: row {number}", f"no {name!r}", f"it in every row: the request uses {{{name}}}")
            for name, number in gaps
            if number is not None
        ]

    def _broken_headers(self) -> list[Problem]:
        """A line break in a header value, written or out of a row, would smuggle in another header."""
        problems = []
        for name, text in self._headers:
            columns = [field for field in text.fields if field not in self._drawn]
            values = (*text.parts[::2], *(row.get(column, "") for row in self._rows for column in columns))
            if any(character in value for value in values for character in "\r\n\0"):
                problems.append(Problem(f"request header {name}", "a line break in its value", "one line"))
        return problems


def _headers(endpoint: Endpoint, request: HttpRequest) -> list[tuple[str, str]]:
    """The given headers behind the ones that HTTP or the plan needs, unless those are given."""
    given = {name.lower() for name, _ in request.headers}
    wanted = [("Host", endpoint.authority), ("User-Agent", "bizra-gate"), ("Accept", "*/*")]
    if endpoint.authorization:
        wanted.append(("Authorization", endpoint.authorization))
    if request.new_connections:
        wanted.append(("Connection", "close"))
    return [*((name, value) for name, value in wanted if name.lower() not in given), *request.headers]


def _wrong_words(method: str, headers: Sequence[tuple[str, Text]]) -> list[Problem]:
    problems = [
        Problem("request headers", repr(name), "a header name without spaces or separators")
        for name, _ in headers
        if not _TOKEN.fullmatch(name)
    ]
    problems += [
        Problem(f"request header {name}", "a length or framing of its own", "none: it is worked out from the body")
        for name, _ in headers
        if name.lower() in ("content-length", "transfer-encoding")
    ]
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        problems.append(Problem("request method", repr(method), "a method such as GET or POST"))
    return problems
