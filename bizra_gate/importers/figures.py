"""Single figures with a name and a unit, as dashboards keep them: which of them are times, rates or sizes.

A dashboard's point has neither counts nor a duration nor a clock, so an audit can say little of it; and it will.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from ..model import Caveat, Figure, Latency, Measurement, Run
from .printed import NS

BLIND = (
    "a single figure: on how many values it rests, how long was measured and with which clock is not said (method.*)",
    "neither counts nor a distribution: nothing can be derived again (coherence.*, littles_law.*)",
)
_PER_TIME = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_SIZES = {"B": 1.0, "bytes": 1.0, "byte": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10,
          "MiB": 2.0**20, "GiB": 2.0**30}  # fmt: skip
_TIMES = {**NS, "nanoseconds": 1.0, "microseconds": 1e3, "milliseconds": 1e6, "sec": 1e9, "seconds": 1e9}
_COUNTED = re.compile(r"[A-Za-z]+")


def add(
    measurement: Measurement, value: float, unit: str, *, p: float | None = None, better: bool | None = None
) -> Measurement:
    """`measurement` with one figure more: a time per operation (``ns/op``), a rate (``ops/s``), a size, or a caveat.

    `p` is the percentile that a time is of, None for a mean; `better` says whether a higher figure is.
    """
    direction = replace(measurement, higher_is_better=better if better is not None else measurement.higher_is_better)
    left, _, right = (part.strip() for part in unit.partition("/"))
    if not math.isfinite(value):
        return with_caveat(direction, "source.value", f"the value in {unit or 'no unit'} is not a finite number: none")
    if left in _TIMES and (not right or _COUNTED.fullmatch(right)):
        return _with_time(direction, Figure(value * _TIMES[left]), p)
    if right in _PER_TIME and left not in _SIZES:
        return replace(direction, rate_achieved_per_s=Figure(value * _PER_TIME[right]), higher_is_better=True)
    if left in _SIZES and not right and 0 <= value < 1e15:
        return replace(direction, runs=(Run(0, peak_memory_bytes=round(value * _SIZES[left])),))
    return with_caveat(direction, "source.unit", f"{value:g} {unit or '(no unit)'} is no metric here; it is not read")


def _with_time(measurement: Measurement, figure: Figure, p: float | None) -> Measurement:
    latency = measurement.latency or Latency()
    if p is None:
        return replace(measurement, latency=replace(latency, mean=figure))
    percentiles = tuple(sorted((*latency.percentiles, (p, figure))))
    return replace(measurement, latency=replace(latency, percentiles=percentiles))


def with_caveat(measurement: Measurement, code: str, message: str) -> Measurement:
    return replace(measurement, caveats=(*measurement.caveats, Caveat(code, message)))


def interval_caveat(measurement: Measurement, names: Sequence[str]) -> Measurement:
    """Bounds whose meaning no file says (a spread, an interval, extremes) are told of and not read."""
    if not names:
        return measurement
    text = f"bounds beside {', '.join(names)}: whether a spread, an interval or extremes is not said; they are not read"
    return with_caveat(measurement, "source.range", text)
