"""BenchmarkDotNet (github.com/dotnet/BenchmarkDotNet), ``*-report-full.json``: iterations in launches, and a control.

Traps: the printed statistics are of Result = Actual - median(Overhead), clamped at zero, with upper outliers removed;
the raw readings and the empty control stand among the measurements and are what tells an operation from nothing; one
launch is one process; times are ns; percentiles are those of about fifteen iterations, so the tail is not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median

from ..errors import FormatError
from ..model import Caveat, ClockFacts, Controls, Environment, Figure, Latency, Measurement, Restated, Source
from . import micro, restate
from .document import Node, parse
from .stream import Stream

_WORKLOAD, _OVERHEAD = "Workload", "Overhead"
_BLIND = (
    "competing load and steal are not recorded (environment.noise)",
    "whether the method's result was right is not said (control.result)",
)
_PERCENTILES = Caveat(
    "source.percentiles",
    "its percentiles are those of iterations, not of operations; only those up to p75 are read",
)


def sniff(head: bytes, name: str) -> bool:
    return b'"HostEnvironmentInfo"' in head and b'"BenchmarkDotNetVersion"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    document = parse(stream.document(), stream.name)
    benchmarks = list(document["Benchmarks"].elements())
    if not benchmarks:
        raise FormatError(f"{stream.name}: BenchmarkDotNet wrote no benchmark into it: nothing was measured")
    host = document["HostEnvironmentInfo"]
    for benchmark in benchmarks:
        yield _measurement(benchmark, host, stream)


def _measurement(benchmark: Node, host: Node, stream: Stream) -> Measurement:
    statistics = benchmark["Statistics"]
    base = Measurement(
        source=Source("benchmarkdotnet", host["BenchmarkDotNetVersion"].text(), "JSON report", stream.name),
        name=benchmark["FullName"].text() or benchmark["DisplayInfo"].text(),
        loop="batch",
        clock=_clock(host),
        environment=_environment(host),
        caveats=tuple(_caveats(host)),
        blind=_BLIND,
    )
    if not statistics:
        told = Caveat("source.error", "the benchmark has no statistics: it failed, or was not run")
        return replace(base, errors={"error": 1}, caveats=(*base.caveats, told))
    base = replace(base, restated=tuple(_restated(statistics)))
    rows = [_Row(row) for row in benchmark["Measurements"].elements()]
    if not rows:
        return _summary_only(base, statistics)
    return _measured(base, rows, statistics)


def _restated(statistics: Node) -> Iterator[Restated]:
    """Figures of ``Statistics`` that follow from each other and from the values beside them (`Perfolizer`)."""
    values = [value for node in statistics["OriginalValues"].elements() if (value := micro.number(node)) is not None]
    found = {key: micro.number(node) for key, node in statistics.members() if _is_number(node)}
    interval = {key: micro.number(node) for key, node in statistics["ConfidenceInterval"].members() if _is_number(node)}
    ranks = {key: micro.number(node) for key, node in statistics["Percentiles"].members() if _is_number(node)}
    yield from restate.equal("N", found.get("N"), "OriginalValues", len(values) or None)
    if values and all(map(math.isfinite, values)):
        formula = f"the {len(values)} OriginalValues"
        rows = (("Min", min(values)), ("Max", max(values)), ("Mean", math.fsum(values) / len(values)))
        for what, derived in (*rows, ("Median", median(values))):
            yield from restate.equal(what, found.get(what), formula, derived)
    for rank, key in (("P0", "Min"), ("P50", "Median"), ("P100", "Max")):
        yield from restate.equal(rank, ranks.get(rank), key, found.get(key))
    for key in ("N", "Mean", "StandardError"):
        yield from restate.equal(f"ConfidenceInterval.{key}", interval.get(key), key, found.get(key))
    yield from _derived(found)
    mean, margin = interval.get("Mean"), interval.get("Margin")
    if mean is not None and margin is not None:
        for key, edge in (("Lower", mean - margin), ("Upper", mean + margin)):
            yield from restate.equal(f"ConfidenceInterval.{key}", interval.get(key), "Mean and Margin", edge)


def _derived(found: Mapping[str, float | None]) -> Iterator[Restated]:
    n, spread, low, high = (found.get(key) for key in ("N", "StandardDeviation", "Q1", "Q3"))
    if n and spread is not None:
        formula = "StandardDeviation"
        yield from restate.equal("StandardError", found.get("StandardError"), formula, spread / math.sqrt(n))
        yield from restate.equal("Variance", found.get("Variance"), formula, spread * spread)
    if low is not None and high is not None:
        apart = high - low
        rows = (("InterquartileRange", apart), ("LowerFence", low - 1.5 * apart), ("UpperFence", high + 1.5 * apart))
        slack = 1e-9 * (abs(low) + abs(high)) + 1e-12
        for key, derived in rows:
            yield from restate.near(key, found.get(key), "Q1 and Q3", derived, slack)


def _is_number(node: Node) -> bool:
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)


class _Row:
    """One measurement: mode, stage, launch, operations, ns."""

    def __init__(self, node: Node) -> None:
        mode, stage = node["IterationMode"].text(), node["IterationStage"].text()
        if mode is None or stage is None:
            raise node.wrong("a measurement with IterationMode and IterationStage")
        self.mode, self.stage = mode, stage
        self.launch = node["LaunchIndex"].count() or 1
        self.operations = micro.operations(node["Operations"])
        found = micro.number(node["Nanoseconds"])
        if found is None:
            raise node["Nanoseconds"].wrong("a time")
        self.ns = found

    @property
    def per_operation_ns(self) -> float:
        return self.ns / self.operations


def _measured(base: Measurement, rows: list[_Row], statistics: Node) -> Measurement:
    actual = [row for row in rows if (row.mode, row.stage) == (_WORKLOAD, "Actual")]
    results = [row for row in rows if (row.mode, row.stage) == (_WORKLOAD, "Result")] or actual
    if not actual:
        return _summary_only(base, statistics)
    launches = sorted({row.launch for row in results})
    processes = [_process(launch, rows, results) for launch in launches]
    told = _printed(statistics) if results is not actual else None  # statistics are those of results
    full = micro.of_processes(base, processes, told)
    removed = len(actual) - len(results)
    runs = tuple(
        replace(run, duration_ns=round(sum(row.ns for row in actual if row.launch == launch)))
        for run, launch in zip(full.runs, launches, strict=True)
        if math.isfinite(sum(row.ns for row in actual))
    )
    return replace(
        full,
        duration_ns=micro.figure(sum(row.ns for row in actual)),
        operations=sum(row.operations for row in actual),
        latency=replace(full.latency, count=full.latency.count if not removed else None) if full.latency else None,
        controls=_controls(actual, rows),
        runs=runs or full.runs,
        caveats=(*full.caveats, _PERCENTILES, *_removed(removed, len(actual)), *_clamped(results)),
    )


def _process(launch: int, rows: list[_Row], results: list[_Row]) -> micro.Process:
    readings = tuple(micro.Reading(row.per_operation_ns, row.operations) for row in results if row.launch == launch)
    warm = [row.ns for row in rows if row.launch == launch and row.mode == _WORKLOAD and row.stage == "Warmup"]
    return micro.Process(readings, math.fsum(warm))


def _controls(actual: list[_Row], rows: list[_Row]) -> Controls | None:
    """What the loop costs with the operation and without it; the spread is half the central 95 % of the latter."""
    empty = sorted(row.per_operation_ns for row in rows if (row.mode, row.stage) == (_OVERHEAD, "Actual"))
    if not empty:
        return None
    edge = int(0.025 * len(empty))
    return Controls(
        operation_ns=median(row.per_operation_ns for row in actual),
        empty_ns=median(empty),
        empty_spread_ns=(empty[-1 - edge] - empty[edge]) / 2,
    )


def _summary_only(base: Measurement, statistics: Node) -> Measurement:
    """The brief report: values per operation without the operations behind them."""
    values = [value for node in statistics["OriginalValues"].elements() if (value := micro.number(node)) is not None]
    note = Caveat(
        "source.data", "no measurements in the file (a brief report): operations, time and control are absent"
    )
    caveats = (*base.caveats, _PERCENTILES, note)
    if not values:
        return replace(base, latency=_printed(statistics), caveats=caveats)
    process = micro.Process(tuple(micro.Reading(value) for value in values))
    full = micro.of_processes(base, [process], _printed(statistics))
    runs = tuple(replace(run, operations=None, duration_ns=None) for run in full.runs)
    return replace(full, operations=None, duration_ns=None, runs=runs, caveats=caveats)


def _printed(statistics: Node) -> Latency:
    mean, stdev, low, high, middle = (
        _figure(statistics[key]) for key in ("Mean", "StandardDeviation", "Min", "Max", "Median")
    )
    count = statistics["N"].count() or 0
    ranks = {key: _figure(statistics["Percentiles"][key]) for key in ("P25", "P67")}
    return Latency(
        minimum=low,
        mean=mean,
        maximum=high,
        stdev=stdev,
        percentiles=micro.quartiles(count, (25.0, ranks["P25"]), (50.0, middle), (67.0, ranks["P67"])),
        percentile_method="linear",
    )


def _figure(node: Node) -> Figure | None:
    return micro.figure(micro.number(node))


def _removed(removed: int, total: int) -> tuple[Caveat, ...]:
    if removed <= 0:
        return ()
    return (
        Caveat("source.outliers", f"{removed} of {total} iterations were removed as outliers before the statistics"),
    )


def _clamped(results: list[_Row]) -> tuple[Caveat, ...]:
    zeros = sum(row.ns == 0 for row in results)
    if not zeros:
        return ()
    text = f"{zeros} of {len(results)} results are exactly 0: the empty control took longer, and the rest was clamped"
    return (Caveat("source.clamped", text),)


def _caveats(host: Node) -> Iterator[Caveat]:
    if host["HasAttachedDebugger"].value is True:
        yield Caveat("source.debugger", "a debugger was attached: the times are those of code that it holds back")


def _clock(host: Node) -> ClockFacts | None:
    hertz, kind = host["ChronometerFrequency"]["Hertz"].number(), host["HardwareTimerKind"].text()
    if not hertz:
        return None
    return ClockFacts(name=kind if kind != "Unknown" else None, resolution_ns=1e9 / hertz)


def _environment(host: Node) -> Environment:
    logical, physical = host["LogicalCoreCount"].count(), host["PhysicalCoreCount"].count()
    configuration, debugger = host["Configuration"].text(), host["HasAttachedDebugger"].value
    debug = None if configuration is None else configuration.upper() == "DEBUG" or debugger is True
    return Environment(
        cpu_model=host["ProcessorName"].text(),
        cpu_count=logical,
        smt=logical > physical if logical and physical else None,
        system=host["OsVersion"].text(),
        architecture=host["Architecture"].text(),
        implementation=host["RuntimeVersion"].text(),
        virtualization=host["VirtualMachineHypervisor"]["Name"].text(),
        debug_build=debug,
        tool_version=host["BenchmarkDotNetVersion"].text(),
    )
