"""Rows of single operations → one distribution, one series and their counts, in memory that does not grow with rows.

Values are kept exactly until there are many different ones; then they are counted in bins of 2^-13 relative width
(0.012 %), which is finer than HDR with three digits. Smallest, largest and sum stay exact.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ..model import Distribution, Figure, Intervals, Latency, Measurement
from ..model.measurement import LatencyOrigin
from ..units import NS_PER_S

EXACT_VALUES = 200_000
"""Different values that are kept apart before they are binned."""
BIN_BITS = 13
MAX_NS = 10**18
MAX_COUNT = 10**15
MAX_SECONDS = 400_000
"""Longest series kept (4.6 days); the distribution covers everything anyway."""


class Counts:
    """Latencies in ns as they come, turned into a `Distribution` at the end."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.binned = False
        self.n = 0
        self.total_ns = 0
        self.minimum: int | None = None
        self.maximum: int | None = None

    def add(self, value_ns: int, n: int = 1) -> None:
        """Count `value_ns` (below zero counts as it stands, for the audit to see) `n` times."""
        self._counts[_bin(value_ns) if self.binned else value_ns] += n
        self.n += n
        self.total_ns += value_ns * n
        if self.minimum is None or value_ns < self.minimum:
            self.minimum = value_ns
        if self.maximum is None or value_ns > self.maximum:
            self.maximum = value_ns
        if not self.binned and len(self._counts) > EXACT_VALUES:
            self._coarsen()

    def _coarsen(self) -> None:
        self.binned = True
        exact, self._counts = self._counts, Counter()
        for value, n in exact.items():
            self._counts[_bin(value)] += n

    def distribution(self) -> Distribution:
        """Everything counted so far."""
        low = tuple(sorted(self._counts))
        high = tuple(value + _width(value) - 1 for value in low) if self.binned else low
        count = tuple(self._counts[value] for value in low)
        return Distribution(low, high, count, self.minimum, self.maximum, self.total_ns)

    def latency(self, *, quantum_ns: float, origin: LatencyOrigin | None) -> Latency:
        """The latency of what was counted (successes or failures, never both), with the facts of its source."""
        return Latency(
            histogram=self.distribution(),
            count=self.n,
            origin=origin,
            quantum_ns=quantum_ns,
            bin_ratio=2.0**-BIN_BITS if self.binned else None,
            percentile_method="ceil-rank",
            includes_errors=False,
        )


def bounded(count: str | int) -> int:
    """A count in one row, from 0 to 10^15; raises `ValueError` outside."""
    value = int(count)
    if not 0 <= value <= MAX_COUNT:
        raise ValueError("a count out of all range")
    return value


def _bin(value: int) -> int:
    """The low edge of the bin of `value`: its first 13 binary digits after the leading one."""
    shift = max(0, value.bit_length() - 1 - BIN_BITS)
    return (value >> shift) << shift


def _width(low: int) -> int:
    return 1 << max(0, low.bit_length() - 1 - BIN_BITS)


@dataclass
class _Second:
    count: int = 0
    errors: int = 0
    total_ns: int = 0
    maximum_ns: int = 0


class Samples:
    """Operations with start and latency, as a log lists them; the time of failed ones is kept apart."""

    def __init__(self) -> None:
        self.ok = Counts()
        self.failed = Counts()
        self.errors: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.first_start_ns: int | None = None
        self.last_end_ns: int | None = None
        self._base_ns = 0
        self._seconds: dict[int, _Second] = {}

    def add(self, start_ns: int, latency_ns: int, label: str, *, failed: bool) -> None:
        """One operation; `label` is its status or the class of its error. Raises `ValueError` beyond 30 years."""
        if abs(latency_ns) > MAX_NS or abs(start_ns) > 10 * MAX_NS:
            raise ValueError("a time out of all range")
        end_ns = start_ns + latency_ns
        if self.first_start_ns is None or self.last_end_ns is None:
            self.first_start_ns, self.last_end_ns, self._base_ns = start_ns, end_ns, start_ns
        self.first_start_ns = min(self.first_start_ns, start_ns)
        self.last_end_ns = max(self.last_end_ns, end_ns)
        (self.failed if failed else self.ok).add(latency_ns)
        (self.errors if failed else self.outcomes)[label] += 1
        self._count_second(end_ns, latency_ns, failed)

    def _count_second(self, end_ns: int, latency_ns: int, failed: bool) -> None:
        index = max(0, (end_ns - self._base_ns) // NS_PER_S)
        second = self._seconds.get(index)
        if second is None:
            if len(self._seconds) >= MAX_SECONDS:
                return
            second = self._seconds[index] = _Second()
        second.count += not failed
        second.errors += failed
        if not failed:
            second.total_ns += latency_ns
            second.maximum_ns = max(second.maximum_ns, latency_ns)

    @property
    def n(self) -> int:
        return self.ok.n + self.failed.n

    def duration(self, quantum_ns: float) -> Figure | None:
        """From the first start to the last end; None without rows."""
        if self.first_start_ns is None or self.last_end_ns is None:
            return None
        return Figure(float(self.last_end_ns - self.first_start_ns), quantum_ns)

    def fill(self, base: Measurement, *, quantum_ns: float, origin: LatencyOrigin) -> Measurement:
        """`base` with all that the rows tell: counts, window, latencies of successes and of failures, a series."""
        return replace(
            base,
            operations=self.n,
            operations_include_errors=True,
            errors=dict(self.errors),
            outcomes=dict(self.outcomes),
            outcomes_complete=True,
            duration_ns=self.duration(quantum_ns),
            latency=self.ok.latency(quantum_ns=quantum_ns, origin=origin) if self.ok.n else None,
            failed=self.failed.latency(quantum_ns=quantum_ns, origin=origin) if self.failed.n else None,
            intervals=self.intervals(),
        )

    def intervals(self) -> Intervals | None:
        """One row per second from the first start on, by end time; None where the series would be too long."""
        last = max(self._seconds, default=-1)
        if last < 0 or last >= MAX_SECONDS:
            return None
        rows = [self._seconds.get(index, _Second()) for index in range(last + 1)]
        return Intervals(
            length_ns=NS_PER_S,
            start_ns=tuple(index * NS_PER_S for index in range(last + 1)),
            count=tuple(row.count for row in rows),
            errors=tuple(row.errors for row in rows),
            total_ns=tuple(row.total_ns for row in rows),
            maximum_ns=tuple(row.maximum_ns for row in rows),
        )
