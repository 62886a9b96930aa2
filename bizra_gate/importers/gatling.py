"""Gatling's text ``simulation.log`` (up to 3.10; later ones are binary): one row per request and per user.

Traps: times are wall-clock milliseconds, so that a quick answer takes 0 or 1 ms; the injection profile is not in the
log, but users' starts and ends are: a profile that starts users all through the run is read as open, one that starts
them at once as closed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Measurement, Source
from ..model.measurement import Loop
from . import blind
from .cut import cut_caveats, second
from .instants import as_rfc3339
from .samples import Samples
from .stream import Stream

QUANTUM_NS = 1_000_000
STEP_MS = 100
EARLY = 0.1
"""Users who start in the first tenth of the run belong to its beginning."""
_RUN = re.compile(rb"^RUN\t[^\t\n]*\t[^\t\n]*\t\d{10,14}\t", re.M)
_ENDINGS = (b"OK", b"KO")
_BINARY = "Gatling's log is binary since 3.11 and has no public reader; audit an export of the run instead"


def sniff(head: bytes, name: str) -> bool:
    if b"\0" in head[:64]:
        return name.endswith("simulation.log")
    if b"RUN\t" in head and _RUN.search(head):
        return True
    return re.match(rb"ASSERTION\t|(?:[^\t\n]*\t){4}RUN\t", head) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    if b"\0" in stream.head[:64]:
        raise FormatError(f"{stream.name}: {_BINARY}")
    log = _Log(stream.name)
    for number, line in enumerate(stream.lines(), 1):
        log.add(line, number)
    yield log.measurement(stream)


class _Log:
    """What the rows add up to."""

    def __init__(self, name: str) -> None:
        self.file = name
        self.version: str | None = None
        self.simulation: str | None = None
        self.samples = Samples()
        self.requests: set[bytes] = set()
        self.starts: Counter[int] = Counter()
        """Users who started, by the tenth of a second since 1970."""
        self.users = 0
        self.most_users = 0

    def add(self, line: bytes, number: int) -> None:
        cells = line.split(b"\t")
        try:
            if cells[0] == b"REQUEST":
                self._request(cells)
            elif cells[0] == b"USER":
                self._user(cells)
            elif cells[0] == b"RUN":
                if self.simulation is not None:
                    raise second(f"{self.file}: line {number}", "the row of a run")
                self.simulation = cells[1].decode("utf-8", "replace")
                self.version = cells[-1].strip().decode("utf-8", "replace") or None
            elif line.strip() and cells[0] not in (b"GROUP", b"ERROR", b"ASSERTION"):
                raise ValueError("unknown row")
        except (ValueError, IndexError):
            shown = line[:60].decode("utf-8", "replace")
            raise FormatError(f"{self.file}: line {number}: got {shown!r}; expected a row of Gatling's log") from None

    def _request(self, cells: list[bytes]) -> None:
        """``… name, start, end, OK|KO, message``; what stands before the name changed between versions."""
        found = (i for i, cell in enumerate(cells) if i >= 4 and cell in _ENDINGS and cells[i - 1].isdigit())
        at = next(found, 0)
        if not at:
            raise ValueError("no end, OK or KO")
        start_ms, end_ms = int(cells[at - 2]), int(cells[at - 1])
        failed = cells[at] == b"KO"
        self.requests.add(cells[at - 3])
        self.samples.add(start_ms * 10**6, (end_ms - start_ms) * 10**6, "failed" if failed else "OK", failed=failed)

    def _user(self, cells: list[bytes]) -> None:
        kind = b"START" if b"START" in cells else b"END"
        stamps = [int(cell) for cell in cells[2:] if cell.isdigit() and len(cell) >= 12]
        if kind not in cells or not stamps:
            raise ValueError("no user row")
        self.users += 1 if kind == b"START" else -1
        self.most_users = max(self.most_users, self.users)
        if kind == b"START":
            self.starts[stamps[0] // STEP_MS] += 1

    def measurement(self, stream: Stream) -> Measurement:
        if not self.samples.n:
            raise FormatError(f"{self.file}: no whole row of a request: nothing was measured")
        base = Measurement(
            source=Source(tool="gatling", version=self.version, format="text log", file=self.file),
            name=self.simulation,
            loop=self._loop(),
            concurrency=self.most_users or None,
            started_at=as_rfc3339(self.samples.first_start_ns or 0),
            finished_at=as_rfc3339(self.samples.last_end_ns or 0),
            blind=(*blind.LOAD, blind.INTENDED, blind.RATE, blind.THINK),
        )
        full = self.samples.fill(base, quantum_ns=QUANTUM_NS, origin="send")
        return replace(full, caveats=(*self._caveats(), *cut_caveats(stream)))

    def _loop(self) -> Loop | None:
        first, last = self.samples.first_start_ns, self.samples.last_end_ns
        if not self.starts or first is None or last is None:
            return None
        edge = (first + (last - first) * EARLY) / 10**6 / STEP_MS
        late = sum(n for step, n in self.starts.items() if step > edge)
        return "open" if late > self.starts.total() / 2 else "closed"

    def _caveats(self) -> Iterator[Caveat]:
        if self.starts:
            yield Caveat("source.loop", f"read as {self._loop()} from when its {self.starts.total():,} users started")
        if len(self.requests) > 1:
            yield Caveat("source.mixed", f"{len(self.requests)} kinds of request are read together")
