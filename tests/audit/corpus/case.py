"""One case of the corpus: how it is made, and what an audit must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from bizra_gate.model import Measurement, Policy
from bizra_gate.model.report import AuditVerdict

STRICT = Policy()
"""120 s after 30 s of warm-up: what our own records are held to."""
SHORT = Policy(min_duration_ns=1_000_000_000, min_warmup_ns=0)
"""What other tools' short runs are held to, as a person would state it."""


@dataclass(frozen=True)
class Case:
    """`verdict` with `code` among the findings (None: nothing may be found); `note` is a code that must be told."""

    name: str
    make: Callable[[], Measurement]
    verdict: AuditVerdict
    code: str | None = None
    policy: Policy = STRICT
    note: str | None = None

    @cached_property
    def measurement(self) -> Measurement:
        """Made once; a case is always the same."""
        return self.make()


def title(make: Callable[[], Measurement]) -> str:
    """A case is called by its function's name, which is a phrase."""
    return make.__name__.strip("_").replace("_", " ")


Make = Callable[[], Measurement]


class Shelf:
    """Cases in the order of their definition; `honest` and `lie` are the decorators that put them there."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def honest(self, *, policy: Policy = STRICT, note: str | None = None) -> Callable[[Make], Make]:
        def put(make: Make) -> Make:
            once = cache(make)  # lies are made of it
            self.cases.append(Case(title(make), once, "VALID", None, policy, note))
            return once

        return put

    def lie(self, code: str, *, verdict: AuditVerdict = "INVALID", policy: Policy = STRICT) -> Callable[[Make], Make]:
        def put(make: Make) -> Make:
            self.cases.append(Case(title(make), make, verdict, code, policy))
            return make

        return put
