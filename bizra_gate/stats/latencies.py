"""Metrics of one family of latencies: min, mean, percentiles and max, each with the interval that its data allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from ..model import Distribution, Figure, Latency, Metric
from .dependence import Dependence
from .processes import joined
from .quantiles import Interval, estimates
from .series import batch_means_interval
from .student import normal_quantile, t_quantile

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_all_but_its_name = attrgetter(*[field.name for field in fields(Metric)[1:]])
TAIL_FROM = 90.0
"""From here on a percentile of batch means says nothing of single operations, and is left out."""


@dataclass(frozen=True, slots=True)
class Family:
    """What one family of latencies is summarised from."""

    name: str
    latency: Latency
    runs: tuple[Latency, ...] = ()
    """The same family of each process, where every process has it."""
    series: tuple[Dependence, ...] = ()
    """The headline's series of each process, empty where there is none."""
    own_series: bool = False
    """Whether the series shows this very family, and not only another latency of the same operations."""
    quantum_ns: float = 0.0
    """The step in which another tool records a single time; a mean of many is finer."""


def metrics_of(family: Family, percentiles: Sequence[float], confidence: float) -> list[Metric]:
    """Every metric of `family`; from the counts where there is a histogram, else as printed, without intervals."""
    histogram = family.latency.histogram
    if histogram is None:
        return _printed(family)
    return _Counted(family, histogram, confidence).metrics(percentiles) if histogram.n else []


class _Counted:
    """The metrics of a family that has its counts."""

    def __init__(self, family: Family, histogram: Distribution, confidence: float) -> None:
        self._family, self._histogram, self._confidence = family, histogram, confidence
        self._batch = family.latency.batch
        self._parts = [part.histogram for part in family.runs if part.histogram is not None]
        if len(self._parts) != len(family.runs) or not all(part.n for part in self._parts):
            self._parts = []
        sizes = [part.n for part in self._parts] or [histogram.n]
        fits = len(family.series) == len(sizes)
        self._series = list(zip(sizes, family.series, strict=True)) if fits else []

    def metrics(self, percentiles: Sequence[float]) -> list[Metric]:
        single = self._batch == 1
        found = [self._extreme("min"), self._mean()]
        found += self._percentiles([p for p in percentiles if single or p < TAIL_FROM])
        return [*found, self._extreme("max")] if single else found

    def _metric(
        self,
        statistic: str,
        estimate: float,
        interval: Interval | None,
        method: str,
        values: Sequence[float],
        effective: float | None = None,
    ) -> Metric:
        if self._batch > 1:
            method = f"batch means (each value is the mean of {self._batch:,} operations); {method}"
        if interval is not None and len(values) > 1:
            method += f"; at least Student's t over {len(values)} processes"
        return Metric(
            f"{self._family.name}.{statistic}", "ns", "lower", estimate, interval,
            self._confidence, self._histogram.n, method, tuple(values),
            0.0 if statistic == "mean" else self._family.quantum_ns, effective if self._series else None,
        )  # fmt: skip

    def _extreme(self, statistic: str) -> Metric:
        exact = self._histogram.minimum if statistic == "min" else self._histogram.maximum
        edge = self._histogram.edges(0)[0] if statistic == "min" else self._histogram.edges(-1)[1]
        values = [float(p.minimum if statistic == "min" else p.maximum) for p in self._parts
                  if p.minimum is not None and p.maximum is not None]  # fmt: skip
        method = "edge of its bin" if exact is None else "exact"
        return self._metric(
            statistic, float(edge if exact is None else exact), None, method,
            values if len(values) == len(self._parts) else (),
        )  # fmt: skip

    def _mean(self) -> Metric:
        estimate = self._histogram.mean or 0.0
        values = [part.mean or 0.0 for part in self._parts]
        within, method = self._mean_interval(estimate)
        return self._metric("mean", estimate, joined(within, estimate, values, self._confidence), method, values)

    def _mean_interval(self, estimate: float) -> tuple[Interval, str]:
        """Batch means of the series where it shows this family; else the normal interval with its effective n."""
        rows = self._series[0][1].rows if self._family.own_series and len(self._series) == 1 else None
        if rows is not None and len(rows.mean_ns) >= 2:
            found = batch_means_interval(rows.mean_ns, rows.count, self._confidence)
            if found.low is not None and found.high is not None:
                half = (found.high - found.low) / 2
                text = f"means of {found.batches} batches, lag-1 {found.lag1:.2f}"
                return (max(0.0, estimate - half), estimate + half), text
        effective = self._effective(lambda series: series.for_mean)
        if effective < 2:
            return (None, None), "a single value"
        level = 0.5 + self._confidence / 2
        factor = normal_quantile(level) if effective > 1000 else t_quantile(level, effective - 1)
        half = factor * math.sqrt((self._histogram.variance or 0.0) / effective)
        return (max(0.0, estimate - half), estimate + half), f"normal, {self._said(effective)}"

    def _percentiles(self, percentiles: Sequence[float]) -> Iterator[Metric]:
        quantiles = [p / 100 for p in percentiles]
        effective = [self._effective(lambda series: series.for_quantile(q)) for q in quantiles]  # noqa: B023
        found = estimates(self._histogram, quantiles, self._confidence, effective)
        of_parts = [
            [value for value, _ in found] if part is self._histogram else list(map(part.quantile, quantiles))
            for part in self._parts
        ]
        for i, (p, (value, within)) in enumerate(zip(percentiles, found, strict=True)):
            estimate, values = float(value), [float(part[i] or 0) for part in of_parts]
            interval = joined(within, estimate, values, self._confidence)
            method = f"order statistics, {self._said(effective[i])}"
            yield self._metric(f"p{p:g}", estimate, interval, method, values, effective[i])

    def _effective(self, share: Callable[[Dependence], float]) -> float:
        """Effective n over all processes, each by its own series; n where there is no series."""
        if not self._series:
            return float(self._histogram.n)
        return math.fsum([n * share(series) for n, series in self._series])

    def _said(self, effective: float) -> str:
        return f"effective n {math.floor(effective):,}" if self._series else "values taken as independent"


def _printed(family: Family) -> list[Metric]:
    """Figures as the tool gave them. Their last digit is a resolution, not a confidence: there is no interval."""
    latency = family.latency
    figures = [("min", latency.minimum), ("mean", latency.mean), ("max", latency.maximum)]
    if latency.percentile_method != "tail-mean":
        figures += [(f"p{p:g}", figure) for p, figure in latency.percentiles]
    return [
        _as_printed(f"{family.name}.{statistic}", figure, latency)
        for statistic, figure in figures
        if figure is not None and _supports(latency, statistic)
    ]


def _supports(latency: Latency, statistic: str) -> bool:
    if latency.batch == 1:
        return True
    return statistic != "max" and not (statistic.startswith("p") and float(statistic[1:]) >= TAIL_FROM)


def _as_printed(name: str, figure: Figure, latency: Latency) -> Metric:
    method = "as printed"
    if name.partition(".")[2].startswith("p") and latency.percentile_method != "unknown":
        method += f" ({latency.percentile_method})"
    if latency.corrected:
        method += ", samples added"
    if latency.batch > 1:
        method = f"batch means (each value is the mean of {latency.batch:,} operations); {method}"
    return Metric(name, "ns", "lower", figure.value, None, n=latency.count, method=method, resolution=figure.resolution)


def renamed(metrics: Sequence[Metric], name: str) -> list[Metric]:
    """The same metrics under another family's name."""
    return [Metric(f"{name}.{metric.name.partition('.')[2]}", *_all_but_its_name(metric)) for metric in metrics]
