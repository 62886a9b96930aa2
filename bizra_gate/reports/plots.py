"""Curves as inline SVG, drawn by matplotlib: the one module that needs the ``html`` extra.

SVG needs no script, so a report opens where scripts are forbidden (build servers, mail, a sandboxed preview), and its
colours are the page's own CSS variables, so that a dark page has light ink. Of a file only names of metrics are drawn,
and those are made safe.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from ..units import format_quantity, format_time
from .curves import Bin, LimitMark, Percentile, Series
from .neutral import ascii_only, line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GRID, FIRST, SECOND, LIMIT, SHADE = (f"#0a0b0{digit}" for digit in range(1, 7))
_VARIABLES = {
    INK: "--plot-ink", GRID: "--plot-grid", FIRST: "--plot-first", SECOND: "--plot-second", LIMIT: "--plot-limit",
    SHADE: "--plot-shade",
}  # fmt: skip
"""Stand-in colour → CSS variable of the page."""
_SIZE_IN = (4.0, 2.7)
_ONE_LINE = 36
"""Characters of a legend that fit beside each other."""
_LONGEST = 22
"""Characters of a name beside a plot, which would be squeezed by more."""
_NINES = ((50.0, "p50"), (90.0, "p90"), (99.0, "p99"), (99.9, "p99.9"), (99.99, "p99.99"), (99.999, "p99.999"),
          (99.9999, "p99.9999"))  # fmt: skip
_ID = re.compile(r' id="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^)"]+)')
_FIXED_SIZE = re.compile(r' (?:width|height)="[^"]*"')
_PROLOG = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>\s*", re.DOTALL)


def available() -> bool:
    """Whether the ``html`` extra is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Curve:
    """One named percentile curve."""

    name: str
    points: tuple[Percentile, ...]


def percentile_plot(curves: Sequence[Curve], limits: Sequence[LimitMark] = ()) -> str:
    """Latency over percentiles, every nine with the same room, the first curve with its interval band."""

    def draw(axes: Axes) -> None:
        for curve, color, dashes in zip(curves, (FIRST, SECOND), ("-", "--"), strict=False):
            points = [point for point in curve.points if point.value_ns > 0]
            axes.plot([p.nines for p in points], [p.value_ns for p in points], dashes, color=color, label=curve.name)
        _band(axes, curves[0].points)
        for mark in limits:
            if mark.p is not None:
                _limit_mark(axes, mark.p, mark.bound)
        _nines(axes, max(point.nines for curve in curves for point in curve.points))
        _time_scale(axes, log=True)
        _legend(axes, len(curves) > 1 or any(mark.p is not None for mark in limits))

    return _svg("percentiles", draw)


def _band(axes: Axes, points: Sequence[Percentile]) -> None:
    """The interval where both sides exist; beyond, where the sample cannot bound it, dots on the known side."""
    both = [p for p in points if p.low_ns and p.high_ns]
    if both:
        low, high = [p.low_ns or 0.0 for p in both], [p.high_ns or 0.0 for p in both]
        axes.fill_between([p.nines for p in both], low, high, color=FIRST, alpha=0.25, linewidth=0)
    open_ended = [p for p in points if p.low_ns and p.high_ns is None]
    if open_ended:
        low = [p.low_ns or 0.0 for p in open_ended]
        axes.plot([p.nines for p in open_ended], low, ":", color=FIRST, label="lower bound (no upper one)")


def _limit_mark(axes: Axes, p: float, bound: float) -> None:
    at = -math.log10(1 - p / 100)
    axes.plot([at - 0.35, at + 0.35], [bound, bound], "-", color=LIMIT, linewidth=2.5)
    axes.plot([at], [bound], "v", color=LIMIT, markersize=7, label=f"limit on p{p:g}", linestyle="none")


def _nines(axes: Axes, last: float) -> None:
    ticks = [(-math.log10(1 - p / 100), name) for p, name in _NINES]
    shown = [(at, name) for at, name in ticks if at <= last + 0.05] or ticks[:1]
    axes.set_xticks([at for at, _ in shown], [name for _, name in shown], rotation=30 if len(shown) > 5 else 0)
    axes.set_xlim(0, max(last, 1.0) * 1.02)


def histogram_plot(bins: Sequence[Bin]) -> str:
    """Share of operations over latency, bins of equal ratio on a logarithmic scale."""

    def draw(axes: Axes) -> None:
        widths = [one.high_ns - one.low_ns for one in bins]
        axes.bar([one.low_ns for one in bins], [one.share * 100 for one in bins], widths, align="edge", color=FIRST)
        _time_scale(axes, log=True, axis="x")
        axes.set_ylabel("share of operations, %")

    return _svg("histogram", draw)


def rate_plot(runs: Sequence[Series], limit: LimitMark | None) -> str:
    """Operations a second over time, a line for each process, warm-up shaded, the limit as a line."""

    def draw(axes: Axes) -> None:
        for one in runs:
            axes.plot(one.start_s, one.rate_per_s, "-", color=FIRST, linewidth=1, alpha=_fade(runs))
        if limit is not None:
            axes.axhline(limit.bound, color=LIMIT, linewidth=1.8, label="limit")
        _over_time(axes, runs)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: format_quantity(value, "1/s"))
        _legend(axes, True)

    return _svg("rate", draw)


