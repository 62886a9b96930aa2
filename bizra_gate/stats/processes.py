"""From one value per process to an interval that holds for the next process as well.

Processes of one program differ (in memory layout, hashing, scheduling) by more than any one of them shows inside:
over 331 public benchmarks the median ratio of the slowest to the fastest of ten is 1.06. So as soon as there are two
processes, Student's t over their values joins the interval that was made inside, and on each side the wider counts.
Two processes that happen to agree therefore cannot make an interval narrower than their own samples allow, and a side
that the samples leave open stays open. With a single process the interval speaks of that process only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .quantiles import Interval
from .student import t_interval


def t_over_processes(values: Sequence[float], confidence: float) -> Interval:
    """Student's t over `values`, on logarithms where all are above zero; (None, None) for fewer than two."""
    if len(values) < 2:
        return None, None
    if min(values) <= 0:
        _, low, high = t_interval(values, confidence)
        return low, high
    _, low, high = t_interval([math.log(value) for value in values], confidence)
    if low is None or high is None or high > 700 or low < -700:
        return None, None
    return math.exp(low), math.exp(high)


def widest(first: Interval, second: Interval, estimate: float) -> Interval:
    """The hull of two intervals and their estimate; a side that either leaves open is open."""
    low = None if first[0] is None or second[0] is None else min(first[0], second[0], estimate)
    high = None if first[1] is None or second[1] is None else max(first[1], second[1], estimate)
    return low, high


def joined(within: Interval, estimate: float, values: Sequence[float], confidence: float) -> Interval:
    """`within` (from inside the processes) and t over `values` (between them); `within` alone for one process."""
    return within if len(values) < 2 else widest(within, t_over_processes(values, confidence), estimate)


def overdispersion(successes: Sequence[float], sizes: Sequence[float]) -> float:
    """Pearson's χ² over its degrees of freedom for ratios of several processes, at least 1.

    Divide n by it: above 1 the processes differ by more than chance would have them.
    """
    total, n, processes = math.fsum(successes), math.fsum(sizes), len(sizes)
    if processes < 2 or not 0 < total < n:
        return 1.0
    ratio = total / n
    pairs = zip(successes, sizes, strict=True)
    squares = math.fsum((k - ratio * size) ** 2 / size for k, size in pairs if size > 0)
    return max(1.0, squares / (ratio * (1 - ratio)) / (processes - 1))
