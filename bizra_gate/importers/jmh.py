"""JMH (github.com/openjdk/jmh), ``-rf json``: iterations in forks; one fork is one process.

Traps: ``scorePercentiles`` of thrpt and avgt are percentiles of a few iteration scores and not of operations, so they
are not read; only mode ``sample`` times operations. Scores that are no number are the strings "NaN" and "+INF". The
direction follows from the mode: ``ops/s`` is better when higher. The interval is Student's t at 99.9 % over pooled
iterations of all forks. How many operations an iteration had is not in the file; it follows from its length and score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import FormatError
from ..model import Caveat, Environment, Figure, Latency, Measurement, Restated, Run, Source
from ..stats import merge
from . import blind, micro, printed, restate
from .document import Node, parse
from .samples import Counts
from .stream import Stream

_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "hr": 3600e9, "day": 86400e9}
_BLIND = (
    blind.ENVIRONMENT,
    blind.CLOCK,
    "no empty control: a body that the compiler removed costs what the loop costs (control.empty)",
    "secondary metrics (profilers, auxiliary counters) are not read",
)
_SCORES = Caveat(
    "source.percentiles",
    "scorePercentiles are those of iteration scores, not of operations; mean and median are read, the tail is not",
)
_UNFORKED = Caveat(
    "source.forks", "forks = 0: it ran in JMH's own process, whose profile and heap are not the program's"
)


def sniff(head: bytes, name: str) -> bool:
    return b'"primaryMetric"' in head and b'"benchmark"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    results = list(parse(stream.document(), stream.name).elements())
    if not results:
        raise FormatError(f"{stream.name}: JMH wrote no result into it: nothing was measured")
    names = [_name(result) for result in results]
    for result, name in zip(results, names, strict=True):
        several = names.count(name) > 1
        yield _measurement(result, f"{name}:{result['mode'].text()}" if several else name, stream)


def _name(result: Node) -> str:
    name = result["benchmark"].text()
    if name is None:
        raise result["benchmark"].wrong("the name of a benchmark")
    parameters = [f"{key}={node.value}" for key, node in result["params"].members()]
    return f"{name}({', '.join(parameters)})" if parameters else name


@dataclass(frozen=True, slots=True)
class _Unit:
    """``us/op`` or ``ops/s``: ns of the unit of time, and which way up."""

    ns: float
    is_rate: bool

    def per_operation_ns(self, score: float, threads: int) -> float:
        """Time of one operation in its thread; a rate is that of all threads together."""
        if not self.is_rate:
            return score * self.ns
        return math.nan if not math.isfinite(score) or score == 0 else threads * self.ns / score


def _unit(node: Node) -> _Unit | None:
    """None where operations are not timed (``B/op`` and the like)."""
    left, _, right = (node.text() or "").partition("/")
    if left == "ops" and right in _NS:
        return _Unit(_NS[right], True)
    return _Unit(_NS[left], False) if right == "op" and left in _NS else None


def _measurement(result: Node, name: str, stream: Stream) -> Measurement:
    metric = result["primaryMetric"]
    unit, threads = _unit(metric["scoreUnit"]), result["threads"].count() or 1
    base = Measurement(
        source=Source("jmh", result["jmhVersion"].text(), "JSON", stream.name),
        name=name,
        loop="batch",
        threads=result["threads"].count(),
        warmup_ns=_warmup(result),
        environment=_environment(result),
        caveats=(_UNFORKED,) if result["forks"].count() == 0 else (),
        blind=_BLIND,
    )
    if unit is None:
        told = f"the score is in {metric['scoreUnit'].text()}, which is no unit of a metric here; it is not read"
        return replace(base, caveats=(*base.caveats, Caveat("source.unit", told)))
    if metric["rawDataHistogram"]:
        return _sampled(base, metric, unit, result)
    return _scored(base, metric, unit, threads, result)


def _scored(base: Measurement, metric: Node, unit: _Unit, threads: int, result: Node) -> Measurement:
    """Modes thrpt, avgt and ss: one score per iteration."""
    length = _iteration_ns(result, "measurement")
    score = micro.number(metric["score"])
    if score is None:
        raise metric["score"].wrong("a score")
    forks = [_fork(fork, unit, threads, length, result) for fork in metric["rawData"].elements()]
    processes = [fork for fork in forks if fork.readings]
    rate = micro.figure(score, 1e9 / unit.ns) if unit.is_rate else None
    told = replace(
        base,
        rate_achieved_per_s=rate,
        restated=tuple(_restated(metric, score)),
        caveats=(*base.caveats, _SCORES),
    )
    mean = micro.figure(unit.per_operation_ns(score, threads))
    if not processes:
        return replace(told, latency=Latency(mean=mean), duration_ns=_asked(result, length))
    full = micro.of_processes(told, processes, Latency(mean=None if unit.is_rate else mean))
    runs = tuple(replace(run, operations=None, duration_ns=_round(length, len(run.values), run)) for run in full.runs)
    measured = full.duration_ns if length is None else Figure(length * sum(len(run.values) for run in runs))
    return replace(full, operations=None, duration_ns=measured, runs=runs)


def _restated(metric: Node, score: float) -> Iterator[Restated]:
    """Score, extremes and the middle of the interval against the scores of the iterations, in the score's own unit."""
    raw = [micro.number(node) for fork in metric["rawData"].elements() for node in fork.elements()]
    scores = [value for value in raw if value is not None]
    if not scores or not all(map(math.isfinite, scores)) or not math.isfinite(score):
        return
    formula = f"the scores of {len(scores)} iterations"
    mean, edges = math.fsum(scores) / len(scores), metric["scorePercentiles"]
    rows = [("score", score, mean), ("scorePercentiles 0.0", micro.number(edges["0.0"]), min(scores))]
    rows.append(("scorePercentiles 100.0", micro.number(edges["100.0"]), max(scores)))
    ordered = sorted(scores)
    ranks = [(float(key), micro.number(node)) for key, node in edges.members() if key.replace(".", "", 1).isdecimal()]
    rows += [(f"scorePercentiles {p:g}", stated, _at(ordered, p)) for p, stated in ranks if 0 < p < 100]
    bounds = [micro.number(node) for node in metric["scoreConfidence"].elements()]
    if len(bounds) == 2 and bounds[0] is not None and bounds[1] is not None:
        rows.append(("the middle of scoreConfidence", (bounds[0] + bounds[1]) / 2, score))
        error, half = micro.number(metric["scoreError"]), (bounds[1] - bounds[0]) / 2
        if error is not None and math.isfinite(half):
            slack = 1e-9 * abs(score)
            yield from restate.near("scoreError", error, "half of scoreConfidence", half, slack)
    for what, stated, derived in rows:
        if stated is not None:
            yield from restate.between(what, Figure(stated), "", formula, derived, derived)


