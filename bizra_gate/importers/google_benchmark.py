"""Google Benchmark (github.com/google/benchmark), ``--benchmark_format=json``: repetitions in one process.

Traps: the file is no strict JSON (bare NaN and Infinity); rows of ``run_type`` aggregate are no samples; an error
leaves a row with a time of 0; with several threads ``iterations`` counts those of all, while ``real_time`` is per
iteration of one thread from 1.9.0 on and divided by the threads before; nothing is taken off for the loop itself, and a
body whose result is not used is removed without a word; ``cv`` is a fraction in a column of times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median

from ..errors import FormatError
from ..model import Caveat, Environment, Figure, Latency, Measurement, Restated, Source
from . import blind, failure, micro, printed, restate
from .document import Node, parse
from .stream import Stream

WALL_TIME_SINCE = (1, 9, 0)
"""From this version on real_time is the wall time of one thread's iteration."""
_UNITS = ("ns", "us", "ms", "s")
_OWN = {
    "name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions", "repetition_index",
    "threads", "iterations", "real_time", "cpu_time", "time_unit", "label", "error_occurred", "error_message",
    "skipped", "skip_message", "aggregate_name", "aggregate_unit", "big_o", "rms", "cpu_coefficient",
    "real_coefficient",
}  # fmt: skip
"""Members of a row that are no counters of the user's."""
TICK_NS = 16e6
"""The coarsest clock of CPU time, that of Windows."""
CPU_OVER_WALL = 1.02
"""Wall and CPU time are read one after the other, so one thread may seem busy for a little more than there was time."""
_OWN_TIMES = ("/process_time", "/manual_time")
"""In the name of a benchmark whose CPU time is that of several threads, or whose time is its own."""
_AGGREGATES = {"mean": "mean", "median": "p50", "stddev": "stdev"}
_BLIND = (
    blind.WARMUP,
    blind.CLOCK,
    "no empty control: what the loop itself costs is in each value (control.empty)",
    "one process only: what the next one would show goes unseen (method.runs)",
)


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"context"', b'"benchmarks"')) and (
        b'"real_time"' in head or b'"library_build_type"' in head
    )


def read(stream: Stream) -> Iterator[Measurement]:
    document = parse(stream.document(), stream.name)
    families = _families(document)
    if not families:
        raise FormatError(f"{stream.name}: Google Benchmark wrote no benchmark into it: nothing was measured")
    skipped = [name for name, rows in families.items() if all(row["skipped"].value is True for row in rows)]
    if len(skipped) == len(families):
        raise FormatError(f"{stream.name}: every benchmark was skipped: nothing was measured")
    environment = _environment(document["context"])
    for name, rows in families.items():
        if name not in skipped:
            measured = _measurement(name, rows, document["context"], stream)
            yield replace(measured, environment=environment, caveats=(*measured.caveats, *_skipped(skipped)))


def _families(document: Node) -> dict[str, list[Node]]:
    """Rows by the name of their run, in the order of the file; aggregates among them."""
    families: dict[str, list[Node]] = {}
    for row in document["benchmarks"].elements():
        name = row["run_name"].text() or row["name"].text()
        if name is None:
            raise row.wrong("a row with a name")
        families.setdefault(name, []).append(row)
    return families


def _skipped(names: list[str]) -> tuple[Caveat, ...]:
    if not names:
        return ()
    return (Caveat("source.skipped", f"skipped by their own program, and in no figure: {', '.join(names)}"),)


def _measurement(name: str, rows: list[Node], context: Node, stream: Stream) -> Measurement:
    samples = [row for row in rows if row["run_type"].text() in (None, "iteration") and not row["skipped"].value]
    failed = [row for row in samples if row["error_occurred"].value is True]
    good = [row for row in samples if row["error_occurred"].value is not True]
    base = Measurement(
        source=Source("google-benchmark", context["library_version"].text(), "JSON", stream.name),
        name=name,
        loop="batch",
        threads=rows[0]["threads"].count(),
        errors=_errors(failed) if failed else None,
        started_at=context["date"].text(),
        caveats=(*_failures(failed), *_counters(good)),
        blind=_BLIND,
    )
    if good:
        aggregates = {row["aggregate_name"].text(): row for row in rows if row["run_type"].text() == "aggregate"}
        base = replace(base, restated=tuple(_of_aggregates(aggregates, good)))
        return _timed(base, good, _printed(aggregates), context)
    if failed:
        return base
    note = Caveat("source.data", "only aggregates are in the file (--benchmark_report_aggregates_only)")
    aggregates = {row["aggregate_name"].text(): row for row in rows}
    return replace(base, latency=_printed(aggregates), caveats=(*base.caveats, note))


def _timed(base: Measurement, rows: list[Node], figures: Latency, context: Node) -> Measurement:
    readings = tuple(micro.Reading(_ns(row, "real_time"), micro.operations(row["iterations"])) for row in rows)
    told = replace(base, restated=(*base.restated, *_restated(base, rows)))
    full = micro.of_processes(told, [micro.Process(readings)], figures)
    lanes = base.threads or 1
    if lanes == 1 or full.duration_ns is None or not _is_wall(context["library_version"].text()):
        return full
    wall = full.duration_ns.value / lanes
    runs = tuple(replace(run, duration_ns=round(wall) if math.isfinite(wall) else None) for run in full.runs)
    return replace(full, duration_ns=Figure(wall), runs=runs)


