"""HdrHistogram's percentile table (Value, Percentile, TotalCount, 1/(1-Percentile)) → a distribution."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import FormatError
from ..model import Distribution


def distribution(rows: Sequence[tuple[float, int]], quantum_ns: int, where: str) -> Distribution:
    """The bins between successive rows; `rows` are (highest value in ns, values up to it).

    A row says how many values lie at or below its value, so a bin reaches from just above the previous row's value.
    The bins are as coarse as the table; the first holds the smallest value alone.
    Raises `FormatError` where values or counts go down.
    """
    low: list[int] = []
    high: list[int] = []
    count: list[int] = []
    previous, below = None, 0
    for value, cumulative in rows:
        edge = round(value)
        if cumulative < below or (previous is not None and edge < previous):
            raise FormatError(f"{where}: the percentile table goes down at {edge / 1e6:g} ms; expected rising rows")
        if cumulative > below and edge == previous and high:
            count[-1] += cumulative - below
        elif cumulative > below:
            low.append(edge if previous is None else min(edge, previous + quantum_ns))
            high.append(edge)
            count.append(cumulative - below)
        previous, below = edge, cumulative
    return Distribution(tuple(low), tuple(high), tuple(count))
