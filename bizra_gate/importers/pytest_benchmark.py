"""pytest-benchmark (github.com/ionelmc/pytest-benchmark), ``--benchmark-json``: rounds of iterations in one process.

Traps: values are seconds per iteration, ``total`` is their sum and so ``iterations`` times too small for the measured
time; ``ops`` is 0 where the total is 0, without a word; five rounds are enough for it, and there is no warm-up unless
asked for; ``hd15iqr`` is the first value beyond the fence, not the last within; saved files lack ``data`` by default.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from ..errors import FormatError
from ..model import Caveat, ClockFacts, Environment, Figure, Latency, Measurement, Restated, Source
from . import micro, restate
from .document import Node, parse
from .stream import Stream

_BLIND = (
    "whether there was a warm-up is not said: pedantic mode has one that is not among the options (method.warmup)",
    "one process only: what the next one would show goes unseen (method.runs)",
    "the clock is named but not described (clock.resolution, clock.overhead)",
    "whether the result was used, or a coroutine never awaited, is not said (control.result, control.empty)",
)


def sniff(head: bytes, name: str) -> bool:
    return b'"machine_info"' in head and b'"benchmarks"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    document = parse(stream.document(), stream.name)
    benchmarks = list(document["benchmarks"].elements())
    if not benchmarks:
        raise FormatError(f"{stream.name}: pytest-benchmark wrote no benchmark into it: nothing was measured")
    for benchmark in benchmarks:
        yield _measurement(benchmark, document, stream)


def _measurement(benchmark: Node, document: Node, stream: Stream) -> Measurement:
    stats, options = benchmark["stats"], benchmark["options"]
    iterations = micro.operations(stats["iterations"])
    rounds = micro.operations(stats["rounds"])
    timer = options["timer"].text()
    base = Measurement(
        source=Source("pytest-benchmark", document["version"].text(), "JSON", stream.name),
        name=benchmark["fullname"].text() or benchmark["name"].text(),
        loop="batch",
        rate_achieved_per_s=stats["ops"].figure() if stats["total"].number() else None,
        clock=ClockFacts(name=timer) if timer else None,
        restated=tuple(_restated(stats, rounds)),
        environment=_environment(document["machine_info"], document["version"].text()),
        finished_at=_with_zone(document["datetime"].text()),
        blind=_BLIND,
    )
    values = [value * 1e9 for node in stats["data"].elements() if (value := micro.number(node)) is not None]
    if not values:
        return _without_data(base, stats, rounds, iterations)
    if len(values) != rounds:
        raise stats["data"].wrong(f"one value for each of the {rounds} rounds (it has {len(values)})")
    if iterations == 1:
        return micro.of_operations(base, values, _printed(stats, rounds))
    readings = tuple(micro.Reading(value, iterations) for value in values)
    return micro.of_processes(base, [micro.Process(readings)], _printed(stats, rounds))


def _without_data(base: Measurement, stats: Node, rounds: int, iterations: int) -> Measurement:
    total = micro.number(stats["total"])
    return replace(
        base,
        operations=rounds * iterations,
        duration_ns=micro.figure(total, iterations * 1e9),
        latency=replace(_printed(stats, rounds), count=rounds, batch=iterations),
        caveats=(
            Caveat("source.data", "the single rounds were not saved (--benchmark-save-data): only their summary"),
        ),
    )


def _restated(stats: Node, rounds: int) -> Iterator[Restated]:
    """``total`` is the sum of the rounds, ``ops`` the rounds over it, ``iqr`` what lies between the quartiles."""
    total, mean, one = _ns(stats["total"]), _ns(stats["mean"]), Figure(1.0)
    yield from restate.quotient("total", total, "ns", "mean times rounds", [mean, Figure(float(rounds))], [one])
    if mean is not None:
        yield from restate.quotient("ops", micro.figure(micro.number(stats["ops"])), "1/s", "1 over mean",
                                    [one], [Figure(mean.value / 1e9)])  # fmt: skip
    yield from _of_data(stats)
    low, high = _ns(stats["q1"]), _ns(stats["q3"])
    if low is not None and high is not None:
        apart = high.value - low.value
        yield from restate.between("iqr", _ns(stats["iqr"]), "ns", "q3 - q1", apart - 1e-3, apart + 1e-3)


def _of_data(stats: Node) -> Iterator[Restated]:
    """Sum and outliers from the rounds, where these were saved; a round at the very fence may count or not."""
    values = [value for node in stats["data"].elements() if (value := micro.number(node)) is not None]
    low, high, mean, spread = (micro.number(stats[key]) for key in ("q1", "q3", "mean", "stddev"))
    if not values or not all(map(math.isfinite, values)):
        return
    yield from restate.equal("total", micro.number(stats["total"]), "the sum of the rounds", math.fsum(values))
    fences = {}
    if low is not None and high is not None:
        fences["iqr_outliers"] = low - 1.5 * (high - low), high + 1.5 * (high - low)
    if mean is not None and spread is not None:
        fences["stddev_outliers"] = mean - spread, mean + spread
    for key, (below, above) in fences.items():
        slack = 1e-9 * (abs(below) + abs(above))
        least = sum(value < below - slack or value > above + slack for value in values)
        most = sum(value < below + slack or value > above - slack for value in values)
        stated = stats[key].figure()
        yield from restate.between(key, stated, "", "the rounds beyond the fences", float(least), float(most))


def _printed(stats: Node, rounds: int) -> Latency:
    """Figures per iteration; median and quartiles are those of rounds."""
    mean, stdev, low, high, median = (_ns(stats[key]) for key in ("mean", "stddev", "min", "max", "median"))
    percentiles = micro.quartiles(rounds, (25.0, _ns(stats["q1"])), (50.0, median), (75.0, _ns(stats["q3"])))
    return Latency(minimum=low, mean=mean, maximum=high, stdev=stdev, percentiles=percentiles,
                   percentile_method="linear")  # fmt: skip


def _ns(node: Node) -> Figure | None:
    return micro.figure(micro.number(node), 1e9)


def _environment(info: Node, version: str | None) -> Environment:
    cpu = info["cpu"]
    hertz = next(cpu["hz_advertised"].elements(), Node(None, cpu.where)).number()
    return Environment(
        cpu_model=cpu["brand_raw"].text() or cpu["brand"].text() or info["processor"].text() or None,
        cpu_count=cpu["count"].count(),
        cpu_hz=hertz or None,
        system=info["system"].text(),
        kernel=info["release"].text(),
        architecture=info["machine"].text(),
        python=info["python_version"].text(),
        implementation=info["python_implementation"].text(),
        tool_version=version,
    )


def _with_zone(text: str | None) -> str | None:
    """A stamp that says its zone; without one nobody knows when it was."""
    try:
        return text if text and datetime.fromisoformat(text).tzinfo is not None else None
    except ValueError:
        return None
