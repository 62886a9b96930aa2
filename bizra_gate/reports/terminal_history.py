"""`history` for people: each metric over the versions of its artifact, drawn, its changes, and what was left out."""

from __future__ import annotations

from collections import Counter

from ..units import format_quantity
from . import trend as trends
from .terminal_page import Page, fit
from .terminal_plot import Axis, chart
from .trend import History, Trend, TrendPoint
from .wording import SYMBOLS, TONES, count, estimate

LAST = 10
"""Versions that the table names; JSON has them all."""
HEIGHT = 7
_SYMBOL = {"better": SYMBOLS["better"], "worse": SYMBOLS["worse"], "changed": "!"}


def render(history: History, width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """One page: a plot, the changes and the last versions of each metric."""
    page = Page(width, color, unicode)
    page.say((history.gate, "strong"), f" · {_headline(history)}")
    page.say((f"{history.file} · advice, no verdict", "dim"), indent=2)
    for note in history.notes:
        page.say(f"! {note}", indent=2, hang=2)
    for trend in history.trends:
        _trend(page, trend)
    return page.text()


def _headline(history: History) -> str:
    said = Counter(shift.direction for trend in history.trends for shift in trend.shifts)
    parts = [f"{count(said[way], 'change')} ({way})" for way in ("worse", "better", "changed") if said[way]]
    return ", ".join(parts) or "no lasting change"


def _trend(page: Page, trend: Trend) -> None:
    page.blank()
    page.rule(page.words((trend.metric, "strong"), f" · {trend.artifact}"))
    if len(trend.used) > 1:
        page.raw(_plot(page, trend), 2)
    if trend.shifts:
        for shift in trend.shifts:
            symbol = _SYMBOL[shift.direction]
            page.say((symbol, TONES[symbol]), f" {trends.shift_words(trend, shift)}", indent=2, hang=2)
    else:
        for line in trends.advice(trend):
            page.say(line, indent=2, hang=2)
    _table(page, trend)
    for reason, n in Counter(point.left_out for point in trend.points if point.left_out).most_common():
        page.say((f"{count(n, 'version')} left out: {reason}", "dim"), indent=2, hang=2)


def _plot(page: Page, trend: Trend) -> list[str]:
    """Versions side by side, from the oldest to the newest; the scale begins near the lowest value and says where."""
    used = trend.used
    values = [point.estimate or 0.0 for point in used]
    low, high = min(values), max(values)
    room = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    names = tuple((value, format_quantity(value, trend.unit)) for value in (low, (low + high) / 2, high))
    y = Axis(low - room, high + room, ticks=names if high > low else names[:1])
    marked = sorted({0, len(used) - 1, *(used.index(shift.point) for shift in trend.shifts)})
    x = Axis(0, len(used) - 1, ticks=tuple((float(at), used[at].day) for at in marked))
    points = [(float(at), value) for at, value in enumerate(values)]
    return chart(points, x, y, page.width - 4, HEIGHT, page.unicode)


def _table(page: Page, trend: Trend) -> None:
    shown = trend.used[-LAST:]
    if not shown:
        return
    changed = {shift.point: _SYMBOL[shift.direction] for shift in trend.shifts}
    rows = [
        (
            page.words((changed.get(point, " "), TONES.get(changed.get(point, ""), ""))),
            page.words(point.version),
            page.words(point.day),
            page.words(_figure(trend, point)),
        )
        for point in reversed(shown)
    ]
    page.table(rows, fit(rows, page.width - 2, ((3, 16), (1, 7))), frozenset(), 2)
    if len(trend.used) > len(shown):
        page.say((f"… and {count(len(trend.used) - len(shown), 'earlier version')}", "dim"), indent=4)


def _figure(trend: Trend, point: TrendPoint) -> str:
    return estimate(point.estimate, point.interval, trend.unit)
