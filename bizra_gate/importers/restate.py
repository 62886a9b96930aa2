"""Figures that a file states twice, once by itself and once through others: ``Time per request`` is C·T/N.

Tools compute them from the same counters and print them side by side, so that whoever edits one of them contradicts
the other. An importer hands both to the audit (`Restated`); what the digits of each allow is worked out here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..model import Figure, Restated

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


def ascending(where: str, named: Sequence[tuple[str, Figure | None]], unit: str) -> Iterator[Restated]:
    """Each figure of a row (min, mean, max) against the next one that is there: it cannot be above it."""
    known = [(name, figure) for name, figure in named if figure is not None]
    for (lower, low), (upper, high) in pairwise(known):
        yield from between(f"{lower} of {where}", low, unit, f"the {upper} beside it", 0.0, high.high)


def in_buckets(
    percentiles: Sequence[tuple[float, Figure]], edges: Sequence[float], counts: Sequence[int], slack: float
) -> Iterator[Restated]:
    """Percentiles against a printed histogram; bucket i holds the values above edge i - 1, up to edge i, ns.

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


def _bucket(counts: Sequence[int], rank: float) -> int:
    """Index of the bucket that holds the value of `rank`, kept within the first and the last that are not empty."""
    seen, last = 0, 0
    for index, count in enumerate(counts):
        if count:
            seen, last = seen + count, index
            if seen >= rank:
                return index
    return last
