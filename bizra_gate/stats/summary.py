"""Every metric of a measurement, computed from its counts, each with what it rests on.

Decisions that hold throughout:

- Nothing that a file says of itself is repeated where counts are at hand: percentiles, means and rates come from
  histograms, intervals and totals. A foreign record without a histogram gives its printed figures, without intervals.
- One process: intervals from inside the run. Two or more: see `processes`, on each side the wider of the interval
  from inside and of Student's t over the processes. Histograms of all processes are merged for the estimate.
- A histogram of batch means supports min, mean, p50 and p75 (marked as such), and no tail: `absence` says why.
- What has no estimate is left out. Zero is a value, and not absence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from ..model import Intervals, Latency, Measurement, Metric, Run, kind_of
from ..model.metric import LATENCY_FAMILIES, percentile_of
from ..units import NS_PER_S
from . import fresh, kept, latencies, merge, rates
from .dependence import Dependence, rows_of
from .latencies import Family
from .processes import joined, overdispersion
from .quantiles import Interval
from .ratio import wilson
from .recent import Recent
from .series import effective_n_of

_KINDS = ("response", "service", "delay")
_recent = Recent[dict[str, Metric]]()
"""The last summaries. Whoever opens an artifact audits its summary and then reads it: one computation for both."""


def summarize(
    measurement: Measurement, confidence: float = 0.95, percentiles: Iterable[float] = ()
) -> dict[str, Metric]:
    """Metrics of `measurement` by name, as the contract lists them, with intervals at `confidence`.

    `percentiles` (0 < p < 100) are given beside the usual ones. Reads counts only: `printed` is not looked at.
    """
    wanted = tuple(sorted({*latencies.PERCENTILES, *percentiles}))
    asked = (confidence, wanted)
    return dict(_recent.answer((measurement,), asked, lambda: _summarized(merge.from_runs(measurement), *asked)))


def _summarized(whole: Measurement, confidence: float, wanted: Sequence[float]) -> dict[str, Metric]:
    metrics = [
        *_throughput(whole, confidence),
        *_latencies(whole, wanted, confidence),
        *_error_rate(whole, confidence),
        *_outcomes(whole, confidence),
        *_resources(whole, confidence),
    ]
    if whole.process_each:
        metrics = list(fresh.of_processes(whole, _headline(whole), metrics))
    return {metric.name: metric for metric in metrics if metric.estimate is not None and math.isfinite(metric.estimate)}


def absence(measurement: Measurement, name: str) -> str:
    """Why `measurement` has no metric `name`, in a sentence; for a metric that it lacks."""
    whole = merge.from_runs(measurement)
    family, _, statistic = name.partition(".")
    if family not in LATENCY_FAMILIES:
        return f"{name} was not measured: the record holds nothing to compute it from"
    latency = _headline(whole) if family == "latency" else getattr(whole, family)
    if latency is None:
        return f"{name} was not measured: the record has no {family} times"
    p = percentile_of(statistic)
    if latency.batch > 1 and (statistic == "max" or (p is not None and p >= latencies.TAIL_FROM)):
        return (
            f"{name} of single operations was not measured: each recorded value is the mean of "
            f"{latency.batch:,} operations, in which a slow one disappears"
        )
    if latency.histogram is not None and not latency.histogram.n:
        return f"{name} was not measured: the histogram is empty"
    return f"{name} was not measured: {whole.source.tool} printed no such figure and kept no histogram"


# ── rates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _throughput(whole: Measurement, confidence: float) -> list[Metric]:
    succeeded = _succeeded(whole)
    found = []
    if succeeded is not None:
        found.append(Metric("operations", "1", "higher", float(succeeded), n=succeeded, method="counted"))
    runs = _runs_with(whole, rates.throughput_per_s)
    if runs:
        found.append(_throughput_of_runs(runs, succeeded, confidence))
    elif whole.duration_ns is not None and whole.duration_ns.value > 0 and succeeded is not None:
        found.append(_throughput_of_counts(whole, succeeded, confidence))
    elif whole.rate_achieved_per_s is not None and not whole.errors:
        found.append(_throughput_as_printed(whole, whole.rate_achieved_per_s.value, succeeded, confidence))
    return [*found, *_achieved(whole)]


def _throughput_as_printed(whole: Measurement, rate: float, n: int | None, confidence: float) -> Metric:
    if whole.runs and all(run.values for run in whole.runs):
        return kept.throughput_of(whole.runs, rate, n, confidence)
    return Metric("throughput", "1/s", "higher", rate, n=n, method="as printed")


def _throughput_of_runs(pairs: list[tuple[Run, float]], n: int | None, confidence: float) -> Metric:
    """Weighted by time; between-process spread joins what each run shows inside."""
    values = [value for _, value in pairs]
    lengths = [float(run.duration_ns or 0) for run, _ in pairs]
    estimate = math.fsum(v * length for v, length in zip(values, lengths, strict=True)) / math.fsum(lengths)
    if all(run.values and run.intervals is None for run, _ in pairs):
        return kept.throughput_of([run for run, _ in pairs], estimate, n, confidence)
    method = f"at least Student's t over {len(values)} processes"
    interval: Interval | None
    if all(run.intervals is not None for run, _ in pairs):
        inside = [rates.throughput_interval(run, value, confidence) for run, value in pairs]
        interval = joined(_pooled(estimate, [found for found, _ in inside], lengths), estimate, values, confidence)
        method = inside[0][1] if len(pairs) == 1 else method
    elif len(pairs) > 1:
        interval = joined((estimate, estimate), estimate, values, confidence)
    else:
        interval, method = None, "operations by time"
    return Metric("throughput", "1/s", "higher", estimate, interval, confidence, n, method, tuple(values))


def _pooled(estimate: float, intervals: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """The interval of a weighted mean of independent estimates that each have one; open where one of them is."""
    squares = 0.0
    for (low, high), weight in zip(intervals, weights, strict=True):
        if low is None or high is None:
            return None, None
        squares += ((high - low) / 2 * weight / math.fsum(weights)) ** 2
    return max(0.0, estimate - math.sqrt(squares)), estimate + math.sqrt(squares)


def _throughput_of_counts(whole: Measurement, succeeded: int, confidence: float) -> Metric:
    window_ns = whole.duration_ns.value if whole.duration_ns is not None else 0.0
    estimate = succeeded / window_ns * NS_PER_S
    interval: Interval | None = None
    method = "operations by time"
    if whole.intervals is not None:
        run = Run(0, duration_ns=round(window_ns), intervals=whole.intervals, errors=whole.errors)
        interval, method = rates.throughput_interval(run, estimate, confidence)
    return Metric("throughput", "1/s", "higher", estimate, interval, confidence, succeeded, method)


def _achieved(whole: Measurement) -> list[Metric]:
    """What was sent (or, where nobody says, what ended) per second, errors included."""
    rate = whole.rate_achieved_per_s.value if whole.rate_achieved_per_s is not None else None
    values = [value for _, value in _runs_with(whole, rates.completed_per_s)]
    ended = _ended(whole)
    if rate is None and values:
        rate = math.fsum(values) / len(values)
    if rate is None and ended and whole.duration_ns is not None and whole.duration_ns.value > 0:
        rate = ended / whole.duration_ns.value * NS_PER_S
    found = []
    if rate is not None:
        found.append(Metric("rate.achieved", "1/s", "higher", rate, n=ended, method="counted"))
    inside = whole.in_flight
    if inside is not None and inside.window_ns > 0:
        mean = inside.integral_ns / inside.window_ns
        found.append(
            Metric("concurrency.mean", "1", "neither", mean, n=ended, method="integral of the number in flight")
        )
    return found


# ── latencies ────────────────────────────────────────────────────────────────────────────────────────────────────


def _latencies(whole: Measurement, percentiles: Sequence[float], confidence: float) -> list[Metric]:
    headline = _headline(whole)
    if (headline is None or headline.histogram is None) and any(run.values for run in whole.runs):
        return kept.metrics_of(whole.runs, confidence)
    series = _series(whole, headline)
    found: list[Metric] = []
    by_identity: dict[int, list[Metric]] = {}
    for name in (*_KINDS, "latency"):
        latency = headline if name == "latency" else getattr(whole, name)
        if latency is None:
            continue
        if headline is not None and latency is not headline and latency == headline:
            latency = headline  # read from a file they are equal, and two objects
        if id(latency) not in by_identity:
            quantum = (latency.quantum_ns or 0.0) if whole.source.foreign else 0.0
            family = Family(name, latency, _of_runs(whole, name), series, latency is headline, quantum)
            by_identity[id(latency)] = latencies.metrics_of(family, percentiles, confidence)
        same = by_identity[id(latency)]
        found += latencies.renamed(same, name) if name == "latency" else same
    return found


def _headline(whole: Measurement) -> Latency | None:
    """Response time in an open loop, service time in a closed one."""
    if whole.latency is not None:
        return whole.latency
    first, second = whole.service, whole.response
    if whole.loop == "open":
        first, second = second, first
    return first if first is not None else second


def _of_runs(whole: Measurement, name: str) -> tuple[Latency, ...]:
    """Latency `name` of each process; empty unless every process has it."""
    parts = [getattr(run, name, None) for run in whole.runs]
    known = tuple(part for part in parts if part is not None)
    return known if len(known) == len(parts) else ()


def _series(whole: Measurement, headline: Latency | None) -> tuple[Dependence, ...]:
    """The headline's series of each process; empty unless every process has one with its histogram."""
    if headline is None or headline.histogram is None:
        return ()
    sources: list[tuple[Intervals | None, float | None, Latency]]
    if len(whole.runs) < 2:
        window = whole.duration_ns.value if whole.duration_ns is not None else None
        sources = [(whole.intervals, window, headline)]
    else:
        name = next((kind for kind in _KINDS if getattr(whole, kind) is headline), "")
        pairs = zip(whole.runs, _of_runs(whole, name), strict=False)
        sources = [(run.intervals, run.duration_ns, latency) for run, latency in pairs]
    found = [
        Dependence(rows_of(intervals, window, latency.histogram.mean), latency.histogram)
        for intervals, window, latency in sources
        if intervals is not None and latency.histogram is not None and latency.histogram.n
    ]
    complete = len(found) == max(1, len(whole.runs)) and all(part.rows.count for part in found)
    return tuple(found) if complete else ()