def latency_plot(runs: Sequence[Series]) -> str:
    """Mean and p99 latency over time, a line for each process, warm-up shaded."""

    def draw(axes: Axes) -> None:
        for column, color, dashes, name in (("p99_ns", SECOND, "--", "p99"), ("mean_ns", FIRST, "-", "mean")):
            for at, one in enumerate(runs):
                values = [math.nan if value is None else value for value in getattr(one, column)]
                if not all(math.isnan(value) for value in values):
                    label = name if at == 0 else None
                    axes.plot(one.start_s, values, dashes, color=color, linewidth=1, alpha=_fade(runs), label=label)
        _over_time(axes, runs)
        axes.set_ylim(bottom=0)
        _time_scale(axes, log=False)
        _legend(axes, True)

    return _svg("latency", draw)


def concurrency_plot(runs: Sequence[Series], little: float | None) -> str:
    """The number in flight as the driver integrated it, beside λ·W of the whole window from the latencies."""

    def draw(axes: Axes) -> None:
        for at, one in enumerate(run for run in runs if run.in_flight):
            label = "in flight" if at == 0 else None
            axes.plot(one.start_s, one.in_flight, "-", color=FIRST, linewidth=1.3, alpha=_fade(runs), label=label)
        if little is not None:
            axes.axhline(little, color=SECOND, linestyle="--", linewidth=1.6, label="λ·W")
        _over_time(axes, runs)
        axes.set_ylim(bottom=0)
        _legend(axes, True)

    return _svg("concurrency", draw)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Head over base with its interval; a side that does not exist is None."""

    ratio: float
    low: float | None
    high: float | None


def ratio_plot(rows: Sequence[tuple[str, Ratio]], margin: float | None) -> str:
    """Ratios with their intervals around 1, one row for each of our own metric names; the margin shaded."""

    def draw(axes: Axes) -> None:
        for at, (_, row) in enumerate(rows):
            low, high = row.low or row.ratio, row.high or row.ratio
            axes.plot([low, high], [at, at], "-", color=FIRST, linewidth=2)
            axes.plot([row.ratio], [at], "o", color=FIRST, markersize=6)
        axes.axvline(1, color=INK, linewidth=1)
        if margin is not None:
            axes.axvspan(1 - margin, 1 + margin, color=SHADE, alpha=0.35, linewidth=0, label="same within the margin")
            _legend(axes, True)
        axes.set_yticks(range(len(rows)), [_drawable(name) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("head ÷ base")

    return _svg("ratio", draw, height=max(1.6, 0.45 * len(rows) + 1.0))


def _drawable(name: str) -> str:
    """A metric's name for a tick: the one text from a file that is drawn, so short, and with glyphs of any font."""
    safe = ascii_only(line(name))
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 3]}..."


def _fade(runs: Sequence[Series]) -> float:
    return 1.0 if len(runs) == 1 else 0.55


def _over_time(axes: Axes, runs: Sequence[Series]) -> None:
    start = min(one.start_s[0] for one in runs if one.start_s)
    end = max(one.start_s[-1] for one in runs if one.start_s)
    if start < 0:
        axes.axvspan(start, 0, color=SHADE, alpha=0.35, linewidth=0, label="warm-up")
    axes.set_xlim(start, max(end, start + 1))
    axes.set_xlabel("seconds since the measured window began")


def _time_scale(axes: Axes, log: bool, axis: str = "y") -> None:
    from matplotlib import ticker

    scale = axes.yaxis if axis == "y" else axes.xaxis
    if log:
        (axes.set_yscale if axis == "y" else axes.set_xscale)("log")
        low, high = axes.get_ylim() if axis == "y" else axes.get_xlim()
        wide = math.log10(high / low) > 2.2 if low > 0 else True
        scale.set_major_locator(ticker.LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=9))
        scale.set_minor_locator(ticker.NullLocator())
    scale.set_major_formatter(lambda value, _: format_time(value))


def _legend(axes: Axes, wanted: bool) -> None:
    """Above the axes, where no curve can run through it."""
    names = axes.get_legend_handles_labels()[1]
    if wanted and names:
        columns = 2 if sum(map(len, names)) > _ONE_LINE else len(names)
        axes.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, borderpad=0.0, ncols=columns,
            columnspacing=1.2, handlelength=1.6, fontsize=9, framealpha=0, labelcolor=INK,
        )  # fmt: skip


def _svg(name: str, draw: Callable[[Axes], None], height: float = _SIZE_IN[1]) -> str:
    """One figure as an `svg` element whose identifiers no other figure on the page shares."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = StringIO()
    with rc_context(_style(name)):
        figure = Figure(figsize=(_SIZE_IN[0], height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(axes)
        nothing: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    return inline(out.getvalue())


def _style(name: str) -> Any:
    return {
        "svg.fonttype": "none", "svg.hashsalt": name, "font.size": 10, "font.family": "sans-serif",
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GRID, "xtick.color": INK, "ytick.color": INK,
        "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.6, "grid.alpha": 0.6, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.8, "axes.unicode_minus": True,
        "text.usetex": False, "text.parse_math": False, "axes.formatter.use_mathtext": False,
    }  # fmt: skip


def inline(svg: str) -> str:
    """An SVG document as an element: no prolog, no metadata, its own identifiers, the page's colours and font."""
    body = _PROLOG.sub("", svg)
    used = {found[2] for found in _REFERENCE.finditer(body)}
    prefix = f"p{hashlib.sha256(svg.encode()).hexdigest()[:10]}-"
    body = _ID.sub(lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", body)
    body = _REFERENCE.sub(lambda found: f"{found[1]}{prefix}{found[2]}", body)
    for color, variable in _VARIABLES.items():
        body = body.replace(color, f"var({variable})")
    body = re.sub(r"(?<=<svg)[^>]*", lambda found: _FIXED_SIZE.sub("", found[0]), body, count=1)
    return re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", body).strip()
