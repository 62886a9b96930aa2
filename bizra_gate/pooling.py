"""Several artifacts of one claim read as one measurement of several processes (``aggregate = "merge"``).

Only figures whose meaning survives pooling are kept: extremes, counts, shares of counts, and those with one value for
each process. The histograms are not at hand here, so percentiles are means of the processes' own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from .evidence.benchmark import AGAINST
from .model import Metric, OpenedEvidence
from .stats.processes import joined, t_over_processes, widest

Interval = tuple[float | None, float | None]


def merged(pieces: Sequence[OpenedEvidence]) -> OpenedEvidence:
    """`pieces` (at least one) as one piece that stands for all, at every confidence at which all of them were read."""
    levels = set.intersection(*(set(piece.metrics_at) for piece in pieces))
    return dataclasses.replace(
        pieces[0],
        metrics=together([piece.metrics for piece in pieces]),
        metrics_at={level: together([piece.metrics_at[level] for piece in pieces]) for level in sorted(levels)},
    )


def together(parts: Sequence[Mapping[str, Metric]]) -> dict[str, Metric]:
    """The metrics that all `parts` have, each of all of them; what would mean something else is left out."""
    shared = sorted(set.intersection(*(set(part) for part in parts)))
    found = (_pooled([part[name] for part in parts]) for name in shared)
    return {metric.name: metric for metric in found if metric is not None}


def _pooled(parts: Sequence[Metric]) -> Metric | None:
    """One metric of all `parts`; None where it would mean something else."""
    first, estimates = parts[0], [part.estimate for part in parts if part.estimate is not None]
    values = tuple(value for part in parts for value in _of_processes(part))
    if len(estimates) < len(parts):
        return None
    pooled = dataclasses.replace(
        first,
        n=sum(part.n or 0 for part in parts) or None,
        process_values=values,
        resolution=max(part.resolution for part in parts),
        effective_n=math.fsum(_worth(part) for part in parts) if any(part.effective_n for part in parts) else None,
    )
    bare = first.name.removeprefix(AGAINST)
    if bare.endswith(".min"):
        return dataclasses.replace(pooled, estimate=min(estimates))
    if bare.endswith(".max") or bare == "memory.peak":
        return dataclasses.replace(pooled, estimate=max(estimates))
    if bare == "operations":
        return dataclasses.replace(pooled, estimate=math.fsum(estimates))
    method = f"{len(values)} processes of {len(parts)} artifacts"
    if first.unit == "ratio":
        return _share(pooled, parts, estimates, method)
    if len(values) < max(2, len(parts)):
        return None
    estimate = math.fsum(values) / len(values)
    known = any(part.interval is not None for part in parts)
    between = t_over_processes(values, first.confidence)
    interval = widest(_of_mean(estimate, parts), between, estimate) if known else between
    return dataclasses.replace(
        pooled,
        estimate=estimate,
        interval=_to_the_last_digit(interval, pooled.resolution / 2),
        method=f"at least Student's t over {method}",
    )


def _to_the_last_digit(interval: Interval, half: float) -> Interval:
    """Runs that a tool printed alike may differ by what it rounded away."""
    low, high = interval
    return None if low is None else max(0.0, low - half), None if high is None else high + half


def _worth(part: Metric) -> float:
    """Independent values that it stands on."""
    return float(part.n or 0) if part.effective_n is None else part.effective_n


def _of_processes(part: Metric) -> tuple[float, ...]:
    """One value for each process. A figure that was printed, without an interval, is the one value of its run."""
    if part.process_values or part.estimate is None or part.interval is not None:
        return part.process_values
    return (part.estimate,)


def _share(pooled: Metric, parts: Sequence[Metric], estimates: Sequence[float], method: str) -> Metric | None:
    """Pooled by counts; as wide as the widest of its parts, because no error in one is not none in all."""
    sizes = [part.n or 0 for part in parts]
    if not all(sizes):
        return None
    estimate = math.fsum(share * n for share, n in zip(estimates, sizes, strict=True)) / sum(sizes)
    lows, highs = zip(*(part.interval or (None, None) for part in parts), strict=True)
    inside: Interval = (None if None in lows else min(lows), None if None in highs else max(highs))
    interval = joined(inside, estimate, pooled.process_values, pooled.confidence)
    return dataclasses.replace(
        pooled, estimate=estimate, interval=interval, method=f"widest of its parts, and Student's t over {method}"
    )


def _of_mean(estimate: float, parts: Sequence[Metric]) -> Interval:
    """The interval of a mean of independent estimates, from theirs; a side that one of them leaves open is open."""
    sides: list[float | None] = []
    for side, sign in ((0, -1), (1, 1)):
        ends = [None if part.interval is None else part.interval[side] for part in parts]
        gaps = [abs(end - (part.estimate or 0.0)) for end, part in zip(ends, parts, strict=True) if end is not None]
        known = len(gaps) == len(parts)
        sides.append(estimate + sign * math.hypot(*gaps) / len(parts) if known else None)
    return sides[0], sides[1]
