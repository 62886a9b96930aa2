"""The part of `coherence.summary` that is about other tools' files: figures that must follow from those beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..model import Distribution, Figure, Finding, Latency, Measurement, Restated
from ..units import format_quantity
from . import facts
from .ranges import Range, is_number
from .rule import invalid
from .wording import Show, count, name_of, time

CODE = "coherence.summary"

VALUES_DIGITS = 1e-4
"""Tools that keep their values round statistics to five digits at the coarsest (asv)."""


def of_restated(measurement: Measurement) -> Iterator[Finding]:
    """Figures that the importer found stated twice (`Measurement.restated`)."""
    for one in measurement.restated:
        if one.stated.high < one.low or one.stated.low > one.high:
            yield _contradicted(one)


def _contradicted(one: Restated) -> Finding:
    stated, allowed = _shown(one.stated.value, one), Range(one.low, one.high).text(lambda value: _shown(value, one))
    if stated == allowed:
        stated, allowed = f"{one.stated.value:.9g}", Range(one.low, one.high).text(lambda value: f"{value:.9g}")
    message = f"{one.what} is printed as {stated}; {one.formula}, from the same file, gives {allowed}."
    return invalid(CODE, message, f"{one.what} {stated}", allowed)


def _shown(value: float, one: Restated) -> str:
    return format_quantity(value, one.unit) if one.unit else f"{value:,.6g}"


def values_of(measurement: Measurement) -> tuple[float, ...]:
    """The values that a tool kept of its processes, ns per operation, in ascending order; none where one is odd."""
    values = [value for run in measurement.runs for value in run.values]
    return tuple(sorted(values)) if all(is_number(value) and value >= 0 for value in values) else ()


def of_values(measurement: Measurement) -> Iterator[Finding]:
    """Printed statistics against the values that were kept beside them."""
    latency, values = measurement.latency, values_of(measurement)
    if facts.own(measurement) or latency is None or latency.histogram is not None or not values:
        return
    mean = math.fsum(values) / len(values)
    spread = math.dist(values, [mean] * len(values))  # scaled, so that no square overflows
    rows = [("min", latency.minimum, Range.exact(values[0])), ("max", latency.maximum, Range.exact(values[-1]))]
    rows.append(("mean", latency.mean, Range.exact(mean)))
    rows.append(("stdev", latency.stdev, _deviations(spread, len(values))))
    rows += [(name_of(p), figure, _near_rank(values, p / 100)) for p, figure in latency.percentiles]
    for what, figure, allowed in rows:
        if figure is not None and not _meets(figure, allowed):
            given = f"the {count(len(values))} values in the file give {time(allowed)}"
            message = f"{what} is printed as {time(figure)}; {given}."
            yield invalid(CODE, message, f"{what} {time(figure)}", time(allowed))


def _meets(figure: Figure, allowed: Range) -> bool:
    slack = VALUES_DIGITS * allowed.high
    return figure.high >= allowed.low - slack and figure.low <= allowed.high + slack


def _deviations(spread: float, n: int) -> Range:
    """Deviation of the population and of the sample: tools divide by n or by n - 1; `spread` is √Σ(x − mean)²."""
    return Range(spread / math.sqrt(n), spread / math.sqrt(max(1, n - 1)))


def _near_rank(values: Sequence[float], q: float) -> Range:
    """From the value one rank below the interpolated place to the one above it."""
    place = q * (len(values) - 1)
    return Range(values[max(0, math.floor(place) - 1)], values[min(len(values) - 1, math.ceil(place) + 1)])


def of_deviation(name: str, latency: Latency, histogram: Distribution, show: Show) -> Iterator[Finding]:
    """A printed standard deviation against the histogram; a bin of width w hides w/2 of each of its values."""
    stdev, variance = latency.stdev, histogram.variance
    if stdev is None or variance is None or not is_number(stdev.value):
        return
    bins = zip(histogram.low, histogram.high, histogram.count, strict=True)
    hidden = math.hypot(*(math.sqrt(n / histogram.n) * (high - low) / 2 for low, high, n in bins))
    hidden += (latency.quantum_ns or 0.0) / 2 + (latency.bin_ratio or 0.0) * stdev.value + 1.0
    allowed = _deviations(math.sqrt(variance) * math.sqrt(histogram.n), histogram.n).widened(hidden)
    if stdev.high < allowed.low or stdev.low > allowed.high:
        message = (
            f"{name}: stdev is printed as {show(stdev)}; the histogram of {count(histogram.n)} values puts it at "
            f"{show(allowed)}."
        )
        yield invalid(CODE, message, f"stdev {show(stdev)}", show(allowed))
