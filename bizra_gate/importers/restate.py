"""Figures that a file states twice, once by itself and once through others: ``Time per request`` is C·T/N.

Tools compute them from the same counters and print them side by side, so that whoever edits one of them contradicts
the other. An importer hands both to the audit (`Restated`); what the digits of each allow is worked out here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ..model import Figure, Latency, Restated

LATE_NS = 2_000_000_000
FLOAT = 1e-6
"""Tools that print all digits of a double still add and divide in another order, and some print seven digits."""


def quotient(
    what: str, stated: Figure | None, unit: str, formula: str, over: Sequence[Figure | None], under: Sequence[Figure]
) -> Iterator[Restated]:
    """`stated` against the product of `over` divided by that of `under`; nothing where one is absent or zero."""
    above = [figure for figure in over if figure is not None]
    if stated is None or len(above) < len(over) or any(figure.low <= 0 for figure in under):
        return
    low = math.prod(max(0.0, figure.low) for figure in above) / math.prod(figure.high for figure in under)
    high = math.prod(figure.high for figure in above) / math.prod(figure.low for figure in under)
    yield from between(what, stated, unit, formula, low, high)


def between(what: str, stated: Figure | None, unit: str, formula: str, low: float, high: float) -> Iterator[Restated]:
    """`stated` against the range from `low` to `high`; nothing where a number is not finite."""
    if stated is None or not all(map(math.isfinite, (stated.value, low, high))):
        return
    yield Restated(what, stated, unit, low - FLOAT * abs(low), high + FLOAT * abs(high), formula)


def same(what: str, stated: Figure | None, unit: str, formula: str, other: Figure | None) -> Iterator[Restated]:
    """`stated` against another print of the same figure."""
    if other is not None:
        yield from between(what, stated, unit, formula, other.low, other.high)


def at_most(what: str, stated: Figure | None, unit: str, formula: str, other: Figure | None) -> Iterator[Restated]:
    """`stated` against a figure that it cannot exceed. Rounding keeps order: with the same digits there is no slack."""
    if stated is None or other is None:
        return
    if stated.resolution == other.resolution:
        stated, other = Figure(stated.value), Figure(other.value)
    yield from between(what, stated, unit, formula, min(0.0, stated.low), other.high)


def equal(what: str, stated: float | None, formula: str, expected: float | None) -> Iterator[Restated]:
    """A count or an exact figure against another one."""
    yield from near(what, stated, formula, expected, 0.0)


def near(what: str, stated: float | None, formula: str, expected: float | None, slack: float) -> Iterator[Restated]:
    """An exact figure against another one, to `slack`: differences of large numbers keep few of their digits."""
    if stated is not None and expected is not None:
        yield from between(what, Figure(float(stated)), "", formula, expected - slack, expected + slack)


def run_time(stated: Figure | None, asked: Figure | None, longest: Figure | None) -> Iterator[Restated]:
    """How long it ran against how long it was meant to, of a tool that stops at that time and awaits its answers.

    An interrupt may cut the run short; on a crowded machine threads see late that time is up, but not by seconds.
    """
    if asked is not None and asked.value > 0:
        most = asked.high + (longest.high if longest is not None else 0.0) + LATE_NS
        formula = "the time that it was meant to run, with what was under way at its end"
        yield from between("run time", stated, "ns", formula, 0.0, most)


def ascending(where: str, named: Sequence[tuple[str, Figure | None]], unit: str) -> Iterator[Restated]:
    """Each figure of a row (min, mean, max) against the next one that is there: it cannot be above it."""
    known = [(name, figure) for name, figure in named if figure is not None]
    for (lower, low), (upper, high) in pairwise(known):
        yield from at_most(f"{lower} of {where}", low, unit, f"the {upper} beside it", high)


def dominated(
    part: Mapping[str, Figure | None], whole: Mapping[str, Figure | None], names: tuple[str, str], unit: str
) -> Iterator[Restated]:
    """Every figure of a part against the same one of the whole: where each value is smaller, so is each of those."""
    for key, figure in part.items():
        yield from at_most(f"{key} of {names[0]}", figure, unit, f"the {key} of {names[1]}", whole.get(key))


def within_deviation(
    where: str, stated: Figure | None, latency: Latency | None = None, n: int = 0
) -> Iterator[Restated]:
    """The share of values within one deviation of the mean, in %, against the percentiles inside and outside of it.

    `n` is the number of values; each end of a stretch between two percentiles may be off by one rank.
    """
    low, high = 0.0, 100.0
    if latency is not None and latency.mean is not None and latency.stdev is not None and n:
        inner = latency.mean.high - latency.stdev.low, latency.mean.low + latency.stdev.low
        outer = latency.mean.low - latency.stdev.high, latency.mean.high + latency.stdev.high
        ladder = [(0.0, latency.minimum), *latency.percentiles, (100.0, latency.maximum)]
        known = [(p, figure) for p, figure in ladder if figure is not None]
        for (p, below), (q, above) in pairwise(known):
            if below.low > inner[0] and above.high < inner[1]:
                low += q - p - 200.0 / n
            elif above.high < outer[0] or below.low > outer[1]:
                high -= q - p - 200.0 / n
    what, formula = f"share of {where} within a deviation", "its mean, deviation and percentiles, in %"
    yield from between(what, stated, "", formula, max(0.0, low), min(100.0, high))


class Worst:
    """A column of times that each row of a log states beside its parts; the row that is furthest off is kept."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._off = -math.inf
        self._row: tuple[int, float, float, float] | None = None

    def add(self, line: int, stated_ns: float, low_ns: float, high_ns: float) -> None:
        off = max(low_ns - stated_ns, stated_ns - high_ns)
        if off > self._off:
            self._off, self._row = off, (line, stated_ns, low_ns, high_ns)

    def restated(self, formula: str) -> Iterator[Restated]:
        """The worst of all rows against what the parts beside it allow; nothing where there was no row."""
        if self._row is not None:
            line, stated, low, high = self._row
            high = min(high, max(stated, low))  # where nothing bounds it from above
            yield from between(f"{self._column} in line {line}", Figure(stated), "ns", formula, low, high)


