"""Which class an error belongs to. The classes are few, so that counts by class mean something."""

from __future__ import annotations

import errno
import socket
import ssl

REFUSED, RESET, CLOSED, TIMEOUT = "refused", "reset", "closed", "timeout"
BAD_STATUS, BAD_BODY, TLS, PROTOCOL, DNS = "bad_status", "bad_body", "tls", "protocol", "dns"
UNREACHABLE, LOCAL, UNSENT = "unreachable", "local", "unsent"

CLASSES: dict[str, str] = {
    REFUSED: "nobody listened at the port",
    RESET: "the connection was reset",
    CLOSED: "the connection was closed before the response was complete",
    TIMEOUT: "no complete response within the timeout",
    BAD_STATUS: "a status that was not expected",
    BAD_BODY: "a body that was not expected",
    TLS: "the TLS handshake or record layer failed",
    PROTOCOL: "what came was not HTTP/1.1",
    DNS: "the name could not be resolved",
    UNREACHABLE: "no route to the host",
    LOCAL: "this machine ran out of ports or file descriptors",
    UNSENT: "due, but never sent before the drain was given up",
}

_BY_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
    errno.ETIMEDOUT: TIMEOUT,
    errno.EHOSTUNREACH: UNREACHABLE,
    errno.ENETUNREACH: UNREACHABLE,
    errno.EHOSTDOWN: UNREACHABLE,
    errno.EADDRNOTAVAIL: LOCAL,
    errno.EMFILE: LOCAL,
    errno.ENFILE: LOCAL,
    errno.ENOBUFS: LOCAL,
    errno.ENOMEM: LOCAL,
}


def classify(error: BaseException) -> str:
    """The class of an exception met while connecting, sending or receiving."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return CLOSED
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return TLS
    if isinstance(error, socket.gaierror):
        return DNS
    if isinstance(error, TimeoutError):
        return TIMEOUT
    if isinstance(error, OSError):
        return classify_errno(error.errno or 0)
    return PROTOCOL


def reason(error: BaseException) -> str:
    """What the class of `error` does not tell: of TLS, which part of it failed."""
    return str(error) if classify(error) == TLS else ""


def classify_errno(number: int) -> str:
    """The class of an ``errno``; one that is not listed counts as a reset, since the connection is gone."""
    return _BY_ERRNO.get(number, RESET)