# ── ratios ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _error_rate(whole: Measurement, confidence: float) -> list[Metric]:
    ended = _ended(whole)
    if whole.errors is None or not ended:
        return []
    failed = sum(whole.errors.values())
    runs = [(sum((run.errors or {}).values()), run.operations) for run in whole.runs if run.operations is not None]
    pairs = [(float(bad), float(bad + good)) for bad, good in runs] if len(runs) == len(whole.runs) else []
    share = _share_of_series(whole, failed / ended) if 0 < failed < ended else 1.0
    return [_ratio("error_rate", failed, ended, pairs, share, confidence)]


def _outcomes(whole: Measurement, confidence: float) -> list[Metric]:
    """Share of each label in all that ended: an operation without a label is none of them."""
    if not whole.outcomes:
        return []
    total = max(sum(whole.outcomes.values()), _ended(whole) or 0)
    found = []
    for label, count in sorted(whole.outcomes.items()):
        pairs = [_labelled(run, label) for run in whole.runs if run.outcomes is not None]
        pairs = pairs if len(pairs) == len(whole.runs) else []
        name = f"outcome.{label}.ratio"
        if total and kind_of(name) is not None:
            found.append(_ratio(name, count, total, pairs, 1.0, confidence))
    return found


def _labelled(run: Run, label: str) -> tuple[float, float]:
    outcomes = run.outcomes or {}
    ended = (run.operations or 0) + sum((run.errors or {}).values())
    return float(outcomes.get(label, 0)), float(max(sum(outcomes.values()), ended))


