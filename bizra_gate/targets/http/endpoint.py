"""Where requests go: ``http://…`` or ``https://…`` taken apart once, so that nobody else looks at a URL."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ...errors import UsageError

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme, host, port and request target (path with query)."""

    scheme: str
    host: str
    port: int
    path: str
    credentials: str | None = None
    """``user:password`` of the URL; sent as basic authorization, never written down."""

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The ``Host`` header: the port stands there only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def place(self) -> str:
        """``host:port`` for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without credentials."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authorization(self) -> str | None:
        if self.credentials is None:
            return None
        return "Basic " + base64.b64encode(self.credentials.encode()).decode("ascii")

    def same_server(self, other: Endpoint) -> bool:
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)

    def redirected(self, location: str) -> Endpoint:
        """Where a ``Location`` leads. Credentials stay behind when the server changes."""
        target = parse(urljoin(self.url, location))
        if target.credentials is None and self.same_server(target):
            return replace(target, credentials=self.credentials)
        return target


def parse(spec: str) -> Endpoint:
    """Read ``http[s]://[user:password@]host[:port][/path][?query]``. Raises `UsageError` that says what to write."""
    parts = _split(spec)
    if parts.scheme not in PORTS:
        raise UsageError(f"{spec!r} is not an HTTP target: got the scheme {parts.scheme!r}", hint=_EXAMPLE)
    if not parts.hostname:
        raise UsageError(f"{spec!r} names no host", hint=_EXAMPLE)
    path = _printable(parts.path or "/", spec)
    query = f"?{_printable(parts.query, spec)}" if parts.query else ""
    return Endpoint(parts.scheme, parts.hostname, _port(parts, spec), path + query, _credentials(parts))


_EXAMPLE = "Write it as http://127.0.0.1:8080/path."


def _split(spec: str) -> SplitResult:
    try:
        return urlsplit(spec)
    except ValueError as error:
        raise UsageError(f"{spec!r} is not a URL: {error}", hint=_EXAMPLE) from None


def _port(parts: SplitResult, spec: str) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageError(f"{spec!r}: the port is not a number from 1 to 65535", hint=_EXAMPLE)
    return port or PORTS[parts.scheme]


def _credentials(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _printable(text: str, spec: str) -> str:
    """A request target is one word of printable ASCII; anything else would split the request line."""
    if not text.isascii() or any(character <= " " or character == "\x7f" for character in text):
        raise UsageError(f"{spec!r} holds a space or a non-ASCII character", hint="Percent-encode it: %20 for a space.")
    return text
