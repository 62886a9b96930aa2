"""hyperfine (github.com/sharkdp/hyperfine), ``--export-json``: whole commands, each run a process of its own.

Traps: the start-up time of the shell is taken off and the rest clamped at zero, so a time of exactly 0.0 is one below
what it can tell, not a fast command (it warns below 5 ms, the file does not); warm-up runs, ``--prepare`` and the
shell are not in the file; commands run one after the other, so drift of the machine looks like a difference; without
``exit_codes`` (older versions) failures go unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Beside, Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, micro, restate
from .document import Node, parse
from .stream import Stream

CALIBRATED_NS = 5e6
"""Below 5 ms the calibration of the shell is no longer small beside the command (hyperfine warns there)."""
MOST_CORES = 8192
"""Linux counts no more processors. How many there were is not in the file, and CPU time is that of all of them."""
SHELL_NS = 20e6
"""Taken off the wall time by itself, and off the CPU times by themselves; these are also counted in ticks of 10 ms."""
_BLIND = (
    blind.WARMUP,
    blind.ENVIRONMENT,
    blind.CLOCK,
    "the spread of the shell's start-up time, which was taken off, is not said (control.empty)",
)


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"results"', b'"command"', b'"mean"', b'"user"', b'"system"'))


def read(stream: Stream) -> Iterator[Measurement]:
    results = list(parse(stream.document(), stream.name)["results"].elements())
    if not results:
        raise FormatError(f"{stream.name}: hyperfine wrote no result into it: nothing was measured")
    for result in results:
        yield _measurement(result, stream)


def _measurement(result: Node, stream: Stream) -> Measurement:
    codes = list(result["exit_codes"].elements())
    outcomes, errors = _outcomes(codes)
    base = Measurement(
        source=Source("hyperfine", format="JSON", file=stream.name),
        name=_name(result),
        loop="batch",
        fresh_processes=True,
        operations_include_errors=True,
        errors=errors if codes else None,
        outcomes=outcomes if codes else None,
        outcomes_complete=bool(codes),
        restated=tuple(_restated(result)),
        beside=tuple(_cpu(result)),
        blind=_BLIND if codes else (*_BLIND, "exit codes are not in the file: failures go unseen (method.errors)"),
    )
    printed = _printed(result, bool(errors))
    times = [value * 1e9 for node in result["times"].elements() if (value := micro.number(node)) is not None]
    if not times:
        note = Caveat("source.data", "the single runs are not in the file: only their summary")
        return replace(base, latency=printed, caveats=(note,))
    if codes and len(codes) != len(times):
        raise result["exit_codes"].wrong(f"one code for each of the {len(times)} times (it has {len(codes)})")
    return replace(micro.of_operations(base, times, printed), caveats=tuple(_caveats(times)))


def _name(result: Node) -> str | None:
    """The command; a parametrised one names its values by itself."""
    return result["command"].text()


def _outcomes(codes: list[Node]) -> tuple[dict[str, int], dict[str, int]]:
    found = Counter("killed" if code.value is None else f"exit {code.value}" for code in codes)
    good = {label: n for label, n in found.items() if label == "exit 0"}
    return good, {label: n for label, n in found.items() if label != "exit 0"}


def _printed(result: Node, failed: bool) -> Latency:
    mean, stdev, low, high, median = (_ns(result[key]) for key in ("mean", "stddev", "min", "max", "median"))
    return Latency(
        minimum=low,
        mean=mean,
        maximum=high,
        stdev=stdev,
        percentiles=micro.quartiles(0, (50.0, median)),
        percentile_method="linear",
        includes_errors=failed,
    )


def _cpu(result: Node) -> Iterator[Beside]:
    """CPU times of the command and of what it started: means over the runs, cut off at zero each."""
    for name in ("user", "system"):
        mean = _ns(result[name])
        if mean is not None:
            yield Beside(name, "ns", Latency(mean=mean))


def _restated(result: Node) -> Iterator[Restated]:
    """All cores together work no longer than each of them could."""
    user, system, mean = (_ns(result[key]) for key in ("user", "system", "mean"))
    if user is not None and system is not None and mean is not None:
        used = Figure(user.value + system.value)
        most = MOST_CORES * max(0.0, mean.value) + SHELL_NS
        formula = f"the mean on {MOST_CORES:,} cores"
        yield from restate.between("user + system", used, "ns", formula, min(0.0, used.value), most)


def _ns(node: Node) -> Figure | None:
    return micro.figure(micro.number(node), 1e9)


def _caveats(times_ns: list[float]) -> Iterator[Caveat]:
    zeros = sum(time == 0 for time in times_ns)
    if zeros:
        text = (
            f"{zeros} of {len(times_ns)} times are exactly 0: the shell's start-up was taken off and the rest clamped"
        )
        yield Caveat("source.clamped", text)
    elif min(times_ns) < CALIBRATED_NS:
        text = "times below 5 ms: the shell's start-up, which hyperfine takes off, is as long and varies by itself"
        yield Caveat("source.shell", text)