def _ratio(
    name: str,
    successes: int,
    n: int,
    pairs: Sequence[tuple[float, float]],
    share: float,
    confidence: float,
) -> Metric:
    """Wilson's interval on the n that correlation in time (`share`) and differences between processes leave."""
    effective = n * min(share, 1 / overdispersion([k for k, _ in pairs], [size for _, size in pairs]))
    interval = wilson(successes / n * effective, effective, confidence)
    method = "Wilson" if effective > n - 1 else f"Wilson, effective n {math.floor(effective):,}"
    values = tuple(k / size for k, size in pairs if size)
    kind = kind_of(name)
    assert kind is not None
    return Metric(
        name, kind.unit, kind.better, successes / n, interval, confidence, n, method, values,
        effective_n=effective if effective < n else None,
    )  # fmt: skip


def _share_of_series(whole: Measurement, ratio: float) -> float:
    """Effective n of the error rate as a share of n: errors come in bursts."""
    series = [run.intervals for run in whole.runs] or [whole.intervals]
    kept, total = 0.0, 0.0
    for intervals in series:
        if intervals is None or not intervals.errors:
            return 1.0
        sizes = [float(good + bad) for good, bad in zip(intervals.count, intervals.errors, strict=True)]
        rows = [(bad / size, size) for bad, size in zip(intervals.errors, sizes, strict=True) if size > 0]
        kept += effective_n_of(ratio * (1 - ratio), [r for r, _ in rows], [size for _, size in rows])
        total += math.fsum(sizes)
    return kept / total if total else 1.0


