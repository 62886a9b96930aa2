"""HdrHistogram interval log, V2, version 1.3: one interval per run and kind of latency, told apart by tags.

The histograms of single seconds are not kept, so a run is one interval. A log with one run and one kind has no tag.
Exact minimum, maximum and sum are not part of the format; the bins are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from ..model import Measurement, Metric
from ..stats import histogram
from ..version import __version__
from .counted import Part, as_hdr, label, parts

NS_PER_MS = 1e6


def render(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
    """The log; raises `UsageError` where the measurement holds no histogram of single operations."""
    return "".join(f"{line}\n" for line in _lines(measurement))


def _lines(measurement: Measurement) -> Iterator[str]:
    held = parts(measurement)
    yield f"#[{_one_line(label(measurement))}, exported by bizra-gate {__version__}; values in ns]"
    yield "#[Histogram log format version 1.3]"
    started = _epoch_s(measurement)
    if started is not None:
        yield f"#[StartTime: {started:.3f} (seconds since epoch), {measurement.started_at}]"
        yield f"#[BaseTime: {started:.3f} (seconds since epoch)]"
    yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    kinds, runs = {part.kind for part in held}, {part.run for part in held}
    for part in held:
        tag = ".".join([*([part.kind] if len(kinds) > 1 else []), *([f"run-{part.run}"] if len(runs) > 1 else [])])
        yield _interval(part, tag)


def _interval(part: Part, tag: str) -> str:
    values, layout = as_hdr(part.values)
    most = min(values.high[-1], part.values.maximum if part.values.maximum is not None else values.high[-1])
    cells = (
        f"{part.start_ns / 1e9:.3f}",
        f"{part.length_ns / 1e9:.3f}",
        f"{max(most, values.low[-1]) / NS_PER_MS:.6f}",
        histogram.encode(values, layout),
    )
    return (f"Tag={tag}," if tag else "") + ",".join(cells)


def _epoch_s(measurement: Measurement) -> float | None:
    """When the first run began, seconds since 1970; None where no stamp with a zone says so."""
    try:
        moment = datetime.fromisoformat(measurement.started_at or "")
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
