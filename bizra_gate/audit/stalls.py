"""Stretches of a time series in which nobody was answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from ..model import Figure, Intervals, Measurement
from . import facts

SLOWED = 0.7
"""A row with less than this of the usual answers had a stall in it."""
FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Spell:
    """Neighbouring rows that are short of answers: for how long nobody can have been answered."""

    missing_ns: float
    longest_ns: float | None
    """Longest latency that ended in the spell or in the row after it; None where the series does not tell."""

    @property
    def is_stall(self) -> bool:
        """Is somebody known to have been kept waiting through it? Else it may be a mere lull in what was sent."""
        return self.longest_ns is not None and self.longest_ns >= self.missing_ns / 2


def spells(measurement: Measurement) -> list[Spell] | None:
    """Every spell of every series; None where no series is long enough to tell.

    Where no row falls below `SLOWED` the one with the fewest answers stands for all: a stall shorter than a row shows
    as that much less in it.
    """
    found, looked = [], False
    for _, series, holder in facts.all_intervals(measurement):
        duration = holder.duration_ns.value if isinstance(holder.duration_ns, Figure) else holder.duration_ns
        rows = facts.whole_rows(series, duration)
        usual = median(series.count[row] for row in rows) if rows else 0
        if len(rows) >= FEWEST_ROWS and usual > 0:
            looked = True
            found += list(_spells(series, rows, usual)) or [_worst_row(series, rows, usual)]
    return found if looked else None


def _spells(series: Intervals, rows: range, usual: float) -> Iterator[Spell]:
    begin: int | None = None
    for row in rows:
        if series.count[row] < SLOWED * usual:
            begin = row if begin is None else begin
        elif begin is not None:
            yield _spell(series, usual, begin, row)
            begin = None
    if begin is not None:
        yield _spell(series, usual, begin, rows.stop)


def _spell(series: Intervals, usual: float, begin: int, end: int) -> Spell:
    missing = sum(1 - n / usual for n in series.count[begin:end]) * series.length_ns
    return Spell(missing, max(series.maximum_ns[begin : end + 1]) if series.maximum_ns else None)


def _worst_row(series: Intervals, rows: range, usual: float) -> Spell:
    row = min(rows, key=series.count.__getitem__)
    return _spell(series, usual, row, row + 1)
