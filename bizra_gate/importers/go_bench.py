"""Go's ``testing`` benchmarks, the text of ``go test -bench`` (golang.org/design/14313-benchmark-format).

Traps: only means over N operations are printed, to four digits; ``-count`` repeats within one process; N differs from
line to line; a body whose result is not used is removed, and half a nanosecond is left of it; the suffix ``-8`` is
GOMAXPROCS, not a thread count, and cannot be told from a name that ends so; a failed benchmark has no line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..errors import FormatError
from ..model import Caveat, Environment, Figure, Latency, Measurement, Restated, Source
from . import blind, micro, printed, restate
from .cut import cut_caveats
from .stream import Stream

_LINE = re.compile(r"(Benchmark\S*)\s+(\d+)\s+(\S.*)")
_SNIFF = re.compile(rb"^Benchmark\S*[ \t]+\d+[ \t]+\S+ ns/op", re.M)
_CONFIGURATION = re.compile(r"([a-z][A-Za-z0-9_-]*): (.+)")
_FAILED = re.compile(r"--- FAIL: (Benchmark\S*)")
_BLIND = (
    blind.WARMUP,
    blind.CLOCK,
    "one process only: what the next one would show goes unseen (method.runs)",
    "no empty control: a body that the compiler removed costs what the loop costs (control.empty)",
    "B/op, allocs/op and units of the benchmark's own are not read",
)


def sniff(head: bytes, name: str) -> bool:
    return b" ns/op" in head and _SNIFF.search(head) is not None


@dataclass
class _Benchmark:
    """The lines of one benchmark, and the configuration that stood above the first of them."""

    name: str
    said: dict[str, str]
    readings: list[micro.Reading] = field(default_factory=list)
    digits: list[float] = field(default_factory=list)
    carried: list[tuple[Figure, Figure]] = field(default_factory=list)
    """(MB/s, ns/op) of lines that have both."""
    failed: bool = False


def read(stream: Stream) -> Iterator[Measurement]:
    found: dict[tuple[str, str], _Benchmark] = {}
    said: dict[str, str] = {}
    for number, line in enumerate(stream.text_lines(), 1):
        if match := _CONFIGURATION.fullmatch(line):
            said[match[1]] = match[2].strip()
        elif match := _FAILED.match(line.strip()):
            _benchmark(found, match[1], said).failed = True
        elif (match := _LINE.fullmatch(line.rstrip())) and "ns/op" in match[3]:
            _add(_benchmark(found, match[1], said), match[2], match[3], f"{stream.name}: line {number}")
    if not found:
        raise FormatError(f"{stream.name}: no line of a Go benchmark with ns/op: nothing was measured")
    names = [benchmark.name for benchmark in found.values()]
    for benchmark in found.values():
        ambiguous = names.count(benchmark.name) > 1 and "pkg" in benchmark.said
        name = f"{benchmark.said['pkg']}.{benchmark.name}" if ambiguous else benchmark.name
        yield _measurement(benchmark, name, stream)


def _benchmark(found: dict[tuple[str, str], _Benchmark], name: str, said: dict[str, str]) -> _Benchmark:
    return found.setdefault((said.get("pkg", ""), name), _Benchmark(name, dict(said)))


def _add(benchmark: _Benchmark, count: str, rest: str, where: str) -> None:
    """``2688235  130.2 ns/op  31463.78 MB/s``: values and their units by turns."""
    cells = rest.split()
    units = dict(zip(cells[1::2], cells[::2], strict=False))
    if "MB/s" in units:
        pair = (printed.number(units[unit], f"{where}: {unit}") for unit in ("MB/s", "ns/op"))
        benchmark.carried.append((next(pair), next(pair)))
    for value, unit in zip(cells[::2], cells[1::2], strict=False):
        if unit == "ns/op":
            figure = printed.number(value, f"{where}: ns/op")
            operations = printed.count(count, f"{where}: N")
            if not operations:
                raise printed.wrong(count, f"{where}: N", "a number of operations above zero")
            benchmark.readings.append(micro.Reading(figure.value, operations))
            benchmark.digits.append(figure.resolution)
            return
    raise printed.wrong(rest, where, "a time in ns/op")


def _measurement(benchmark: _Benchmark, name: str, stream: Stream) -> Measurement:
    base = Measurement(
        source=Source("go-bench", format="text", file=stream.name),
        name=name,
        loop="batch",
        environment=_environment(benchmark.said),
        restated=tuple(_restated(benchmark.carried)),
        blind=_BLIND,
        caveats=cut_caveats(stream),
    )
    if benchmark.failed:
        note = Caveat("source.error", "the benchmark failed (--- FAIL)")
        base = replace(base, errors={"error": 1}, caveats=(*base.caveats, note))
    if not benchmark.readings:
        return base
    full = micro.of_processes(base, [micro.Process(tuple(benchmark.readings))])
    return replace(full, latency=None if full.latency is None else _rounded(full.latency, max(benchmark.digits)))


def _restated(carried: list[tuple[Figure, Figure]]) -> Iterator[Restated]:
    """An operation carries the same bytes in every line (SetBytes), so MB/s times ns/op is one number."""
    if len(carried) < 2:
        return
    by_size = sorted(carried, key=lambda pair: pair[0].value * pair[1].value)
    speed, time = by_size[len(by_size) // 2]
    for stated, own in carried:
        formula = f"the bytes of the other lines over {own.value:g} ns/op"
        yield from restate.quotient("MB/s", stated, "", formula, [speed, time], [own])


def _rounded(latency: Latency, digit: float) -> Latency:
    """Mean and median are known to the last digit of what they were made from."""
    mean = None if latency.mean is None else Figure(latency.mean.value, digit)
    return replace(
        latency, mean=mean, percentiles=tuple((p, Figure(figure.value, digit)) for p, figure in latency.percentiles)
    )


def _environment(said: dict[str, str]) -> Environment:
    flags = {key: value for key, value in said.items() if key not in ("goos", "goarch", "cpu", "pkg", "note")}
    return Environment(cpu_model=said.get("cpu"), system=said.get("goos"), architecture=said.get("goarch"), flags=flags)
