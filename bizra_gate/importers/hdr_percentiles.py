"""HdrHistogram's percentile table (``outputPercentileDistribution``), the classic text and its CSV form.

Traps: neither unit nor duration is in the file; values are scaled by a ratio of the writer's choice and read as ms, the
custom; the PyPI package scales the values but not the standard deviation; bins are as coarse as the table's rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import FormatError
from ..model import Caveat, Distribution, Figure, Latency, Measurement, Source
from . import hdr_table, printed
from .cut import cut_caveats, without_end
from .stream import Stream

NS_PER_UNIT = 1e6
_SNIFF = re.compile(
    rb'^\s*Value\s+Percentile\s+TotalCount\s+1/\(1-Percentile\)|^"Value","Percentile","TotalCount"', re.M
)
_ROW = re.compile(r"\s*([\d.]+)[\s,]+([01](?:\.\d+)?)[\s,]+(\d+)(?:[\s,]+\S+)?\s*")
_FOOT = re.compile(r"#\[(Mean|Max)\s*=\s*([\d.]+),\s*(StdDeviation|Total count)\s*=\s*([\d.]+)\]")
_UNIT = Caveat("source.unit", "the unit is not in the file: values are read as milliseconds, the custom of this table")
_BLIND = (
    "a table has neither duration nor rate (method.duration, littles_law.*, coherence.time)",
    "from which moment a latency counts is not said (method.coordinated_omission)",
    "errors, and whether they are among the values, are not said (method.errors)",
    "no time series: drift, growth and a change in the middle of the run go unseen (method.steady)",
    "the generator and the machine are not described (generator.*, environment.*)",
)


def sniff(head: bytes, name: str) -> bool:
    return _SNIFF.match(head.lstrip()) is not None


def read(stream: Stream) -> Iterator[Measurement]:
    rows: list[tuple[Figure, int]] = []
    foot: dict[str, Figure] = {}
    last = 0.0
    for number, line in enumerate(stream.text_lines(), 1):
        where = f"{stream.name}: line {number}"
        if match := _FOOT.match(line):
            foot[match[1]] = printed.number(match[2], where)
            foot[match[3]] = printed.number(match[4], where)
        elif match := _ROW.fullmatch(line):
            rows.append((printed.number(match[1], where), printed.count(match[3], where)))
            last = float(match[2])
        elif line.strip() and not line.lstrip().startswith("#") and "Percentile" not in line:
            raise FormatError(f"{where}: got {line[:60]!r}; expected value, percentile, count and 1/(1-percentile)")
    if not rows:
        raise FormatError(f"{stream.name}: a percentile table without a row: nothing was measured")
    measurement = _measurement(rows, foot, stream)
    end = cut_caveats(stream) if last == 1 else without_end(stream, "its row of 100 %")
    yield replace(measurement, caveats=(*measurement.caveats, *end))


def _measurement(rows: list[tuple[Figure, int]], foot: dict[str, Figure], stream: Stream) -> Measurement:
    quantum = max(1, round(rows[0][0].resolution * NS_PER_UNIT))
    pairs = [(value.value * NS_PER_UNIT, count) for value, count in rows]
    whole = hdr_table.distribution(pairs, quantum, stream.name)
    stdev, most = foot.get("StdDeviation"), foot.get("Max")
    unscaled = stdev is not None and most is not None and stdev.value > max(most.value, 1.0)
    return Measurement(
        source=Source("hdrhistogram", format="percentile table", file=stream.name),
        operations=whole.n,
        latency=_latency(whole, foot, quantum, None if unscaled else _scaled(stdev)) if whole.n else None,
        caveats=(_UNIT, *(_unscaled() if unscaled else ())),
        blind=_BLIND,
    )


def _unscaled() -> tuple[Caveat, ...]:
    return (Caveat("source.stdev", "the standard deviation is above the maximum: its writer forgot to scale it"),)


def _latency(whole: Distribution, foot: dict[str, Figure], quantum: int, stdev: Figure | None) -> Latency:
    total = foot.get("Total count")
    return Latency(
        histogram=whole,
        count=whole.n if total is None else round(total.value),
        mean=_scaled(foot.get("Mean")),
        maximum=_scaled(foot.get("Max")),
        stdev=stdev,
        percentile_method="hdr",
        quantum_ns=float(quantum),
        bin_ratio=1e-3,
    )


def _scaled(figure: Figure | None) -> Figure | None:
    return None if figure is None else Figure(figure.value * NS_PER_UNIT, figure.resolution * NS_PER_UNIT)
