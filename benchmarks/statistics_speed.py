"""What the statistics cost: folding, decoding, summarising and judging one 120 s HTTP artifact.

    python benchmarks/statistics_speed.py

Best of several repetitions, because anything else that runs on the machine only ever adds.
"""

from __future__ import annotations

import dataclasses
import time
from array import array
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bizra_gate.model import Distribution, InFlight, Intervals, Latency, Measurement, Run, Source
from bizra_gate.stats import histogram
from bizra_gate.stats.changepoints import pelt
from bizra_gate.stats.compare import compare_processes
from bizra_gate.stats.fold import HdrCounts, Values
from bizra_gate.stats.modes import modes
from bizra_gate.stats.steady import steady_state
from bizra_gate.stats.summary import summarize

S = 1_000_000_000
INTERVALS = 120
PER_INTERVAL = 5000


def best_ns(call: Callable[[], object], repetitions: int = 30) -> float:
    """Fastest of `repetitions` calls in ns."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return float(min(times))


def latencies(generator: np.random.Generator) -> list[Values]:
    """One array of int64 ns per second: log-normal around 1 ms with a little wandering."""
    return [
        generator.lognormal(13.8 + generator.normal(0, 0.02), 0.18, PER_INTERVAL).astype(np.int64)
        for _ in range(INTERVALS)
    ]


def folded(rows: list[Values]) -> Distribution:
    counts = HdrCounts()
    for row in rows:
        counts.add(row)
    return counts.distribution()


def artifact(generator: np.random.Generator) -> Measurement:
    """An open loop of 120 s with response, service and delay, as `verify` has it after decoding."""
    rows = latencies(generator)
    response, service, delay = folded(rows), folded(latencies(generator)), folded(latencies(generator))
    intervals = Intervals(
        length_ns=S,
        start_ns=tuple(i * S for i in range(INTERVALS)),
        count=(PER_INTERVAL,) * INTERVALS,
        errors=(0,) * INTERVALS,
        total_ns=tuple(int(row.sum()) for row in rows),
        maximum_ns=tuple(int(row.max()) for row in rows),
        p50_ns=tuple(int(np.quantile(row, 0.5)) for row in rows),
        p99_ns=tuple(int(np.quantile(row, 0.99)) for row in rows),
    )
    run = Run(
        0, duration_ns=INTERVALS * S, operations=response.n, errors={}, intervals=intervals,
        response=Latency(response), service=Latency(service), delay=Latency(delay),
        in_flight=InFlight(INTERVALS * S, 64 * INTERVALS * S),
    )  # fmt: skip
    return Measurement(Source("bizra-gate", foreign=False), loop="open", runs=(run,))


def fresh(measurement: Measurement) -> Measurement:
    """The same measurement without anything remembered from an earlier summary."""
    run = measurement.runs[0]
    parts: dict[str, Any] = {
        name: Latency(dataclasses.replace(getattr(run, name).histogram)) for name in ("response", "service", "delay")
    }
    return dataclasses.replace(measurement, runs=(dataclasses.replace(run, **parts),))


def main() -> None:
    generator = np.random.default_rng(1)
    measurement = artifact(generator)
    response = measurement.runs[0].response
    assert response is not None
    whole = response.histogram
    assert whole is not None
    bins = len(whole.low)
    column = array("q", np.concatenate(latencies(generator)).tolist())
    text = histogram.encode(whole)
    series = [1 + 0.03 * value for value in generator.normal(size=INTERVALS).tolist()]
    hour = [1 + 0.03 * value for value in generator.normal(size=3600).tolist()]
    lines = [
        (f"fold, per value ({len(column):,} values of a recorder's column)",
         best_ns(lambda: HdrCounts().add(column)) / len(column), "ns"),
        (f"decode one histogram of {bins:,} bins", best_ns(lambda: histogram.decode(text)) / 1e6, "ms"),
        (f"summarize one artifact (3 histograms of {bins:,} bins, {INTERVALS} intervals)",
         min(best_ns(partial(summarize, fresh(measurement)), 1) for _ in range(30)) / 1e6, "ms"),
        ("PELT, 120 points", best_ns(lambda: pelt(series)) / 1e6, "ms"),
        ("steady_state, 120 points", best_ns(lambda: steady_state(series)) / 1e6, "ms"),
        ("steady_state, 3,600 points", best_ns(lambda: steady_state(hour)) / 1e6, "ms"),
        ("modes of one histogram", best_ns(lambda: modes(whole)) / 1e6, "ms"),
        ("compare_processes, 5 against 5",
         best_ns(lambda: compare_processes(series[:5], series[5:10], "lower", 0.05)) / 1e6, "ms"),
    ]  # fmt: skip
    print("| what | cost |\n|---|---:|")
    for what, cost, unit in lines:
        print(f"| {what} | {cost:.2f} {unit} |")


if __name__ == "__main__":
    main()
