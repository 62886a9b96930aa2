"""Criterion.rs (github.com/bheisler/criterion.rs): ``sample.json`` with benchmark.json and estimates.json beside it.

Traps: times are of whole samples, so a time per iteration is ``times[i] / iters[i]``; with linear sampling the samples
differ in length a hundredfold; the headline is a slope where sampling was linear and a mean where it was flat; an
estimate alone has neither counts nor durations; warm-up and measurement time are not in the files; a verdict never
fails a build, and its direction does not know of throughput.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, micro, restate
from .document import Node, parse
from .stream import Stream

_BLIND = (
    blind.WARMUP,
    blind.ENVIRONMENT,
    blind.CLOCK,
    "one process only: what the next one would show goes unseen (method.runs)",
    "no empty control: a closure that the compiler removed costs what the loop costs (control.empty)",
)
_KEYS = {"Mean": "mean", "Median": "median", "StdDev": "std_dev"}
"""Before version 0.4 the estimates were capitalised."""


def sniff(head: bytes, name: str) -> bool:
    return _is_sample(head, name) or _is_estimates(head)


def _is_sample(head: bytes, name: str) -> bool:
    start = head.lstrip()[:40]
    if b'"sampling_mode"' in start or (start.startswith(b'{"iters"') and b'"times"' in head):
        return True
    return name.endswith("sample.json") and start.startswith(b"[[")


def _is_estimates(head: bytes) -> bool:
    lowered = head.lower()
    return b'"confidence_interval"' in lowered and b'"point_estimate"' in lowered and b'"standard_error"' in lowered


def read(stream: Stream) -> Iterator[Measurement]:
    node = parse(stream.document(), stream.name)
    if isinstance(node.value, dict) and not node["times"]:
        yield _of_estimates(node, stream)
        return
    yield _of_samples(node, stream)


def _of_samples(node: Node, stream: Stream) -> Measurement:
    iterations, times = _columns(node)
    readings = tuple(
        micro.Reading(time / n, n) for time, n in zip(times, (micro.operations(n) for n in iterations), strict=True)
    )
    estimates = _companion(stream, "sample.json", "estimates.json")
    figures = _printed(estimates) if estimates is not None else Latency()
    again = tuple(_restated(estimates)) if estimates is not None else ()
    base = replace(_base(stream, "sample.json"), restated=again, caveats=tuple(_caveats(node, times)))
    return micro.of_processes(base, [micro.Process(readings)], figures)


def _restated(estimates: Node) -> Iterator[Restated]:
    """The bounds of each interval are in order; those of mean, median and slope have the estimate between them.

    A resample has its mean below that of the sample about every other time, so that 2.5 % of them cannot be above it;
    for a deviation that rests on one outlier this does not hold.
    """
    for key, node in estimates.members():
        name = _KEYS.get(key, key.lower())
        if node.value is None:
            continue
        bounds = node["confidence_interval"]
        low, high = (micro.figure(micro.number(bounds[f"{end}_bound"])) for end in ("lower", "upper"))
        point = _point(node) if name in ("mean", "median", "slope") else None
        row = [("lower_bound", low), ("point_estimate", point), ("upper_bound", high)]
        yield from restate.ascending(name, row, "ns")


def _columns(node: Node) -> tuple[list[Node], list[float]]:
    """(iterations, ns) of each sample; before version 0.4 they were two bare arrays."""
    if isinstance(node.value, list):
        parts = list(node.elements())
        if len(parts) != 2:
            raise node.wrong("two arrays, iterations and times")
        first, second = parts
    else:
        first, second = node["iters"], node["times"]
    iterations = list(first.elements())
    times = [value for item in second.elements() if (value := micro.number(item)) is not None]
    if not times or len(times) != len(iterations):
        raise FormatError(
            f"{node.where}: got {len(iterations)} iteration counts and {len(times)} times; expected as many of each"
        )
    return iterations, times


def _caveats(node: Node, times: list[float]) -> Iterator[Caveat]:
    if isinstance(node.value, dict) and node["sampling_mode"].text() == "Linear":
        yield Caveat(
            "source.sampling",
            "samples grow in length (linear sampling): values weigh alike here, Criterion's slope weighs the long ones",
        )
    if any(time == 0 for time in times):
        yield Caveat("source.zero", "some samples took no time at all: the clock did not move, or nothing ran")


def _of_estimates(node: Node, stream: Stream) -> Measurement:
    note = Caveat("source.data", "estimates alone: neither counts nor durations stand behind them; audit sample.json")
    return replace(
        _base(stream, "estimates.json"), latency=_printed(node), restated=tuple(_restated(node)), caveats=(note,)
    )


def _base(stream: Stream, own: str) -> Measurement:
    about = _companion(stream, own, "benchmark.json")
    return Measurement(
        source=Source("criterion", format=own, file=stream.name),
        name=None if about is None else about["full_id"].text() or about["title"].text(),
        loop="batch",
        blind=_BLIND,
    )


def _companion(stream: Stream, own: str, other: str) -> Node | None:
    """The file that lies beside this one under the same prefix, where there is one."""
    if stream.beside is None or not stream.name.endswith(own):
        return None
    name = stream.name.removesuffix(own) + other
    data = stream.beside(name)
    return None if data is None else parse(data, name)


def _printed(estimates: Node) -> Latency:
    said = {_KEYS.get(key, key): node for key, node in estimates.members()}
    mean, middle, stdev = (_point(said.get(key)) for key in ("mean", "median", "std_dev"))
    if mean is None and middle is None:
        raise estimates.wrong("estimates with a mean or a median")
    return Latency(mean=mean, stdev=stdev, percentiles=micro.quartiles(0, (50.0, middle)), percentile_method="linear")


def _point(estimate: Node | None) -> Figure | None:
    return None if estimate is None else micro.figure(micro.number(estimate["point_estimate"]))
