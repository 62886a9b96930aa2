"""The books of one driver: what goes to the recorder, and what is counted beside it.

In flight is kept from events alone: a start at `t` takes ``t − mark`` from the integral and an end gives it back, so
that at any time the integral of the number in flight is ``area + n · (now − mark)``, exactly, for one addition each.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...model import Recorder
from .failures import BAD_STATUS, CLASSES

MOST_STATUSES = 5
"""Named in a message."""


class Ledger:
    """Counts and books operations. Equal outcomes in a row are labelled together, so an outcome costs no append."""

    def __init__(self, recorder: Recorder, mark_ns: int, *, open_loop: bool) -> None:
        self.recorder = recorder
        self.in_flight = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.redirects = 0
        self.opened = 0
        self.closed = 0
        self.unsent = 0
        self._mark = mark_ns
        self._area = 0
        self._open_loop = open_loop
        self._run = 0
        self._run_status = 0
        self._peak_in_flight = 0
        self._peak_connections = 0
        self._error_statuses: Counter[int] = Counter()
        self._examples: dict[str, str] = {}

    def began(self, now: int) -> None:
        """One more in flight from `now` on; folds first where `now` lies past the boundary, as every event must."""
        if now >= self.recorder.fold_at_ns:
            self.fold(now)
        self._area -= now - self._mark
        self.in_flight += 1
        if self.in_flight > self._peak_in_flight:
            self._peak_in_flight = self.in_flight

    def ended(self, now: int) -> None:
        """One less from `now` on; to be called before the operation is booked."""
        if now >= self.recorder.fold_at_ns:
            self.fold(now)
        self._area += now - self._mark
        self.in_flight -= 1

    def succeeded(self, status: int, start: int, end: int, intended: int) -> None:
        """Book one success; in a closed loop `intended` is not used."""
        recorder = self.recorder
        recorder.start_ns.append(start)
        recorder.end_ns.append(end)
        if self._open_loop:
            recorder.intended_ns.append(intended)
        self.repeated(status, 1)

    def repeated(self, status: int, count: int) -> None:
        """The last `count` operations in the columns had this status."""
        if status != self._run_status:
            self.settle()
            self._run_status = status
        self._run += count

    def failed(self, kind: str, start: int, end: int, intended: int, status: int | None = None) -> None:
        """Book one error; `status` is the one that was not expected."""
        if status is not None:
            self._error_statuses[status] += 1
        self.recorder.failed(kind, start, end, intended if self._open_loop else None)

    def explain(self, kind: str, said: str) -> None:
        """What the first error of its class looked like, beyond what the class itself says."""
        if kind not in self._examples:
            self._examples[kind] = f"{CLASSES[kind]} ({said})" if said else CLASSES[kind]

    def settle(self) -> None:
        """Label the operations of the current run of equal outcomes."""
        if self._run:
            label = self.recorder.label_id(str(self._run_status))
            self.recorder.label.extend(array("q", (label,)) * self._run)
            self._run = 0

    def fold(self, now: int) -> None:
        """Hand over what ended so far. Called before the event that showed `now` is acted upon."""
        self.settle()
        until = min(now, self.recorder.fold_at_ns)
        integral = self._area + self.in_flight * (until - self._mark)
        self.recorder.fold(now, integral, self.in_flight)

    def connected(self) -> None:
        self.opened += 1
        self._peak_connections = max(self._peak_connections, self.opened - self.closed)

    def facts(self) -> Mapping[str, Any]:
        """Totals since the start of the load; complete up to the last booked operation whenever `fold` is called."""
        return {
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "connections": {"opened": self.opened, "closed": self.closed, "peak": self._peak_connections},
            "in_flight_max": self._peak_in_flight,
            "redirects": self.redirects,
            "unsent": self.unsent,
            "unfinished": 0,
            "error_statuses": {str(status): count for status, count in sorted(self._error_statuses.items())},
            "error_examples": {**self._examples, **self._bad_statuses()},
            "caveats": self._caveats(),
        }

    def _bad_statuses(self) -> dict[str, str]:
        """``{"bad_status": "a status that was not expected (503)"}``."""
        return {BAD_STATUS: f"{CLASSES[BAD_STATUS]} ({self._statuses})"} if self._error_statuses else {}

    @property
    def _statuses(self) -> str:
        """The most frequent of those that were not expected, in ascending order."""
        return ", ".join(map(str, sorted(status for status, _ in self._error_statuses.most_common(MOST_STATUSES))))

    def _caveats(self) -> list[tuple[str, str]]:
        """What limits the reading and has no figure of its own. Without counts, so that workers say the same."""
        found = []
        if self._error_statuses:
            found.append(("http.statuses", f"answers with {self._statuses} were errors"))
        if self.redirects:
            found.append(("http.redirects", "redirects were followed: an operation's time holds all of its requests"))
        return found