def _restated(base: Measurement, rows: list[Node]) -> Iterator[Restated]:
    """One thread cannot have used more CPU time than there was time."""
    if base.threads not in (None, 1) or any(mark in (base.name or "") for mark in _OWN_TIMES):
        return
    for row in rows:
        wall, cpu = _ns(row, "real_time"), row["cpu_time"].number()
        if cpu is not None and math.isfinite(wall):
            most = wall * CPU_OVER_WALL + TICK_NS / micro.operations(row["iterations"])
            busy = Figure(_ns(row, "cpu_time"))
            yield from restate.between("cpu_time", busy, "ns", "real_time of one thread", 0.0, most)


def _of_aggregates(aggregates: Mapping[str | None, Node], rows: list[Node]) -> Iterator[Restated]:
    """``cv`` is the deviation over the mean; mean and median of the CPU time are those of its repetitions."""
    cv, mean, spread = (aggregates.get(name) for name in ("cv", "mean", "stddev"))
    relative = cv is not None and cv["aggregate_unit"].text() == "percentage"
    for key in ("real_time", "cpu_time") if relative else ():
        if cv is not None and mean is not None and spread is not None and (middle := micro.number(mean[key])):
            share = (micro.number(spread[key]) or 0.0) / middle
            yield from restate.equal(f"cv of {key}", micro.number(cv[key]), "stddev over mean", share)
    times = [micro.number(row["cpu_time"]) for row in rows]
    values = [time for time in times if time is not None and math.isfinite(time)]
    even = len({row["iterations"].count() for row in rows}) == 1 and len({row["time_unit"].text() for row in rows}) == 1
    if not even or len(values) != len(rows):
        return
    for name, derived in (("mean", math.fsum(values) / len(values)), ("median", median(values))):
        if name in aggregates and aggregates[name]["time_unit"].text() == rows[0]["time_unit"].text():
            stated = micro.number(aggregates[name]["cpu_time"])
            yield from restate.equal(f"{name} of cpu_time", stated, f"its {len(values)} repetitions", derived)


def _is_wall(version: str | None) -> bool:
    parts = re.findall(r"\d+", (version or "").partition("-")[0])
    return tuple(int(part) for part in parts[:3]) >= WALL_TIME_SINCE


def _printed(aggregates: Mapping[str | None, Node]) -> Latency:
    found: dict[str, Figure | None] = {}
    for name, row in aggregates.items():
        if name in _AGGREGATES and row["aggregate_unit"].text() in (None, "time"):
            found[_AGGREGATES[name]] = micro.figure(_ns(row, "real_time"))
    return Latency(
        mean=found.get("mean"),
        stdev=found.get("stdev"),
        percentiles=micro.quartiles(0, (50.0, found.get("p50"))),
        percentile_method="linear",
    )


def _ns(row: Node, key: str) -> float:
    unit = row["time_unit"].text()
    if unit not in _UNITS:
        raise row["time_unit"].wrong("ns, us, ms or s")
    found = micro.number(row[key])
    if found is None:
        raise row[key].wrong("a time")
    return found * printed.NS[unit]


def _errors(failed: list[Node]) -> dict[str, int]:
    kinds = [failure.classify(row["error_message"].text() or "") for row in failed]
    return {kind: kinds.count(kind) for kind in kinds}


def _failures(failed: list[Node]) -> Iterator[Caveat]:
    for row in failed[:1]:
        told = row["error_message"].text() or "no message"
        yield Caveat(
            "source.error", f"{len(failed)} repetitions ended in an error ({told}); their time of 0 is not read"
        )


def _counters(rows: list[Node]) -> Iterator[Caveat]:
    """Counters of the user's are no metric here; one that is no number is told, for 0 / 0 is not 0."""
    broken = sorted(
        {key for row in rows for key, member in row.members() if key not in _OWN and _is_broken(member.value)}
    )
    for key in broken:
        yield Caveat(
            "source.counter", f"the counter {key} is not a finite number: it has no value, and not the value 0"
        )


def _is_broken(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _environment(context: Node) -> Environment:
    megahertz, build = context["mhz_per_cpu"].number(), context["library_build_type"].text()
    load = next(context["load_avg"].elements(), Node(None, context.where)).number()
    scaling = context["cpu_scaling_enabled"].value
    return Environment(
        cpu_count=context["num_cpus"].count(),
        cpu_hz=megahertz * 1e6 if megahertz else None,
        aslr=context["aslr_enabled"].value if isinstance(context["aslr_enabled"].value, bool) else None,
        load_average=load,
        debug_build=None if build is None else build.lower() == "debug",
        tool_version=context["library_version"].text(),
        flags={"cpu_scaling": "enabled" if scaling else "disabled"} if isinstance(scaling, bool) else {},
    )
