"""`method.samples`: a percentile that stands on too few values to have an interval."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding, Latency, Measurement, Policy
from ..model.metric import percentile_of
from ..stats.quantiles import samples_needed
from ..stats.series import effective_n
from . import facts
from .rule import Answer, NotApplicable, insufficient
from .wording import count, listed, name_of

CODE = "method.samples"

FEWEST_ROWS = 20
"""A series shorter than this says too little of how much its values hang together."""


def samples(measurement: Measurement, policy: Policy) -> Answer:
    """Every percentile that is claimed has a two-sided interval, on the effective number of values.

    *Formula.* n_eff ≥ ln((1 − confidence)/2) / ln p, exactly as the binomial ranks demand: 6 / 72 / 368 / 3,688 /
    36,887 values for p50 / p95 / p99 / p99.9 / p99.99 at 95 %; n_eff = n·(1 − ρ)/(1 + ρ) with the lag-1 correlation
    ρ of the interval means. Any result at all needs the 6 values of a median.
    *Tolerance.* None; a rank exists or it does not. Claims are the percentiles from p50 up that another tool prints,
    and those of our own summary that come without their interval. One that states "no upper bound" claims nothing.
    *Source.* Hahn & Meeker, *Statistical intervals*, 5.2; MLPerf's early stopping asks the same in other words.
    *Example.* ab with 50 requests prints p95 and p99.

    >>> from bizra_gate.model import Figure, Source
    >>> few = Latency(count=50, percentiles=tuple((p, Figure(20e6, 1e6)) for p in (50.0, 95.0, 99.0)))
    >>> [f.observed for f in samples(Measurement(Source("ab"), latency=few), Policy())]
    ['50 values']

    *Violator.* A p99.9 on 400 values.
    *Neighbour.* hyperfine's median of 14 runs; p99 on 600 requests.
    """
    latency = facts.headline(measurement)
    claimed = _claimed(measurement, latency)
    n = _size(measurement, latency)
    if latency is None and n is None:
        return NotApplicable("no latencies are given")
    if n is None:
        if not claimed:
            return NotApplicable("no percentiles are claimed, and on how many values the rest stands is not told")
        message = f"{listed([name_of(p) for p in claimed])} are claimed; on how many values is not told."
        return [insufficient(CODE, message, "not told", f"≥ {count(_needed(max(claimed), policy))}")]
    return list(_too_few(claimed, n, _effective(measurement, latency, n), policy))


def _claimed(measurement: Measurement, latency: Latency | None) -> list[float]:
    printed = [p for p, _ in latency.percentiles] if latency is not None and measurement.source.foreign else []
    for row in () if measurement.source.foreign else measurement.printed:
        family, _, statistic = row.metric.partition(".")
        p = percentile_of(statistic) if family == "latency" and row.interval is None else None
        if p is not None:
            printed.append(p)
    return sorted({p for p in printed if 50 <= p < 100})


def _size(measurement: Measurement, latency: Latency | None) -> int | None:
    """Values behind the percentiles: recorded ones, kept ones, or the operations of the run."""
    if latency is not None:
        recorded = facts.values(latency)
        if recorded is not None:
            return recorded
    kept = sum(len(run.values) for run in measurement.runs)
    if kept:
        return kept
    expected = facts.timed(measurement, latency) if latency is not None else None
    return int(expected.high) // (latency.batch if latency is not None else 1) if expected is not None else None


def _effective(measurement: Measurement, latency: Latency | None, n: int) -> float:
    """What is left of `n` after the correlation of the series beside it."""
    series = measurement.intervals
    if series is None or not series.total_ns or latency is None or latency.window_ns is not None:
        return float(n)
    means = [total / held for total, held in zip(series.total_ns, series.count, strict=False) if held]
    return effective_n(n, means) if len(means) >= FEWEST_ROWS else float(n)


def _needed(p: float, policy: Policy) -> int:
    return samples_needed(p / 100, policy.confidence)


def _too_few(claimed: list[float], n: int, effective: float, policy: Policy) -> Iterator[Finding]:
    short = [p for p in claimed if _needed(p, policy) > effective]
    fewest = _needed(50.0, policy)
    if n < fewest:
        message = f"{count(n)} values were measured; even a median needs {fewest} of them to have an interval."
        yield insufficient(CODE, message, f"{count(n)} values", f"≥ {fewest}")
    elif short:
        needs = listed([f"{name_of(p)} needs {count(_needed(p, policy))}" for p in short])
        worth = "" if effective >= n else f", which hang together and are worth {count(effective)}"
        message = f"{count(n)} values{worth}: {needs} for an interval with two ends at {policy.confidence * 100:g} %."
        observed = f"{count(n)} values{f' worth {count(effective)}' if worth else ''}"
        yield insufficient(CODE, message, observed, f"≥ {count(_needed(max(short), policy))}")