def _at(ordered: Sequence[float], p: float) -> float:
    """Percentile at place p·(n + 1)/100, interpolated between neighbours (Commons Math, `Percentile`)."""
    place = p * (len(ordered) + 1) / 100
    if place < 1:
        return ordered[0]
    if place >= len(ordered):
        return ordered[-1]
    below = math.floor(place)
    return ordered[below - 1] + (place - below) * (ordered[below] - ordered[below - 1])


def _round(length: float | None, iterations: int, run: Run) -> int | None:
    return run.duration_ns if length is None else round(length * iterations)


def _fork(fork: Node, unit: _Unit, threads: int, length: float | None, result: Node) -> micro.Process:
    readings = []
    for node in fork.elements():
        score = micro.number(node)
        if score is not None:
            value = unit.per_operation_ns(score, threads)
            known = length is not None and math.isfinite(value) and value > 0
            spanned = int(length / value) if known and length is not None else 1
            readings.append(micro.Reading(value, min(max(1, spanned), micro.MOST_OPERATIONS)))
    warmup = _warmup(result)
    return micro.Process(tuple(readings), None if warmup is None else warmup.value)


def _sampled(base: Measurement, metric: Node, unit: _Unit, result: Node) -> Measurement:
    """Mode sample: some of the operations, timed one by one; one histogram per iteration of each fork."""
    length, warmup = _iteration_ns(result, "measurement"), base.warmup_ns
    runs: list[Run] = []
    for index, fork in enumerate(metric["rawDataHistogram"].elements()):
        counts, iterations = Counts(), 0
        for iteration in fork.elements():
            iterations += 1
            for row in iteration.elements():
                pair = list(row.elements())
                if len(pair) != 2 or (value := pair[0].number()) is None or not (n := pair[1].count()):
                    raise row.wrong("a pair of value and count")
                counts.add(round(unit.per_operation_ns(value, 1)), n)
        if counts.n:
            runs.append(
                Run(
                    index,
                    duration_ns=None if length is None else round(length * iterations),
                    warmup_ns=None if warmup is None else round(warmup.value),
                    operations=counts.n,
                    service=counts.latency(quantum_ns=1.0, origin=None),
                )
            )
    if not runs:
        raise metric["rawDataHistogram"].wrong("at least one sample")
    note = Caveat("source.sampled", "JMH times a random part of the operations: the count is that of the sample")
    return merge.from_runs(replace(base, runs=tuple(runs), caveats=(*base.caveats, note)))


def _iteration_ns(result: Node, phase: str) -> float | None:
    """Length of one iteration; None for single shots, whose length is their own."""
    text = result[f"{phase}Time"].text()
    if result["mode"].text() == "ss" or text is None or text == "single-shot":
        return None
    return printed.figure(text, f"{result.where}: {phase}Time", _NS).value


def _warmup(result: Node) -> Figure | None:
    iterations, length = result["warmupIterations"].count(), _iteration_ns(result, "warmup")
    if iterations == 0:
        return Figure(0.0)
    return None if iterations is None or length is None else Figure(iterations * length)


def _asked(result: Node, length: float | None) -> Figure | None:
    iterations, forks = result["measurementIterations"].count(), result["forks"].count()
    return None if length is None or iterations is None else Figure(length * iterations * max(1, forks or 1))


def _environment(result: Node) -> Environment:
    machine = " ".join(text for key in ("vmName", "vmVersion") if (text := result[key].text()))
    flags = " ".join(str(node.value) for node in result["jvmArgs"].elements())
    return Environment(
        implementation=machine or None,
        tool_version=result["jmhVersion"].text(),
        packages={"jdk": version} if (version := result["jdkVersion"].text()) else {},
        flags={"jvmArgs": flags} if flags else {},
    )
