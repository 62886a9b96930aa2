"""`show` for people: percentiles with intervals, the percentile curve and the series drawn, findings."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.text import Text

from ..units import format_quantity, format_time
from . import curves, wording, wording_audit
from .curves import Percentile, Series
from .inputs import Shown
from .terminal import findings, label, scope
from .terminal_audit import metrics, understood
from .terminal_page import Page
from .terminal_plot import Axis, chart, value_axis

_NINES = ((50.0, "p50"), (90.0, "p90"), (99.0, "p99"), (99.9, "p99.9"), (99.99, "p99.99"), (99.999, "p99.999"))


def render(shown: Shown, width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """One artifact as a page; of several processes the first is drawn over time."""
    page = Page(width, color, unicode)
    _head(page, shown)
    metrics(page, shown.metrics)
    _percentile_curve(page, shown)
    every = curves.series(shown.measurement)
    for one in every[:1]:
        _over_time(page, one, f", first of {len(every)} processes" if len(every) > 1 else "")
    if shown.audit is not None:
        page.blank()
        findings(page, shown.audit)
        scope(page, shown.audit)
    for caveat in shown.measurement.caveats:
        label(page, "Caveat", page.words(f"{caveat.message} ({caveat.code})"))
    return page.text()


def _head(page: Page, shown: Shown) -> None:
    name = shown.measurement.name or shown.file
    if shown.audit is None:
        page.put(page.words(("? not audited", "unsure"), f" · {name}"), hang=2)
    else:
        reason = wording_audit.audit_reason(shown.audit)
        page.put(Text.assemble(page.verdict(shown.audit.verdict), page.words(f" · {name} · {reason}")), hang=2)
    label(page, "File", page.words((shown.file, "strong")))
    _trust(page, shown)
    understood(page, shown.measurement)
    for note in shown.notes:
        label(page, "Note", page.words(note))


def _trust(page: Page, shown: Shown) -> None:
    if shown.trust is None:
        label(page, "Trust", page.words(("? signature not checked here", "unsure")))
        return
    symbol, word = ("✓", "trusted") if shown.trust.ok else ("✗", "UNTRUSTED")
    names = wording.named(shown.trust.signed_by, shown.trust.owners)
    signed = f", signed by {', '.join(names)}" if names else ""
    label(page, "Trust", page.words((f"{symbol} {word}", wording.TONES[symbol]), signed))
    for reason in shown.trust.reasons:
        page.say(reason.message, indent=14)


def _percentile_curve(page: Page, shown: Shown) -> None:
    points = [point for point in curves.percentiles(shown.measurement).get("latency", ()) if point.value_ns > 0]
    if len(points) < 2:
        return
    page.blank()
    page.say(("Latency by percentile", "strong"), " (both scales logarithmic; every nine has the same room)", indent=2)
    x = Axis(points[0].nines, points[-1].nines, ticks=_nine_ticks(points))
    y = value_axis([point.value_ns for point in points], True, format_time)
    page.raw(chart([(p.nines, p.value_ns) for p in points], x, y, page.width - 4, 9, page.unicode), 2)


def _nine_ticks(points: list[Percentile]) -> tuple[tuple[float, str], ...]:
    last = points[-1].nines
    return tuple((-math.log10(1 - p / 100), name) for p, name in _NINES if -math.log10(1 - p / 100) <= last)


def _over_time(page: Page, one: Series, which: str) -> None:
    if len(one.start_s) < 3:
        return
    _plot(page, one, f"Rate over time{which}", list(zip(one.start_s, one.rate_per_s, strict=True)), "1/s")
    p99 = [(at, value) for at, value in zip(one.start_s, one.p99_ns, strict=True) if value is not None]
    mean = [(at, value) for at, value in zip(one.start_s, one.mean_ns, strict=True) if value is not None]
    if len(p99) > 2:
        _plot(page, one, f"p99 over time{which}", p99, "ns")
    elif len(mean) > 2:
        _plot(page, one, f"Mean latency over time{which}", mean, "ns")


def _plot(page: Page, one: Series, title: str, points: list[tuple[float, float]], unit: str) -> None:
    page.blank()
    warm = f" (from {-one.start_s[0]:.3g} s before the measured window: warm-up)" if one.start_s[0] < 0 else ""
    page.say((title, "strong"), warm, indent=2)
    name: Callable[[float], str] = lambda value: format_quantity(value, unit)  # noqa: E731
    y = value_axis([value for _, value in points], False, name)
    page.raw(chart(points, _time_axis(one), y, page.width - 4, 6, page.unicode), 2)


def _time_axis(one: Series) -> Axis:
    low, high = one.start_s[0], one.start_s[-1]
    middle = high / 2 if high < 10 else float(round(high / 2))
    ticks = [(0.0, "0 s"), (middle, f"{middle:.3g} s"), (high, f"{high:.3g} s")]
    if low < 0:
        ticks.insert(0, (low, f"{low:.3g} s"))
    return Axis(low, high, ticks=tuple(ticks))
