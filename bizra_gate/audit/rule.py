"""What a rule is: a pure function of a measurement and a policy, and the three answers that it can give.

*Finding*: something is wrong, with its code, its arithmetic and a sentence for a person. *Clean*: looked, nothing
found (no findings). *Not applicable*: the facts that the rule needs are absent, and the answer says which. A rule that
could not look never answers "clean".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..model import Finding, Measurement, Policy


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A rule that could not look; `reason` is a whole sentence on the fact that is absent."""

    reason: str


Answer = Iterable[Finding] | NotApplicable
Check = Callable[[Measurement, Policy], Answer]


@dataclass(frozen=True, slots=True)
class Rule:
    """One code and the function that looks for it; every finding of `check` carries `code`."""

    code: str
    check: Check


def invalid(code: str, message: str, observed: str = "", expected: str = "") -> Finding:
    """A contradiction: the record cannot be true as it stands."""
    return Finding(code, "invalid", message, observed, expected)


def insufficient(code: str, message: str, observed: str = "", expected: str = "") -> Finding:
    """Too little or too disturbed to conclude from."""
    return Finding(code, "insufficient", message, observed, expected)


def note(code: str, message: str, observed: str = "", expected: str = "") -> Finding:
    """Told, not judged."""
    return Finding(code, "note", message, observed, expected)
