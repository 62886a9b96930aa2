"""pyperf (github.com/psf/pyperf), JSON, also gzipped: one run is one process, its values are seconds per iteration.

Traps: a value is already divided by ``loops`` and ``inner_loops``, so the raw reading is the product of the three; runs
without values only calibrated; warm-up values of files before version 1.0 are not divided; ``pyperf check`` looks
neither at the clock nor at the measured time; ``compare_to`` pools the values of all processes, which on ten forks of
one program calls 39 % of equal pairs different.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import FormatError
from ..model import Caveat, ClockFacts, Environment, Measurement, Run, Source
from . import micro, printed
from .document import Node, parse
from .stream import Stream

_VERSIONS = {"1.0": (1, 0), "6": (0, 8, 3), "5": (0, 8, 2)}
_TIMER = re.compile(r"(?P<name>.+?)(?:, resolution: (?P<resolution>[\d.]+ ?\w+))?")
_GOVERNOR = re.compile(r"governor:(\w+)")
_UNEVEN = "the number of loops was calibrated anew for some processes; the smallest is held against the clock"
_BLIND = (
    "the generator's scheduling lag and competing load are not recorded beyond a load average (environment.noise)",
    "no empty control: what the loop itself costs is in each value (control.empty)",
    "values are means over many loops: slow single operations go unseen (latency percentiles)",
)


def sniff(head: bytes, name: str) -> bool:
    if not all(key in head for key in (b'"benchmarks"', b'"runs"', b'"metadata"')):
        return False
    return any(key in head for key in (b'"warmups"', b'"values"', b'"samples"')) and b'"machine_info"' not in head


def read(stream: Stream) -> Iterator[Measurement]:
    document = parse(stream.document(), stream.name)
    version = _VERSIONS.get(str(document["version"].value))
    if version is None:
        raise document["version"].wrong("a version of pyperf's format: 1.0, 6 or 5")
    common = {**_table(document["common_metadata"]), **_table(document["metadata"])}
    benchmarks = list(document["benchmarks"].elements())
    if not benchmarks:
        raise FormatError(f"{stream.name}: pyperf wrote no benchmark into it: nothing was measured")
    for benchmark in benchmarks:
        own = {**_table(benchmark["common_metadata"]), **_table(benchmark["metadata"])}
        yield _measurement(benchmark, {**common, **own}, version, stream)


def _table(node: Node) -> dict[str, Any]:
    return {key: member.value for key, member in node.members()}


def _measurement(benchmark: Node, common: Mapping[str, Any], version: tuple[int, ...], stream: Stream) -> Measurement:
    counted = [run for run in benchmark["runs"].elements() if _values(run, version).value]
    name = common.get("name")
    if not counted:
        raise FormatError(f"{benchmark.where}: {name or 'the benchmark'} was calibrated but not measured")
    base = Measurement(
        source=Source("pyperf", _text(common, "perf_version"), "JSON", stream.name),
        name=name if isinstance(name, str) else None,
        loop="batch",
        clock=_clock(common, benchmark.where),
        environment=_environment(common),
        blind=_BLIND,
    )
    unit = common.get("unit", "second")
    if unit != "second":
        return _not_times(base, unit, counted, version)
    processes = [_process(run, common, version) for run in counted]
    full = micro.of_processes(base, processes)
    if measured_by := _text(common, "measured_by"):
        full = _with_caveat(full, "source.converted", f"measured by {measured_by}; this is an export of it")
    loops = {reading.operations for process in processes for reading in process.readings}
    return full if len(loops) == 1 else _with_caveat(full, "source.loops", _UNEVEN)


def _with_caveat(measurement: Measurement, code: str, message: str) -> Measurement:
    return replace(measurement, caveats=(*measurement.caveats, Caveat(code, message)))


def _values(run: Node, version: tuple[int, ...]) -> Node:
    return run["values"] if version >= (0, 8, 3) else run["samples"]


def _process(run: Node, common: Mapping[str, Any], version: tuple[int, ...]) -> micro.Process:
    said = {**common, **_table(run["metadata"])}
    inner = micro.operations(Node(said.get("inner_loops", 1), f"{run.where}.metadata.inner_loops"))
    loops = micro.operations(Node(said.get("loops", 1), f"{run.where}.metadata.loops")) * inner
    readings = [
        micro.Reading(value * 1e9, loops)
        for node in _values(run, version).elements()
        if (value := micro.number(node)) is not None
    ]
    peak = Node(said.get("mem_max_rss"), f"{run.where}.metadata.mem_max_rss").count()
    converted = not run["warmups"] and "measured_by" in said
    warmup = None if converted else _warmup_ns(run, inner, version)
    return micro.Process(tuple(readings), warmup, peak, _text(said, "date"))


def _warmup_ns(run: Node, inner: int, version: tuple[int, ...]) -> float:
    """Σ of the raw warm-up readings; none in the file means that none were taken."""
    total = 0.0
    for row in run["warmups"].elements():
        pair = list(row.elements())
        if len(pair) != 2:
            raise row.wrong("a pair of loops and seconds")
        loops, seconds = micro.operations(pair[0]), pair[1].number() or 0.0
        total += seconds * 1e9 * (loops * inner if version >= (1, 0) else 1)
    return total


def _not_times(base: Measurement, unit: object, counted: list[Node], version: tuple[int, ...]) -> Measurement:
    """Benchmarks of memory keep their peaks; other units are told, for no metric here has them."""
    values = [[micro.number(node) for node in _values(run, version).elements()] for run in counted]
    known = [[value for value in row if value is not None] for row in values]
    if unit == "byte":
        runs = tuple(Run(i, peak_memory_bytes=round(max(row))) for i, row in enumerate(known) if row)
        return replace(base, runs=runs, higher_is_better=False)
    message = f"values are in {unit}, which is no unit of a metric here; they are not read"
    return _with_caveat(base, "source.unit", message)


def _clock(said: Mapping[str, Any], where: str) -> ClockFacts | None:
    match = _TIMER.fullmatch(_text(said, "timer") or "")
    if match is None:
        return None
    step = match["resolution"]
    return ClockFacts(match["name"], None if step is None else printed.duration(step, f"{where}: timer").value)


def _environment(said: Mapping[str, Any]) -> Environment:
    config, aslr = _text(said, "cpu_config") or "", _text(said, "aslr")
    governor, arguments = _GOVERNOR.search(config), _text(said, "python_config_args")
    count, load = said.get("cpu_count"), said.get("load_avg_1min")
    return Environment(
        cpu_model=_text(said, "cpu_model_name"),
        cpu_count=count if isinstance(count, int) else None,
        system=_text(said, "platform"),
        python=_text(said, "python_version"),
        implementation=_text(said, "python_implementation"),
        governor=governor[1] if governor else None,
        turbo=False if "no turbo" in config else (True if "turbo" in config else None),
        aslr=None if aslr is None else not aslr.lower().startswith("no "),
        load_average=float(load) if isinstance(load, int | float) else None,
        debug_build=None if arguments is None else "--with-pydebug" in arguments,
        tool_version=_text(said, "perf_version"),
        flags={key: text for key in ("cpu_affinity", "python_cflags") if (text := _text(said, key)) is not None},
    )


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) else None
