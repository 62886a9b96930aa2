"""What one worker counted in the counted window: histograms, errors, outcomes, and what crossed the window's edges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from ..model import Distribution
from ..stats.fold import HdrCounts
from .columns import Values


class Times:
    """HDR counts whose sum stays exact when each value stands for a batch of operations."""

    def __init__(self) -> None:
        self.counts = HdrCounts()
        self.span_ns = 0
        """Sum of the undivided values: of whole batches."""

    def fold(self, spans: Values, batch: int = 1) -> None:
        """Fold in spans of `batch` operations each, as means of the batch rounded to the nanosecond."""
        if not len(spans):
            return
        before = self.counts.total_ns
        self.counts.add(spans if batch == 1 else (spans + batch // 2) // batch)
        self.span_ns += self.counts.total_ns - before if batch == 1 else int(spans.sum())

    def merge(self, other: Times) -> None:
        if other.counts.n or other.counts.dropped:
            self.counts.merge(other.counts)
            self.span_ns += other.span_ns

    def distribution(self, batch: int = 1) -> Distribution:
        """The counts with the exact sum of the values (batch means, where a value is one)."""
        return replace(self.counts.distribution(), total_ns=round(self.span_ns / batch))


@dataclass
class Tally:
    """Mergeable over workers; grows with nothing that is recorded."""

    batch: int = 1
    is_open: bool = False
    service: Times = field(default_factory=Times)
    response: Times = field(default_factory=Times)
    delay: Times = field(default_factory=Times)
    failed: Times = field(default_factory=Times)
    lag: Times = field(default_factory=Times)
    errors: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    started: int = 0
    """Operations that actually started in the counted window, whatever became of them."""
    carried_in_count: int = 0
    carried_in_ns: int = 0
    carried_out_ns: int = 0
    in_flight_ns: int = 0
    """Integral of the number in flight over the counted window, as the driver kept it."""

    @property
    def operations(self) -> int:
        """Successful operations of the counted population: what stands in the histogram less the timeouts in it."""
        headline = self.response if self.is_open else self.service
        return headline.counts.n * self.batch - self.errors["timeout"]

    def merge(self, other: Tally) -> None:
        for name in ("service", "response", "delay", "failed", "lag"):
            getattr(self, name).merge(getattr(other, name))
        self.errors.update(other.errors)
        self.outcomes.update(other.outcomes)
        self.started += other.started
        self.carried_in_count += other.carried_in_count
        self.carried_in_ns += other.carried_in_ns
        self.carried_out_ns += other.carried_out_ns
        self.in_flight_ns += other.in_flight_ns