# ── resources ────────────────────────────────────────────────────────────────────────────────────────────────────


def _resources(whole: Measurement, confidence: float) -> list[Metric]:
    found = []
    costs = _runs_with(whole, _cpu_per_operation)
    if costs:
        values = [value for _, value in costs]
        operations = sum(_ended_in(run) for run, _ in costs)
        estimate = sum(run.cpu_ns or 0 for run, _ in costs) / operations
        interval = joined((estimate, estimate), estimate, values, confidence) if len(values) > 1 else None
        method = f"Student's t over {len(values)} processes" if len(values) > 1 else "one process: no interval"
        found.append(
            Metric("cpu.per_op", "ns", "lower", estimate, interval, confidence, operations, method, tuple(values))
        )
    peaks = _runs_with(whole, lambda run: run.peak_memory_bytes)
    if peaks:
        values = [float(value) for _, value in peaks]
        found.append(Metric("memory.peak", "B", "lower", max(values), None, confidence, len(values),
                            "highest of all processes", tuple(values)))  # fmt: skip
    return found


def _cpu_per_operation(run: Run) -> float | None:
    operations = _ended_in(run)
    return run.cpu_ns / operations if run.cpu_ns is not None and operations else None


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _runs_with(whole: Measurement, value: Callable[[Run], float | None]) -> list[tuple[Run, float]]:
    """Each run with its value; empty unless every run has one."""
    pairs = [(run, value(run)) for run in whole.runs]
    known = [(run, found) for run, found in pairs if found is not None]
    return known if len(known) == len(pairs) else []


def _ended_in(run: Run) -> int:
    return (run.operations or 0) + sum((run.errors or {}).values())


def _succeeded(whole: Measurement) -> int | None:
    if whole.operations is None:
        return None
    return whole.operations - sum((whole.errors or {}).values()) * whole.operations_include_errors


def _ended(whole: Measurement) -> int | None:
    succeeded = _succeeded(whole)
    return None if succeeded is None else succeeded + sum((whole.errors or {}).values())
