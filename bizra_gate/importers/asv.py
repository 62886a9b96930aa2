"""airspeed velocity (github.com/airspeed-velocity/asv), ``results/<machine>/<commit>-<env>.json``, version 2.

Traps: the row of a benchmark may end early, and its columns are named once for all; a result of null failed, NaN was
skipped; lists run over the product of all parameters, the last one fastest; statistics are rounded to five digits;
samples are there only with ``--record-samples``, and those of several processes stand in one list; ``time_`` is in
seconds, ``mem_`` and ``peakmem_`` in bytes, and the unit of a ``track_`` is in another file (benchmarks.json).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Environment, Figure, Latency, Measurement, Run, Source
from . import blind, micro, restate
from .document import Node, parse
from .instants import as_rfc3339
from .stream import Stream

_TIMED, _BYTES = ("time_", "timeraw_"), ("mem_", "peakmem_")
_BLIND = (
    blind.WARMUP,
    blind.CLOCK,
    "how the samples fall into processes is not said (method.runs)",
    "no empty control: what the loop itself costs is in each value (control.empty)",
)


def sniff(head: bytes, name: str) -> bool:
    return b'"commit_hash"' in head and b'"env_name"' in head and b'"results"' in head


def read(stream: Stream) -> Iterator[Measurement]:
    document = parse(stream.document(), stream.name)
    if document["version"].value != 2:
        raise document["version"].wrong("version 2 of asv's results (asv 0.5 and later)")
    columns = [node.text() or "" for node in document["result_columns"].elements()]
    rows = list(document["results"].members())
    if not rows:
        raise FormatError(f"{stream.name}: asv wrote no result into it: nothing was measured")
    environment = _environment(document)
    for name, row in rows:
        cells = dict(zip(columns, row.elements(), strict=False))
        for measurement in _combinations(name, cells, stream):
            yield replace(measurement, environment=environment)


def _combinations(name: str, cells: Mapping[str, Node], stream: Stream) -> Iterator[Measurement]:
    """One measurement for each combination of parameters that was not skipped."""
    if "result" not in cells or cells["result"].value is None:
        yield _failed(name, cells, stream)
        return
    parameters = cells.get("params", Node([], stream.name)).elements()
    labels = [[str(value.value) for value in values.elements()] for values in parameters]
    results = list(cells["result"].elements())
    combinations = list(itertools.islice(itertools.product(*labels), len(results) + 1))
    if len(combinations) != len(results):
        raise cells["result"].wrong("a result for each combination of the parameters")
    for index, (combination, result) in enumerate(zip(combinations, results, strict=True)):
        full = f"{name}({', '.join(combination)})" if combination else name
        value = micro.number(result)
        if value is None:
            yield _failed(full, cells, stream)
        elif value == value:
            yield _measurement(full, name, index, value, cells, stream)


def _base(name: str, cells: Mapping[str, Node], stream: Stream) -> Measurement:
    started = cells["started_at"].count() if "started_at" in cells else None
    seconds = cells["duration"].number() if "duration" in cells else None
    finished = None if started is None or seconds is None else started * 10**6 + round(seconds * 1e9)
    return Measurement(
        source=Source("asv", format="result JSON, version 2", file=stream.name),
        name=name,
        loop="batch",
        started_at=None if started is None else as_rfc3339(started * 10**6),
        finished_at=None if finished is None else as_rfc3339(finished),
        blind=_BLIND,
    )


def _failed(name: str, cells: Mapping[str, Node], stream: Stream) -> Measurement:
    note = Caveat("source.error", "the result is null: the benchmark failed")
    return replace(_base(name, cells, stream), errors={"error": 1}, caveats=(note,))


def _measurement(
    full: str, name: str, index: int, value: float, cells: Mapping[str, Node], stream: Stream
) -> Measurement:
    base, kind = _base(full, cells, stream), name.rpartition(".")[2]
    if kind.startswith(_BYTES):
        return replace(base, runs=(Run(0, peak_memory_bytes=round(value)),), higher_is_better=False)
    if not kind.startswith(_TIMED):
        told = f"its value, {value:g}, has a unit that is in another file; it is not read"
        return replace(base, caveats=(Caveat("source.unit", told),))
    return _timed(base, value, _Cells(cells, index))


class _Cells:
    """The cells of one combination of parameters."""

    def __init__(self, cells: Mapping[str, Node], index: int) -> None:
        self._cells, self._index = cells, index

    def get(self, name: str) -> Node:
        column = self._cells.get(name)
        found = list(column.elements()) if column is not None else []
        return found[self._index] if self._index < len(found) else Node(None, name)

    def figure(self, name: str) -> Figure | None:
        """A statistic, rounded to five significant digits."""
        found = micro.number(self.get(name))
        return micro.figure(found, 1e9, abs(found or 0.0) * 1e-4)


def _timed(base: Measurement, seconds: float, cells: _Cells) -> Measurement:
    number = micro.operations(cells.get("stats_number")) if cells.get("stats_number") else None
    values = [value * 1e9 for node in cells.get("samples").elements() if (value := micro.number(node)) is not None]
    median = micro.figure(seconds, 1e9)
    if values and number is not None:
        readings = tuple(micro.Reading(value, number) for value in values)
        printed = Latency(percentiles=_quartiles(len(values), median, cells), percentile_method="linear")
        told = restate.equal("stats_repeat", cells.get("stats_repeat").count(), "the samples", len(values))
        return micro.of_processes(replace(base, restated=tuple(told)), [micro.Process(readings)], printed)
    return _without_samples(base, median, number, cells)


def _quartiles(n: int, median: Figure | None, cells: _Cells) -> tuple[tuple[float, Figure], ...]:
    return micro.quartiles(n, (25.0, cells.figure("stats_q_25")), (50.0, median), (75.0, cells.figure("stats_q_75")))


def _without_samples(base: Measurement, median: Figure | None, number: int | None, cells: _Cells) -> Measurement:
    """Median and quartiles only; the measured time is about repeat · number · median."""
    repeat = cells.get("stats_repeat").count()
    known = number is not None and repeat is not None and median is not None
    total = median.value * (number or 0) * (repeat or 0) if median is not None else 0.0
    text = "the samples were not recorded (--record-samples): measured time is repeat x number x median"
    return replace(
        base,
        operations=(number or 0) * (repeat or 0) if known else None,
        duration_ns=Figure(total) if known else None,
        latency=Latency(
            count=repeat,
            percentiles=_quartiles(repeat or 0, median, cells),
            percentile_method="linear",
            batch=number or 1,
        ),
        caveats=(Caveat("source.data", text),),
    )


def _environment(document: Node) -> Environment:
    said = document["params"]
    cores = said["num_cpu"].text()
    return Environment(
        cpu_model=said["cpu"].text() or None,
        cpu_count=int(cores) if cores and cores.isdecimal() else None,
        system=said["os"].text() or None,
        architecture=said["arch"].text() or None,
        python=(document["python"].text() or "").rpartition("/")[2] or None,
        packages={key: str(node.value) for key, node in document["requirements"].members() if node.value},
    )
