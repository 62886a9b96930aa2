"""Every plot of a measurement with its caption and its table: the table stands alone where nothing can draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..model import CheckReport, Measurement
from ..stats.littles import LittlesLaw, littles_law
from ..stats.merge import from_runs
from ..units import format_quantity, format_time
from . import curves, plots
from .curves import LimitMark, Percentile, Series
from .html_page import folded, missing_extra, table
from .neutral import markup
from .plots import Curve
from .wording import bounds

_ROWS = 24
"""Rows of a table over time: enough to see a drift, few enough to read."""

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot: what it shows in a title and a sentence, how to draw it, and the same as a table of plain text."""

    title: str
    description: str
    draw: Callable[[], str]
    names: Cells
    rows: tuple[Cells, ...]


def render(figures: Sequence[Figure]) -> list[str]:
    """The figures as a grid of elements; tables only where the extra is not installed."""
    if not figures:
        return []
    drawn = plots.available()
    note = [] if drawn else [missing_extra()]
    return [*note, '<div class="plots">', *(line for one in figures for line in _figure(one, drawn)), "</div>"]


def _figure(one: Figure, drawn: bool) -> list[str]:
    rows = table(one.title, one.names, [[markup(cell) for cell in row] for row in one.rows])
    caption = f"<figcaption><strong>{markup(one.title)}</strong> {markup(one.description)}</figcaption>"
    if not drawn:
        return ["<figure>", caption, *(rows if len(one.rows) <= 10 else folded("Table", rows)), "</figure>"]
    label = f'role="img" aria-label="{markup(f"{one.title}. {one.description}")}"'
    told = f"<title>{markup(one.title)}</title><desc>{markup(one.description)}</desc>"
    head, _, rest = one.draw().partition(">")
    return ["<figure>", caption, f"{head} {label}>{told}{rest}", *folded("The same as a table", rows), "</figure>"]


def of_measurement(measurement: Measurement, checks: Sequence[CheckReport] = ()) -> list[Figure]:
    """Every figure that the measurement has the facts for."""
    marks = curves.limits(checks)
    measurement = from_runs(measurement)
    runs = [one for one in curves.series(measurement) if len(one.start_s) > 2]
    return [*_distributions(measurement, marks), *_over_time(runs, marks, littles_law(measurement))]


def _distributions(measurement: Measurement, marks: Sequence[LimitMark]) -> Iterator[Figure]:
    drawn = curves.percentiles(measurement)
    points = drawn.get("latency", ())
    if len(points) > 1 and any(point.value_ns > 0 for point in points):
        yield _percentiles(points, marks)
    if measurement.loop == "open" and drawn.get("service") and drawn.get("response"):
        yield _service_and_response(drawn["response"], drawn["service"])
    bins = curves.histogram(measurement.latency)
    if bins:
        rows = tuple(
            (f"{format_time(one.low_ns)} to {format_time(one.high_ns)}", f"{one.share * 100:.3g} %")
            for one in bins
            if one.share
        )
        yield Figure(
            "Histogram", "Share of operations in bins of equal ratio, logarithmic scale.",
            lambda: plots.histogram_plot(bins), ("latency", "share"), rows,
        )  # fmt: skip


def _percentiles(points: tuple[Percentile, ...], marks: Sequence[LimitMark]) -> Figure:
    limited = [mark for mark in marks if mark.p is not None]
    said = "".join(f" Limit on p{mark.p:g}: {mark.operator} {format_time(mark.bound)}." for mark in limited)
    intervals = " Band: 95 % interval." if any(point.high_ns for point in points) else ""
    return Figure(
        "Latency by percentile",
        f"Both scales logarithmic, every nine has the same room.{intervals}{said}",
        lambda: plots.percentile_plot([Curve("latency", points)], limited),
        ("percentile", "latency", "95 % interval"),
        tuple(
            (f"p{p.p:.6g}", format_time(p.value_ns), bounds(p.value_ns, (p.low_ns, p.high_ns), "ns"))
            for p in named(points)
        ),
    )


def named(points: Sequence[Percentile]) -> list[Percentile]:
    """The points at percentiles that people name; all of a printed record, which has few."""
    told = [point for point in points if any(abs(point.p - p) < 1e-9 for p in curves.TOLD)]
    return told if len(points) > len(curves.TOLD) * 2 else list(points)


def _service_and_response(response: tuple[Percentile, ...], service: tuple[Percentile, ...]) -> Figure:
    pairs = zip(named(response), named(service), strict=False)
    return Figure(
        "Service time against response time",
        "Response counts from the intended start; the gap is time spent waiting to be sent.",
        lambda: plots.percentile_plot([Curve("response", response), Curve("service", service)]),
        ("percentile", "response", "service"),
        tuple((f"p{a.p:.6g}", format_time(a.value_ns), format_time(b.value_ns)) for a, b in pairs),
    )


def _over_time(runs: Sequence[Series], marks: Sequence[LimitMark], law: LittlesLaw | None) -> Iterator[Figure]:
    if not runs:
        return
    limit = next((mark for mark in marks if mark.metric == "throughput"), None)
    many = f" {len(runs)} processes, a line each; the table shows the first." if len(runs) > 1 else ""
    warm = " Warm-up is shaded and not counted." if runs[0].start_s[0] < 0 else ""
    bound = f" Limit: {limit.operator} {format_quantity(limit.bound, '1/s')}." if limit else ""
    yield Figure(
        "Rate over time", f"Operations that ended in each interval.{warm}{bound}{many}",
        lambda: plots.rate_plot(runs, limit), ("second", "rate"),
        _thin(runs[0], [[format_quantity(value, "1/s") for value in runs[0].rate_per_s]]),
    )  # fmt: skip
    if any(value is not None for value in runs[0].mean_ns):
        columns = [[_time(value) for value in column] for column in (runs[0].mean_ns, runs[0].p99_ns)]
        yield Figure(
            "Latency over time", f"Mean and p99 of each interval.{warm}{many}",
            lambda: plots.latency_plot(runs), ("second", "mean", "p99"), _thin(runs[0], columns),
        )  # fmt: skip
    if runs[0].in_flight:
        yield _concurrency(runs, law, f"{warm}{many}")


def _concurrency(runs: Sequence[Series], law: LittlesLaw | None, told: str) -> Figure:
    said = ""
    rows = list(_thin(runs[0], [[f"{value:.4g}" for value in runs[0].in_flight]]))
    if law is not None and law.measured is not None:
        said = f" λ·W = {law.product:.4g}, mean in flight {law.measured:.4g}; by Little's law they are one number."
        rows = [("λ·W, whole window", f"{law.product:.4g}"), ("in flight, whole window", f"{law.measured:.4g}"), *rows]
    return Figure(
        "Concurrency against λ·W",
        f"Number in flight as the driver integrated it, beside rate times mean latency.{said}{told}",
        lambda: plots.concurrency_plot(runs, None if law is None else law.product),
        ("second", "in flight"),
        tuple(rows),
    )


def _time(value: float | None) -> str:
    return "—" if value is None else format_time(value)


def _thin(one: Series, columns: Sequence[Sequence[str]]) -> tuple[Cells, ...]:
    """At most `_ROWS` rows, evenly taken."""
    step = max(1, -(-len(one.start_s) // _ROWS))
    return tuple(
        (f"{one.start_s[at]:g}", *(column[at] for column in columns)) for at in range(0, len(one.start_s), step)
    )
