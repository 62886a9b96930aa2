"""Measurements to export: single operations in one run or several, kept values, another tool's figures."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from bizra_gate.model import Distribution, Figure, Latency, Measurement, Run, Source
from bizra_gate.stats import merge
from bizra_gate.stats.layout import DEFAULT

STARTED = "2026-11-22T04:00:00.500Z"

times = st.integers(min_value=1, max_value=3_000_000_000)
"""Latencies in ns, up to 3 s."""
rows = st.lists(times, min_size=1, max_size=60)


def folded(values: Sequence[int]) -> Distribution:
    """`values` in the bins of our histograms, with exact minimum, maximum and sum."""
    counts: dict[int, int] = {}
    for value in values:
        counts[DEFAULT.index(value)] = counts.get(DEFAULT.index(value), 0) + 1
    edges = [DEFAULT.edges(index) for index in sorted(counts)]
    return Distribution(
        tuple(low for low, _ in edges),
        tuple(high for _, high in edges),
        tuple(counts[index] for index in sorted(counts)),
        min(values),
        max(values),
        sum(values),
    )


def own(*processes: Sequence[int], loop: str = "closed", name: str | None = "checkout") -> Measurement:
    """A measurement of ours with one run per list of latencies; in an open loop responses are 1 µs longer."""
    runs = tuple(_run(index, values, loop == "open") for index, values in enumerate(processes))
    bare = Measurement(Source("bizra-gate", "0.1.0", foreign=False), name=name, loop=loop, runs=runs,  # type: ignore[arg-type]
                       started_at=STARTED)  # fmt: skip
    return merge.from_runs(bare)


def _run(index: int, values: Sequence[int], is_open: bool) -> Run:
    service = Latency(histogram=folded(values), count=len(values), origin="send", quantum_ns=1.0)
    later = [value + 1000 for value in values]
    response = Latency(histogram=folded(later), count=len(values), origin="intended", quantum_ns=1.0)
    return Run(index, duration_ns=2_000_000_000, operations=len(values), service=service,
               response=response if is_open else None, errors={})  # fmt: skip


def kept(*processes: Sequence[float], batch: int = 1000) -> Measurement:
    """What a micro-benchmark keeps: values per process, each the mean of `batch` operations."""
    runs = tuple(Run(i, values=tuple(values), duration_ns=10**9) for i, values in enumerate(processes))
    n = sum(len(values) for values in processes)
    mean = sum(sum(values) for values in processes) / n
    latency = Latency(count=n, batch=batch, mean=Figure(mean))
    return Measurement(Source("pyperf", "2.10.0"), name="parse", loop="batch", runs=runs, latency=latency,
                       operations=n * batch, duration_ns=Figure(mean * n * batch))  # fmt: skip
