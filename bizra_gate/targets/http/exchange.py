"""One response at a time, without sockets: bytes in, an `Answer` out when it is complete.

Framing is httptools' (llhttp) business; this adds what a client must know besides: an answer to HEAD has no body,
interim 1xx answers precede the real one, a body without a length ends with the connection, and bytes beyond the
answer were never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from .coding import decoded

MAX_KEPT_BODY = 16 * 1024 * 1024


class ProtocolError(Exception):
    """What came is not an HTTP/1.1 response, or more than one was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response. `repeatable`: the same bytes in one piece would mean the same answer again."""

    status: int
    keep_alive: bool
    body: bytes
    location: str | None = None
    head_bytes: int | None = None
    """Length of the head, where the response came in one piece and its body has a stated length."""
    repeatable: bool = False
    coding: str = ""
    """The content coding that `body` is still in, because it is none that we can undo."""


class Exchange:
    """The reading side of one connection. `begin` before each request, `feed` for what comes, `end` at its close."""

    def __init__(self, *, keep_body: bool) -> None:
        self._keep_body = keep_body
        self._parser: HttpResponseParser | None = None
        self.begin("GET")

    def begin(self, method: str) -> None:
        """Expect the answer to one request of `method`."""
        self._head_only = method == "HEAD"
        self._status = 0
        self._keep_alive = False
        self._location: str | None = None
        self._coding = ""
        self._length: int | None = None
        self._framed = False
        self._headers_done = False
        self._complete = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._pieces = 0
        if self._head_only:
            self._parser = None

    def feed(self, data: bytes) -> Answer | None:
        """Take in `data`; the answer once it is complete, None before. Raises `ProtocolError`."""
        if self._parser is None:
            self._parser = HttpResponseParser(self)
        self._pieces += 1
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._keep_alive = False
        except (HttpParserError, ProtocolError) as error:
            self._parser = None
            raise ProtocolError(str(error.__context__ or error)) from None
        if not self._complete:
            return None
        return self._answer(data)

    def end(self) -> Answer | None:
        """The connection was closed by the server: the answer if the close is what ends it, else None."""
        self._parser = None
        if not self._headers_done or self._framed or self._complete:
            return None
        self._keep_alive = False
        return self._answer(b"")

    def reset(self) -> None:
        """Forget a broken-off answer, for a new connection."""
        self._parser = None

    @property
    def started(self) -> bool:
        """Whether anything of the answer has come."""
        return self._pieces > 0

    def _answer(self, data: bytes) -> Answer:
        whole = self._pieces == 1 and self._keep_alive
        head = len(data) - self._length if whole and self._length is not None and not self._head_only else None
        if not self._keep_alive or self._head_only:
            self._parser = None
        body, coding = self._plain_body()
        return Answer(self._status, self._keep_alive, body, self._location, head, whole, coding)

    def _plain_body(self) -> tuple[bytes, str]:
        """The body as it was before its coding, and the coding that is left on it."""
        body = b"".join(self._body)
        plain = decoded(body, self._coding, MAX_KEPT_BODY) if body and self._coding else None
        return (body, self._coding) if plain is None else (plain, "")

    # What httptools calls back.

    def on_message_begin(self) -> None:
        if self._complete:
            raise ProtocolError("a second response that nobody asked for")
        self._length, self._framed, self._headers_done, self._location = None, False, False, None
        self._coding = ""

    def on_header(self, name: bytes, value: bytes) -> None:
        size = len(name)
        if size == 14 and name.lower() == b"content-length":
            self._length, self._framed = int(value), True
        elif size == 17 and name.lower() == b"transfer-encoding":
            self._framed = True
        elif size == 8 and name.lower() == b"location":
            self._location = value.decode("utf-8", "replace")
        elif self._keep_body and size == 16 and name.lower() == b"content-encoding":
            self._coding = value.decode("latin-1").strip().lower()

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        self._status = parser.get_status_code()
        self._keep_alive = parser.should_keep_alive()
        self._headers_done = True
        if self._head_only and self._status >= 200:
            self._complete = True

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._keep_body and self._body_bytes <= MAX_KEPT_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._status >= 200 or self._status == 101:
            self._complete = True