def in_buckets(
    percentiles: Sequence[tuple[float, Figure]],
    edges: Sequence[float],
    counts: Sequence[int],
    slack: float,
    mean: Figure | None = None,
) -> Iterator[Restated]:
    """Percentiles and mean against a printed histogram; bucket i holds the values above edge i - 1, up to edge i, ns.

    `slack` is how far an edge may be off, ns. Tools disagree on ranks by one, and some count a value in the bucket that
    begins with it: a neighbouring bucket is let pass where the rank is at its border.
    """
    total = sum(counts)
    for p, figure in percentiles if total and len(edges) == len(counts) else ():
        rank = p / 100 * total
        first, last = _bucket(counts, rank - 1.0), _bucket(counts, rank + 1.0)
        low = edges[first - 1] if first else 0.0
        formula = f"the {total:,} values of the histogram"
        yield from between(f"p{p:g}", figure, "ns", formula, low - slack, edges[last] + slack)
    if total and len(edges) == len(counts):
        formula = f"the {total:,} values of the histogram"
        lows = [edges[0], *edges[:-1]]
        low = math.fsum(edge * n for edge, n in zip(lows, counts, strict=True)) / total
        high = math.fsum(edge * n for edge, n in zip(edges, counts, strict=True)) / total
        yield from between("mean", mean, "ns", formula, low - slack, high + slack)


def _bucket(counts: Sequence[int], rank: float) -> int:
    """Index of the bucket that holds the value of `rank`, kept within the first and the last that are not empty."""
    seen, last = 0, 0
    for index, count in enumerate(counts):
        if count:
            seen, last = seen + count, index
            if seen >= rank:
                return index
    return last
