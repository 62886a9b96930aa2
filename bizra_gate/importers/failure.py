"""Classes of failure, from the status codes and messages of other tools.

Messages carry addresses and vary with every port; a class can be counted and compared.
"""

from __future__ import annotations

_WORDS = (
    ("refused", ("connection refused", "econnrefused", "actively refused")),
    ("timeout", ("timeout", "timed out", "deadline exceeded", "deadlineexceeded", "etimedout", "time out")),
    ("reset", ("connection reset", "broken pipe", "econnreset", "epipe", "server closed", "forcibly closed")),
    ("closed", ("eof", "connection closed", "closed connection", "remote end closed")),
    ("dns", ("no such host", "enotfound", "name resolution", "name or service", "eai_again", "unknownhost")),
    ("tls", ("tls", "certificate", "handshake")),
    ("unreachable", ("unreachable", "no route", "cannot assign requested address", "eaddrnotavail")),
    ("limit", ("too many open files", "no free connections", "no connections available", "emfile")),
)


def classify(message: str) -> str:
    """The class of an error message: ``refused``, ``timeout``, ``reset``, … or ``error`` where no word is known."""
    lowered = message.lower()
    return next((kind for kind, words in _WORDS if any(word in lowered for word in words)), "error")


def is_failed_status(code: int) -> bool:
    """Status 400 and above fail, and so does a request without any (0 or less)."""
    return code < 100 or code >= 400


def label(code: int, message: str = "") -> str:
    """How a request with status `code` is counted: ``200``, ``status 503``, or the class of `message` without one."""
    if not is_failed_status(code):
        return str(code)
    return f"status {code}" if code >= 400 else classify(message)


def split_statuses(counts: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """(outcomes, errors) of counts by HTTP status; errors are labelled ``status 503``, or ``not sent`` for 0."""
    outcomes: dict[str, int] = {}
    errors: dict[str, int] = {}
    for code, n in counts.items():
        if code.lstrip("-").isdecimal() and is_failed_status(int(code)):
            label = f"status {code}" if int(code) > 0 else "not sent"
            errors[label] = errors.get(label, 0) + n
        else:
            outcomes[code] = outcomes.get(code, 0) + n
    return outcomes, errors
