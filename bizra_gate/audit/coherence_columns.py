"""Whether the rows of a series fit each other and their histogram, all rows at once by numpy.

`coherence_rows` defines what fits, row by row, and says what does not. What stands here only saves it the trouble: it
answers yes where every row certainly passes, and no as soon as one does not, or might not.
"""

from __future__ import annotations

from array import array
from itertools import chain
from types import ModuleType
from typing import Any

from ..model import Distribution, Intervals
from ..stats import arrays
from ..stats.layout import DEFAULT

_HIGHEST = 2**53
"""Above it a double, which finds the highest bit here, does not hold every whole number."""


def fit(series: Intervals, batch: int, whole: Distribution | None) -> bool:
    """True where `coherence_rows.of_rows` would find nothing; False where it has to look, or without numpy."""
    np = arrays.loaded()
    held = arrays.columns_of(whole) if whole is not None else None
    if np is None or (whole is not None and held is None):
        return False
    rows = _rows(np, series)
    if rows is None:
        return False
    if batch > 1:
        if (rows[0] % batch).any():
            return False
        rows[0] //= batch
    if not rows[0].all():
        empty = rows[0] == 0
        if rows[1:, empty].any():
            return False
        rows = rows[:, ~empty]
        if not rows.size:
            return True
    n, values = rows[0], rows[2:]
    ranks = _ranks(np, n)
    low, high = _bins(np, values)
    if ((values != values[2]) & ((values != high) | (ranks == n))).any():
        return False
    least = whole.minimum if whole is not None and whole.minimum is not None else 0
    rounded = n / 2 if batch > 1 else 0.0
    if not _sums_fit(rows[1] / batch, ranks, values, low, least, rounded):
        return False
    return held is None or (_occupied(held, low, high) and _placed(np, held, values, ranks))


def _rows(np: ModuleType, series: Intervals) -> Any:
    """Count, sum, p50, p99 and maximum of each row, or None where a product of a count and a value might overflow."""
    columns = (series.count, series.total_ns, series.p50_ns, series.p99_ns, series.maximum_ns)
    size = len(series.count)
    if not size or any(len(column) != size for column in columns):
        return None
    try:
        rows = np.array(array("q", chain(*columns))).reshape(len(columns), size)
    except OverflowError:
        return None
    highest, most = int(rows[1:].max()), int(rows[2:].max())
    if highest >= _HIGHEST or most.bit_length() + int(rows[0].max()).bit_length() > 60 or int(rows.min()) < 0:
        return None
    return rows


def _ranks(np: ModuleType, n: Any) -> Any:
    """Ceil ranks of p50, of p99 and of the largest value of each row: `coherence_rows._Row.of`."""
    exact = 0.99 * n
    last = np.ceil(exact - 1e-9 * np.maximum(1.0, exact)).astype(np.int64)
    return np.array(((n + 1) >> 1, last, n))


def _bins(np: ModuleType, values: Any) -> tuple[Any, Any]:
    """Edges of the bin of each value: `coherence_rows._bin_of`."""
    bits = np.frexp(values.astype(float))[1] - (1 + DEFAULT.half_bits)
    shift = np.maximum(bits, 0).astype(np.int64)
    low = values >> shift << shift
    return low, low + (1 << shift) - 1


def _sums_fit(total: Any, ranks: Any, values: Any, low: Any, least: int, rounded: Any) -> bool:
    """`coherence_rows._of_sum` of every row."""
    first, between, beyond = ranks[0], ranks[1] - ranks[0], ranks[2] - ranks[1]
    below = (first - 1) * least + between * low[0] + beyond * low[1] + values[2]
    above = first * values[0] + between * values[1] + beyond * values[2]
    return bool(((below - rounded <= total) & (total <= above + rounded)).all())


def _occupied(held: arrays.Columns, low: Any, high: Any) -> bool:
    """Whether a bin of the histogram reaches into each of the bins."""
    if held.high[-1] < low.max():
        return False
    return bool((held.low.take(held.high.searchsorted(low)) <= high).all())


def _placed(np: ModuleType, held: arrays.Columns, values: Any, ranks: Any) -> bool:
    """`coherence_rows._of_whole`: N(≤ x) and N(≥ x) of the histogram against what the rows put there."""
    below, above = ranks.copy(), np.ones_like(ranks)
    below[1:] -= ranks[:-1]
    above[:-1] = below[1:]
    values = values.ravel()
    order = values.argsort()
    values, totals = values.take(order), np.concatenate(([0], held.totals))
    if (totals.take(held.low.searchsorted(values, "right")) < below.take(order).cumsum()).any():
        return False
    beyond = totals[-1] - totals.take(held.high.searchsorted(values))
    return not bool((beyond[::-1] < above.take(order)[::-1].cumsum()).any())
