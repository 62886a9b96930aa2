"""What can go wrong, and the exit code that each kind ends in.

Three kinds of badness are never mixed: an *exception* (cannot go on: this module), a *caveat* or *finding*
(can go on, must be told) and a *verdict* (the judgement itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one document: where, what was got, what was expected, and what to do next."""

    where: str
    """File and path inside it, e.g. ``gates/checkout.toml: check[2].pass``."""
    got: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: got {self.got}; expected {self.expected}"
        return f"{text}. {self.hint}" if self.hint else text


class BizraGateError(Exception):
    """Base of every error that this tool raises on purpose; the CLI prints it and exits with `exit_code`."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(BizraGateError):
    """The command line asks for something that does not fit together."""


class DefinitionError(BizraGateError):
    """A gate, keyring or waiver that cannot be read; carries every problem of the document at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FormatError(BizraGateError):
    """Another tool's output that cannot be read: nothing was judged."""


class UntrustedError(BizraGateError):
    """Bytes that must not be believed: malformed, unsigned, badly signed, stale or bound to something else."""

    exit_code = 4

    def __init__(self, message: str, *, code: str = "malformed", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class MissingError(BizraGateError):
    """Evidence that should be there and is not."""

    exit_code = 5


class TargetError(BizraGateError):
    """The target could not be driven: refused connection, import error, or every operation failed."""

    exit_code = 6


class KeyFileError(BizraGateError):
    """A private or public key that is absent, unreadable, badly protected, or not Ed25519."""


class Interrupted(BizraGateError):
    """The person pressed Ctrl-C; nothing was written."""

    exit_code = 130
